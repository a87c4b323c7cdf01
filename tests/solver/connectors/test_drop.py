"""The drop of files keeps the contract of sinks."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest

from apportion.connectors import FileDrop, GiveUpError, Message, RetryLaterError, as_was
from apportion.connectors.kit import SinkBench, sink_faults, trial

Form = Literal["csv", "parquet"]


def _read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_dict("records")
    table = as_was(pd.read_csv(path, dtype={"note": str}, keep_default_na=False, na_values={"amount": [""]}))
    return table.to_dict("records")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_it_keeps_the_contract(tmp_path: Path, form: Form) -> None:
    """Every rule of the kit, in both forms."""
    folder = tmp_path / "drop"

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        folder.rename(tmp_path / "kept")
        folder.write_text("not a folder")
        yield
        folder.unlink()
        (tmp_path / "kept").rename(folder)

    bench = SinkBench(
        make=lambda: FileDrop(folder=folder, form=form),
        arrived=lambda: {path.stem: _read(path) for path in folder.iterdir() if path.is_file()},
        away=away,
    )
    assert sink_faults(bench) == []
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_another_message_under_a_key_is_given_up(tmp_path: Path) -> None:
    """A key stands for one message: what lies there is not written over."""
    drop = FileDrop(folder=tmp_path)
    key, message = trial("one")
    drop.deliver(message, key=key)
    before = (tmp_path / f"{key}.csv").read_bytes()
    with pytest.raises(GiveUpError, match="stands for one message"):
        drop.deliver(trial("other")[1], key=key)
    assert (tmp_path / f"{key}.csv").read_bytes() == before


def test_the_same_message_again_is_told(tmp_path: Path) -> None:
    """The receipt says that it was there."""
    key, message = trial("one")
    assert [FileDrop(folder=tmp_path).deliver(message, key=key).again for _ in range(2)] == [False, True]


def test_a_full_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is there by halves, and the message is not lost."""
    from apportion.connectors import files

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "_flushed", full)
        with pytest.raises(RetryLaterError):
            FileDrop(folder=tmp_path).deliver(trial("one")[1], key="k")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    """A day later, by the next message: it holds cells, and what is being written now stays."""
    for name, hours in ((".writing-old", 25), (".writing-new", 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "k.csv").write_text("Anna")
        os.utime(tmp_path / name, (time.time() - 3600 * hours,) * 2)
    FileDrop(folder=tmp_path).deliver(trial("one")[1], key="k")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writing-new", "k.csv"]


def test_the_name_of_the_file_is_on_disk_before_it_is_said_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is flushed in a folder that is not is gone when the power goes, and its letter is settled."""
    flushed: list[bool] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    FileDrop(folder=tmp_path).deliver(trial("one")[1], key="k")
    assert flushed == [False, True]


def test_parquet_takes_columns_of_mixed_kinds(tmp_path: Path) -> None:
    """A column that holds a number here and a word there becomes text; whole and broken numbers stay numbers."""
    rows = ({"a": 1, "b": 1, "c": True}, {"a": "x", "b": 2.5, "c": None})
    message = Message(kind="a", at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), rows=rows)
    FileDrop(folder=tmp_path, form="parquet").deliver(message, key="k")
    read = pd.read_parquet(tmp_path / "k.parquet")
    assert list(read["a"]) == ["1", "x"]
    assert list(read["b"]) == [1.0, 2.5]
    assert read["c"][0] is True or read["c"][0] == 1
