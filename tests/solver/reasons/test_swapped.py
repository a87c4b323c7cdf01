"""What is said of a draw is true: of each swapped lead, of the plan, and to the rep who asks why not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from apportion.problem import Plan
from apportion.reasons import assignments_frame, certificate_words, explain, plan_document
from apportion.reasons.why_not import why_not
from apportion.swaps import swap_some
from tests.solver.reasons.cases import batch_of, plan_of


@pytest.fixture(scope="module")
def drawn() -> tuple[object, Plan, Plan]:
    """A batch, its plan, and the plan after a draw."""
    rng = np.random.default_rng(1)
    batch = batch_of(rng.uniform(0.05, 0.4, (24, 3)), rng.lognormal(6, 1, 24), capacity=[7.0, 7.0, 7.0])
    order = np.argsort(-batch.problem.opportunity)
    rep = np.full(24, -1)
    rep[order[:21]] = np.tile(np.arange(3), 7)
    plan = plan_of(batch.problem, rep=rep)
    return batch, plan, swap_some(batch.problem, plan, share=0.3, salt="s", gap=1e-3)


def test_each_swapped_lead_says_so(drawn: tuple) -> None:  # type: ignore[type-arg]
    """The reason names the draw, the rep of the plan, what it gives up and the chance; other leads are told as ever."""
    batch, plan, after = drawn
    told = explain(batch, after).leads
    moved = np.flatnonzero(after.swapped)
    assert len(moved) >= 2
    for lead in moved.tolist():
        row = told.iloc[lead]
        assert row["code"] == "swapped" and "a draw swapped it to you" in row["reason"]
        assert f"the plan had it with R{plan.rep[lead]}" in row["reason"]
        before, now = (
            float(batch.problem.value[batch.problem.pairs.position(lead, rep)])
            for rep in (plan.rep[lead], after.rep[lead])
        )
        assert ("more by the estimates" if before > now else "less by the estimates") in row["reason"]
        assert row["propensity"] == pytest.approx(after.propensity[lead])
    assert not told.loc[~after.swapped, "reason"].str.contains("draw").any()
    assert (explain(batch, plan).leads["code"] != "swapped").all()


def test_the_tables_have_the_propensity(drawn: tuple) -> None:  # type: ignore[type-arg]
    """assignments.csv and plan.json: 1 without a draw, the chance with one, nothing for nurture."""
    batch, plan, after = drawn
    plain = assignments_frame(batch, plan)
    assert set(plain.loc[plain["outcome"] == "assigned", "propensity"]) == {1.0}
    frame = assignments_frame(batch, after)
    assert frame.loc[frame["outcome"] == "nurture", "propensity"].isna().all()
    document = json.loads(json.dumps(plan_document(batch, after), allow_nan=False))
    logged = {row["lead_id"]: row["propensity"] for row in document["assignments"]}
    assert logged == {
        row["lead_id"]: None if np.isnan(row["propensity"]) else row["propensity"] for _, row in frame.iterrows()
    }
    assert plan_document(batch, plan)["swaps"] is None


def test_the_cost_is_stated_beside_the_plan(drawn: tuple) -> None:  # type: ignore[type-arg]
    """Expected revenue given up, this time and on average; how much of the gap is the draw's; who was moved."""
    batch, plan, after = drawn
    document = plan_document(batch, after)
    swaps = document["swaps"]
    revenue = [plan_document(batch, one)["summary"]["expected_revenue"] for one in (plan, after)]
    assert swaps["revenue_cost"] == pytest.approx(revenue[0] - revenue[1])
    assert swaps["objective_before"] - swaps["objective_cost"] == pytest.approx(document["certificate"]["objective"])
    assert swaps["gap_before"] + swaps["gap_of_the_draw"] == pytest.approx(document["certificate"]["gap"])
    assert [row["lead_id"] for row in swaps["moved"]] == [f"L{i}" for i in np.flatnonzero(after.swapped)]
    words = " ".join(certificate_words(explain(batch, after).facts))
    assert f"a draw moved {after.swapped.sum()} leads" in words and "is the price of the draw" in words
    assert "before the search stopped" not in words  # the draw, and no limit of the search, made the gap


def test_why_not_is_true_of_swapped_leads(drawn: tuple) -> None:  # type: ignore[type-arg]
    """The rep who had it in the plan is told that a draw gave it away, and the others whose it was."""
    batch, plan, after = drawn
    lead = int(np.flatnonzero(after.swapped)[0])
    planned, third = int(plan.rep[lead]), 3 - int(plan.rep[lead]) - int(after.rep[lead])
    answer = why_not(batch, after, f"L{lead}", f"R{planned}")
    assert answer.kind == "swapped" and "was planned for you; to learn, a draw gave it to" in answer.sentence
    assert f"was planned for R{planned}" in why_not(batch, after, f"L{lead}", f"R{third}").sentence
