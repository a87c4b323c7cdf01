"""Intervals of differences: they cover what the worlds say at the stated rate; what two plans share adds nothing."""

from __future__ import annotations

import numpy as np
import pytest

from apportion.whatif import Comparison, compare, load_scenario
from apportion.whatif.compare.uncertainty import Judge
from tests.solver.whatif.settings import QUICK, reps_of, small


@pytest.fixture(scope="module")
def pair() -> Comparison:
    """A rep leaves, so that every other rep stands at another place of the roster; and a rule moves."""
    first = reps_of(small())[0]
    asked = [
        load_scenario({"name": "leaves", "reps": {"leave": [first]}}),
        load_scenario({"name": "firm", "policy": {"set": {"equity[fair offer].low": 0.95}}}),
    ]
    return compare(small(), asked, QUICK)


def judge_of(pair: Comparison, *, draws: int, seed: int) -> Judge:
    return Judge(pair.base, draws=draws, seed=seed, level=0.9)


@pytest.mark.parametrize("which", [0, 1])
def test_intervals_cover_truths_drawn_from_the_posterior(pair: Comparison, which: int) -> None:
    """Of worlds drawn by another seed, nine in ten lie in the interval. That the worlds are wide enough is tested
    against known truths in test_coverage."""
    one = pair.scenarios[which]
    interval = judge_of(pair, draws=2000, seed=1).between(one)["revenue"]
    drawn, _ = judge_of(pair, draws=2000, seed=2).drawn(one)
    covered = np.mean((interval.low <= drawn) & (drawn <= interval.high))
    assert 0.85 <= covered <= 0.95


def test_moved_leads_are_judged_as_whole_plans_are(pair: Comparison) -> None:
    """The short way, over the leads that move, is the long way over all leads."""
    one = pair.scenarios[1]
    judge = judge_of(pair, draws=100, seed=0)
    short = judge.drawn(one)
    batch = one.batch
    other = type(batch)(**{**batch.__dict__, "reps": batch.reps.copy()})  # the same, though not the same object
    long = judge.drawn(type(one)(**{**one.__dict__, "batch": other}))
    for a, b in zip(short, long, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)


def test_the_same_plan_in_another_roster_differs_by_less_than_two_plans(pair: Comparison) -> None:
    """Common worlds: leads whose rep stays add nothing to the width, though the roster is another."""
    judge = judge_of(pair, draws=200, seed=0)
    between, _ = judge.drawn(pair.scenarios[0])
    whole, _ = judge._ground_sums
    assert np.std(between) < np.std(whole)


def test_more_draws_are_another_number_of_the_same(pair: Comparison) -> None:
    """The number of draws moves the ends of an interval little, its value not at all."""
    few, many = (judge_of(pair, draws=n, seed=0).between(pair.scenarios[0])["revenue"] for n in (400, 2000))
    assert few.value == many.value
    assert few.high - few.low == pytest.approx(many.high - many.low, rel=0.2)
