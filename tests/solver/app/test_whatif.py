"""The what-if use case and command on small tables: files, page, exit codes, going on after a stop."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from apportion.cli.main import run
from apportion_models import save_model
from tests.solver.whatif.settings import reps_of, small

POLICY = """
name: small
territories: {cover: [{name: all, when: true, primary: true}]}
solve: {gap: 0.2, time_limit: 3}
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("inputs")
    setting = small()
    lists = {name: setting.tables.reps[name].map(";".join) for name in ("territories", "skills", "languages")}
    setting.tables.reps.assign(**lists).to_csv(folder / "reps.csv", index=False)
    setting.tables.leads.to_csv(folder / "leads.csv", index=False)
    save_model(setting.model, folder / "model")
    (folder / "policy.yaml").write_text(POLICY)
    named = {"leads": "leads.csv", "reps": "reps.csv", "model": "model", "policy": "policy.yaml"}
    return [part for option, name in named.items() for part in (f"--{option}", str(folder / name))]


def test_it_writes_the_files_that_it_promises(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """comparison.json, comparison.csv, moves.csv and a page that needs nothing else; --json tells the document."""
    scenario = tmp_path / "leaves.yaml"
    scenario.write_text(f"name: <b>leaves</b>\nreps:\n  leave: [{reps_of(small())[0]}]\n")
    out = tmp_path / "out"
    options = [*inputs, "--out", str(out), "--draws", "50", "--grid", "nurture.value=0,90", "--frontier", "--json"]
    assert run(["whatif", str(scenario), *options]) in (0, 5)
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((out / "comparison.json").read_text())
    assert [one["name"] for one in document["scenarios"]] == [
        "<b>leaves</b>",
        "nurture.value = 0",
        "nurture.value = 90",
    ]
    assert document["scenarios"][1]["difference"]["verdict"] == "none"
    assert document["studies"]["equity"]["points"]
    tidy = pd.read_csv(out / "comparison.csv")
    assert {"all", "rep", "team", "tier", "territory", "router"} <= set(tidy["by"])
    assert set(pd.read_csv(out / "moves.csv")["scenario"]) <= {one["name"] for one in document["scenarios"]}
    page = (out / "whatif.html").read_text()
    assert "http://" not in page.split("<script>")[0]
    assert "&lt;b&gt;leaves" in page
    assert "<b>leaves" not in page


def test_the_second_run_solves_nothing_again_and_writes_the_same(inputs: list[str], tmp_path: Path) -> None:
    """Finished scenarios are stored; the same command gives the same bytes."""
    out = tmp_path / "out"
    arguments = ["whatif", *inputs, "--out", str(out), "--draws", "50", "--no-sources", "--grid", "nurture.value=5,50"]
    assert run(arguments) == 0
    names = ("comparison.json", "comparison.csv", "moves.csv", "whatif.html")
    first = {name: (out / name).read_bytes() for name in names}
    stamps = {path.name: path.stat().st_mtime_ns for path in (out / "plans").iterdir()}
    assert run(arguments) == 0
    assert {name: (out / name).read_bytes() for name in first} == first
    assert {path.name: path.stat().st_mtime_ns for path in (out / "plans").iterdir()} == stamps


def test_wrong_calls_and_wrong_input_have_their_exit_codes(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 for a call that asks for nothing, 3 for a scenario that cannot be used, 4 for a base without a plan."""
    out = ["--out", str(tmp_path / "out")]
    assert run(["whatif", *inputs, *out]) == 2
    assert run(["whatif", *inputs, *out, "--grid", "nurture.value"]) == 2
    assert run(["whatif", *inputs, *out, "--grid", "nurture.value=1", "--grid", "nurture.value=2"]) == 2
    assert run(["whatif", *inputs, *out, "--grid", f"nurture.value={','.join(map(str, range(3000)))}"]) == 2
    assert run(["whatif", *inputs, *out, "--marginal", "--gap", "2"]) == 2
    assert run(["whatif", *inputs, *out, "--marginal", "--time-limit", "nan"]) == 2
    capsys.readouterr()
    assert run(["whatif", *inputs, *out, "--frontier", "--rule", "gone"]) == 2
    assert "Got 'gone'. Known are: fair offer." in capsys.readouterr().err
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\npolicy:\n  set: {nurture.valeu: 1}\n")
    assert run(["whatif", str(wrong), *inputs, *out]) == 3
    assert "wrong.yaml, row 3, column 'policy.set.nurture.valeu'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "hard.yaml").write_text("limits:\n  - {name: all, by: all, low: 900}\n")
    assert run(["whatif", *inputs, *out, "--policy", str(tmp_path / "hard.yaml"), "--capacity"]) == 4
    assert run(["whatif", "--schema"]) == 0
