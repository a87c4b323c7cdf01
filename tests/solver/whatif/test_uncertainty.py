"""Intervals of differences: they cover what the posterior says at the stated rate; a rep's draws are everywhere
the same."""

from __future__ import annotations

import numpy as np
import pytest

from apportion.whatif import Comparison, compare, load_scenario
from apportion.whatif.compare.uncertainty import Judge, difference_of
from tests.solver.whatif.settings import QUICK, reps_of, small


@pytest.fixture(scope="module")
def pair() -> Comparison:
    """A rep leaves, so that every other rep stands at another place of the roster."""
    return compare(small(), [load_scenario({"name": "leaves", "reps": {"leave": [reps_of(small())[0]]}})], QUICK)


def judge_of(pair: Comparison, *, draws: int, seed: int) -> Judge:
    return Judge(small(), [one.batch.reps for one in pair.scenarios], draws=draws, seed=seed, level=0.9)


def test_intervals_cover_truths_drawn_from_the_posterior(pair: Comparison) -> None:
    """Of worlds drawn by another seed, nine in ten lie in the interval. That the posterior
    itself is wide enough is not tested here: docs/whatif.md tells where it is not."""
    one, base = pair.scenarios[0], pair.base
    mine = judge_of(pair, draws=2000, seed=1)
    interval = difference_of(mine, one, mine.judge(one), base, mine.judge(base))["revenue"]
    truth = judge_of(pair, draws=2000, seed=2)
    drawn = truth.judge(one).drawn_revenue - truth.judge(base).drawn_revenue
    covered = np.mean((interval.low <= drawn) & (drawn <= interval.high))
    assert 0.85 <= covered <= 0.95


def test_a_rep_has_the_same_draws_in_every_roster(pair: Comparison) -> None:
    """Judged over the union of rosters, the base is judged alike whoever else is compared."""
    with_others = judge_of(pair, draws=50, seed=0).judge(pair.base).drawn_revenue
    alone = Judge(small(), [], draws=50, seed=0, level=0.9).judge(pair.base).drawn_revenue
    np.testing.assert_array_equal(with_others, alone)


def test_the_same_plan_in_another_roster_differs_by_nothing(pair: Comparison) -> None:
    """Common random numbers: leads whose rep stays add nothing to the width, though the roster is another."""
    judge = judge_of(pair, draws=200, seed=0)
    one, base = judge.judge(pair.scenarios[0]), judge.judge(pair.base)
    apart = np.std(one.drawn_revenue) + np.std(base.drawn_revenue)
    assert np.std(one.drawn_revenue - base.drawn_revenue) < apart
