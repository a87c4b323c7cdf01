from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import watch
from benchmarks.__main__ import chosen, main
from benchmarks.case import Case, Result
from benchmarks.curves import CURVES, grow, taking_part
from benchmarks.harness import ROOT
from benchmarks.rows import FLOW, OURS, TABLE, How, all_rows


def test_one_row_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command runs a row in its quick size and writes all four files."""
    assert main(["gap-own-a", "--quick", "--limit", "20", "--no-start", "--out", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.json",
        "results.csv",
        "results.md",
        "plots.html",
    }
    told = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert str(tmp_path) not in json.dumps(told)
    table = list(csv.DictReader((tmp_path / "out" / "results.csv").read_text(encoding="utf-8").splitlines()))
    (ours,) = (line for line in table if line["contender"] == "Apportion")
    (mip,) = (line for line in table if line["contender"] == "HiGHS MIP (OR-Tools)")
    assert ours["verdict"] == mip["verdict"] == "verified"
    assert float(ours["objective"]) == pytest.approx(float(mip["objective"]), rel=1e-6)
    assert "results.md" in capsys.readouterr().out


def _runs_a_case(pid: int) -> bool:
    """Whether the process is a case; the command first asks small helpers about the machine."""
    try:
        return b"benchmarks.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_ended_from_outside(tmp_path: Path) -> None:
    """SIGTERM ends the case that runs and all of the command, and what was finished is written."""
    command = [sys.executable, "-m", "benchmarks", "bands-1000x50", "--no-start", "--out", str(tmp_path / "out")]
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "solver", "models"))
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path)})
    for _ in range(600):
        if children := [pid for pid in watch.family(process.pid) if pid != process.pid and _runs_a_case(pid)]:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    assert children and not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("APPORTION_TEST_SIZE") != "full", reason="minutes: APPORTION_TEST_SIZE=full runs it")
def test_every_row_in_its_quick_size(tmp_path: Path) -> None:
    """`--quick` runs everything there is, and nothing raises or crashes but where it says so."""
    assert main(["--quick", "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    rows = {result["case"]["row"] for result in results}
    assert rows >= {row.name for row in all_rows(quick=True)} | {curve.name for curve in CURVES}
    assert [(r["case"]["row"], r["title"], r["reason"]) for r in results if r["outcome"] in ("raised", "crashed")] == []


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no row runs nothing, and the message lists those that there are."""
    assert main(["no-such-row"]) == 2
    said = capsys.readouterr().err
    assert "no-such-row" in said and all(row.name in said for row in TABLE)


def test_names_are_rows_or_how_they_begin() -> None:
    """A whole name means one row, a beginning all that begin so; huge rows wait to be named or asked for."""
    assert [row.name for row in chosen(["counts-10000x100"], huge=False)[0]] == ["counts-10000x100"]
    rows, curves, unknown = chosen(["counts", "curve-bands"], huge=False)
    assert [row.name for row in rows] == ["counts-10000x100", "counts-100000x100"]
    assert [curve.name for curve in curves] == ["curve-bands-leads", "curve-bands-reps"] and not unknown
    assert "counts-1000000x1000" in [row.name for row in chosen(["counts"], huge=True)[0]]
    assert [row.name for row in chosen(["sparse-1000000x1000"], huge=False)[0]] == ["sparse-1000000x1000"]


def test_list_runs_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`--list` names what would run."""
    assert main(["--list", "--out", str(tmp_path / "none")]) == 0
    assert "bands-1000x50" in capsys.readouterr().out and not (tmp_path / "none").exists()


def test_names_are_unique() -> None:
    """No two rows or curves share a name."""
    names = [row.name for row in all_rows()] + [curve.name for curve in CURVES]
    assert len(names) == len(set(names))


def test_a_curve_ends_where_its_contender_does() -> None:
    """Each contender doubles until it is ended or too slow, and no further; the others go on."""
    curve = CURVES[0]
    asked: list[tuple[str, int]] = []

    def run(case: Case) -> Result:
        asked.append((case.contender, case.sizes["leads"]))
        stopped = case.contender == FLOW and case.sizes["leads"] >= 4 * curve.first
        from tests.benchmarks.test_summary import result

        if stopped:
            return result(case.contender, calls=[], outcome="killed", reason="killed at 23 s")
        return result(case.contender, calls=[{"seconds": 1.0}])

    list(grow(curve, How(), run))
    sizes = {one: [size for who, size in asked if who == one] for one in curve.contenders}
    assert sizes[FLOW] == [curve.first, 2 * curve.first, 4 * curve.first]
    assert len(sizes[OURS]) == curve.steps


def test_our_engines_take_part_one_by_one() -> None:
    """Each engine that the solver has is a contender on the curves."""
    from apportion.engines.choose import ENGINES

    for engine in ENGINES:
        assert f"{OURS}:{engine.name}" in taking_part(CURVES[0], How()).contenders


def test_online_numbers() -> None:
    """What the online workload tells is passed on whatever its shape: names joined by dots, words left out."""
    from benchmarks.ours_online import numbers

    assert numbers({"a": 1, "b": {"c": 2.5}, "word": "x"}) == {"a": 1.0, "b.c": 2.5}
    assert numbers([{"name": "x", "share": 0.9}, {"name": "y", "share": 1}]) == {"x.share": 0.9, "y.share": 1.0}
    with pytest.raises(TypeError, match="mapping"):
        numbers(3)
