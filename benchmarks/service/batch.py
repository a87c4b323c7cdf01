"""A whole batch with all rules, over HTTP beside the same in this process."""

from __future__ import annotations

import json
import statistics
import time
import urllib.request
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from apportion import LeadShare, Limit, OpportunityShare, RevenueShare, solve
from apportion.service.wire.arrays import Arrays
from benchmarks.instances import Instance, all_rules
from benchmarks.service.load import server

GAP, LIMIT = 0.01, 200.0


@dataclass(frozen=True)
class Whole:
    """Middle seconds of each way, and megabytes of the request."""

    leads: int
    reps: int
    http: float
    inside: float
    megabytes: float

    @property
    def ratio(self) -> float:
        """HTTP over in-process."""
        return self.http / self.inside


def compared(path: Path, secret: str, *, leads: int, reps: int, repeat: int) -> Whole:
    """By turns, so that what else the machine does falls on both."""
    instance = all_rules(leads=leads, reps=reps, seed=0)
    content = json.dumps({"problem": _plain(instance), "gap": GAP, "time_limit": LIMIT}).encode()
    http, inside = [], []
    with server(path) as (port, _):
        for _ in range(repeat):
            http.append(_asked(port, secret, content))
            inside.append(_solved(instance))
    return Whole(leads, reps, statistics.median(http), statistics.median(inside), len(content) / 2**20)


def _plain(instance: Instance) -> dict[str, Any]:
    """The instance as a body."""
    given = {field.name: getattr(instance, field.name) for field in fields(instance)}
    names = Arrays.model_fields.keys() & given.keys() - {"equity", "limits", "must_assign"}
    arrays = {name: np.asarray(given[name]).tolist() for name in sorted(names) if given[name] is not None}
    return arrays | {"equity": [*map(_rule, instance.equity)], "limits": [*map(_rule, instance.limits)]}


def _rule(rule: Limit | RevenueShare | OpportunityShare | LeadShare) -> dict[str, Any]:
    told = {name: value for name, value in asdict(rule).items() if value is not None}
    told = {name: np.asarray(value).tolist() if np.ndim(value) else value for name, value in told.items()}
    return told | {"measure": rule.measure}


def _asked(port: int, secret: str, content: bytes) -> float:
    headers = {"X-API-Key": secret, "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/plans", content, headers)
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as answer:
        told = json.load(answer)
    assert told["certificate"]["verified"]
    return time.perf_counter() - began


def _solved(instance: Instance) -> float:
    began = time.perf_counter()
    solve(instance.problem(), gap=GAP, time_limit=LIMIT)
    return time.perf_counter() - began
