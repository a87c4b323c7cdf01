"""why_not: for every pair an answer, and what it says is so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.problem import LeadShare, Limit, OpportunityShare, Prices, RulePrice, Status
from apportion.reasons import Facts, explain, why_not
from apportion_models.errors import UsageError
from tests.solver.oracle import best_plan, objective
from tests.solver.reasons.cases import Effect, batch_of, capacity_prices, plan_of


def _random_batch(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    n_leads, n_reps = 4, 3
    rules: list[Any] = [[], [OpportunityShare(0.4, 9.0)], [LeadShare(0.0, 1.6)], [Limit(high=1, by=[0, 0, 1])]]
    return batch_of(
        np.round(rng.random((n_leads, n_reps)), 1),
        np.round(rng.gamma(2, 50, n_leads), 0),
        capacity=rng.integers(0, 4, n_reps),
        effort=rng.integers(1, 3, n_leads),
        blocked_by=np.where(rng.random((n_leads, n_reps)) < 0.2, rng.integers(0, 2, (n_leads, n_reps)), -1),
        rules=["only in the north", "seniors only"],
        effects=[Effect("prefer", np.where(rng.random((n_leads, n_reps)) < 0.3, 5.0, 0.0))],
        nurture=np.round(rng.random(n_leads) * 20, 0),
        parcel=rng.integers(0, 3, n_leads) if rng.random() < 0.4 else None,
        limits=rules[seed % 4] if seed % 4 == 3 else [],
        equity=rules[seed % 4] if seed % 4 in (1, 2) else [],
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_answer_is_true(seed: int) -> None:
    """Of the best plan by brute force, each of the answers holds when computed anew, and none claims a better plan."""
    batch = _random_batch(seed)
    problem = batch.problem
    if best_plan(problem) is None:
        return
    plan = plan_of(problem)
    facts = Facts.gather(batch, plan)
    for lead, lead_id in enumerate(problem.lead_ids):
        for rep, rep_id in enumerate(problem.rep_ids):
            answer = why_not(batch, plan, lead_id, rep_id, facts=facts)
            _check(batch, plan, lead, rep, answer)


def _check(batch: Any, plan: Any, lead: int, rep: int, answer: Any) -> None:
    problem = batch.problem
    allowed = batch.eligibility.allowed[lead, rep]
    assert (answer.kind == "not_eligible") == (not allowed)
    assert (answer.kind == "assigned") == (plan.rep[lead] == rep)
    assert answer.kind not in ("gap", "screened")
    assert answer.sentence.endswith(".")
    mates = [lead] if problem.parcel is None else np.flatnonzero(problem.parcel == problem.parcel[lead]).tolist()
    together = bool(batch.eligibility.allowed[mates, rep].all())
    assert (answer.kind == "together") == (allowed and not together)
    if answer.kind == "not_eligible":
        assert answer.rule == batch.eligibility.rules[batch.eligibility.blocked_by[lead, rep]]
        return
    if not together:
        return
    asked = _worth(problem, mates, rep)
    held = _worth(problem, mates, int(plan.rep[lead]))
    effort = sum(float(problem.effort[problem.pairs.position(mate, rep)]) for mate in mates)
    load = sum(
        float(problem.effort[problem.pairs.position(i, rep)]) for i in np.flatnonzero(plan.rep == rep) if i not in mates
    )
    moved = plan.rep.copy()
    moved[mates] = rep
    after = objective(problem, moved.tolist())
    if answer.kind == "assigned":
        return
    assert (answer.kind == "too_large") == (effort > problem.capacity[rep])
    if answer.kind == "too_large":
        return
    assert (answer.breaks == ()) == (after is not None)
    if after is not None:
        assert answer.gain == pytest.approx(after - plan.objective, abs=1e-6)
        assert answer.gain <= 1e-6  # the plan is the best there is
    assert (answer.kind == "worth_less") == (held > asked + 1e-4 * 1e-3) or answer.kind == "tie"
    if answer.kind == "slot":
        assert asked >= held - 1e-6
        assert plan.prices.capacity[rep] > 0
    if answer.kind == "full":
        assert load + effort > problem.capacity[rep]
    if answer.kind == "tie":
        assert after == pytest.approx(plan.objective, abs=1e-6)
    assert sum(answer.components.values()) == pytest.approx(
        asked - effort * plan.prices.capacity[rep], abs=1e-6
    )  # the plans here have prices of capacity alone


def _worth(problem: Any, leads: list[int], rep: int) -> float:
    if rep < 0:
        return float(problem.nurture[leads].sum())
    return sum(float(problem.value[problem.pairs.position(lead, rep)]) for lead in leads)


def test_the_rule_is_named_in_the_policys_words() -> None:
    """Not eligible: by this rule and no other."""
    batch = batch_of([[0.5, 0.5]], [10.0], capacity=[1, 1], blocked_by=[[-1, 1]], rules=["a", "EMEA only"])
    answer = why_not(batch, plan_of(batch.problem), "L0", "R1")
    assert (answer.kind, answer.rule) == ("not_eligible", "EMEA only")
    assert "“EMEA only”" in answer.sentence


def test_worth_less_tells_both_fits() -> None:
    """31 % against 22 %: the rep who asks sees both numbers and the difference in currency."""
    batch = batch_of([[0.22, 0.31]], [1000.0], capacity=[1, 1], names=["Ada", "Bo"])
    answer = why_not(batch, plan_of(batch.problem), "L0", "R0")
    assert answer.kind == "worth_less"
    assert (
        answer.sentence
        == "L0 is worth 90 EUR more with Bo than with you (converting about 31 % of leads like this against 22 %)."
    )


def test_a_slot_that_is_worth_more_elsewhere() -> None:
    """Ada is better for both leads and has one slot: for the one she lost, her slot's price is told."""
    batch = batch_of([[0.9, 0.1], [0.5, 0.4]], [1000.0, 1000.0], capacity=[1, 1], names=["Ada", "Bo"])
    answer = why_not(batch, plan_of(batch.problem), "L1", "R0")
    assert answer.kind == "slot"
    assert "alone would be worth 100 EUR more with you than with Bo" in answer.sentence
    assert answer.breaks == ("capacity",)


def test_equity_is_named_when_it_decides() -> None:
    """Ada would make more of it and has room; the floor of Bo's share decides, and is named."""
    batch = batch_of(
        [[0.5, 0.3], [0.5, 0.4]], [1000.0, 1000.0], capacity=[2, 2], equity=[LeadShare(0.5, 9.0, name="a fair half")]
    )
    plan = plan_of(batch.problem, prices=Prices.none(2))
    assert plan.rep.tolist() == [0, 1]
    silent = why_not(batch, plan, "L1", "R0")
    assert (silent.kind, silent.rule) == ("rule", "a fair half")
    assert "would break “a fair half”" in silent.sentence
    priced = Prices(np.zeros(2), np.zeros(2), {"a fair half": RulePrice(np.array([0.0, 150.0]), np.zeros(2))})
    told = why_not(batch, plan_of(batch.problem, prices=priced), "L1", "R0")
    assert (told.kind, told.rule) == ("rule", "a fair half")
    assert "would cost about 150 EUR under “a fair half”" in told.sentence


def test_a_soft_rule_that_outweighs() -> None:
    """Moving it breaks nothing, but costs more under a priced rule than it brings."""
    batch = batch_of([[0.5, 0.4], [0.5, 0.4]], [100.0, 100.0], capacity=[2, 2], limits=[Limit(high=1, price=50.0)])
    answer = why_not(batch, plan_of(batch.problem, prices=Prices.none(2)), "L1", "R0")
    assert (answer.kind, answer.breaks) == ("rule", ())
    assert "rules with a price" in answer.sentence
    assert answer.gain == pytest.approx(-40.0)


def test_leads_that_stay_together() -> None:
    """One lead of the account is closed to the rep: so is the other, and the rule of the first is told."""
    batch = batch_of(
        [[0.5, 0.4], [0.5, 0.4]],
        [10.0, 10.0],
        capacity=[2, 2],
        parcel=[0, 0],
        blocked_by=[[-1, -1], [0, -1]],
        rules=["key"],
    )
    answer = why_not(batch, plan_of(batch.problem), "L0", "R0")
    assert (answer.kind, answer.rule) == ("together", "key")
    assert "must stay with L1" in answer.sentence


def test_between_equals_ids_decide() -> None:
    """Two equal reps: an honest tie."""
    batch = batch_of([[0.5, 0.5]], [10.0], capacity=[1, 1])
    assert why_not(batch, plan_of(batch.problem, rep=[0]), "L0", "R1").kind == "tie"


def test_a_plan_that_is_not_the_best_says_so() -> None:
    """A better rep was free: no invented reason, but the gap."""
    batch = batch_of([[0.1, 0.5]], [1000.0], capacity=[1, 1])
    answer = why_not(batch, plan_of(batch.problem, rep=[0]), "L0", "R1")
    assert answer.kind == "gap"
    assert answer.gain == pytest.approx(400.0)


def test_screened_leads_have_their_reason() -> None:
    """A lead that screening kept from all reps is answered too."""
    batch = batch_of(
        [[0.5]], [10.0], capacity=[1], screened=[("X1", "reject", "competitor"), ("X2", "nurture", "student")]
    )
    plan = plan_of(batch.problem)
    assert why_not(batch, plan, "X1", "R0").sentence == "X1 was rejected before any rep was considered: competitor."
    assert "went to nurture" in why_not(batch, plan, "X2", "R0").sentence


def test_unknown_ids_are_refused() -> None:
    """An id that is not of this batch is a usage error, not an answer."""
    batch = batch_of([[0.5]], [10.0], capacity=[1])
    plan = plan_of(batch.problem)
    with pytest.raises(UsageError, match="rep must be"):
        why_not(batch, plan, "L0", "nobody")
    with pytest.raises(UsageError, match="lead must be"):
        why_not(batch, plan, "nothing", "R0")


def test_no_plan_no_reasons() -> None:
    """Infeasible is for diagnose; a plan of another batch is refused."""
    batch = batch_of([[0.5]], [10.0], capacity=[1])
    plan = plan_of(batch.problem)
    with pytest.raises(UsageError, match="diagnose"):
        why_not(batch, plan.replace(status=Status.INFEASIBLE), "L0", "R0")
    with pytest.raises(UsageError, match="of this batch"):
        why_not(batch, plan.replace(rep=np.array([0, 0])), "L0", "R0")


def test_nurture_and_preferences() -> None:
    """Worth less than nurture, or by a preference of the policy: both are told with their amounts."""
    batch = batch_of([[0.01, 0.5]], [100.0], capacity=[1, 0], nurture=20.0)
    answer = why_not(batch, plan_of(batch.problem), "L0", "R0")
    assert answer.sentence == "L0 is worth 19 EUR more in nurture than with you."
    assert why_not(batch, plan_of(batch.problem), "L0", "R1").kind == "too_large"
    prefer = Effect("known rep", np.array([[0.0, 30.0]]))
    batch = batch_of([[0.5, 0.5]], [100.0], capacity=[1, 1], effects=[prefer])
    answer = why_not(batch, plan_of(batch.problem), "L0", "R0")
    assert "“known rep” 30 EUR" in answer.sentence
    assert math.isclose(answer.gain, -30.0)
    assert capacity_prices(batch.problem).capacity.sum() == pytest.approx(0.0)


def test_a_lock_is_told_as_what_it_is() -> None:
    """A person locked the lead: both reps read that, and no talk of fit."""
    batch = batch_of(
        [[0.9, 0.1]], [100.0], capacity=[1, 1], blocked_by=[[0, -1]], rules=["locked"], lock=[1], names=["Ada", "Bo"]
    )
    plan = plan_of(batch.problem)
    answer = why_not(batch, plan, "L0", "R0")
    assert (answer.kind, answer.sentence) == ("locked", "L0 was locked to Bo by hand.")
    row = explain(batch, plan).leads.iloc[0]
    assert row["code"] == "locked"
    assert row["reason"] == "You got L0 because it was locked to you by hand; expected revenue 10 EUR."
