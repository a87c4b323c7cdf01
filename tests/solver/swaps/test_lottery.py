"""What a draw may do, and that the chances that are logged are the chances that it has."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest

from apportion import AssignmentProblem, LeadShare, Limit, OpportunityShare, Plan, RevenueShare, solve, verify
from apportion.swaps import lottery_of
from apportion.swaps.lottery import Lottery
from apportion.swaps.swap import _swapped
from tests.solver.random_problems import random_problem


def company(seed: int = 0, *, n_leads: int = 90, n_reps: int = 6, **more: object) -> AssignmentProblem:
    """A batch with room to choose: some leads go to nurture, reps differ."""
    rng = np.random.default_rng(seed)
    value = rng.lognormal(5, 0.7, n_leads)[:, None] * rng.uniform(0.05, 0.4, (n_leads, n_reps))
    return AssignmentProblem.from_arrays(
        value, **{"capacity": np.full(n_reps, n_leads // n_reps - 1.0), "revenue": value, **more}
    )


def frequencies(lottery: Lottery, draws: int) -> dict[tuple[int, int], int]:
    """(unit, rep) -> how often a draw gives it."""
    found: dict[tuple[int, int], int] = {}
    rep = lottery.units.rep
    for number in range(draws):
        now = rep.copy()
        for one, two in lottery.draw(f"seed {number}"):
            now[one], now[two] = rep[two], rep[one]
        for unit, given in enumerate(now.tolist()):
            found[unit, given] = found.get((unit, given), 0) + 1
    return found


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_chances_are_what_draws_do(share: float) -> None:
    """Over many seeds every (lead, rep) is drawn as often as its propensity says, and nothing else is ever drawn."""
    problem = company(1, eligible=np.random.default_rng(5).random((90, 6)) < 0.8)
    lottery = lottery_of(problem, solve(problem), share=share)
    units, reps, chances = lottery.chances()
    draws = 4000
    found = frequencies(lottery, draws)
    logged = dict(zip(zip(units.tolist(), reps.tolist(), strict=True), chances.tolist(), strict=True))
    assert set(found) <= set(logged)
    p = [binomtest(found.get(key, 0), draws, chance).pvalue for key, chance in logged.items() if 0 < chance < 1]
    assert len(p) > 200 and min(p) > 0.01 / len(p)  # Bonferroni: one false alarm in a hundred such tests
    standard = [
        (found.get(key, 0) - draws * c) / np.sqrt(draws * c * (1 - c)) for key, c in logged.items() if 0 < c < 1
    ]
    assert np.std(standard) == pytest.approx(1.0, abs=0.15)


def test_every_lead_keeps_its_rep_with_at_least_the_rest_of_the_share() -> None:
    """The chances of a lead add up to 1, and no lead is swapped with a greater chance than was asked for."""
    problem = company(2)
    lottery = lottery_of(problem, solve(problem), share=0.1)
    units, reps, chances = lottery.chances()
    assert np.bincount(units, weights=chances) == pytest.approx(1.0)
    kept = reps == lottery.units.rep[units]
    assert chances[kept].min() >= 0.9 - 1e-12
    assert (1 - chances[kept]).max() == pytest.approx(0.1)
    assert 0.09 < float((1 - chances[kept]).mean()) <= 0.1
    assert all(pool.chance.sum() <= 1 + 1e-12 for pool in lottery.pools)


@cache
def hard_rules(seed: int) -> tuple[AssignmentProblem, Plan]:
    """Every hard rule that a swap could break, tight and loose, with parcels, tiers and efforts that differ."""
    rng = np.random.default_rng(seed)
    n_leads, n_reps = 36, 4
    mask = rng.random(n_leads) < 0.4
    rules = [
        OpportunityShare(rng.choice([0.6, 0.9]), None),
        RevenueShare(0.5, 1.6),
        LeadShare(0.6, 1.5, tier=0),
    ]
    limits = [
        Limit(measure="leads", high=5.0, leads=mask),
        Limit(measure="effort", low=2.0, high=12.0, by="team"),
        Limit(measure="revenue", low=100.0, by=[0, -1, 1, 1]),
    ]
    problem = company(
        seed,
        n_leads=n_leads,
        n_reps=n_reps,
        effort=rng.choice([1.0, 1.0, 2.0], n_leads) if seed % 2 else rng.uniform(0.5, 1.5, (n_leads, n_reps)),
        capacity=rng.uniform(9, 15, n_reps),
        min_load=np.array([1.0, 0.0, 2.0, 0.0]),
        parcel=rng.integers(0, 30, n_leads),
        tier=rng.integers(0, 2, n_leads),
        team=np.array([0, 0, 1, 1]),
        eligible=rng.random((n_leads, n_reps)) < 0.85,
        equity=[rule for rule in rules if rng.random() < 0.6],
        limits=[limit for limit in limits if rng.random() < 0.6],
    )
    return problem, solve(problem, gap=0.1, time_limit=0.5)


@pytest.mark.parametrize("seed", range(14))
def test_any_swaps_together_keep_every_hard_rule(seed: int) -> None:
    """Whatever each pool draws, even the worst of each at once, the verifier finds no broken rule."""
    problem, plan = hard_rules(seed)
    if not plan.status.has_plan:
        pytest.skip("no plan in time")
    lottery = lottery_of(problem, plan, share=0.1)
    rng = np.random.default_rng(seed)
    for _ in range(12):
        drawn = [
            (int(pool.one[place]), int(pool.two[place]))
            for pool in lottery.pools
            for place in [int(rng.integers(0, len(pool.one)))]
        ]
        moved = plan.replace(rep=_swapped(plan.rep, lottery, drawn))
        broken = {rule.rule for rule in verify(problem, moved).broken} - {"objective is what the plan earns"}
        assert broken == set()


@pytest.mark.parametrize("seed", range(40))
def test_any_swaps_of_random_problems_keep_every_hard_rule(seed: int) -> None:
    """The same on small problems of every structure and rule kind, hard max-min with its promise included."""
    problem = random_problem(seed, n_leads=9, n_reps=3)
    plan = solve(problem, gap=0.01, time_limit=2)
    if not plan.status.has_plan:
        return
    lottery = lottery_of(problem, plan, share=0.5)
    for first in range(4):
        drawn = [(int(pool.one[first % len(pool.one)]), int(pool.two[first % len(pool.one)])) for pool in lottery.pools]
        moved = plan.replace(rep=_swapped(plan.rep, lottery, drawn))
        broken = {rule.rule for rule in verify(problem, moved).broken} - {"objective is what the plan earns"}
        assert broken == set()


def test_random_problems_have_swaps_at_all() -> None:
    """The tests above are not empty: on a good part of the hard cases something can be drawn."""
    found = []
    for seed in range(14):
        problem, plan = hard_rules(seed)
        if plan.status.has_plan:
            found.append(len(lottery_of(problem, plan, share=0.1).chance))
    assert len(found) >= 7 and np.mean([many > 5 for many in found]) > 0.5


def test_who_may_not_take_part_stays() -> None:
    """Leads and reps outside of the policy's predicates are in no swap, nor are leads in nurture."""
    problem = company(3)
    plan = solve(problem)
    may_swap, may_take = np.arange(90) % 2 == 0, np.array([True, True, True, True, False, True])
    lottery = lottery_of(problem, plan, share=0.2, may_swap=may_swap, may_take=may_take)
    one, two = lottery.sides
    leads = np.array([lottery.units.members[unit][0] for unit in np.concatenate([one, two])])
    assert len(leads) > 20
    assert may_swap[leads].all() and (plan.rep[leads] >= 0).all() and (plan.rep[leads] != 4).all()


def test_a_bound_on_the_loss_of_one_swap() -> None:
    """No swap gives up more than the policy says; without a bound some would."""
    problem = company(4)
    plan = solve(problem)
    free, bounded = (lottery_of(problem, plan, share=0.1, loss_at_most=most) for most in (None, 5.0))
    assert free.value_cost.max() > 5.0 >= bounded.value_cost.max()
    assert len(bounded.chance) > 0


def test_costs_are_those_of_the_verifier() -> None:
    """What each swap is said to give up is what the plan's objective and revenue lose by it."""
    problem = company(6, n_leads=30, n_reps=3, parcel=np.repeat(np.arange(20), 2)[:30])
    plan = solve(problem)
    lottery = lottery_of(problem, plan, share=0.2)
    one, two = lottery.sides
    for place in range(0, len(one), max(1, len(one) // 15)):
        rep = _swapped(plan.rep, lottery, [(int(one[place]), int(two[place]))])
        after = verify(problem, plan.replace(rep=rep)).objective
        assert plan.objective - after == pytest.approx(lottery.value_cost[place], abs=1e-6)
        assert lottery.revenue_cost[place] == pytest.approx(lottery.value_cost[place], abs=1e-6)


def test_like_is_pooled_with_like() -> None:
    """Within a kind, pools are cut by what leads offer: equity has next to nothing to fear from a swap."""
    problem = company(7, n_leads=200, n_reps=5)
    lottery = lottery_of(problem, solve(problem), share=0.1)
    offers = [
        problem.opportunity[[lottery.units.members[u][0] for u in {*pool.one, *pool.two}]] for pool in lottery.pools
    ]
    assert len(offers) > 5
    offers.sort(key=lambda offer: -float(offer.max()))
    assert all(better.min() >= other.max() for better, other in pairwise(offers))


def test_the_order_of_rows_changes_nothing() -> None:
    """The same leads and reps in another order are drawn alike."""
    rng = np.random.default_rng(8)
    value, allowed = rng.lognormal(3, 1, (40, 4)), rng.random((40, 4)) < 0.9
    leads, reps = [f"L{i:02d}" for i in range(40)], ["a", "b", "c", "d"]
    rows, columns = rng.permutation(40), rng.permutation(4)
    first = AssignmentProblem.from_arrays(
        value, capacity=np.full(4, 9.0), eligible=allowed, lead_ids=leads, rep_ids=reps
    )
    second = AssignmentProblem.from_arrays(
        value[np.ix_(rows, columns)],
        capacity=np.full(4, 9.0),
        eligible=allowed[np.ix_(rows, columns)],
        lead_ids=[leads[row] for row in rows],
        rep_ids=[reps[column] for column in columns],
    )
    plan = solve(first)
    place = np.append(np.argsort(columns), -1)
    other = plan.replace(rep=place[plan.rep][rows])
    found = []
    for problem, one in ((first, plan), (second, other)):
        lottery = lottery_of(problem, one, share=0.3)
        units, given, chance = lottery.chances()
        ids = [problem.lead_ids[lottery.units.members[unit][0]] for unit in units.tolist()]
        found.append(sorted(zip(ids, [problem.rep_ids[rep] for rep in given], chance.tolist(), strict=True)))
        drawn = _swapped(one.rep, lottery, lottery.draw("x"))
        found[-1].append(
            sorted((problem.lead_ids[i], problem.rep_ids[r] if r >= 0 else "") for i, r in enumerate(drawn))
        )
    assert found[0] == found[1]
