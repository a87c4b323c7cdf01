"""The SQL sink keeps the contract of sinks on both databases."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from apportion.connectors import RetryLaterError, SqlTable
from apportion.connectors.kit import SinkBench, sink_faults, trial

CREATE = (
    "CREATE TABLE given_leads (lead_id TEXT PRIMARY KEY, rep_id TEXT, note TEXT, amount DOUBLE PRECISION, "
    "message_key TEXT, message_at TEXT)"
)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_server_that_only_reads_is_tried_again(url: str) -> None:
    """It has just stopped being the one that is written to; given up, every message would wait for a person."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(CREATE)
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on")
    key, message = trial("one", notes=("x",))
    with contextlib.closing(SqlTable(url, "given_leads")) as sink, pytest.raises(RetryLaterError, match="read-only"):
        sink.deliver(message, key=key)


def test_it_keeps_the_contract(url: str, kind: str) -> None:
    """Every rule of the kit; away is another who holds the table."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(CREATE)

    def arrived() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with engine.connect() as connection:
            for row in connection.exec_driver_sql("SELECT * FROM given_leads"):
                found[row.message_key].append(dict(row._mapping))
        return found

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        with engine.connect() as connection:
            if kind == "postgresql":
                connection.exec_driver_sql("LOCK TABLE given_leads IN ACCESS EXCLUSIVE MODE")
            else:
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield
            connection.rollback()

    sinks: list[SqlTable] = []

    def make() -> SqlTable:
        sinks.append(SqlTable(url, "given_leads", seconds=1.0))
        return sinks[-1]

    assert sink_faults(SinkBench(make=make, arrived=arrived, away=away, seconds=10)) == []
    for sink in sinks:
        sink.close()
