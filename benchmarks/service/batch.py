"""A whole batch with all rules that the API takes, over HTTP beside the same in this process."""

from __future__ import annotations

import json
import statistics
import time
import urllib.request
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from apportion import LeadShare, OpportunityShare, RevenueShare, solve
from apportion.service.api.matrix import SHARES, Matrix
from benchmarks.instances import Instance, all_rules
from benchmarks.service.load import server

GAP, LIMIT = 0.01, 200.0
KINDS: dict[Any, str] = {kind: measure for measure, kind in SHARES.items()}


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
    """The instance as a body: all but its limits, which the API does not take."""
    given = {field.name: getattr(instance, field.name) for field in fields(instance)}
    names = Matrix.model_fields.keys() & given.keys() - {"equity", "must_assign"}
    arrays = {name: np.asarray(given[name]).tolist() for name in sorted(names) if given[name] is not None}
    return arrays | {"equity": [_rule(rule) for rule in instance.equity]}


def _rule(rule: RevenueShare | OpportunityShare | LeadShare) -> dict[str, Any]:
    kept = ("low", "high", "by", "tier", "price", "name")
    told = {name: value for name, value in asdict(rule).items() if name in kept and value is not None}
    return told | {"measure": KINDS[type(rule)]}


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
    solve(replace(instance, limits=()).problem(), gap=GAP, time_limit=LIMIT)
    return time.perf_counter() - began
