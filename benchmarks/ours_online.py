"""Online routing: the workload in benchmarks/workloads/online.py, which generates, routes and measures by itself."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance

WORKLOAD = "benchmarks.workloads.online"


def cannot(instance: Instance) -> str | None:
    """Where there is no such workload, the row is left out."""
    try:
        found = importlib.util.find_spec(WORKLOAD)
    except ModuleNotFoundError:
        found = None
    return None if found is not None else "absent: there is no benchmarks/workloads/online.py"


def run(scale: float, ask: Ask) -> Answer:
    """Run it, and pass on every number that it tells."""
    told = importlib.import_module(WORKLOAD).run(scale)
    return Answer(None, "told", told=numbers(told))


def numbers(told: Any) -> dict[str, float]:
    """The numbers of a mapping or a dataclass by name; of mappings in it by `outer.inner`; of a list of them, by
    the `name` that each row has."""
    if is_dataclass(told) and not isinstance(told, type):
        told = asdict(told)
    if isinstance(told, Sequence) and not isinstance(told, str):
        return numbers({str(row.get("name", number)): row for number, row in enumerate(told)})
    if not isinstance(told, Mapping):
        raise TypeError(
            f"run(scale) must give a mapping, a dataclass, or a list of mappings. Got {type(told).__name__}."
        )
    found: dict[str, float] = {}
    for key, item in told.items():
        if isinstance(item, Mapping):
            found |= {f"{key}.{inner}": number for inner, number in numbers(item).items()}
        elif isinstance(item, (int, float, np.number)):
            found[str(key)] = float(item)
    return found


def _scale(instance: Instance) -> float:
    assert instance.workload is not None
    return instance.workload


CONTENDER = Contender("Apportion, online", _scale, run, cannot)
