"""Rates of groups against their fair share: the interval of a ratio, and a permutation test of equal treatment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from apportion.problem.sums import sum_by

CONFIDENCE = 0.9
PERMUTATIONS = 4_999
WORK = 4_000_000  # reps × permutations at most

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """One measure by group. rate : (G,) multiples of the fair share; low, high : (G,) ends of the interval, NaN for a
    group of one. p : of the test that all groups are treated alike, NaN where there is nothing to test."""

    amount: Floats
    rate: Floats
    low: Floats
    high: Floats
    p: float


def rates(amount: Floats, fair: Floats, group: Ints, n_groups: int, *, seed: int = 0) -> Rates:
    """Compare groups of reps. amount, fair : (R,) what each rep got, and the rep's fair share. group : (R,), -1 out.

    The rate of a group is the ratio of its part of all that was given to its part of the fair shares. Its interval
    takes the reps as the sample: the variance of a ratio by linearisation (Cochran 1977, 6.4), Student's t. The test
    permutes the groups among the reps; the statistic is the spread of the rates, weighted by fair share.
    """
    inside = (group >= 0) & (fair > 0)
    given, due, of = amount[inside], fair[inside], group[inside]
    total = math.fsum(given)
    sums = sum_by(group[group >= 0], amount[group >= 0], n_groups)
    nothing = np.full(n_groups, np.nan)
    if total <= 0 or not len(given):
        return Rates(amount=sums, rate=nothing, low=nothing, high=nothing, p=math.nan)
    part, share = given / total, due / math.fsum(due)
    rate = _rate(part, share, of, n_groups)
    reach = rate * _reach(part - rate[of] * share, part, of, n_groups)
    return Rates(
        amount=sums,
        rate=rate,
        low=np.maximum(rate - reach, 0.0),
        high=rate + reach,
        p=_chance(part, share, of, n_groups, seed),
    )


def _rate(part: Floats, share: Floats, of: Ints, n_groups: int) -> Floats:
    due, got = sum_by(of, share, n_groups), sum_by(of, part, n_groups)
    return np.asarray(np.divide(got, due, out=np.full(n_groups, np.nan), where=due > 0), dtype=np.float64)


def _reach(rest: Floats, part: Floats, of: Ints, n_groups: int) -> Floats:
    """(G,) half the width of each interval, as a multiple of the rate.

    rest : (R,) what each rep got beyond the group's rate. A rate is a share of a total in which the group itself is, so
    that what others got moves it too: d rate / rate = d part_g / part_g − d total / total.
    """
    many = np.bincount(of, minlength=n_groups).astype(np.float64)
    own = sum_by(of, part, n_groups)
    scale = np.divide(many, many - 1, out=np.zeros(n_groups), where=many > 1)
    squares = scale * sum_by(of, rest**2, n_groups)
    steep = np.divide(1.0, own, out=np.full(n_groups, np.nan), where=(own > 0) & (many > 1)) - 1.0
    error = np.sqrt(squares * steep**2 + squares.sum() - squares)
    return np.asarray(stdtrit(np.maximum(many - 1, 1), (1 + CONFIDENCE) / 2) * error, dtype=np.float64)


def _chance(part: Floats, share: Floats, of: Ints, n_groups: int, seed: int) -> float:
    """How often groups dealt at random among the reps lie as far apart."""
    if len(np.unique(of)) < 2 or len(of) < 3:
        return math.nan
    observed = _spread(part[None], share[None], of, n_groups)[0]
    rng = np.random.default_rng([seed, len(of)])
    most = max(499, min(PERMUTATIONS, WORK // len(of)))
    order = np.argsort(rng.random((most, len(of))), axis=1)
    drawn = _spread(part[order], share[order], of, n_groups)
    return float((1 + (drawn >= observed * (1 - 1e-9)).sum()) / (most + 1))


def _spread(part: Floats, share: Floats, of: Ints, n_groups: int) -> Floats:
    """(M,) Σ due_g · (rate_g − 1)² of (M, R) reps in the order of their groups."""
    member = np.zeros((len(of), n_groups))
    member[np.arange(len(of)), of] = 1.0
    got, due = part @ member, share @ member
    far = np.divide((got - due) ** 2, due, out=np.zeros_like(got), where=due > 0)
    return np.asarray(far.sum(axis=1), dtype=np.float64)
