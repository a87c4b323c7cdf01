"""Single leads of the sample company, by many clients at once, against one server in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apportion.policy import load_policy
from apportion.service.runs.routing.setting import key_of, read_setting
from apportion.service.runs.routing.standing import Standing
from apportion.service.store import Store, open_store
from apportion_models import (
    FitModel,
    read_accounts,
    read_calendar,
    read_history,
    read_leads,
    read_reps,
    read_territories,
)

ROOT = Path(__file__).resolve().parents[2]
DATA, PAST = ROOT / "data", 6_000  # past leads that the model learns from
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """How one endpoint did. lost : leads that are not in the store exactly once. above : reps above capacity or cap."""

    name: str
    leads: int
    seconds: float
    p50: float
    p99: float
    cpu_seconds: float
    errors: int
    lost: int
    above: int

    @property
    def a_second(self) -> float:
        """Leads answered in a second."""
        return self.leads / self.seconds


def company(path: Path, *, policy: dict[str, Any] | None = None) -> str:
    """A store with the sample company's reps, accounts, territories, policy and model, and no leads; and a key."""
    store, reps = open_store(f"sqlite:///{path}"), read_reps(DATA / "reps.csv")
    store.migrate()
    past = read_history(DATA / "history.csv").tail(PAST).reset_index(drop=True)
    tables = {"accounts": read_accounts, "territories": read_territories, "calendar": read_calendar}
    with store.write() as tx:
        tx.reps.upsert(reps)
        for name, read in tables.items():
            tx.tables.put(name, read(DATA / f"{name}.csv"))
        rules = load_policy(DATA / "policy.yaml" if policy is None else policy)
        tx.policies.activate(tx.policies.add(rules).version)
        tx.models.activate(tx.models.add(FitModel(random_state=0, level="rep x segment").fit(past, reps)).version)
        secret = tx.keys.create("load", ["route", "write"])[1]
    store.compact()
    store.close()
    return secret


def bodies(count: int) -> list[dict[str, Any]]:
    """As many leads as the sample has, again and again, under new names; all with the same fields."""
    told = json.loads(read_leads(DATA / "leads.csv").to_json(orient="records", date_format="iso"))
    return [{"lead": told[number % len(told)] | {"lead_id": f"N{number:06}"}} for number in range(count)]


def routed(path: Path, secret: str, sent: list[dict[str, Any]], *, name: str, endpoint: str, clients: int) -> Load:
    """Send them all, and look into the store afterwards."""
    store = open_store(f"sqlite:///{path}")
    room = _room(store)
    with server(path) as (port, process):
        _told(port, endpoint, 1, secret, [_first()])  # what is read and compiled once
        before = _cpu(process.pid)
        told = _told(port, endpoint, clients, secret, sent)
        spent = _cpu(process.pid) - before
    each = np.array(told["each"])
    answered = int(told["statuses"].get("200", 0))
    lost, above = _seen(store, sent, room)
    store.close()
    p50, p99 = np.percentile(each, [50, 99])
    return Load(name, len(sent), told["seconds"], float(p50), float(p99), spent, len(sent) - answered, lost, above)


def _first() -> dict[str, Any]:
    return {"lead": bodies(1)[0]["lead"] | {"lead_id": "first"}}


def _told(port: int, endpoint: str, clients: int, secret: str, sent: list[dict[str, Any]]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.service.clients", str(port), endpoint, str(clients)]
    asked = json.dumps({"key": secret, "bodies": sent})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, cwd=ROOT, env=_paths())
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _room(store: Store) -> dict[str, tuple[float, float]]:
    """Effort units and leads that each rep may get."""
    with store.read() as tx:
        standing = Standing(read_setting(tx, key_of(tx), {}), tx)
    reps = standing.setting.tables.reps["rep_id"].astype(str)
    return dict(zip(reps, zip(standing.room().tolist(), standing.free.tolist(), strict=True), strict=True))


def _seen(store: Store, sent: list[dict[str, Any]], room: dict[str, tuple[float, float]]) -> tuple[int, int]:
    with store.read() as tx:
        loads = tx.assignments.loads(since_tick=0)
        there = [one.lead_id for number in range(0, len(sent) + 1, 10_000)
                 for one in tx.assignments.page(after=str(number), limit=10_000)]  # fmt: skip
    lost = len(sent) + 1 - len(set(there)) + len(there) - len(set(there))
    above = sum(
        units > room[rep][0] * (1 + 1e-9) + 1e-9 or leads > room[rep][1] for rep, (leads, units) in loads.items()
    )
    return lost, above


@contextmanager
def server(path: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The service in a process of its own, ready inside the block."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.service.server", f"sqlite:///{path}", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=_paths())
    try:
        _wait(port, process)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _paths() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("models", "solver", "."))}


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
