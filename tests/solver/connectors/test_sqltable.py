"""The SQL sink keeps the contract of sinks, and a newer row is never replaced by an older one."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apportion.connectors import GiveUpError, Message, RetryLaterError, SqlTable
from apportion.connectors.kit import SinkBench, sink_faults
from apportion_models.errors import UsageError

CREATE = (
    'CREATE TABLE "given leads" (lead_id TEXT PRIMARY KEY, rep_id TEXT, note TEXT, amount REAL, '
    "message_key TEXT, message_at TEXT)"
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with the table."""
    path = tmp_path / "crm.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(CREATE)
        connection.commit()
    return path


MADE: list[SqlTable] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """No connection is left to the collector, whose warning would fall on another test."""
    yield
    while MADE:
        MADE.pop().close()


def _made(url: str, table: str, **more: Any) -> SqlTable:
    MADE.append(SqlTable(url, table, **more))
    return MADE[-1]


def _sink(path: Path, **more: Any) -> SqlTable:
    return _made(f"sqlite:///{path}", "given leads", **{"seconds": 1.0, **more})


def _rows(path: Path) -> list[dict[str, Any]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute('SELECT * FROM "given leads" ORDER BY lead_id')]


def _message(rep: str, minute: int, **more: Any) -> Message:
    at = dt.datetime(2026, 3, 2, 8, minute, tzinfo=dt.UTC)
    return Message(kind="plan.assigned", at=at, rows=({"lead_id": "L1", "rep_id": rep, **more},))


def test_it_keeps_the_contract(database: Path) -> None:
    """Every rule of the kit, on SQLite; away is a writer that holds the database."""

    def arrived() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in _rows(database):
            found[row["message_key"]].append(row)
        return found

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        with contextlib.closing(sqlite3.connect(database)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            yield
            holder.rollback()

    assert sink_faults(SinkBench(make=lambda: _sink(database), arrived=arrived, away=away, seconds=10)) == []


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 1, 2, 1)])
def test_the_newer_message_wins(database: Path, order: tuple[int, ...]) -> None:
    """However late an older one comes, and however often."""
    for minute in order:
        _sink(database).deliver(_message(f"R{minute}", minute), key=f"k{minute}")
    assert [(row["rep_id"], row["message_key"]) for row in _rows(database)] == [("R2", "k2")]


def test_of_two_messages_of_one_instant_one_wins_always(database: Path) -> None:
    """Whichever comes first: the later key."""
    for keys in (("a", "b"), ("b", "a")):
        for key in keys:
            _sink(database).deliver(_message(f"R{key}", 5), key=key)
        assert _rows(database)[0]["rep_id"] == "Rb"


def test_what_the_table_cannot_take_is_given_up(database: Path) -> None:
    """An unknown column, a missing key, a missing table: named, without a cell."""
    for message, what in (
        (_message("R1", 1, phone="secret-phone"), "no column phone"),
        (Message(kind="a", at=_message("R", 1).at, rows=({"rep_id": "secret-phone"},)), "a value in lead_id"),
    ):
        with pytest.raises(GiveUpError, match=what) as caught:
            _sink(database).deliver(message, key="k")
        assert "secret-phone" not in str(caught.value)
    with pytest.raises(GiveUpError, match="no table 'other'"):
        _made(f"sqlite:///{database}", "other").deliver(_message("R1", 1), key="k")
    assert _rows(database) == []


def test_a_column_that_is_added_later_is_seen(database: Path) -> None:
    """Who mends the table need not start anything anew."""
    sink = _sink(database)
    with pytest.raises(GiveUpError):
        sink.deliver(_message("R1", 1, phone="1"), key="k")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute('ALTER TABLE "given leads" ADD COLUMN phone TEXT')
        connection.commit()
    sink.deliver(_message("R1", 1, phone="1"), key="k")
    assert _rows(database)[0]["phone"] == "1"


def test_rows_of_one_message_are_written_all_or_none(database: Path) -> None:
    """A row that is refused takes the others with it; a key that stands twice gives its last row."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute('CREATE TRIGGER t BEFORE INSERT ON "given leads" WHEN NEW.rep_id = \'bad\' '
                           "BEGIN SELECT RAISE(ABORT, 'no'); END")  # fmt: skip
        connection.commit()
    at = _message("R", 1).at
    rows = ({"lead_id": "A", "rep_id": "x"}, {"lead_id": "B", "rep_id": "bad"})
    with pytest.raises(GiveUpError):
        _sink(database).deliver(Message(kind="a", at=at, rows=rows), key="k")
    assert _rows(database) == []
    twice = ({"lead_id": "A", "rep_id": "x"}, {"lead_id": "A", "rep_id": "y"})
    _sink(database).deliver(Message(kind="a", at=at, rows=twice), key="k")
    assert [row["rep_id"] for row in _rows(database)] == ["y"]


def test_text_is_text(database: Path) -> None:
    """What looks like SQL is a value, in cells and in the table's name."""
    _sink(database).deliver(_message('\'); DROP TABLE "given leads"; --', 1), key="k")
    assert len(_rows(database)) == 1
    with pytest.raises(GiveUpError):
        _made(f"sqlite:///{database}", '"given leads"; DROP TABLE x').deliver(_message("R", 1), key="k")


def test_secrets_are_not_shown() -> None:
    """Neither in the repr nor in an error; a database that is away is tried again."""
    sink = _made("postgresql://me:hidden-word@127.0.0.1:1/db", "t", seconds=2.0)
    with pytest.raises(RetryLaterError) as caught:
        sink.deliver(_message("R", 1), key="k")
    assert "hidden-word" not in repr(sink) + str(caught.value) + sink.where
    with pytest.raises(UsageError, match="Got 'mysql'"):
        SqlTable("mysql://me:hidden-word@h/db", "t").deliver(_message("R", 1), key="k")
