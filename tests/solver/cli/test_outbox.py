"""`apportion outbox`: what could not be delivered is seen, and sent again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apportion.cli.main import run
from apportion.service.store import open_store


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store with two dead messages and one that waits."""
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    store.migrate()
    with store.write() as tx:
        for key in ("a", "b", "c"):
            tx.outbox.add(topic="alert", key=key, payload={"message": {}}, sinks=["crm"])
        for letter in tx.outbox.take("me", seconds=60)[:1]:
            tx.outbox.dead(letter, error="answered [400]")
    with store.write() as tx:
        rows = tx.outbox.page(state="waiting").items
        assert tx.outbox.dead(rows[0], error="answered 410") and len(rows) == 2
    store.close()
    return url


def test_dead_messages_are_seen_and_sent_again(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason, as it was; one by its id, then all."""
    assert run(["outbox", "show", "--store", address, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"dead": 2, "waiting": 1}
    assert [letter["error"] for letter in told["letters"]] == ["answered [400]", "answered 410"]
    assert run(["outbox", "show", "--store", address]) == 0
    assert "answered [400]" in capsys.readouterr().out
    first = str(told["letters"][0]["id"])
    assert run(["outbox", "replay", first, "--store", address]) == 0
    assert "1 dead message will be tried again." in capsys.readouterr().out
    assert run(["outbox", "replay", "--all", "--store", address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"replayed": 1}
    assert run(["outbox", "show", "--state", "waiting", "--store", address, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["letters"]) == 3


def test_wrong_calls(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither ids nor --all, both, or a state that there is not: exit 2."""
    assert run(["outbox", "replay", "--store", address]) == 2
    assert run(["outbox", "replay", "1", "--all", "--store", address]) == 2
    assert run(["outbox", "show", "--state", "lost", "--store", address]) == 2
    assert "Got 'lost'" in capsys.readouterr().err
