"""The ledger: the parts of a pair add up to its priced value, and prices charge as the verifier's bound does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.problem import LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare
from apportion.problem.bound import charges, pair_charges
from apportion.reasons import explain
from apportion.reasons.pricing import ledger
from tests.solver.reasons.cases import Effect, batch_of, plan_of, random_prices


def _random_batch(seed: int, price: float | None = None):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    n_leads, n_reps = 7, 4
    effects = [
        Effect("prefer owners", np.round(rng.normal(0, 5, (n_leads, n_reps)), 2)),
        Effect("capacity", np.zeros((n_leads, n_reps))),
    ]
    return batch_of(
        rng.random((n_leads, n_reps)),
        rng.gamma(2, 50, n_leads),
        capacity=rng.integers(1, 5, n_reps),
        effort=rng.integers(1, 3, n_leads),
        blocked_by=np.where(rng.random((n_leads, n_reps)) < 0.2, 0, -1),
        rules=["not these"],
        effects=effects,
        nurture=rng.random(n_leads) * 10,
        team=[0, 1, 1, -1],
        tier=rng.integers(0, 2, n_leads),
        equity=[
            RevenueShare(0.5, 2.0, price=price),
            OpportunityShare(0.7, weights=[1.0, 2.0, 3.0, 1.0], earlier=[1.0, 5.0, 0.0, 2.0], price=price),
            LeadShare(0.0, 1.5, tier=1, by="team", leads=rng.random(n_leads) < 0.7, price=price),
            MaxMin(price=0.3),
        ],
        limits=[Limit(measure="effort", low=1, high=4, leads=rng.random(n_leads) < 0.5, by="team", price=price)],
    ), rng


def _first_eligible(batch):  # type: ignore[no-untyped-def]
    start, rep = batch.problem.pairs.start, batch.problem.pairs.rep
    return np.array([rep[start[i] : start[i + 1]][:1].max(initial=-1) for i in range(batch.problem.n_leads)])


@pytest.mark.parametrize("price", [None, 0.4])
@pytest.mark.parametrize("seed", range(5))
def test_prices_charge_as_the_bound_does(seed: int, price: float | None) -> None:
    """With prices of any size, value minus all charges of the verifier is the priced value, for every pair."""
    batch, rng = _random_batch(seed, price)
    problem = batch.problem
    prices = random_prices(problem, rng)
    plan = plan_of(problem, prices=prices, rep=_first_eligible(batch))
    charge = pair_charges(problem, charges(problem, prices, 0.0))
    assert ledger(batch, plan).priced == pytest.approx(problem.value - charge, rel=1e-12, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_components_add_up_exactly(seed: int) -> None:
    """The parts that are told, added in their order, are the priced value to the last bit."""
    batch, rng = _random_batch(seed)
    problem = batch.problem
    first = _first_eligible(batch)
    rep = np.where(rng.random(7) < 0.8, first, -1)
    reasons = explain(batch, plan_of(problem, prices=random_prices(problem, rng), rep=rep))
    for place in range(7):
        parts = list(reasons.components(place).values())
        total = parts[0]
        for part in parts[1:]:
            total += part
        assert total == reasons.leads["priced_value"][place]


def test_what_no_effect_explains_is_told_as_other() -> None:
    """A cost in the value that is neither fit × deal value nor an effect has a line of its own."""
    batch = batch_of([[0.5, 0.5]], [100.0], capacity=[1, 1])
    costly = batch.problem.replace(value=np.array([[42.0, 50.0]]))
    changed = type(batch)(**{**batch.__dict__, "problem": costly})
    reasons = explain(changed, plan_of(costly, rep=[0]))
    assert reasons.components(0) == {"expected revenue": 50.0, "other": -8.0}


def test_an_effect_and_a_rule_of_one_name_stay_apart() -> None:
    """Two parts of the same name are both told."""
    batch = batch_of(
        [[0.5]], [100.0], capacity=[1], effects=[Effect("cap", np.array([[1.0]]))], limits=[Limit(high=1, name="cap")]
    )
    prices = random_prices(batch.problem, np.random.default_rng(0))
    reasons = explain(batch, plan_of(batch.problem, prices=prices, rep=[0]))
    assert {"cap", "cap (2)"} <= set(reasons.components(0))
