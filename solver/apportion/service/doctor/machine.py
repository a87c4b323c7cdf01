"""The machine: Python, libraries, time zones, compiled inner loops."""

from __future__ import annotations

import datetime as dt
import importlib
import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apportion.service.doctor.check import Check, counted, ok, warning, wrong

DISTRIBUTION, EXTRA = "apportion", "service"
OLDEST = (3, 11)
COMPILED = ("anneal", "passes", "transport.laplacian", "transport.options", "transport.rows")
PLACE = 'Set NUMBA_CACHE_DIR to a folder that the service may write, such as "/var/lib/apportion/compiled".'
NEEDED = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?([^;]*)")


def machine() -> Iterator[Check]:
    """Every check that needs neither settings nor store."""
    yield _python()
    yield _libraries()
    yield _time_zones()
    yield _compiled()


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST:
        return wrong("Python", f"Python is {found}.", "Install Python 3.11 or newer.")
    return ok("Python", f"Python {found}.")


def _libraries() -> Check:
    """Whether what the distribution and its extra ask for is there, in the versions that they ask for."""
    try:
        asked = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return warning("libraries", "Apportion runs from its source, not installed: versions are not compared.",
                       "Install it for use: pip install 'apportion[service]'.")  # fmt: skip
    faults = sorted(fault for text in asked if _is_for_us(text) and (fault := _fault(text)))
    if faults:
        return wrong("libraries", f"{'; '.join(faults)}.", "Run `pip install --upgrade 'apportion[service]'`.")
    return ok("libraries", f"Apportion {metadata.version(DISTRIBUTION)}, with all that it asks for.")


def _is_for_us(requirement: str) -> bool:
    _, _, marker = requirement.partition(";")
    return "extra" not in marker or f"'{EXTRA}'" in marker.replace('"', "'")


def _fault(requirement: str) -> str | None:
    """What is the matter with one library, if anything."""
    match = NEEDED.match(requirement)
    assert match is not None
    name, range_ = match[1], match[2].strip()
    try:
        there = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is missing"
    for sign, bound in re.findall(r"(>=|<)\s*([\d.]+)", range_):
        if (_numbers(there) >= _numbers(bound)) != (sign == ">="):
            return f"{name} is {there}, and must be {range_}"
    return None


def _numbers(version: str) -> tuple[int, ...]:
    found = [int(part) for part in re.findall(r"\d+", re.split(r"[a-z+]", version)[0])]
    return (*found, 0, 0, 0, 0)[:4]


def _time_zones() -> Check:
    """Whether zones are known, and with their summer times: schedules go by them."""
    try:
        zone = ZoneInfo("Europe/Stockholm")
        hours = [dt.datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)]
    except ZoneInfoNotFoundError:
        hours = []
    if hours != [dt.timedelta(hours=1), dt.timedelta(hours=2)]:
        return wrong("time zones", "Time zones are not known here: schedules would run at wrong times.",
                     "Run `pip install --upgrade tzdata`.")  # fmt: skip
    return ok("time zones", f"Time zones are known (tzdata {metadata.version('tzdata')}).")


def _compiled() -> Check:
    """Whether the machine code of the inner loops is kept, so that not every process compiles it anew."""
    name, kept, folders = "compiled loops", 0, set()
    for part in COMPILED:
        module = importlib.import_module(f"apportion.engines.{part}")
        paths = [one.stats.cache_path for one in vars(module).values() if hasattr(one, "py_func")]
        if None in paths:
            return warning(name, "There is no folder in which compiled code can be kept: each process compiles anew, "
                           "which takes half a minute.", PLACE)  # fmt: skip
        folders |= set(paths)
        kept += any(list(Path(path).glob(f"{part.rpartition('.')[2]}.*.nbi")) for path in set(paths))
    where = Path(os.path.commonpath(sorted(folders)))
    if kept == len(COMPILED):
        return ok(name, f"Compiled code is kept in {where}.")
    if not all(os.access(folder, os.W_OK) for folder in folders):
        return warning(
            name, f"{where} cannot be written: each process compiles anew, which takes half a minute.", PLACE
        )
    missing = counted(len(COMPILED) - kept, "part")
    return ok(
        name, f"{missing} will be compiled by the first batch, which takes up to half a minute, and kept in {where}."
    )
