"""Observed against expected on assigned pairs, with false alarms held at every look at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.drift.alarms import Alarm
from apportion_models.drift.pairs import Pairs
from apportion_models.experiment.sequence import confidence_sequence
from apportion_models.experiment.tilt import tilt_interval, tilt_test

Floats = NDArray[np.float64]

WEEK = 7.0
PLANNED_WEEKS = 26.0  # where the revenue interval is narrowest
FEWEST_WEEKS = 5  # before this many weeks revenue is not judged: sums of few deals do not look normal
LEAST_SD = 0.5  # of what the expected deals alone would spread


@dataclass(frozen=True, kw_only=True)
class Against:
    """Conversions of ripe pairs against what was expected.

    log_e : evidence that the odds are off by more than the tolerance; more than log(1/α) is an alarm. since : days
    since 1970 of the first alarm, by the assignment of the lead that raised it; None without. factor, low, high : on
    the odds, 1 as expected, the interval holds at every look.
    """

    pairs: int
    expected: float
    observed: int
    log_e: float
    alarmed: bool
    above: bool
    since: float | None
    factor: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Revenue:
    """Revenue of ripe pairs against what was expected, by weeks. ratio : observed / expected − 1, with its interval.

    alarmed : the interval has left the tolerance, at this look or at an earlier one.
    """

    weeks: int
    expected: float
    observed: float
    ratio: float
    low: float
    high: float
    alarmed: bool
    above: bool


def conversions(pairs: Pairs, *, tolerance: float, alpha: float) -> Against | None:
    """None without a ripe pair. Starts anew with each week, so that a change late in a quiet stream is seen soon."""
    if not len(pairs):
        return None
    week = np.floor(pairs.assigned / WEEK)
    starts = np.flatnonzero(np.diff(week, prepend=week[0] - 1) > 0)
    test = tilt_test(pairs.won, pairs.chance, tolerance=tolerance, restart=starts)
    over = np.flatnonzero(test.log_e >= np.log(1.0 / alpha))
    factor, low, high = tilt_interval(pairs.won, pairs.chance, alpha=alpha)
    return Against(
        pairs=len(pairs),
        expected=float(pairs.chance.sum()),
        observed=int(pairs.won.sum()),
        log_e=float(test.log_e.max()),
        alarmed=bool(over.size),
        above=bool(over.size and test.log_above[over[0]] > test.log_below[over[0]]),
        since=float(pairs.assigned[over[0]]) if over.size else None,
        factor=factor,
        low=low,
        high=high,
    )


def revenue(pairs: Pairs, *, tolerance: float, alpha: float) -> Revenue | None:
    """None where nothing was expected. Weeks without expected revenue are left out.

    A week's ratio is taken as normal with a variance that falls with what was expected of it; the interval is that of
    experiments (see `confidence_sequence`). The last week counts when the next has begun.
    """
    if not len(pairs) or pairs.revenue.sum() <= 0:
        return None
    week = np.floor(pairs.assigned / WEEK).astype(np.int64)
    week -= week[0]
    expected = np.bincount(week, weights=pairs.revenue)
    observed = np.bincount(week, weights=pairs.earned)
    squares = np.bincount(week, weights=pairs.revenue**2 / np.maximum(pairs.chance, 1e-9))
    whole = np.flatnonzero(expected > 0)
    whole = whole[whole < week[-1]] if whole.size > 1 else whole
    expected, observed, squares = expected[whole], observed[whole], squares[whole]
    weight = expected / expected[0]
    least = LEAST_SD * float(np.sqrt(squares.sum() / expected.sum() / expected[0]))
    sequence = confidence_sequence(
        observed / expected - 1.0, weight, planned=PLANNED_WEEKS, alpha=alpha, least_sd=least
    )
    outside = (sequence.low > tolerance) | (sequence.high < -tolerance)
    outside[: FEWEST_WEEKS - 1] = False
    first = int(np.argmax(outside)) if outside.any() else -1
    return Revenue(
        weeks=int(whole.size),
        expected=float(expected.sum()),
        observed=float(observed.sum()),
        ratio=float(sequence.estimate[-1]),
        low=float(sequence.low[-1]),
        high=float(sequence.high[-1]),
        alarmed=bool(outside.any()),
        above=bool(outside.any() and sequence.low[first] > tolerance),
    )


def observed_alarms(found: Against | None, money: Revenue | None, *, tolerance: float) -> Iterator[Alarm]:
    """What the two say."""
    if found is not None and found.alarmed:
        word, meaning = ("more", "too low") if found.above else ("fewer", "too high")
        yield Alarm(
            kind="conversions",
            where="all leads",
            sentence=(
                f"{word.capitalize()} leads convert than expected: {found.observed:,} of {found.pairs:,}, expected "
                f"{found.expected:,.0f}; more than {tolerance:.0%} off beyond doubt. The chances are {meaning}."
            ),
            action=(
                "Fit the model again on recent leads. If the alarms below name a column or a segment, look there "
                "first; if they do not, ask what changed for all: prices, product, season, how outcomes are booked."
            ),
        )
    if money is not None and money.alarmed:
        word = "more" if money.above else "less"
        yield Alarm(
            kind="revenue",
            where="all leads",
            sentence=(
                f"Revenue is {word} than expected by more than {tolerance:.0%}: {money.observed:,.0f} where "
                f"{money.expected:,.0f} was expected."
            ),
            action=(
                "If conversions are as expected, the deal values are off: compare the leads' own deal_value with what "
                "won leads brought, and fit again. If conversions are off too, mend those first."
            ),
        )
