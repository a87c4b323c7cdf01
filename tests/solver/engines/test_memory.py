"""What a solve will take is said beforehand, conservatively, and a problem that will not fit is refused at once."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, Limit, RevenueShare, solve
from apportion.engines import memory_needed
from apportion.engines.memory import memory_free
from apportion_models.errors import InputError, UsageError

ROOT = Path(__file__).parents[3]
MIB = 1 << 20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of memory")

CHILD = """
import json, resource, sys
import numpy as np
from apportion import AssignmentProblem, Limit, RevenueShare, solve
from apportion.engines import memory_needed
from apportion_models.errors import InputError

def now(field):
    line = next(line for line in open("/proc/self/status") if line.startswith(field))
    return int(line.split()[1]) * 1024

kind, n_leads, n_reps, spare = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(0)
value = rng.random((n_leads, n_reps), dtype=np.float32)

def posed(n_leads):
    tier = np.arange(n_leads) % 3 == 0
    rules = {
        "transport": {},
        "core": {"equity": [RevenueShare(0.8, 1.25)]},
        "network": {"limits": [Limit(high=9, leads=tier)]},
    }[kind]
    capacity = np.full(n_reps, 0.8 * n_leads / n_reps)
    return AssignmentProblem.from_arrays(value[:n_leads], capacity=capacity, **rules)

# what is compiled once per installation is not the solve's, and its memory is used again
solve(posed(min(n_leads, 1000)), engine=kind, time_limit=5.0)
problem = posed(n_leads)
before = now("VmRSS")
if spare:
    limit = now("VmSize") + spare
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    plan = solve(problem, time_limit=5.0)
    engine = plan.certificate.engine
except InputError as error:
    engine = str(error)
peak = now("VmHWM")  # of this program alone: ru_maxrss remembers the process that started it
print(json.dumps({"engine": engine, "taken": peak - before, "needed": memory_needed(problem)}))
"""


def child(kind: str, n_leads: int, n_reps: int, *, spare: int = 0) -> dict[str, Any]:
    """Solve in a process of its own. spare : bytes of address space that it may still take; 0 for any."""
    path = f"{ROOT / 'models'}:{ROOT / 'solver'}"
    around = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "HOME": str(Path.home())}
    arguments = [sys.executable, "-c", CHILD, kind, str(n_leads), str(n_reps), str(spare)]
    done = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        check=True,
        env=around,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@LINUX
@pytest.mark.parametrize(
    ("kind", "n_leads", "n_reps"),
    [
        ("transport", 50_000, 20),
        ("network", 4_000, 100),
        ("core", 2_000, 50),
        pytest.param("transport", 100_000, 100, marks=pytest.mark.slow),
        pytest.param("network", 40_000, 100, marks=pytest.mark.slow),
        pytest.param("core", 20_000, 100, marks=pytest.mark.slow),
    ],
)
def test_no_solve_takes_more_than_was_said(kind: str, n_leads: int, n_reps: int) -> None:
    """Measured in a process of its own: the peak lies below what was said, and what was said is not absurd."""
    seen = child(kind, n_leads, n_reps)
    assert seen["engine"] == kind
    assert seen["taken"] <= seen["needed"] <= 5 * seen["taken"] + 256 * MIB


@LINUX
def test_a_process_with_little_room_refuses_before_it_runs_out() -> None:
    """With 300 MiB of address space left, a problem that needs more is an input error with both numbers, and next to
    nothing was taken."""
    seen = child("core", 20_000, 100, spare=300 * MIB)
    assert "must fit in memory" in seen["engine"]
    assert "needs up to" in seen["engine"]
    assert "MiB is available" in seen["engine"]
    assert seen["taken"] < 60 * MIB


def test_a_limit_refuses_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, what it needs, what is allowed and what to do; nothing was formulated."""

    def no(*_: Any) -> None:
        raise AssertionError("built")

    for name in ("formulate", "reorder"):
        monkeypatch.setattr(importlib.import_module("apportion.engines.solve"), name, no)
    problem = AssignmentProblem.from_arrays(np.ones((100, 50)), capacity=2, equity=[RevenueShare(0.5)])
    with pytest.raises(InputError, match=r"needs up to 2\d\d MiB.*10 MiB are allowed by memory_limit") as caught:
        solve(problem, memory_limit=10 * MIB)
    assert caught.value.exit_code == 3
    assert "Split the batch" in str(caught.value)


def test_enough_is_enough() -> None:
    """What was said, allowed to the byte, is enough; so is no limit at all; a limit that is none is a usage error."""
    problem = AssignmentProblem.from_arrays(np.ones((30, 5)), capacity=4)
    for limit in (memory_needed(problem), math.inf):
        assert solve(problem, memory_limit=limit).objective == 20
    for limit in (0.0, -1.0, math.nan):
        with pytest.raises(UsageError, match="memory_limit"):
            solve(problem, memory_limit=limit)


def test_the_engine_is_foreseen() -> None:
    """Nested counts are said as the flow's, all else as the core's, and large pure counts as those of transport."""
    rng = np.random.default_rng(0)
    value, half = rng.random((6_000, 50), dtype=np.float32), np.arange(6_000) % 2 == 0
    plain = AssignmentProblem.from_arrays(value, capacity=100, team=np.arange(50) // 10)
    nested = plain.replace(limits=[Limit(high=60, leads=half), Limit(high=900, by="team")])
    shares = plain.replace(must_assign=True, capacity=[200.0] * 50, equity=[LeadShare(0.8)])
    crossed = plain.replace(limits=[Limit(high=500, leads=half, by="team")])
    banded = plain.replace(equity=[RevenueShare(0.8)])
    uneven = plain.replace(effort=rng.random(6_000))
    assert memory_needed(plain) == memory_needed(plain, "transport")
    for problem in (nested, shares):
        assert memory_needed(problem) == memory_needed(problem, "network") < memory_needed(problem, "core")
    for problem in (crossed, banded, uneven):
        assert memory_needed(problem) == memory_needed(problem, "core")
    with pytest.raises(UsageError, match="'auto' or one of 'transport', 'network', 'core'"):
        memory_needed(plain, "other")


def test_it_grows_with_pairs_and_rules() -> None:
    """Twice the leads, or one rule more, is never said to take less."""
    for engine in ("transport", "network", "core"):
        sizes = [(n, AssignmentProblem.from_arrays(np.ones((n, 20)), capacity=n)) for n in (10, 100, 1_000, 10_000)]
        said = [memory_needed(problem, engine) for _, problem in sizes]
        assert said == sorted(said)
        more = [memory_needed(one.replace(limits=[Limit(high=3, leads=np.arange(n) < 5)]), engine) for n, one in sizes]
        assert all(a <= b for a, b in zip(said, more, strict=True))


@LINUX
def test_what_is_free_is_known() -> None:
    """On Linux the machine says what there is."""
    free = memory_free()
    assert free is not None
    assert free > MIB


@LINUX
@pytest.mark.parametrize("version", [1, 2])
def test_control_groups_count(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's limit, less what is used but could not be dropped, of either version, at any level."""
    memory = importlib.import_module("apportion.engines.memory")
    top, own = tmp_path / "box", tmp_path / "box" / "inner"
    own.mkdir(parents=True)
    names = (
        ("memory.max", "memory.current", "inactive_file ")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ")
    )
    for folder, limit in ((top, "1000"), (own, "max" if version == 2 else str(2**63 - 4096))):
        (folder / names[0]).write_text(f"{limit}\n")
        (folder / names[1]).write_text("700\n")
        (folder / "memory.stat").write_text(f"anon 500\n{names[2]}150\n")
    assert min(memory._left(tmp_path, "/box/inner", *names)) == 450
