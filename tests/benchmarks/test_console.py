"""The console's benchmark, in a small size and a real browser."""

from __future__ import annotations

import pytest

from tests.solver.service.console.browsing import CHROMIUM


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")
def test_every_change_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of its ten changes gets an answer, and its seconds are told."""
    pytest.importorskip("playwright")
    from benchmarks.console import main

    assert main(["0.06"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 10
    assert all(float(line.split()[-2]) > 0 for line in told)
