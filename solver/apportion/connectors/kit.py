"""Tries whether a sink or a source keeps its contract: `sink_faults(bench)` and `source_faults(bench)` must be empty.

For the tests of whoever writes one. A bench says how to make it, what lies at its other end, and how to take that away.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from apportion.connectors.contract import GiveUpError, Message, Receipt, RetryLaterError, Sink, Source, message_key
from apportion_models.errors import InputError, ServiceError, UsageError

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
AWKWARD = ("plain", "Åsa, 漢字 🙂", 'quote " and ; and ,', "two\nlines", "=1+1", "'=1+1", "-5", "", " space ")
BAD_KEYS = ("", "../up", "a/b", "-rf", "a b", "a.b", "a\x00", "x" * 201)


@dataclass(frozen=True, kw_only=True)
class SinkBench:
    """A sink to be tried.

    make : a new sink over the same other end. arrived : what lies there, the rows by key, where a message that came
    twice under one key and with the same rows is told once. away : while it is open, the other end cannot be reached.
    secrets : texts that must never be shown. seconds : how long one attempt may take.
    Rows have `lead_id`, `rep_id`, `note` (text), `amount` (a number or None).
    """

    make: Callable[[], Sink]
    arrived: Callable[[], Mapping[str, Sequence[Mapping[str, Any]]]]
    away: Callable[[], AbstractContextManager[Any]]
    secrets: tuple[str, ...] = ()
    seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class SourceBench:
    """A source to be tried. expected : the cells of `table`, as text. away : where the source's place is gone."""

    make: Callable[[], Source]
    table: str
    expected: pd.DataFrame
    away: Callable[[], AbstractContextManager[Any]]
    secrets: tuple[str, ...] = ()


def sink_faults(bench: SinkBench) -> list[str]:
    """Every rule of the contract that the sink breaks, in words."""
    rules = (_arrives_whole, _twice_is_once, _keys_apart, _refuses_bad_keys, _asks_to_retry, _threads)
    return [f"{rule.__name__.strip('_').replace('_', ' ')}: {fault}" for rule in rules for fault in rule(bench)]


def source_faults(bench: SourceBench) -> list[str]:
    """Every rule of the contract that the source breaks, in words."""
    rules = (_gives_the_rows, _names_what_is_missing, _says_when_away)
    return [f"{rule.__name__.strip('_').replace('_', ' ')}: {fault}" for rule in rules for fault in rule(bench)]


def trial(name: str, *, notes: Sequence[str] = AWKWARD) -> tuple[str, Message]:
    """A key and a message whose rows no other name has."""
    rows = tuple(
        {"lead_id": f"{name}-{place}", "rep_id": "R1", "note": note, "amount": None if place == 1 else place - 0.5}
        for place, note in enumerate(notes)
    )
    return message_key("trial", name), Message(kind="plan.assigned", at=AT, rows=rows)


def _arrives_whole(bench: SinkBench) -> Iterator[str]:
    key, message = trial("whole")
    before = message.document()
    sink = bench.make()
    receipt = sink.deliver(message, key=key)
    yield from _shown(bench, repr(sink), repr(receipt))
    if not isinstance(receipt, Receipt) or receipt.key != key:
        yield "deliver must return a Receipt with the key"
    if message.document() != before:
        yield "the message was changed"
    yield from _lies_there(bench, key, message)


def _twice_is_once(bench: SinkBench) -> Iterator[str]:
    key, message = trial("twice")
    for _ in range(2):
        bench.make().deliver(message, key=key)
    bench.make().deliver(message, key=key)
    yield from _lies_there(bench, key, message)


def _keys_apart(bench: SinkBench) -> Iterator[str]:
    sink = bench.make()
    told = [trial(name, notes=("one",)) for name in ("apart-1", "apart-2")]
    for key, message in told:
        sink.deliver(message, key=key)
    for key, message in told:
        yield from _lies_there(bench, key, message)


def _refuses_bad_keys(bench: SinkBench) -> Iterator[str]:
    _, message = trial("bad-key", notes=("x",))
    for key in BAD_KEYS:
        try:
            bench.make().deliver(message, key=key)
        except UsageError:
            continue
        except Exception as error:
            yield f"{key!r} must be a UsageError, not {type(error).__name__}"
        else:
            yield f"{key!r} must be a UsageError, and was taken"


def _asks_to_retry(bench: SinkBench) -> Iterator[str]:
    key, message = trial("away", notes=("personal note",))
    sink = bench.make()
    with bench.away():
        began = time.monotonic()
        try:
            sink.deliver(message, key=key)
            yield "the other end is away, and the message was said to be there"
        except RetryLaterError as error:
            yield from _shown(bench, str(error), repr(error))
            if "personal note" in str(error):
                yield "the error shows a cell"
        except GiveUpError:
            yield "the other end is away for a while, and the message was given up"
        except Exception as error:
            yield f"the other end is away: must be a RetryLaterError, not {type(error).__name__}"
        if time.monotonic() - began > bench.seconds:
            yield f"an attempt took more than {bench.seconds:g} seconds"
    sink.deliver(message, key=key)
    yield from _lies_there(bench, key, message)


def _threads(bench: SinkBench) -> Iterator[str]:
    """Some at once, half of them with one key."""
    told = [trial(f"thread-{place if place % 2 else 0}", notes=("t",)) for place in range(8)]
    sink = bench.make()
    with ThreadPoolExecutor(max_workers=len(told)) as pool:
        futures = [pool.submit(sink.deliver, message, key=key) for key, message in told]
        for (key, message), future in zip(told, futures, strict=True):
            try:
                future.result(timeout=bench.seconds)
            except RetryLaterError:
                sink.deliver(message, key=key)
            except Exception as error:
                yield f"must be safe between threads, and raised {type(error).__name__}"
    for key, message in told:
        yield from _lies_there(bench, key, message)


def _lies_there(bench: SinkBench, key: str, message: Message) -> Iterator[str]:
    found = bench.arrived().get(key)
    if found is None:
        yield "the message is not at the other end"
        return
    wanted = [{name: _plain(cell) for name, cell in row.items()} for row in message.rows]
    names = list(message.rows[0])
    got = [{name: _plain(row.get(name)) for name in names} for row in found]
    if sorted(map(str, got)) != sorted(map(str, wanted)):
        yield f"what lies at the other end is not the message. Got {got!r}, not {wanted!r}"


def _plain(cell: Any) -> str:
    """As text: an empty text and nothing are the same, for a CSV file cannot tell them apart; 2.0 is 2."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _shown(bench: SinkBench | SourceBench, *texts: str) -> Iterator[str]:
    for secret in bench.secrets:
        if any(secret in text for text in texts):
            yield "a secret is shown"


def _gives_the_rows(bench: SourceBench) -> Iterator[str]:
    source = bench.make()
    first, second = source.read(bench.table), source.read(bench.table)
    yield from _shown(bench, repr(source))
    if not first.equals(second):
        yield "read twice, it gives other rows"
    got = first.map(_plain).astype(str).reset_index(drop=True)
    wanted = bench.expected.map(_plain).astype(str).reset_index(drop=True)
    if list(got.columns) != list(wanted.columns):
        yield f"the columns must be {list(wanted.columns)}. Got {list(got.columns)}"
    elif not got.equals(wanted):
        yield f"the rows must be as they are in the source. Got {got.to_dict('records')}"


def _names_what_is_missing(bench: SourceBench) -> Iterator[str]:
    try:
        bench.make().read("no_such_table")
        yield "a table that is not there must be an InputError, and was read"
    except InputError as error:
        if "no_such_table" not in str(error):
            yield "the error must name the table that is not there"
    except Exception as error:
        yield f"a table that is not there must be an InputError, not {type(error).__name__}"


def _says_when_away(bench: SourceBench) -> Iterator[str]:
    source = bench.make()
    with bench.away():
        try:
            source.read(bench.table)
            yield "its place is gone, and it was read"
        except (InputError, ServiceError) as error:
            yield from _shown(bench, str(error))
        except Exception as error:
            yield f"its place is gone: must be an InputError or a ServiceError, not {type(error).__name__}"
