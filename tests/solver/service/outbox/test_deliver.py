"""Letters come at least once, in order for each lead, and never two at one time."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest

from apportion.connectors import GiveUpError, Message, Receipt, RetryLaterError
from apportion.service.outbox import Deliverer, Pauses, Route
from apportion.service.store import AwayError, Store
from tests.solver.service.conftest import FakeClock

AT = "2026-03-02T08:00:00Z"


class Recorder:
    """Takes what it is given, or raises what it was told to."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.got: list[str] = []
        self.keys: list[str] = []

    def deliver(self, message: Message, *, key: str) -> Receipt:
        self.keys.append(key)
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.got.append(str(message.rows[0]["n"]))
        return Receipt(key=key, where="here")


def _write(store: Store, *names: str, sink: str = "crm", lead_key: int | None = None) -> None:
    with store.write() as tx:
        for name in names:
            document = {"kind": "lead.assigned", "at": AT, "rows": [{"n": name}]}
            tx.outbox.add(
                topic="lead.assigned", key=name, payload={"message": document}, sinks=[sink], lead_key=lead_key
            )


def _leads(store: Store, count: int) -> list[int]:
    with store.write() as tx:
        ids = [f"L{number}" for number in range(count)]
        tx.leads.register(ids)
        return [tx.leads.keys(ids)[one] for one in ids]


def _deliverer(store: Store, sink: Recorder, **more: Any) -> Deliverer:
    return Deliverer(store, {"crm": Route(sink)}, **more)


def _states(store: Store) -> dict[str, str]:
    with store.read() as tx:
        return {letter.key: letter.state for letter in tx.outbox.page().items}


def test_what_is_written_comes(store: Store) -> None:
    """Once, in order, and nothing is left."""
    _write(store, "a", "b", "c")
    sink = Recorder()
    assert _deliverer(store, sink).all_due().received == 3
    assert sink.got == ["a", "b", "c"]
    assert _deliverer(store, sink).all_due().received == 0
    assert set(_states(store).values()) == {"delivered"}


def test_a_letter_that_fails_comes_again_under_its_key(store: Store, clock: FakeClock) -> None:
    """Not before its pause is over."""
    _write(store, "a")
    sink = Recorder(RetryLaterError("busy"), RetryLaterError("busy", after=900.0))
    deliverer = _deliverer(store, sink)
    assert deliverer.all_due().again == 1
    assert deliverer.all_due().again == 0
    clock.turn(6)
    assert deliverer.all_due().again == 1
    clock.turn(890)
    assert sink.got == [] and deliverer.all_due().received == 0
    clock.turn(15)
    assert deliverer.all_due().received == 1
    assert len(set(sink.keys)) == 1 and len(sink.keys) == 3


def test_a_lead_is_told_of_in_order_and_holds_up_no_other(store: Store, clock: FakeClock) -> None:
    """While the first letter of a lead is tried again, its second waits, and other leads' letters go."""
    one, other = _leads(store, 2)
    _write(store, "one-1", "one-2", lead_key=one)
    _write(store, "other-1", "other-2", lead_key=other)
    sink = Recorder(RetryLaterError("busy"))
    deliverer = _deliverer(store, sink)
    deliverer.all_due()
    assert sink.got == ["other-1", "other-2"]
    clock.turn(10)
    deliverer.all_due()
    assert sink.got[2:] == ["one-1", "one-2"]


def test_a_whole_run_keeps_its_place_between_the_letters_of_leads(store: Store, clock: FakeClock) -> None:
    """A run's letter may tell of any lead: what was written before comes before, what was written after, after."""
    (lead,) = _leads(store, 1)
    _write(store, "before", lead_key=lead)
    _write(store, "run")
    _write(store, "after", lead_key=lead)
    sink = Recorder(RetryLaterError("busy"), None, RetryLaterError("busy"))
    for _ in range(4):
        _deliverer(store, sink).all_due()
        clock.turn(60)
    assert sink.got == ["before", "run", "after"]


def test_sinks_do_not_wait_for_each_other(store: Store) -> None:
    """One that is down keeps its own letters; order is kept for each sink by itself."""
    _write(store, "a", sink="down")
    _write(store, "a", sink="up")
    down, up = Recorder(RetryLaterError("down")), Recorder()
    done = Deliverer(store, {"down": Route(down), "up": Route(up)}).all_due()
    assert (done.received, done.again) == (1, 1)
    assert up.got == ["a"]


def test_what_is_given_up_is_seen_and_can_be_replayed(store: Store) -> None:
    """The letter is dead with its reason; the next one of the lead goes; replayed, it comes under its old key."""
    (lead,) = _leads(store, 1)
    _write(store, "a", "b", lead_key=lead)
    sink = Recorder(GiveUpError("answered 400"))
    assert _deliverer(store, sink).all_due().dead == 1
    assert _states(store) == {"a": "dead", "b": "delivered"}
    with store.write() as tx:
        (dead,) = tx.outbox.page(state="dead").items
        assert dead.error == "answered 400"
        assert tx.outbox.replay([dead.id]) == 1
    assert _deliverer(store, sink).all_due().received == 1
    assert sink.keys[0] == sink.keys[2] != sink.keys[1]


def test_after_the_last_try_it_is_dead(store: Store, clock: FakeClock) -> None:
    """With how often it was tried."""
    _write(store, "a")
    sink = Recorder(*[RetryLaterError("busy")] * 3)
    deliverer = _deliverer(store, sink, pauses=Pauses(most_tries=3))
    for _ in range(5):
        deliverer.all_due()
        clock.turn(3600)
    with store.read() as tx:
        (letter,) = tx.outbox.page().items
    assert (letter.state, letter.error) == ("dead", "busy Tried 3 times.")


def test_a_sink_that_breaks_its_contract_stops_nothing(store: Store) -> None:
    """Whatever it raises: tried again, and its words, which may hold cells, are kept nowhere."""
    _write(store, "a")
    _deliverer(store, Recorder(ValueError("personal note"))).all_due()
    with store.read() as tx:
        (letter,) = tx.outbox.page().items
    assert letter.state == "waiting"
    assert letter.error == "the sink failed with ValueError"


def test_a_letter_that_cannot_be_read_holds_up_nothing(store: Store) -> None:
    """It is dead at once, with the reason, and what is behind it goes: a run's letter would stop its sink for ever."""
    with store.write() as tx:
        tx.outbox.add(topic="plan.done", key="bad", payload={"message": {"kind": "Anna's"}}, sinks=["crm"])
    _write(store, "good")
    sink = Recorder()
    done = _deliverer(store, sink).all_due()
    assert (done.received, done.dead, sink.got) == (1, 1, ["good"])
    with store.read() as tx:
        (dead,) = tx.outbox.page(state="dead").items
    assert dead.error == "The letter cannot be read (KeyError)."


def test_a_store_that_is_away_for_a_moment_costs_a_pause_and_no_lease(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken and could not be read is tried again in seconds."""
    _write(store, "a")
    fails = [AwayError("away")]
    real = Store.read

    def read(self: Store) -> Any:
        if fails:
            raise fails.pop()
        return real(self)

    monkeypatch.setattr(Store, "read", read)
    sink = Recorder()
    assert _deliverer(store, sink).all_due().again == 1
    clock.turn(6)
    assert _deliverer(store, sink).all_due().received == 1


def test_where_there_is_nothing_to_tell_nothing_is_sent(store: Store) -> None:
    """A run without leads, an assignment that was erased: settled, not dead, and nobody is alarmed."""
    with store.write() as tx:
        run = tx.runs.add()
        assert run is not None
        tx.outbox.add(topic="lead.assigned", key="a", payload={"assignment_id": 7}, sinks=["crm"])
        tx.outbox.add(topic="plan.done", key="b", payload={"run_id": run.run_id}, sinks=["crm"], run_id=run.run_id)
    sink = Recorder()
    done = _deliverer(store, sink).all_due()
    assert (done.received, done.again, done.dead) == (0, 0, 0)
    assert sink.keys == [] and set(_states(store).values()) == {"dropped"}


def test_a_deliverer_that_died_is_replaced_after_its_lease(store: Store, clock: FakeClock) -> None:
    """Not before, so that two never send one letter at one time; and what the dead one says later does not count."""
    _write(store, "a")
    with store.write() as tx:
        (stale,) = tx.outbox.take("the dead one", seconds=300)
    sink = Recorder()
    assert _deliverer(store, sink).all_due().received == 0
    clock.turn(301)
    assert _deliverer(store, sink).all_due().received == 1
    with store.write() as tx:
        assert not tx.outbox.again(stale, at=tx.now(), error="late")
        assert not tx.outbox.dead(stale, error="late")
    assert set(_states(store).values()) == {"delivered"}


def test_a_large_message_goes_in_parts_under_lasting_keys(store: Store, clock: FakeClock) -> None:
    """When the second part fails, it and those behind it come again under the keys that they had; another deliverer,
    who does not know of the first, sends that again too."""
    rows = [{"n": str(number)} for number in range(5)]
    with store.write() as tx:
        document = {"kind": "plan.done", "at": AT, "rows": rows}
        tx.outbox.add(topic="plan.done", key="k", payload={"message": document}, sinks=["crm"])
    sink = Recorder(None, RetryLaterError("busy"))
    deliverer = Deliverer(store, {"crm": Route(sink, most_rows=2)})
    deliverer.all_due()
    clock.turn(10)
    sink.errors = [None, RetryLaterError("busy")]
    deliverer.all_due()
    clock.turn(20)
    Deliverer(store, {"crm": Route(sink, most_rows=2)}).all_due()
    assert sink.got == ["0", "2", "0", "2", "4"]
    first, second, third = sink.keys[0], sink.keys[1], sink.keys[3]
    assert sink.keys == [first, second, second, third, first, second, third]
    assert len({first, second, third}) == 3


class Slow(Recorder):
    """Each message takes its time; others look meanwhile."""

    def __init__(self, clock: FakeClock, seconds: float, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.clock, self.seconds, self.meanwhile = clock, seconds, meanwhile

    def deliver(self, message: Message, *, key: str) -> Receipt:
        self.clock.turn(self.seconds)
        self.meanwhile()
        return super().deliver(message, key=key)


def _in_parts(store: Store, count: int) -> None:
    document = {"kind": "plan.done", "at": AT, "rows": [{"n": str(number)} for number in range(count)]}
    with store.write() as tx:
        tx.outbox.add(topic="plan.done", key="k", payload={"message": document}, sinks=["crm"])


def test_a_letter_of_many_parts_is_in_one_hand(store: Store, clock: FakeClock) -> None:
    """Its parts together take longer than its lease, and nobody else takes it up meanwhile."""
    _in_parts(store, 5)
    other = Recorder()
    sink = Slow(clock, 200.0, lambda: _deliverer(store, other).all_due())
    done = Deliverer(store, {"crm": Route(sink, most_rows=1)}).all_due()
    assert (done.received, sink.got, other.got) == (1, ["0", "1", "2", "3", "4"], [])


def test_who_lost_a_letter_stops_in_the_middle(store: Store, clock: FakeClock) -> None:
    """One part took longer than the lease: another has the letter, and what this one says does not count."""
    _in_parts(store, 3)
    other = Recorder()
    sink = Slow(clock, 301.0, lambda: _deliverer(store, other).all_due())
    done = Deliverer(store, {"crm": Route(sink, most_rows=1)}).all_due()
    assert (done.received, done.again, done.dead) == (0, 0, 0)
    assert sink.got == ["0"] and len(other.got) == 1
    assert set(_states(store).values()) == {"delivered"}


def test_a_letter_put_off_by_a_clock_that_was_wrong_is_due(store: Store, clock: FakeClock) -> None:
    """The clock showed next year when the receiver was busy, and when a deliverer died: back in this year it is tried
    at once, and not next year."""
    for name, key in zip("ab", _leads(store, 2), strict=True):
        _write(store, name, lead_key=key)
    clock.turn(400 * 86_400)
    with store.write() as tx:
        (taken,) = tx.outbox.take("the dead one", seconds=300, limit=1)
    sink = Recorder(RetryLaterError("busy"))
    assert _deliverer(store, sink).all_due().again == 1
    clock.turn(-400 * 86_400)
    assert _deliverer(store, sink).all_due().received == 2
    assert sorted(sink.got) == ["a", "b"] and taken.key == "a"


@pytest.mark.parametrize("kind", ["sqlite"])  # which can count its steps
def test_what_piles_up_behind_a_letter_is_looked_through_once(store: Store) -> None:
    """A receiver that will not take a run's letter stops those of its leads for days: to look for one that is due takes
    steps by their number, and not by its square, for all writers wait meanwhile."""

    def steps(count: int) -> int:
        keys = _leads(store, count)
        with store.write() as tx:
            for key in keys:
                tx.outbox.add(topic="lead.assigned", key=f"{key} of {count}", payload={}, sinks=["crm"], lead_key=key)
        seen: list[int] = []
        with store.write() as tx:
            raw = tx.connection.connection.driver_connection
            assert raw is not None
            raw.set_progress_handler(lambda: seen.append(1), 100)
            assert tx.outbox.take("me", seconds=60, limit=1, sink="crm") == []
            raw.set_progress_handler(None, 0)
        return len(seen)

    with store.write() as tx:
        tx.outbox.add(topic="plan.done", key="run", payload={}, sinks=["crm"])
    with store.write() as tx:
        (stuck,) = tx.outbox.take("me", seconds=60)
        tx.outbox.again(stuck, at=tx.now() + dt.timedelta(hours=1), error="500")
    few = steps(150)
    assert steps(450) < 6 * few, "four times as many letters"


@pytest.mark.parametrize("deliverers", [2, 4])
def test_several_at_once_send_each_letter_once_and_in_order(store: Store, deliverers: int) -> None:
    """No letter is in two hands, and each lead's letters come as they were written."""
    keys = _leads(store, 6)
    for number in range(5):
        for place, key in enumerate(keys):
            _write(store, f"{place}-{number}", lead_key=key)
    busy: set[str] = set()
    lock, clashes, got = threading.Lock(), [], []

    class Careful:
        def deliver(self, message: Message, *, key: str) -> Receipt:
            name = str(message.rows[0]["n"])
            lead = name.split("-")[0]
            with lock:
                if lead in busy:
                    clashes.append(name)
                busy.add(lead)
            threading.Event().wait(0.002)
            with lock:
                busy.discard(lead)
                got.append(name)
            return Receipt(key=key, where="here")

    workers = [Deliverer(store, {"crm": Route(Careful())}) for _ in range(deliverers)]
    threads = [threading.Thread(target=worker.all_due) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers[0].all_due()  # a worker may have gone while the last letters were in other hands
    assert clashes == []
    assert len(got) == len(set(got)) == 30
    for place in range(6):
        assert [name for name in got if name.startswith(f"{place}-")] == [f"{place}-{number}" for number in range(5)]
