"""The kit finds what is wrong with a sink: one sink for each rule, which breaks that one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apportion.connectors import Message, Receipt, RetryLaterError, Sink, check_key
from apportion.connectors.kit import SinkBench, sink_faults


class Memory:
    """A sink that keeps the contract."""

    def __init__(self, there: dict[str, list[dict[str, Any]]], gone: threading.Event) -> None:
        self.there, self.gone = there, gone

    def deliver(self, message: Message, *, key: str) -> Receipt:
        """Keep the rows."""
        self.check(key)
        if self.gone.is_set():
            raise self.away()
        again = key in self.there
        self.keep(message, key)
        return Receipt(key=key, where="memory", again=again)

    def check(self, key: str) -> None:
        check_key(key)

    def away(self) -> Exception:
        return RetryLaterError("away")

    def keep(self, message: Message, key: str) -> None:
        self.there[key] = [dict(row) for row in message.rows]


class Doubles(Memory):
    def keep(self, message: Message, key: str) -> None:
        self.there.setdefault(key, []).extend(dict(row) for row in message.rows)


class TakesAnyKey(Memory):
    def check(self, key: str) -> None:
        pass


class CrashesWhenAway(Memory):
    def away(self) -> Exception:
        return ConnectionError("away")


class ShowsSecrets(Memory):
    def away(self) -> Exception:
        return RetryLaterError("away: hidden-word")


class Slow(Memory):
    def away(self) -> Exception:
        time.sleep(0.3)
        return RetryLaterError("away")


class LosesRows(Memory):
    def keep(self, message: Message, key: str) -> None:
        self.there[key] = [dict(row) for row in message.rows[:-1]]


class KeepsTheLast(Memory):
    def keep(self, message: Message, key: str) -> None:
        self.there.clear()
        super().keep(message, key)


def _faults(kind: Callable[..., Sink]) -> list[str]:
    there: dict[str, list[dict[str, Any]]] = {}
    gone = threading.Event()

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        gone.set()
        yield
        gone.clear()

    bench = SinkBench(
        make=lambda: kind(there, gone), arrived=lambda: there, away=away, secrets=("hidden-word",), seconds=0.2
    )
    return sink_faults(bench)


def test_a_good_sink_has_no_faults() -> None:
    """Nor does it look like a sink by its name alone."""
    assert _faults(Memory) == []
    assert isinstance(Memory({}, threading.Event()), Sink)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (Doubles, "twice is once"),
        (TakesAnyKey, "refuses bad keys"),
        (CrashesWhenAway, "asks to retry"),
        (ShowsSecrets, "a secret is shown"),
        (Slow, "more than 0.2 seconds"),
        (LosesRows, "arrives whole"),
        (KeepsTheLast, "keys apart"),
    ],
)
def test_each_fault_is_found(kind: Callable[..., Sink], rule: str) -> None:
    """A kit that everything passes proves nothing."""
    assert any(rule in fault for fault in _faults(kind))
