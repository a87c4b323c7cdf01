"""Files are written whole or not at all, and the same table gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from apportion.connectors import csv_bytes, json_bytes, write_files
from apportion_models.errors import InputError


def test_cells_are_written_plainly() -> None:
    """Whole numbers without .0, lists with ;, times in UTC, missing cells empty; fractions and the table stay."""
    table = pd.DataFrame(
        {
            "size": [369.0, None],
            "share": [0.5, 2.0],
            "huge": [1e300, 1.0],
            "skills": [("a", "b"), ()],
            "when": pd.to_datetime(["2026-03-02T08:00:00Z", None]),
            "word": ["ä,b", None],
        }
    )
    kept = table.copy()
    assert csv_bytes(table).decode() == (
        'size,share,huge,skills,when,word\n369,0.5,1e+300,a;b,2026-03-02T08:00:00Z,"ä,b"\n,2.0,1.0,,,\n'
    )
    pd.testing.assert_frame_equal(table, kept)
    assert csv_bytes(table.head(0)).decode() == "size,share,huge,skills,when,word\n"


def test_json_has_no_nan() -> None:
    """What is no JSON is refused, not written."""
    assert json_bytes({"ä": [1, None]}).decode() == '{\n "ä": [\n  1,\n  null\n ]\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        json_bytes({"x": float("nan")})


def test_files_are_replaced_and_others_stay(tmp_path: Path) -> None:
    """The folder is made; a second write replaces; nothing else is touched and no staging is left."""
    folder = tmp_path / "a" / "b"
    assert write_files(folder, {"x": b"1", "y": b"2"}) == [folder / "x", folder / "y"]
    (folder / "mine").write_bytes(b"3")
    write_files(folder, {"x": b"4"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"x": b"4", "y": b"2", "mine": b"3"}


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the second file cannot be staged, the first has not been replaced."""
    write_files(tmp_path, {"x": b"old", "y": b"old"})
    from apportion.connectors import files

    flushed, seen = files._flushed, []

    def full(path: Path, content: bytes) -> None:
        seen.append(path.name)
        if len(seen) == 2:
            raise OSError(28, "No space left on device")
        flushed(path, content)

    monkeypatch.setattr(files, "_flushed", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_files(tmp_path, {"x": b"new", "y": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x": b"old", "y": b"old"}
