"""The public CRM example, by the command that docs/examples/README.md gives."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.solver.cli.conftest import call, read_plan, read_rows

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("APPORTION_SHARED", ROOT.parent / "shared"))
MAVEN = SHARED / "data" / "maven_crm"


@pytest.mark.slow
@pytest.mark.skipif(not MAVEN.is_dir(), reason="the Maven tables are not on this machine")
def test_maven_runs_and_claims_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every open deal is placed, and the output says that agents do not differ by more than noise."""
    text = (ROOT / "docs" / "examples" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```sh\napportion (.*?)\n```", text, re.S)
    assert found is not None
    words = shlex.split(found[1].replace("\\\n", " ").replace("$MAVEN", str(MAVEN)).replace("out/maven", str(tmp_path)))
    monkeypatch.chdir(ROOT)
    called = call(*words)
    assert called.code == 0, called.err
    assert "differences are not distinguishable from noise" in called.out
    plan, rows = read_plan(tmp_path), read_rows(tmp_path)
    assert any("not distinguishable from noise" in sentence for sentence in plan["evidence"])
    assert len(rows) == 2089 and rows["lead_id"].is_unique
    own, *routers = plan["baselines"]
    placed = [one for one in routers if one["placed"] == own["placed"]]
    assert placed and all(abs(one["expected_revenue"] / own["expected_revenue"] - 1) < 0.02 for one in placed)
