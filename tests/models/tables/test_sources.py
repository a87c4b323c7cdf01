from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from apportion_models.errors import TableError, UsageError
from apportion_models.tables import read_leads, read_table

from .helpers import read_text

LEADS = "lead_id,created_at,country,deal_value\nL1,2024-01-31,NA,1000.5\nL2,2024-02-01 10:00,,\n"


def test_files(tmp_path: Path) -> None:
    """CSV, gzipped CSV and TSV give the same table; what is missing, damaged or no table is refused by name."""
    want, _ = read_text("leads", LEADS, tmp_path)
    (tmp_path / "l.csv.gz").write_bytes(gzip.compress(LEADS.encode()))
    (tmp_path / "l.tsv").write_text(LEADS.replace(",", "\t"))
    for name in ("l.csv.gz", "l.tsv"):
        pd.testing.assert_frame_equal(read_leads(tmp_path / name), want)
        pd.testing.assert_frame_equal(read_leads(str(tmp_path / name)), want)
    (tmp_path / "bad.csv.gz").write_bytes(gzip.compress(LEADS.encode())[:40])
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "book.xlsx").write_bytes(b"PK")
    for name in ("bad.csv.gz", "bad.parquet", "empty.csv", "book.xlsx", "none.csv"):
        with pytest.raises(TableError) as caught:
            read_leads(tmp_path / name)
        assert len(caught.value.findings) == 1, name


def test_no_file_named(tmp_path: Path) -> None:
    """Neither a file nor a mapping that names one is a wrong call."""
    with pytest.raises(UsageError, match=r"leads\.file"):
        read_leads(None)
    with pytest.raises(UsageError, match="must be one of"):
        read_table("lead", tmp_path)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """A folder where a file is wanted is told with its name, beside the other tables' faults; a mapping may fill it."""
    with pytest.raises(TableError, match="is a folder") as caught:
        read_leads(tmp_path)
    assert str(tmp_path) in str(caught.value) and "leads.file" in str(caught.value)
