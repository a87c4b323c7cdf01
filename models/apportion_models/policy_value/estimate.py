"""What a plan would have earned on past leads: the honest direct method, and switch-DR.

Direct method: the chances of the planned pairs by a model that had no part in these leads, its reps' part scaled by
what the log shows of it (`calibration`). Switch-DR (Wang, Agarwal and Dudík 2017): the same, plus what the leads that
were dealt as planned brought beyond it, each by one over its chance to be dealt so; leads with a weight above τ are
left to the model. Where the two part, the model's word and the leads' contradict each other.

Both are told with 90 % intervals by units and reps, from what each lead adds to them (stacked estimating equations:
Stefanski and Boos 2002), κ's own error included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.policy_value.calibration import Calibration, Discount, calibrate
from apportion_models.policy_value.intervals import Interval, interval
from apportion_models.policy_value.log import Log
from apportion_models.policy_value.overlap import FARTHEST, Overlap, overlap_of, unsupported, weights_of
from apportion_models.validation.slopes import clustered_variance

Floats = NDArray[np.float64]

FEWEST_LEADS = 200
ALIKE = "to the model all reps are alike"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """worth : in currency, of all leads of the log. uplift : over how they were dealt, as a ratio − 1."""

    worth: Interval
    uplift: Interval


@dataclass(frozen=True, kw_only=True)
class PolicyValue:
    """A plan on past leads. An estimate is None where it is not applicable; the text beside it then says why.

    dealt : what the leads were worth as they were dealt, by their outcomes. share : κ. discount : None without a slice
    of leads that were dealt by a known chance.
    """

    leads: int
    dealt: float
    overlap: Overlap
    share: Interval | None
    discount: Discount | None
    direct: Estimate | None
    direct_fault: str | None
    switch: Estimate | None
    switch_fault: str | None


def policy_value(
    log: Log, *, kinds: Mapping[str, NDArray[np.int64]] | None = None, farthest: float = FARTHEST
) -> PolicyValue:
    """What the plan of the log would have earned, against what was done. kinds : (n,) codes of the leads by column."""
    overlap = overlap_of(log, farthest)
    gone = unsupported(log.rep, log.planned, kinds or {})
    found = calibrate(log) if log.size >= FEWEST_LEADS else None
    fault = _direct_fault(log, found) or (None if gone is None else gone.sentence)
    direct = None if fault else direct_method(log, found)
    switch_fault = fault or overlap.fault
    return PolicyValue(
        leads=log.size,
        dealt=float(log.worth @ log.label),
        overlap=overlap,
        share=None if found is None else found.share,
        discount=None if found is None else found.discount,
        direct=direct,
        direct_fault=fault,
        switch=None if switch_fault else switch_dr(log, found, farthest=farthest),
        switch_fault=switch_fault,
    )


def direct_method(log: Log, found: Calibration | None = None) -> Estimate:
    """The honest direct method. found : `calibrate(log)`, where it is known already."""
    found = _known(log, found)
    planned, dealt = _expected(log, found, log.planned_advantage), _expected(log, found, log.advantage)
    return _estimate(log, planned, dealt, found, by_rep=True)


def switch_dr(log: Log, found: Calibration | None = None, *, farthest: float = FARTHEST) -> Estimate:
    """Switch-DR with τ = `farthest`, against what the leads brought as they were dealt."""
    found = _known(log, found)
    weights = weights_of(log, farthest)
    planned, dealt = _expected(log, found, log.planned_advantage), _expected(log, found, log.advantage)
    beyond = log.worth * log.label - dealt.by_lead
    weighed = _expected(log, found, log.advantage, weights)
    corrected = _Sum(planned.by_lead, weights * beyond, planned.by_theta - weighed.by_theta)
    return _estimate(log, corrected, _Sum(dealt.by_lead, beyond, np.zeros_like(dealt.by_theta)), found, by_rep=False)


@dataclass(frozen=True, eq=False)
class _Sum:
    """A sum over leads: (n,) by what is known of each beforehand, (n,) by what became of it against the chances, and
    (3,) how the sum moves with theta."""

    by_lead: Floats
    by_outcome: Floats
    by_theta: Floats

    @property
    def total(self) -> float:
        return float(self.by_lead.sum() + self.by_outcome.sum())


def _expected(log: Log, found: Calibration, advantage: Floats, weights: Floats | None = None) -> _Sum:
    """Expected revenue of the leads with reps of this advantage, each times its weight."""
    chance, by_theta = found.of(log, advantage)
    worth = log.worth if weights is None else log.worth * weights
    return _Sum(worth * chance, np.zeros(log.size), worth @ by_theta)


def _estimate(log: Log, plan: _Sum, dealt: _Sum, found: Calibration, *, by_rep: bool) -> Estimate:
    ratio = plan.total / dealt.total
    difference = _Sum(
        (plan.by_lead - ratio * dealt.by_lead) / dealt.total,
        (plan.by_outcome - ratio * dealt.by_outcome) / dealt.total,
        (plan.by_theta - ratio * dealt.by_theta) / dealt.total,
    )
    return Estimate(
        worth=_interval(log, plan.total, plan, found, by_rep=by_rep),
        uplift=_interval(log, ratio - 1.0, difference, found, by_rep=by_rep),
    )


def _interval(log: Log, value: float, error: _Sum, found: Calibration, *, by_rep: bool) -> Interval:
    """Which leads came is chance by unit alone: reps are who they are. What became of them may be alike by rep where
    the model's word is taken for it; where leads speak for themselves, what a rep is beyond the model is in them."""
    leads = clustered_variance(error.by_lead - error.by_lead.mean(), log.groups.unit)
    influence = error.by_outcome + found.influence @ error.by_theta
    if not by_rep:
        return interval(value, float(np.sqrt(leads + log.groups.error_by_unit(influence) ** 2)))
    outcomes, freedom = log.groups.error(influence)
    return interval(value, float(np.sqrt(leads + outcomes**2)), freedom)


def _known(log: Log, found: Calibration | None) -> Calibration:
    found = calibrate(log) if found is None else found
    if found is None:
        raise ValueError(ALIKE)
    return found


def _direct_fault(log: Log, found: Calibration | None) -> str | None:
    if log.size < FEWEST_LEADS:
        return f"{log.size} past leads can be planned anew, and {FEWEST_LEADS} are the least"
    if found is None:
        return ALIKE
    if float(log.worth @ log.label) <= 0.0:
        return "the past leads brought nothing"
    return None
