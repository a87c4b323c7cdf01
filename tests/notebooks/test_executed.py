"""Each notebook runs from top to bottom in under two minutes of CPU, and what it shows is right.

One test a notebook, since running it is what takes the time.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from apportion.whatif.compare import VERDICTS
from tests.notebooks.executed import decoded, execute
from tests.notebooks.stored import ROOT


def test_your_first_plan() -> None:
    """The plan is proved within a per cent, beats every router that keeps the rules, and no lead falls through."""
    told = execute("1-your-first-plan")
    assert re.search(r"Gap</th><td[^>]*>0\.\d+%", told.html("plan"))
    assert re.search(r"all \d+ rules hold", told.html("plan"))
    bound, worth, gap = told.numbers("certificate-words")[:3]
    assert worth <= bound and gap == pytest.approx(100 * (bound - worth) / bound, abs=0.01) and gap < 1
    (kept,) = [trace for trace in told.traces("routers-picture") if trace["name"] == "kept"]
    earned = dict(zip(kept["y"], decoded(kept["x"]), strict=True))
    assert len(earned) > 1 and max(earned, key=earned.__getitem__) == "This plan"
    load, room = told.traces("load")
    assert len(load["x"]) == 60 and (decoded(load["y"]) >= 0).all() and (decoded(room["y"]) >= 0).all()
    offered = decoded(told.traces("shares")[0]["y"])
    assert offered.max() < 251 and (np.diff(offered) <= 0).all()
    prices = decoded(told.traces("prices-picture")[0]["y"])
    assert prices[0] > 0 and (np.diff(prices) <= 0).all()
    assert told.text("reasons-table").count("You got L") == 3
    assert re.match(r"L\d{6}", told.text("answer"))
    assert decoded(told.traces("outcomes")[0]["x"]).sum() == len(pd.read_csv(ROOT / "data" / "leads.csv"))
    assert re.findall(r"^\S+", told.text("files"), flags=re.M) == [
        "assignments.csv", "report.html", "policy.html", "plan.json",
    ]  # fmt: skip


def test_what_if_and_frontier() -> None:
    """A laxer floor brings more, a nudge brings nothing; fairness costs more with each step, and bounds lie above."""
    told = execute("2-what-if-and-frontier")
    lines = told.html("verdicts").split("<tr")
    rows = {row[0]: row[-1] for row in (re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines) if row}
    assert len(rows) == 5 and set(rows.values()) <= set(VERDICTS.values())
    assert all(name in told.html("compare") for name in rows)
    assert rows["Half a fair share is enough"] == VERDICTS["more"]
    assert rows["Nurture is worth 16, not 15"] not in (VERDICTS["more"], VERDICTS["less"])
    (dots,) = told.traces("differences")
    clear = [name for name, symbol in zip(dots["y"], dots["marker"]["symbol"], strict=True) if symbol == "circle"]
    assert clear == [name for name, words in rows.items() if words in (VERDICTS["more"], VERDICTS["less"])]
    nadia, bjoern = (float(line.split()[-1]) for line in told.text("said-before").splitlines()[-2:])
    assert nadia > 10 * bjoern >= 0
    assert decoded(told.traces("moves-picture")[0]["y"]).sum() > 0
    for cell in ("curve-picture", "room-picture"):
        bound, worth = (decoded(trace["y"]) for trace in told.traces(cell))
        assert (bound >= worth).all() and len(worth) == 5
        slope = np.diff(worth) * (1 if cell == "room-picture" else -1)
        assert (slope > -0.01 * worth[:-1]).all()
    cost = -np.diff(decoded(told.traces("curve-picture")[1]["y"]))
    assert (cost > 0).all() and cost[-1] == cost.max()


def test_does_it_help() -> None:
    """A gain is claimed where there is one, the truth is no smaller, and where reps are alike nothing is claimed."""
    told = execute("3-does-it-help")
    assert told.text("evaluate").startswith("The plan beats the best router")
    predicted, fitted = told.numbers("optimism-words")[:2]
    assert predicted > fitted > 0
    (dots,) = told.traces("calibration")
    expected, observed = decoded(dots["x"]), decoded(dots["y"])
    assert len(expected) == 10 and np.abs(expected - observed).max() < 0.1
    claimed, true = told.traces("truth-picture")
    gap = decoded(true["x"]) - decoded(claimed["x"])
    assert len(gap) == 8 and (gap > 1).sum() == 7, "the text says that the truth lies to the right for all but one"
    assert gap.min() > -1, "and that it lies on the claim for that one"
    assert told.text("placebo-words").startswith("No evidence that reassigning helps")
    sample, alike = told.traces("placebo-picture")
    least = [decoded(one["x"])[0] - decoded(one["error_x"]["arrayminus"])[0] for one in (sample, alike)]
    assert least[0] > 0 > least[1]


def test_bring_your_own_data() -> None:
    """Faults come all at once with row, column and value; what is mended by hand is read, and gets a verified plan."""
    told = execute("4-bring-your-own-data")
    assert "leads.columns.lead_id" in told.text("export") and "leads.columns.created_at" in told.text("export")
    faults = told.text("mapping-file")
    assert faults.count("✗") == int(told.numbers("mapping-file")[0]) == 4
    for row, column, value in (
        (4, "created_at", "31.02.2026"),
        (3, "deal_value", "ca. 20 Tsd."),
        (5, "effort", "-1.0"),
        (6, "lead_id", "A-1005"),
    ):
        assert re.search(rf"row {row}, column '{column}'.*{re.escape(value)}", faults)
    assert told.text("mended").startswith("10 leads were read.")
    assert "'R99'" in told.text("references-words")
    assert "Did you mean value?" in told.text("policy-slip") and "'oportunity'" in told.text("policy-slip")
    assert re.search(r"all \d+ rules hold", told.html("policy")) and "10 with " in told.html("policy")
    assert "8.600,00" in told.text("assignments")
    (chances,) = told.traces("open-pairs")
    fit = decoded(chances["z"]).reshape(10, -1)
    assert np.isfinite(fit).any(axis=1).all() and np.isnan(fit).any(axis=1).all()
    assert np.nanmax(fit) > 1.5 * np.nanmin(fit)
    assert told.numbers("closed")[-1] > 0


def test_how_the_solver_proves_it() -> None:
    """By hand, by the verifier and by the solver: one bound. Prices come true, no ring gains, a forgery is caught."""
    told = execute("5-how-the-solver-proves-it")
    by_hand, verified, solved, worth = told.numbers("three-lines")
    assert by_hand == verified == solved == worth > 0
    for valley in told.traces("curve")[:4]:
        heights = decoded(valley["y"])
        assert heights.min() >= worth - 0.01 and heights[0] > heights.min() < heights[-1]
        assert (np.diff(heights, 2) > -1e-6).all()
    more, price, fewer = (decoded(trace["y"]) for trace in told.traces("slots-picture"))
    np.testing.assert_allclose(more, price, atol=1e-6)
    assert (fewer >= price - 1e-6).all() and (price > 0).all()
    assert re.search(r"There are \d+ rings, and the cheapest loses 0\.00\.", told.text("rings"))
    (lost,) = re.findall(r"the plan loses (\d+\.\d+)", told.text("spoilt"))
    assert float(lost) > 0 and re.search(rf"Ann → Cem → Ann +-{float(lost):g}", told.text("spoilt"))
    by_hand, verified, searched, fair, cost = told.numbers("fair-bound")
    assert by_hand == verified >= searched >= fair and cost == pytest.approx(worth - fair) and cost > 0
    assert "2 of 10 rules broken" in told.html("forged")
    assert told.html("forged").index("capacity") < told.html("forged").index("eligibility")
