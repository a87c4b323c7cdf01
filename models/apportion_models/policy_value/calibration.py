"""How much of the planning model's advantages came true on leads that it never saw, and what follows for a plan.

The chance of lead i with rep j is taken to be expit(base_i + c + γ given_i + κ advantage_ij): the model's word, with
the reps' part scaled by what the log shows of it. A scorer that shrinks on its own account cannot be fair here: a plan
picks the pairs that look best to one half of the data, and these are in truth better than the other half's shrunken
estimate says. κ is one number for all pairs, so that nothing shrinks it.

Where managers gave good reps good leads for reasons no column tells, κ takes part of that for skill. Leads that were
dealt by a known chance are free of it. With κ of these leads, of standard error s, and κ of all, which may be off by
`DOUBT` or so, the two are weighed by how sure each is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from apportion_models.policy_value.intervals import Interval, interval
from apportion_models.policy_value.log import Log
from apportion_models.validation.realised import realised_slopes
from apportion_models.validation.slopes import Slopes

Floats = NDArray[np.float64]

DOUBT = 0.5  # standard deviation of what confounding may do to κ, where a randomised slice can tell
FEWEST_RANDOMISED = 200  # leads of the slice
FEWEST_OF_EACH = 20  # of its wins, and of its losses


@dataclass(frozen=True, kw_only=True)
class Discount:
    """What the randomised slice says of the reps' advantages, against what all leads say."""

    leads: int
    confounded: float  # κ of all leads
    randomised: Interval  # κ of the slice alone
    used: float  # κ as it is used


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """κ, intercept and slope of the leads given; influence (n, 3) of each lead of the log on them.

    error : standard error of κ by units and reps, where the log's reps stand for all there could be. noise : by units
    alone, where these reps are meant: what each is beyond κ times the model's word is then no error of κ, and whoever
    draws it apart would count it twice.
    """

    theta: Floats
    influence: Floats
    middle: float  # mean advantage of the log, about which κ scales
    given_middle: float
    share: Interval  # κ
    error: float
    freedom: int  # of the error
    noise: float
    discount: Discount | None

    def chance(self, base: Floats, advantage: Floats, share: Floats | float | None = None) -> Floats:
        """Chances where the reps add `advantage`; `share` in place of κ. Shapes as numpy broadcasts them."""
        kept = self.theta[0] if share is None else share
        return np.asarray(expit(base + self.theta[1] + kept * (advantage - self.middle)), dtype=np.float64)

    def of(self, log: Log, advantage: Floats) -> tuple[Floats, Floats]:
        """(n,) chances of the log's leads with reps who add `advantage`, and (n, 3) how they move with theta."""
        given = log.given - self.given_middle
        chance = self.chance(log.base + self.theta[2] * given, advantage)
        columns = np.column_stack([advantage - self.middle, np.ones(log.size), given])
        return chance, columns * (chance * (1.0 - chance))[:, None]


def calibrate(log: Log) -> Calibration | None:
    """κ of a log, weighed with what a randomised slice says, where there is one; None where all reps look alike."""
    found = realised_slopes(log.label, log.base, log.advantage, log.given)
    if found is None:
        return None
    theta, influence = found.theta.copy(), found.influence.copy()
    discount, slice_ = None, _randomised(log)
    if slice_ is not None:
        own, moved = slice_
        error, freedom = log.groups.error(moved)
        trust = DOUBT**2 / (DOUBT**2 + error**2)
        theta[0] = trust * own + (1.0 - trust) * found.theta[0]
        influence[:, 0] = np.sqrt(trust) * moved  # its square sums to the posterior variance, trust × error²
        discount = Discount(
            leads=int(log.randomised.sum()),
            confounded=float(found.theta[0]),
            randomised=interval(own, error, freedom),
            used=float(theta[0]),
        )
    error, freedom = log.groups.error(influence[:, 0])
    return Calibration(
        theta=theta,
        influence=influence,
        middle=float(log.advantage.mean()),
        given_middle=float(log.given.mean()),
        share=interval(float(theta[0]), error, freedom),
        error=error,
        freedom=freedom,
        noise=log.groups.error_by_unit(influence[:, 0]),
        discount=discount,
    )


def _randomised(log: Log) -> tuple[float, Floats] | None:
    """κ of the randomised leads alone and (n,) each lead's influence on it; None where they are too few."""
    rows = np.flatnonzero(log.randomised)
    won = float(log.label[rows].sum())
    few = rows.size < FEWEST_RANDOMISED or min(won, rows.size - won) < FEWEST_OF_EACH
    if few or rows.size == log.size or np.unique(log.rep[rows]).size < 2:
        return None
    # No manager chose these leads, so that how good a rep's leads were says nothing of them.
    found: Slopes | None = realised_slopes(log.label[rows], log.base[rows], log.advantage[rows], np.zeros(rows.size))
    if found is None:
        return None
    influence = np.zeros(log.size)
    influence[rows] = found.influence[:, 0]
    return float(found.theta[0]), influence
