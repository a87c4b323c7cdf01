from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from apportion_models.synthetic.__main__ import main
from apportion_models.synthetic.files import csv_bytes, write_tables

NAMES = ("leads", "reps", "history", "accounts", "teams", "territories", "calendar")


def test_regenerating_gives_the_committed_files(company, data, tmp_path):
    """The shipped files are the generator's, byte for byte, and no others."""
    written = write_tables(company.tables, tmp_path)
    assert [path.name for path in written] == [f"{name}.csv" for name in NAMES]
    assert {path.name for path in data.glob("*.csv")} == {path.name for path in written}
    for path in written:
        fresh, shipped = (hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, data / path.name))
        assert fresh == shipped, f"{path.name} differs: run python -m apportion_models.synthetic --out data"


def test_the_sample_is_small(data):
    """All of it stays under 4 MB."""
    assert sum(path.stat().st_size for path in data.glob("*.csv")) < 4_000_000


def test_the_truth_survives_the_files(company, data):
    """The true fit of the batch as read from the file is that of the batch as generated, and is not in any file."""
    leads, reps = pd.read_csv(data / "leads.csv"), pd.read_csv(data / "reps.csv")
    assert np.array_equal(company.true_fit(leads, reps), company.true_fit())
    assert np.array_equal(company.true_deal_value(leads), company.true_deal_value())
    for name in NAMES:
        header = set(pd.read_csv(data / f"{name}.csv", nrows=0).columns)
        assert not header & {"fit", "true_fit", "probability", "propensity", "quality"}


def test_files_are_plain(data):
    """UTF-8 without BOM, line feeds only, a last line that ends, and no word for what is missing."""
    for name in NAMES:
        content = (data / f"{name}.csv").read_bytes()
        content.decode("utf-8")
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        assert content.endswith(b"\n")
        cells = {cell.lower() for line in content.decode().splitlines() for cell in line.split(",")}
        assert not cells & {"nan", "nat", "none", "<na>", "()"}


def test_every_kind_of_cell_has_one_form():
    """Times end in Z, lists use semicolons, flags are words, missing values are empty, numbers have fixed decimals."""
    table = pd.DataFrame(
        {
            "text": pd.Series(["a,b", None], dtype="str"),
            "start": pd.to_datetime(["2026-03-02T09:00:00+01:00", None], utc=True),
            "skills": [("core", "payments"), ()],
            "paused": [True, False],
            "effort": [0.5, np.nan],
            "visits": [3.0, np.nan],
        }
    )
    assert csv_bytes(table).decode().split("\n") == [
        "text,start,skills,paused,effort,visits",
        '"a,b",2026-03-02T08:00:00Z,core;payments,true,0.5,3',
        ",,,false,,",
        "",
    ]


def test_command_writes_and_names_the_files(tmp_path, capsys):
    """The command makes the folder, writes all tables, leaves no draft, and names each file on stdout."""
    assert main(["--out", str(tmp_path / "new")]) == 0
    told = capsys.readouterr().out.split()
    assert told == [str(tmp_path / "new" / f"{name}.csv") for name in NAMES]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(f"{name}.csv" for name in NAMES)


def test_command_refuses_what_it_cannot_do(tmp_path, capsys):
    """A bad seed and a folder that is a file are usage errors with exit code 2 and a sentence, not a traceback."""
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file")]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["--out", str(tmp_path), "--seed", "-1"]) == 2
    assert "seed must be >= 0. Got -1." in capsys.readouterr().err
