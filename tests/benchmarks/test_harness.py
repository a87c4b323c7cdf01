from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import watch
from benchmarks.case import Case, Result
from benchmarks.harness import Limits, run_case

HERE = "tests.benchmarks.contenders"
GIB = 1 << 30


def run(contender: str, *, memory: float = 4.0, **changes: Any) -> Result:
    """One case of a contender on the tiny instance."""
    plan = {"raises", "hangs", "eats", "helper_eats", "crashes", "vanishes", "exits", "none", HERE}.isdisjoint(
        {contender}
    )
    told: dict[str, Any] = {
        "row": "test",
        "contender": contender if "." in contender else f"{HERE}:{contender}",
        "package": "json",
        "recipe": f"{HERE}:{'instance' if plan else 'stand_in'}",
        "sizes": {},
        "seeds": [0, 0],
        "gap": 0.0,
        "limit": 20.0,
        "threads": 1,
    }
    return run_case(Case(**told | changes), Limits(memory=int(memory * GIB)))


def gone(pid: int) -> bool:
    """Whether a process has ended; what only waits for its parent has."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a contender writes the id of the process that it leaves behind."""
    path = tmp_path / "left"
    monkeypatch.setenv("LEFT_BEHIND", str(path))
    return path


def test_a_right_plan_is_verified_and_timed() -> None:
    """A case that goes well has two calls, a peak, and what the verifier found the plan to earn."""
    result = run("uses")
    assert (result.outcome, result.verdict, result.reason) == ("done", "verified", "")
    assert [call.objective for call in result.calls] == [25.0, 25.0]
    assert result.base_mib is not None and result.peak_mib is not None
    assert 200 <= result.peak_mib - result.base_mib < 300
    assert result.import_seconds is not None and result.import_seconds < 0.5
    assert result.wall > sum(call.seconds for call in result.calls)


def test_first_call_is_told_apart() -> None:
    """What the first call needs to warm up is in `first`, and not in `seconds`; each seed is an instance of its own."""
    result = run("warms", seeds=[0, 1])
    assert [call.objective for call in result.calls] == [25.0, 27.0]
    assert result.first is not None and result.first >= 0.4
    assert (result.seconds() or 9.0) < 0.2


def test_what_raises_is_reported() -> None:
    """An exception ends the case, with its type and its words."""
    result = run("raises")
    assert (result.outcome, result.reason) == ("raised", "RuntimeError: it went wrong | badly")
    assert result.calls == () and result.seconds() is None


def test_an_instance_that_cannot_be_made_is_reported() -> None:
    """So is a recipe that fails."""
    result = run("right", recipe=f"{HERE}:unmade")
    assert (result.outcome, result.reason) == ("raised", "ValueError: no instance of seed 0")


def test_what_hangs_is_killed_with_all_it_started(left: Path) -> None:
    """Signals ignored, a helper in a session of its own: at the limit all of it ends, and is reported as killed."""
    result = run("hangs", limit=1.0)
    assert result.outcome == "killed" and re.fullmatch(r"killed at \d+ s", result.reason)
    assert result.wall < 30
    assert gone(int(left.read_text(encoding="utf-8")))


def test_nothing_is_left_running(left: Path) -> None:
    """A process that outlives its case ends with it, and disturbs no further one."""
    result = run("leaves", seeds=[0])
    assert (result.outcome, result.verdict) == ("done", "verified")
    assert gone(int(left.read_text(encoding="utf-8")))


@pytest.mark.parametrize("way", ["eats", "helper_eats"])
def test_what_eats_memory_is_killed(way: str) -> None:
    """At the limit of memory a case is killed, also where a process that it started is the one that eats."""
    result = run(way, memory=0.6)
    assert result.outcome == "killed" and result.reason.startswith("killed at 0.") and "GiB" in result.reason
    assert result.peak_mib is not None and result.peak_mib > 600


@pytest.mark.parametrize(
    ("way", "outcome", "reason"),
    [
        ("crashes", "crashed", "ended by SIGSEGV"),
        ("vanishes", "crashed", "ended with code 0: the last words"),
        ("exits", "raised", "SystemExit: 0"),
    ],
)
def test_what_dies_is_reported(way: str, outcome: str, reason: str) -> None:
    """A crash in compiled code, an exit without a word and an exit with one are told apart; none is taken for done."""
    result = run(way)
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_wrong_plan_is_seen() -> None:
    """Whatever a rival says of its plan, the verifier decides, and names the rule: a rep overloaded, a rep who is none,
    a lead forgotten, a bound below its own plan."""
    result = run("lies", seeds=[0] * 4)
    assert (result.outcome, result.verdict) == ("done", "infeasible")
    assert [call.ok for call in result.calls] == [False] * 4
    once = "each lead exactly once"
    assert [call.broken for call in result.calls] == ["capacity", once, once, "claims a bound of 1, and earns 25"]


def test_no_plan_is_no_plan() -> None:
    """Without a plan there is nothing to verify; its words are kept."""
    result = run("none", seeds=[0])
    assert (result.verdict, result.calls[0].ok, result.calls[0].status) == ("no plan", None, "UNKNOWN")


def test_what_cannot_state_a_rule_says_so() -> None:
    """It is left out, with its reason."""
    result = run(HERE)
    assert (result.outcome, result.reason, result.calls) == ("cannot", "cannot state that", ())


def test_what_a_solver_prints_disturbs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Megabytes on both streams, and a file where it stands: the case is done, nothing shows, nothing is left."""
    before = set(Path.cwd().iterdir())
    result = run("chatters", seeds=[0])
    assert (result.outcome, result.verdict) == ("done", "verified")
    assert capfd.readouterr() == ("", "")
    assert set(Path.cwd().iterdir()) == before


def test_a_contender_that_is_not_there_is_reported() -> None:
    """A module that cannot be imported ends one case, and not the run."""
    result = run("benchmarks.no_such_rival")
    assert result.outcome == "raised" and "ModuleNotFoundError" in result.reason


def test_memory_is_within_the_machine() -> None:
    """What is said to be free is more than nothing, and this process uses some."""
    assert 0 < watch.available() < 1 << 50
    assert watch.resident([*watch.family(1), 0]) >= 0
