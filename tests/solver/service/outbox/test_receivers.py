"""Whatever a receiver does, its message comes at least once, under one key, and is applied once."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.connectors import Message
from apportion.connectors.webhook import new_secret
from apportion.service.outbox import Delivered, Deliverer, read_sinks
from apportion.service.store import Store
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock
from tests.solver.service.receiver import MOODS, SECRET_NAME, receiver

SECRET = new_secret()
TAKEN_AT_ONCE = ("twice", "endless")  # what it says after its first word does not matter


def _write(store: Store, rows: int = 1) -> None:
    message = Message(kind="plan.done", at=tables.START, rows=tuple({"lead_id": f"L{n}"} for n in range(rows)))
    with store.write() as tx:
        tx.outbox.add(topic="plan.done", key="k", payload={"message": message.document()}, sinks=["hook"])


def _delivered(store: Store, folder: Path, clock: FakeClock) -> Delivered:
    """Try until it is settled; the receiver may also be late because this machine is busy."""
    done = Delivered()
    while not (done.received or done.dead) and done.again < 20:
        done += Deliverer(store, read_sinks(folder / "sinks.toml")).all_due()
        clock.turn(3600)
    return done


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_NAME, SECRET)


@pytest.mark.parametrize("mood", MOODS)
def test_a_receiver_that_misbehaves_twice(store: Store, clock: FakeClock, tmp_path: Path, mood: str) -> None:
    """It fails, hangs, answers late, twice, by halves or without an end: the third time, at the latest, it has it."""
    store.close()  # nothing open is inherited
    with receiver(tmp_path, SECRET, moods=(mood, mood)) as hook:
        (tmp_path / "sinks.toml").write_text(hook.sinks())
        _write(store)
        done = _delivered(store, tmp_path, clock)
        assert (done.received, done.dead) == (1, 0)
        assert done.again >= (0 if mood in TAKEN_AT_ONCE else 2)
        assert hook.applied() == [{"lead_id": "L0"}]
    with store.read() as tx:
        (letter,) = tx.outbox.page()
    assert letter.state == "delivered"


def test_a_receiver_that_has_moved_is_told_and_its_message_replayed(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    """A redirect is not followed: the message is dead, with what to do; replayed, it comes under its old key."""
    store.close()
    with receiver(tmp_path, SECRET, moods=("moves",)) as hook:
        (tmp_path / "sinks.toml").write_text(hook.sinks())
        _write(store)
        assert _delivered(store, tmp_path, clock).dead == 1
        with store.write() as tx:
            (letter,) = tx.outbox.page(state="dead").items
            assert letter.error is not None and "redirects are not followed" in letter.error
            assert tx.outbox.replay() == 1
        assert _delivered(store, tmp_path, clock).received == 1
        assert max(hook.received().values()) >= 2 and hook.applied() == [{"lead_id": "L0"}]


def test_a_large_message_whose_parts_fail_by_turns_comes_whole(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    """Three parts, each of which fails once in its own way."""
    store.close()
    with receiver(tmp_path, SECRET, moods=("fine", "fails", "fine", "late", "fine", "fine", "cut")) as hook:
        (tmp_path / "sinks.toml").write_text(hook.sinks())
        _write(store, rows=6)
        done = _delivered(store, tmp_path, clock)
        assert (done.received, done.dead) == (1, 0) and done.again >= 3
        assert [row["lead_id"] for row in hook.applied()] == [f"L{number}" for number in range(6)]
