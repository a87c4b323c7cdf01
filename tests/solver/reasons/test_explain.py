"""explain: each lead's sentence, runner-up and cost; each rep's shares; the plan in words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apportion.problem import LeadShare, OpportunityShare, Prices, RulePrice, Status
from apportion.reasons import PLAN_COLUMNS, assignments_frame, explain, plan_document, reps_frame
from apportion_models.errors import Finding
from tests.solver.reasons.cases import Effect, batch_of, plan_of, random_prices


def _one(batch: Any, plan: Any, lead: int = 0) -> Any:
    return explain(batch, plan).leads.iloc[lead]


def test_the_sentence_of_the_best_fit() -> None:
    """The rep reads their rate beside the average of those who could have had it, and what it is worth."""
    batch = batch_of([[0.31, 0.13]], [4000.0], capacity=[1, 1], lead_ids=["Acme"])
    row = _one(batch, plan_of(batch.problem))
    assert row["code"] == "best_fit"
    assert row["reason"] == (
        "You got Acme because you convert about 31 % of leads like this (eligible reps on average: 22 %), "
        "the best estimate of all, and had room; expected revenue 1,240 EUR."
    )


def test_runner_up_and_its_cost_by_prices() -> None:
    """Ada's slot is worth 300 elsewhere: what Bo in her place would cost is told net of that."""
    batch = batch_of([[0.9, 0.1], [0.5, 0.4]], [1000.0, 1000.0], capacity=[1, 1])
    prices = Prices(np.array([100.0, 0.0]), np.zeros(2))
    row = _one(batch, plan_of(batch.problem, prices=prices))
    assert (row["rep_id"], row["runner_up_rep_id"]) == ("R0", "R1")
    assert row["runner_up_cost"] == pytest.approx((900 - 100) - 100, rel=1e-6)
    assert row["binding"] == ("price of capacity",)


def test_cost_of_the_runner_up_is_what_brute_force_loses() -> None:
    """Where capacity is ample the estimate is exact: the best plan with that rep forbidden is worth so much less."""
    rng = np.random.default_rng(3)
    batch = batch_of(rng.random((3, 3)), [100.0, 200.0, 300.0], capacity=[3, 3, 3])
    plan = plan_of(batch.problem)
    told = explain(batch, plan).leads
    for lead in range(3):
        allowed = np.ones((3, 3), dtype=bool)
        allowed[lead, plan.rep[lead]] = False
        without = plan_of(batch.problem.replace(eligible=allowed))
        assert plan.objective - without.objective == pytest.approx(told["runner_up_cost"][lead])
        assert batch.problem.rep_ids[without.rep[lead]] == told["runner_up_rep_id"][lead]


def test_a_rep_who_could_never_hold_it_is_no_runner_up() -> None:
    """Who has no capacity at all is not the next best."""
    batch = batch_of([[0.5, 0.4, 0.3]], [100.0], capacity=[1, 0, 1])
    assert _one(batch, plan_of(batch.problem))["runner_up_rep_id"] == "R2"


def test_leads_that_stay_together_are_compared_together() -> None:
    """R0 is better for one, R1 for both: the sentence says that they go together, and the cost is of both."""
    batch = batch_of([[0.5, 0.4], [0.1, 0.4]], [100.0, 100.0], capacity=[2, 2], parcel=[7, 7])
    plan = plan_of(batch.problem, prices=Prices.none(2))
    assert plan.rep.tolist() == [1, 1]
    row = _one(batch, plan)
    assert "together with 1 other lead that must stay with it" in row["reason"]
    assert row["runner_up_cost"] == pytest.approx(20.0, rel=1e-5)


CASES: list[tuple[str, dict[str, Any], str]] = [
    (
        "only_choice",
        {"fit": [[0.5, 0.4]], "blocked_by": [[-1, 0]], "rules": ["north only"]},
        "(the others are ruled out: 1 rep by “north only”)",
    ),
    ("only_choice", {"fit": [[0.5, 0.4]], "capacity": [1, 0]}, "the only eligible rep with enough capacity"),
    ("equal", {"fit": [[0.5, 0.5]]}, "nobody's estimate is higher"),
    ("best_value", {"fit": [[0.5, 0.6]], "effects": [Effect("known", np.array([[50.0, 0.0]]))]}, "“known” (+50 EUR)"),
    (
        "slot",
        {"fit": [[0.4, 0.5]], "rep": [0], "prices": Prices(np.array([0.0, 60.0]), np.zeros(2))},
        "worth more on other leads",
    ),
    ("together", {"fit": [[0.4, 0.5]], "rep": [0], "prices": Prices.none(2)}, "no better place"),
    ("rule", {"fit": [[0.4, 0.5]], "rep": [0], "prices": Prices(np.zeros(2), np.array([60.0, 0.0]))}, "minimum load"),
    ("nurture_worth_more", {"fit": [[0.4, 0.5]], "nurture": 90.0}, "Nurture is worth at least as much (90 EUR)"),
    ("no_rep", {"fit": [[0.4, 0.5]], "blocked_by": [[0, 1]], "rules": ["a", "b"]}, "1 rep by “a” and 1 rep by “b”"),
    ("no_capacity", {"fit": [[0.4, 0.5]], "capacity": [0, 0]}, "No eligible rep has any capacity"),
    ("no_capacity", {"fit": [[0.4, 0.5]], "effort": [3]}, "needs 3 effort units"),
    (
        "slot",
        {"fit": [[0.4, 0.5]], "rep": [-1], "prices": Prices(np.array([60.0, 70.0]), np.zeros(2))},
        "for a slot priced at 60 EUR",
    ),
    ("gap", {"fit": [[0.4, 0.5]], "rep": [-1], "prices": Prices.none(2)}, "Some room is left"),
]


@pytest.mark.parametrize(("code", "given_", "words"), CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)])
def test_each_kind_of_reason(code: str, given_: dict[str, Any], words: str) -> None:
    """Every code is reached by the case that it is for, and its sentence says so."""
    given_ = {"capacity": [1, 1], **given_}
    of_plan = {key: given_.pop(key) for key in ("rep", "prices") if key in given_}
    batch = batch_of(given_.pop("fit"), [100.0], **given_)
    row = _one(batch, plan_of(batch.problem, **of_plan))
    assert row["code"] == code
    assert words in row["reason"]


def _equity_batch() -> tuple[Any, Any]:
    batch = batch_of(
        [[0.5, 0.3], [0.5, 0.4], [0.3, 0.1]],
        [1000.0, 1000.0, 10.0],
        capacity=[2, 2],
        blocked_by=[[-1, -1], [-1, -1], [-1, 0]],
        rules=["north"],
        equity=[LeadShare(0.5, 1.0, name="halves"), OpportunityShare(0.7, 9.0)],
    )
    rule = RulePrice(np.array([0.0, 150.0]), np.array([120.0, 0.0]))
    return batch, plan_of(batch.problem, prices=Prices(np.zeros(2), np.zeros(2), {"halves": rule}), rep=[0, 1, -1])


def test_equity_in_the_sentences() -> None:
    """Placed by a floor, or left by a price of a rule: the rule is named."""
    batch, plan = _equity_batch()
    leads = explain(batch, plan).leads
    assert leads["code"].tolist() == ["best_fit", "rule", "rule"]
    assert "counts towards your share under “halves”" in leads["reason"][1]
    assert "under “halves”" in leads["reason"][2]


def test_prices_of_rules_in_words() -> None:
    """Each price above zero has a sentence; the dearest first."""
    batch, plan = _equity_batch()
    prices = explain(batch, plan).prices
    assert prices["price"].tolist() == [150.0, 120.0]
    assert prices["sentence"][0] == "“halves”: asking for 1 more lead for R1 costs about 150 EUR."


def test_full_house() -> None:
    """No price tells it, and no rep has room: that is what is said."""
    batch = batch_of([[0.5], [0.4]], [100.0, 100.0], capacity=[1])
    row = _one(batch, plan_of(batch.problem, prices=Prices.none(1)), 1)
    assert row["code"] == "full"


def test_shares_of_a_rep_count_as_the_rule_does() -> None:
    """Opportunity against the rule's weights, with earlier batches; the floor is the policy's."""
    batch = batch_of(
        [[0.5, 0.5], [0.5, 0.5]],
        [100.0, 100.0],
        capacity=[2, 2],
        equity=[OpportunityShare(0.6, 9.0, weights=[3.0, 1.0], earlier=[50.0, 0.0])],
    )
    reps = reps_frame(batch, plan_of(batch.problem, rep=[0, 1]))
    assert reps["fair_share"].tolist() == [0.75, 0.25]
    assert reps["opportunity_share"].tolist() == pytest.approx([100 / 150 / 0.75, 50 / 150 / 0.25])
    assert reps["opportunity_floor"].tolist() == [0.6, 0.6]
    assert reps["room"].tolist() == [1.0, 1.0]
    assert reps["why"].tolist() == ["2 slots a week.", "2 slots a week."]


def test_certificate_in_words() -> None:
    """Optimal, within a gap, stopped early, or broken: each is said as it is."""
    batch = batch_of([[0.5, 0.4]], [1000.0], capacity=[1, 1])
    plan = plan_of(batch.problem)
    words = explain(batch, plan).certificate
    assert "proved optimal" in words[0]
    assert "all hold" in words[-1]
    wide = plan.replace(bound=510.0, status=Status.FEASIBLE)
    words = explain(batch, wide).certificate
    assert "more than 510 EUR; this one is worth 500 EUR, within 2.0 % of that" in words[0]
    assert "was not reached" in words[2]
    broken = explain(batch, plan.replace(objective=400.0)).certificate
    assert "broken rules: “objective is what the plan earns”" in broken[-1]


def test_worth_is_told_apart_from_expected_revenue() -> None:
    """Where nurture counts too, a sentence names the revenue beside the worth; where both are the same, none does."""
    alike = batch_of([[0.5], [0.4]], [100.0, 100.0], capacity=[2.0])
    assert "expected revenue" not in " ".join(explain(alike, plan_of(alike.problem)).certificate)
    nurtured = batch_of([[0.5], [0.4]], [100.0, 100.0], capacity=[1.0], nurture=[0.0, 7.0])
    words = explain(nurtured, plan_of(nurtured.problem)).certificate
    assert "57 EUR" in words[0] and "not expected revenue alone (50 EUR)" in words[1]


def test_frame_holds_every_lead_once_in_input_order() -> None:
    """Screened leads too; their own columns first, a clash of names resolved, no rep is the empty text."""
    batch = batch_of(
        [[0.5, 0.4], [0.2, 0.1]],
        [100.0, 100.0],
        capacity=[1, 0],
        screened=[("X1", "reject", "competitor"), ("X2", "nurture", "student")],
    )
    batch.leads["reason"] = "came by mail"
    frame = assignments_frame(batch, plan_of(batch.problem))
    assert frame["lead_id"].tolist() == ["X1", "X2", "L0", "L1"]
    assert frame.columns.tolist() == ["lead_id", "country", "lead_reason", *PLAN_COLUMNS]
    assert frame["rep_id"].tolist() == ["", "", "R0", ""]
    assert frame["outcome"].tolist() == ["reject", "nurture", "assigned", "nurture"]
    assert frame["reason"].tolist()[:2] == ["competitor.", "student."]
    assert frame["fit"].isna().tolist() == [True, True, False, True]
    assert (frame["lead_reason"] == "came by mail").all()


def test_document_is_json_and_the_same_each_time() -> None:
    """No NaN, no numpy, fixed order; the parts of each assignment add up to its priced value."""
    batch = batch_of(
        [[0.5, 0.4], [0.2, 0.1]],
        [100.0, 100.0],
        capacity=[1, 0],
        screened=[("X1", "reject", "competitor")],
        notes=[Finding(severity="notice", table="leads", message="odd", value=np.float64("nan"))],
        equity=[OpportunityShare(0.0, 9.0)],
    )
    batch.capacity["max_leads"] = np.inf
    plan = plan_of(batch.problem)
    first, second = (json.dumps(plan_document(batch, plan), allow_nan=False) for _ in range(2))
    assert first == second
    document = json.loads(first)
    assert document["schema"] == "apportion.plan/1"
    assert document["summary"]["assigned"] == 1
    assert document["summary"]["reject"] == 1
    assert document["reps"][0]["max_leads"] is None
    assert document["notes"][0]["value"] is None
    assert document["screened"] == [{"lead_id": "X1", "outcome": "reject", "reason": "competitor."}]
    for row in document["assignments"]:
        assert sum(row["components"].values()) == row["priced_value"]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_of_rows_changes_no_reason(seed: int) -> None:
    """Leads in another order: every lead keeps its sentence, its runner-up and its cost."""
    rng = np.random.default_rng(seed)
    fit = np.round(rng.random((6, 3)), 1)
    value = np.round(rng.random(6) * 100)
    order = rng.permutation(6)
    effort, parcel = rng.integers(1, 3, 6), rng.integers(0, 5, 6)
    rep = rng.integers(-1, 3, 5)[parcel]
    ids = [f"L{i}" for i in range(6)]
    one = batch_of(fit, value, capacity=[9, 9, 9], effort=effort, parcel=parcel, lead_ids=ids)
    two = batch_of(
        fit[order],
        value[order],
        capacity=[9, 9, 9],
        effort=effort[order],
        parcel=parcel[order],
        lead_ids=[ids[i] for i in order],
    )
    prices = random_prices(one.problem, rng)
    columns = ["rep_id", "runner_up_rep_id", "reason", "code", "binding"]
    first = explain(one, plan_of(one.problem, prices=prices, rep=rep)).leads.set_index("lead_id")[columns]
    second = explain(two, plan_of(two.problem, prices=prices, rep=rep[order])).leads.set_index("lead_id")[columns]
    assert first.equals(second.loc[first.index])


def test_no_leads_at_all() -> None:
    """Everything was screened: reasons all the same."""
    batch = batch_of(np.zeros((0, 2)), [], capacity=[1, 1], screened=[("X1", "reject", "competitor")])
    plan = plan_of(batch.problem, prices=Prices.none(2), rep=np.zeros(0))
    assert assignments_frame(batch, plan)["outcome"].tolist() == ["reject"]
    assert json.dumps(plan_document(batch, plan), allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
@example(seed=12253)  # a value of 3.00000004, of a fit held as float32, against nurture of 3
def test_every_reason_is_true(seed: int) -> None:
    """Of the best plan by brute force: what a code claims of fits, values, room and rules is so."""
    rng = np.random.default_rng(seed)
    n_leads, n_reps = 5, 3
    batch = batch_of(
        np.round(rng.random((n_leads, n_reps)), 1),
        np.round(rng.gamma(2, 50, n_leads), 0),
        capacity=rng.integers(0, 4, n_reps),
        effort=rng.integers(1, 3, n_leads),
        blocked_by=np.where(rng.random((n_leads, n_reps)) < 0.3, 0, -1),
        rules=["only in the north"],
        nurture=np.round(rng.random(n_leads) * 40, 0),
    )
    problem = batch.problem
    plan = plan_of(problem)
    told = explain(batch, plan).leads
    value = problem.pairs.dense(problem.value, -np.inf)
    effort, allowed, capacity = problem.given["effort"], batch.eligibility.allowed, problem.capacity
    load = np.bincount(plan.rep[plan.rep >= 0], weights=effort[plan.rep >= 0], minlength=n_reps)
    for lead, row in told.iterrows():
        fits = allowed[lead] & (effort[lead] <= capacity)
        best = value[lead][fits].max(initial=-np.inf)
        rep, code = int(plan.rep[lead]), row["code"]
        assert (rep >= 0) == (row["outcome"] == "assigned")
        if rep >= 0:
            mine = value[lead, rep]
            assert (code == "only_choice") == (fits.sum() == 1)
            if code in ("best_fit", "best_value", "equal"):
                assert mine == pytest.approx(best)
            if code == "best_fit":
                assert batch.fit[lead, rep] == batch.fit[lead][allowed[lead]].max()
            if code == "slot":
                assert mine < best
                assert plan.prices.capacity[value[lead] == best].max() > plan.prices.capacity[rep]
            assert code in ("only_choice", "best_fit", "best_value", "equal", "slot", "together")
            continue
        nurture = problem.nurture[lead]
        assert (code == "no_rep") == (not allowed[lead].any())
        assert (code == "nurture_worth_more") == (allowed[lead].any() and value[lead].max() <= nurture)
        if code == "no_capacity":
            assert not fits.any()
        if code == "slot":
            assert (value[lead][fits] - effort[lead] * plan.prices.capacity[fits]).max() <= nurture + 1e-6
        if code == "full":
            assert not (fits & (value[lead] > nurture) & (load + effort[lead] <= capacity)).any()
        assert code != "rule"
        if code == "gap":  # a rep with room is left only if it earns nothing: the plan is the best there is
            raise AssertionError("a lead is worth more with a rep who has room, and the plan is the best")
