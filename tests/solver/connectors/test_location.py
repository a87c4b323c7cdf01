"""Files and databases keep the contract of sources; the kit finds a source that does not."""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from apportion.connectors import Locations, read_all
from apportion.connectors.kit import SourceBench, source_faults
from apportion_models import read_leads
from apportion_models.errors import InputError

ROWS = pd.DataFrame({"lead_id": ["L2", "L1"], "created_at": ["2026-03-01", "2026-03-02"], "Anteckning": ["å", "=1"]})


def _csv(folder: Path) -> str:
    ROWS.to_csv(folder / "leads.csv", index=False)
    return str(folder / "leads.csv")


def _gz(folder: Path) -> str:
    (folder / "leads.csv.gz").write_bytes(gzip.compress(ROWS.to_csv(index=False).encode()))
    return str(folder / "leads.csv.gz")


def _parquet(folder: Path) -> str:
    ROWS.to_parquet(folder / "leads.parquet")
    return str(folder / "leads.parquet")


def _sql(folder: Path) -> str:
    with contextlib.closing(sqlite3.connect(folder / "crm.db")) as connection:
        ROWS.to_sql("leads", connection, index=False)
    return f"sqlite:///{folder / 'crm.db'}#leads"


@pytest.mark.parametrize("write", [_csv, _gz, _parquet, _sql])
def test_they_keep_the_contract(tmp_path: Path, write: Callable[[Path], str]) -> None:
    """Every rule of the kit; away is a folder that was moved."""
    place = write(tmp_path)

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        moved = tmp_path.with_name("moved")
        tmp_path.rename(moved)
        yield
        moved.rename(tmp_path)

    bench = SourceBench(make=lambda: Locations({"leads": place}), table="leads", expected=ROWS, away=away)
    assert source_faults(bench) == []
    assert list(read_leads(Locations({"leads": place}).read("leads"))["lead_id"]) == ["L2", "L1"]


def test_the_faults_of_all_tables_are_told_at_once(tmp_path: Path) -> None:
    """Not one a run."""
    source = Locations({"leads": tmp_path / "a.csv", "reps": tmp_path / "b.csv"})
    with pytest.raises(InputError) as caught:
        read_all(source, ("leads", "reps", "history"))
    assert {finding.table for finding in caught.value.findings} == {"leads", "reps", "history"}
    assert list(read_all(Locations({"leads": _csv(tmp_path)}), ("leads",))) == ["leads"]


class _Careless:
    """A source that breaks every rule."""

    def __init__(self) -> None:
        self.calls = 0

    def __repr__(self) -> str:
        return "hidden-word"

    def read(self, table: str) -> pd.DataFrame:
        self.calls += 1
        return ROWS.assign(lead_id=str(self.calls))


def test_the_kit_finds_a_careless_source() -> None:
    """A kit that everything passes proves nothing."""
    bench = SourceBench(
        make=_Careless, table="leads", expected=ROWS, away=contextlib.nullcontext, secrets=("hidden-word",)
    )
    faults = "\n".join(source_faults(bench))
    for word in ("secret is shown", "other rows", "as they are", "names what is missing", "is gone"):
        assert word in faults
