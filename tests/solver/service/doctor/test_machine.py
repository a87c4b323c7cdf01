"""The machine: what is missing, too old, or has no place, is told; each made by taking it away."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfoNotFoundError

import pytest

from apportion.service.doctor import machine as room
from apportion.service.doctor.check import Check
from apportion.service.doctor.machine import machine

THERE = {"apportion": "1.2", "whole": "2.10.1", "old": "1.9", "new": "10.0rc1", "tzdata": "2026.1"}
ASKED = [
    "whole>=2.9",
    "old[fast]>=1.10",
    "new<9.16,>=9.15",
    "gone>=1; extra == 'service'",
    "else>=1; extra == 'cluster'",
]


def found(name: str) -> Check:
    """The check of that name."""
    (check,) = [check for check in machine() if check.name == name]
    return check


def test_a_machine_that_does() -> None:
    """This one: every check is there, and nothing is wrong."""
    told = {check.name: check.state for check in machine()}
    assert set(told) == {"Python", "libraries", "time zones", "compiled loops"}
    assert "wrong" not in told.values()


def test_libraries_against_what_the_distribution_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, too old and too new are all named at once; extras that serve something else are not asked for."""

    def version(name: str) -> str:
        if name not in THERE:
            raise metadata.PackageNotFoundError(name)
        return THERE[name]

    monkeypatch.setattr(room, "metadata", SimpleNamespace(
        requires=lambda _: ASKED, version=version, PackageNotFoundError=metadata.PackageNotFoundError))  # fmt: skip
    told = found("libraries")
    assert told.state == "wrong"
    assert told.sentence == "gone is missing; new is 10.0rc1, and must be <9.16,>=9.15; old is 1.9, and must be >=1.10."
    assert "pip install" in told.remedy
    monkeypatch.setattr(room, "metadata", SimpleNamespace(
        requires=lambda _: ASKED[:1], version=version, PackageNotFoundError=metadata.PackageNotFoundError))  # fmt: skip
    assert found("libraries") == Check("libraries", "ok", "Apportion 1.2, with all that it asks for.")


def test_an_old_python_and_no_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are wrong, with what to install."""
    monkeypatch.setattr(room, "sys", SimpleNamespace(version_info=(3, 10, 2, "final", 0)))

    def none(_: str) -> None:
        raise ZoneInfoNotFoundError

    monkeypatch.setattr(room, "ZoneInfo", none)
    assert (found("Python").state, found("time zones").state) == ("wrong", "wrong")
    assert "tzdata" in found("time zones").remedy


def test_where_compiled_code_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Kept; to be compiled by the first batch; no right to keep it; no place at all."""

    def module(name: str, where: Path | None) -> SimpleNamespace:
        return SimpleNamespace(loop=SimpleNamespace(py_func=None, stats=SimpleNamespace(cache_path=where)))

    monkeypatch.setattr(room, "importlib", SimpleNamespace(import_module=lambda name: module(name, tmp_path)))
    told = found("compiled loops")
    assert (told.state, "first batch" in told.sentence) == ("ok", True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert found("compiled loops").state == "warning"
    for part in room.COMPILED:
        (tmp_path / f"{part.rpartition('.')[2]}.loop-12.py311.nbi").touch()
    assert found("compiled loops") == Check("compiled loops", "ok", f"Compiled code is kept in {tmp_path}.")
    monkeypatch.setattr(room, "importlib", SimpleNamespace(import_module=lambda name: module(name, None)))
    assert "NUMBA_CACHE_DIR" in found("compiled loops").remedy
