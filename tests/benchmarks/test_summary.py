from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import plots, report
from benchmarks.case import Call, Case, Result
from benchmarks.curves import CURVES
from benchmarks.rows import OURS, Row, Target
from benchmarks.summary import lines, met

MACHINE = {
    "date": "2026-01-01T00:00:00+00:00",
    "cores": 2,
    "processor": "a processor",
    "memory_gib": 8.0,
    "system": "Linux",
    "python": "3.11",
    "versions": {"numpy": "2.0"},
    "commit": "abc",
    "changed": False,
    "threads": "1",
    "load": [0.0, 0.0, 0.0],
}


def result(contender: str, *, calls: list[dict[str, Any]] | None = None, **changes: Any) -> Result:
    """A result with one good call of a second, or the calls that are given."""
    plain = {"seed": 0, "build": 0.0, "seconds": 1.0, "cpu": 1.0, "status": "", "objective": 90.0, "ok": True}
    case = Case(
        row=changes.pop("row", "row"),
        contender=contender,
        package="json",
        recipe="a:b",
        sizes=changes.pop("sizes", {"leads": 4}),
        seeds=[0],
        gap=0.0,
        limit=10.0,
        threads=1,
    )
    made = tuple(Call(**(plain | call)) for call in ([{}] if calls is None else calls))
    return Result(**({"case": case, "title": contender, "outcome": "done", "calls": made, "peak_mib": 512.0} | changes))


def book(*results: Result, target: Target | None = None, quick: bool = False) -> report.Book:
    """A run of one row."""
    row = Row(name="row", title="A row", recipe="a:b", full={}, quick={}, contenders=(OURS, "rival"), target=target)
    return report.Book(MACHINE, "python -m benchmarks", quick, [row], CURVES[:1], list(results))


def test_gap_is_taken_against_the_smallest_bound_that_holds() -> None:
    """A claim of a rival is no bound; a verified certificate, a relaxation's optimum and a known optimum are."""
    ours = result(OURS, calls=[{"bound": 120.0, "bound_holds": True}])
    rival = result("rival", calls=[{"bound": 91.0}])
    relaxed = result("relaxed", calls=[{"bound": 100.0, "bound_holds": True, "ok": False}])
    found = lines([ours, rival, relaxed])
    assert [line.gap for line in found] == [pytest.approx(0.1), pytest.approx(0.1), None]
    assert found[1].own_gap == pytest.approx(1 / 91)
    known = lines([result(OURS, optimum=95.0), rival])
    assert known[0].gap == pytest.approx(5 / 95)


def test_gap_is_that_of_the_worst_call() -> None:
    """Each call is held against the bound of its own instance."""
    calls = [
        {"seed": 0, "bound": 90.0, "bound_holds": True},
        {"seed": 1, "bound": 180.0, "bound_holds": True},
    ]
    assert lines([result(OURS, calls=calls)])[0].gap == pytest.approx(0.5)


def test_ratio_is_theirs_over_ours() -> None:
    """Calls after the first count; what was ended at the limit counts as the limit, as a floor."""
    ours = result(OURS, calls=[{"seconds": 9.0}, {"seconds": 2.0}])
    rival = result("rival", calls=[{"seconds": 1.0}, {"seconds": 6.0}, {"seconds": 8.0}])
    killed = result("killed", calls=[], outcome="killed", reason="killed at 13 s")
    unable = result("unable", calls=[], outcome="cannot", reason="cannot state that")
    found = lines([ours, rival, killed, unable])
    assert [(line.ratio, line.at_least) for line in found] == [(1.0, False), (3.5, False), (5.0, True), (None, False)]
    assert report.ratio(found[2]) == "> 5" and report.ratio(found[3]) == ""
    assert found[2].notes == ("killed at 13 s",)


def test_killed_for_memory_has_no_ratio() -> None:
    """How long it would have taken is not known."""
    found = lines([result(OURS), result("eats", calls=[], outcome="killed", reason="killed at 8.0 GiB")])
    assert found[1].ratio is None


def test_contradictions_are_told() -> None:
    """A plan above a bound that should hold, and a claim below a plan that is verified: both are said."""
    above = lines([result(OURS, calls=[{"bound": 80.0, "bound_holds": True}])])[0]
    assert any("one of them is wrong" in note for note in above.notes)
    claimed = lines([result(OURS), result("rival", calls=[{"objective": 80.0, "bound": 80.0}])])[1]
    assert "claims that none can earn more than 80; a verified plan earns 90" in claimed.notes


def test_different_plans_for_one_question_are_told() -> None:
    """The same instance, asked twice, has one answer."""
    assert "the same question, different plans" in lines([result(OURS, calls=[{}, {"objective": 91.0}])])[0].notes
    assert lines([result(OURS, calls=[{}, {"seed": 1, "objective": 91.0}])])[0].notes == ()


@pytest.mark.parametrize(
    ("target", "change", "enough"),
    [
        (Target(seconds=1.0), {}, True),
        (Target(seconds=0.9), {}, False),
        (Target(gap=0.0), {}, True),
        (Target(gap=0.0), {"bound": 91.0}, False),
        (Target(gap=0.02), {"bound": 91.0}, True),
        (Target(gap=0.02), {"bound_holds": False}, False),
        (Target(gib=0.5), {}, True),
        (Target(gib=0.4), {}, False),
        (Target(ratio=3, than="rival"), {}, True),
        (Target(ratio=4, than="rival"), {}, False),
        (Target(ratio=4, than="nobody"), {}, False),
        (Target(seconds=1.0), {"ok": False, "broken": "capacity"}, False),
    ],
)
def test_targets(target: Target, change: dict[str, Any], enough: bool) -> None:
    """Each part of a target is held to what was measured; a plan that breaks a rule meets none."""
    ours = result(OURS, calls=[{"bound": 90.0, "bound_holds": True} | change])
    rival = result("rival", calls=[{"seconds": 3.0}])
    (row,) = book(target=target).rows
    assert met(row, lines([ours, rival]))[1] is enough


def test_a_target_is_missed_by_what_was_killed() -> None:
    """No time is no success; only what could not be asked is not judged."""
    (row,) = book(target=Target(seconds=1.0)).rows
    assert met(row, lines([result(OURS, calls=[], outcome="killed", reason="killed at 13 s")])) == (
        "killed at 13 s",
        False,
    )
    assert met(row, lines([result(OURS, calls=[], outcome="cannot", reason="absent")])) == ("absent", None)


def test_percentiles_are_kept_by_that_share_of_calls() -> None:
    """The p99 of fewer than a hundred calls is the slowest; the first call does not count."""
    many = result(OURS, calls=[{"seconds": 50.0}] + [{"seconds": float(n)} for n in range(1, 101)])
    assert (many.percentile(0.5), many.percentile(0.99), many.first) == (50.0, 99.0, 50.0)
    assert result(OURS, calls=[{"seconds": 3.0}]).percentile(0.99) == 3.0


def test_files(tmp_path: Path) -> None:
    """JSON without NaN, a CSV line for each contender, Markdown whose tables hold, plots that need no network."""
    odd = result("rival", calls=[], outcome="raised", reason="it | went\nwrong", peak_mib=None)
    infinite = result("third", calls=[{"bound": float("inf"), "objective": float("nan"), "ok": None}])
    made = book(result(OURS), odd, infinite, target=Target(seconds=2.0))
    report.write(made, tmp_path)
    plots.write(made, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "results.csv", "results.md", "plots.html"}
    told = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert told["targets"]["row"]["met"] is True and len(told["results"]) == 3
    table = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text(encoding="utf-8"))))
    assert [line["contender"] for line in table] == [OURS, "rival", "third"]
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    widths = [line.count("|") for line in page.split("## row")[1].splitlines() if line.startswith("|")]
    assert len(set(widths)) == 1 and "it / went wrong" in page
    html = (tmp_path / "plots.html").read_text(encoding="utf-8")
    assert 'src="http' not in html and html.count("Plotly.newPlot") >= len(plots.MEASURES)


def test_quick_sizes_are_not_judged() -> None:
    """A target is for the full size: a quick run says so, and says neither met nor missed."""
    page = report.as_markdown(book(result(OURS), target=Target(seconds=2.0), quick=True))
    assert "not judged" in page and "| met |" not in page


def test_curves_compare_what_is_of_one_size() -> None:
    """On a curve each size has its own ratio, and the table a column for each size."""
    name = CURVES[0].name
    results = [
        result(who, row=name, sizes={"reps": 50, "leads": size}, calls=[{"seconds": taken}])
        for who, size, taken in ((OURS, 500, 1.0), (OURS, 1000, 2.0), ("rival", 500, 5.0))
    ]
    made = book(*results)
    ratios = [line["ratio"] for line in csv.DictReader(io.StringIO(report.as_csv(made)))]
    assert ratios == ["1", "5", "1"]
    assert "| rival | 5 s (512) |  |" in report.as_markdown(made)
