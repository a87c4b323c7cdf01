"""A sweep that is killed, with no word of farewell, goes on where it was and ends as if it had never been."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from apportion.connectors import json_bytes
from apportion.whatif import Setting, compare, load_scenario, sweep
from apportion.whatif.compare import Done
from apportion.whatif.scenarios import apply
from tests.solver.whatif.settings import QUICK, small

ROOT = Path(__file__).parents[3]
GRID = {"nurture.value": [150 * k for k in range(1, 31)]}  # without soft equity: each solve takes a moment
SWEEP = """
import sys
from dataclasses import replace
from pathlib import Path
from apportion.whatif import compare, sweep
from tests.solver.whatif.settings import QUICK
from tests.solver.whatif.test_killed import GRID, free
compare(free(), sweep(GRID), replace(QUICK, store=Path(sys.argv[1])))
"""


def free() -> Setting:
    return apply(load_scenario({"name": "free", "policy": {"drop": ["fair offer"]}}), small())


def test_a_sweep_goes_on_after_sigkill(tmp_path: Path) -> None:
    """What was finished is whole and is not solved again; what was half done is as if never begun."""
    store = tmp_path / "plans"
    path = os.pathsep.join(str(ROOT / name) for name in ("models", "solver", "."))
    sweeping = subprocess.Popen([sys.executable, "-c", SWEEP, str(store)], env={**os.environ, "PYTHONPATH": path})
    try:
        until = time.monotonic() + 120
        while len(list(store.glob("*.json"))) < 2 and sweeping.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        sweeping.kill()  # SIGKILL: no handler runs
        sweeping.wait()
    held = len(list(store.glob("*.json")))
    assert 2 <= held < len(GRID["nurture.value"]) + 1, "it was over before it was killed"
    seen: list[Done] = []
    resumed = compare(free(), sweep(GRID), replace(QUICK, store=store), on_done=seen.append)
    assert sum(done.reused for done in seen) >= held - 1  # one of them is the base's
    assert [done.number for done in seen] == list(range(1, len(seen) + 1)) and {done.of for done in seen} == {len(seen)}
    assert json_bytes(resumed.document()) == json_bytes(compare(free(), sweep(GRID), QUICK).document())
