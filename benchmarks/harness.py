"""Runs a case in a fresh process, watches it, ends it at its limits, and reads what it told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import watch
from benchmarks.case import Call, Case, Result

ROOT = Path(__file__).resolve().parents[1]
POLL = 0.02  # seconds between looks at memory; grows to ten times that in a long case
MIB = 1 << 20
START_LIMIT = 120.0  # seconds until the child says its first word


@dataclass(frozen=True)
class Limits:
    """memory : bytes that a case may use, with all it starts. caches : folder for compiled code of this run."""

    memory: int
    caches: Path | None = None


@dataclass
class _Told:
    """What the events say, so far."""

    stage: str = "start"
    since: float = 0.0
    limit: float = START_LIMIT
    read: int = 0

    def hear(self, events: list[dict[str, Any]]) -> None:
        for event in events[self.read :]:
            if event["event"] == "begin":
                self.stage, self.limit, self.since = event["stage"], event["limit"], time.monotonic()
            elif event["event"] == "end":
                self.stage, self.limit, self.since = "between", START_LIMIT, time.monotonic()
        self.read = len(events)


def run_case(case: Case, limits: Limits) -> Result:
    """Run the case to its end, whatever that is; nothing that it started is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="apportion-bench-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(asdict(case)), encoding="utf-8")
        (folder / "events.jsonl").touch()
        began, busy = time.monotonic(), watch.busy_seconds() - _children()
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "benchmarks.child",
                    str(folder / "job.json"),
                    str(folder / "events.jsonl"),
                ],
                cwd=folder,
                env=_environment(limits),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            killed, peak = _watched(process, folder / "events.jsonl", limits)
        wall = time.monotonic() - began
        others = max(0.0, watch.busy_seconds() - _children() - busy) / (wall * (os.cpu_count() or 1))
        log_end = (folder / "log.txt").read_bytes()[-300:].decode(errors="replace").strip()
        return _result(case, _events(folder / "events.jsonl"), process.returncode, killed, peak, wall, others, log_end)


def _children() -> float:
    """Processor seconds of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _environment(limits: Limits) -> dict[str, str]:
    """The child measures this checkout, whatever is installed."""
    paths = [str(ROOT), str(ROOT / "solver"), str(ROOT / "models")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    if limits.caches is not None:
        environment["NUMBA_CACHE_DIR"] = str(limits.caches)
    return environment


def _watched(process: subprocess.Popen[bytes], events: Path, limits: Limits) -> tuple[str, float]:
    """Wait for the end, or bring it about. Gives why it was killed ("" if it was not), and the peak in bytes."""
    told, killed, peak = _Told(since=time.monotonic()), "", 0.0
    began, known = time.monotonic(), [process.pid]
    try:
        while process.poll() is None:
            told.hear(_events(events))
            known = watch.family(process.pid)
            now = watch.resident(known)
            if told.stage == "call":
                peak = max(peak, now)
            spent = time.monotonic() - told.since
            if now > limits.memory:
                killed = f"killed at {now / 2**30:.1f} GiB"
            elif spent > told.limit:
                killed = f"killed at {spent:.0f} s"
            if killed:
                killed += "" if told.stage == "call" else f" while in {told.stage}"
                break
            time.sleep(min(10 * POLL, max(POLL, (time.monotonic() - began) / 100)))
    finally:
        watch.end(process.pid, known)
        process.wait()
    return killed, peak


def _events(path: Path) -> list[dict[str, Any]]:
    """All whole lines; one that a killed process left unfinished is no event."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def _result(
    case: Case,
    events: list[dict[str, Any]],
    code: int | None,
    killed: str,
    watched: float,
    wall: float,
    others: float,
    log_end: str,
) -> Result:
    told: dict[str, dict[str, Any]] = {event["event"]: event for event in events}
    calls: list[dict[str, Any]] = []
    peaks = [watched / MIB] if watched else []
    for event in events:
        if event["event"] == "call":
            calls.append(dict(event["call"]))
            peaks += [event["peak"]] if event["peak"] is not None else []
        elif event["event"] == "judged":
            calls[-1] |= event["verdict"]
    outcome, reason = _outcome(told, code, killed, log_end)
    return Result(
        case=case,
        title=told.get("title", {}).get("title", case.contender),
        outcome=outcome,
        reason=reason,
        import_seconds=told.get("title", {}).get("seconds"),
        instance_seconds=told.get("instance", {}).get("seconds"),
        base_mib=told.get("instance", {}).get("base"),
        peak_mib=max(peaks) if peaks else None,
        calls=tuple(Call(**call) for call in calls),
        optimum=told.get("instance", {}).get("optimum"),
        others=min(1.0, others),
        wall=wall,
    )


def _outcome(told: dict[str, dict[str, Any]], code: int | None, killed: str, log_end: str) -> tuple[Any, str]:
    if killed:
        return "killed", killed
    if "cannot" in told:
        return "cannot", told["cannot"]["reason"]
    if "raised" in told:
        return "raised", told["raised"]["reason"]
    if "finished" in told:
        return "done", ""
    if code is not None and code < 0:
        more = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
        return "crashed", f"ended by {signal.Signals(-code).name}{more}"
    return "crashed", f"ended with code {code}: {log_end.splitlines()[-1] if log_end else 'it said nothing'}"
