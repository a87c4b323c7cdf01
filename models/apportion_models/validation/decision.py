"""Checks of a decision: what a plan is worth, how far that can be believed, and where it comes from.

An optimiser picks the pairs that look best, so that it picks errors too: what its own model says of its plan is not to
be shown. All here works on arrays, so that whoever plans can ask: leads (L,), reps (R,), pairs (L, R); a plan is the
rep of each lead, -1 for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from apportion_models.validation.metrics import log_losses
from apportion_models.validation.realised import Realised

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOP_SHARE = 0.2  # the pairs that a plan would make, among those that were made: the reps' highest advantages


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An uplift (plan / dealing by capacity − 1) with its 90 % interval."""

    uplift: float
    low: float
    high: float

    @property
    def has_zero(self) -> bool:
        """Whether no gain at all is within the interval."""
        return self.low <= 0.0 <= self.high

    @property
    def claimed(self) -> float:
        """What may be said: the uplift where the interval lies above 0, else nothing."""
        return self.uplift if self.low > 0.0 else 0.0


def claimed_uplift(
    *, base: Floats, advantage: Floats, value: Floats, rep: Ints, share: Floats, realised: Realised | None
) -> Claim:
    """What may be claimed for a plan over dealing the leads blindly, by how much of the advantages came true before.

    base : (L,) logit by the lead. advantage : (L, R) what each rep adds. value : (L,) currency. share : (R,) of the
    capacity, or (L, R) where not every rep may get every lead; adds up to 1. Without `realised` nothing is
    claimed: the interval is 0 to 0 where reps are all alike.
    """
    middle = float(advantage.mean())

    def uplift(kept: float) -> float:
        worth = expit(base[:, None] + middle + kept * (advantage - middle)) * value[:, None]
        placed = rep >= 0
        dealt = float((worth[placed] * np.broadcast_to(share, worth.shape)[placed]).sum())
        return float(worth[placed, rep[placed]].sum()) / dealt - 1.0 if dealt > 0 else 0.0

    if realised is None:
        return Claim(uplift=0.0, low=0.0, high=0.0)
    ends = sorted((uplift(realised.low), uplift(realised.high)))
    return Claim(uplift=uplift(realised.share), low=ends[0], high=ends[1])


def cross_fitted_uplift(planned: Floats, judged: Floats, rep: Ints, share: Floats) -> tuple[float, float]:
    """(optimism, uplift) of a plan made by one half's model and judged by the other's.

    planned, judged : (L, R) expected revenue by the two models. Optimism is what the planning model says of its plan
    over what the judge says, minus 1; the uplift is the judge's, over dealing the same leads by `share`.
    """
    placed = np.flatnonzero(rep >= 0)
    own, other = (float(worth[placed, rep[placed]].sum()) for worth in (planned, judged))
    dealt = float((judged[placed] @ share).sum())
    return (own / other - 1.0 if other > 0 else np.nan), (other / dealt - 1.0 if dealt > 0 else np.nan)


@dataclass(frozen=True, kw_only=True)
class AssignedCalibration:
    """Expected and observed conversions among past pairs of the kind that a plan makes."""

    rows: int
    expected: float
    observed: float
    standard_error: float  # of observed − expected if the chances are true
    log_loss: float

    @property
    def holds(self) -> bool:
        """Whether the difference lies within what chance allows in 95 of 100 cases."""
        return abs(self.observed - self.expected) <= 1.96 * self.standard_error


def calibration_on_assigned(
    label: Floats, chance: Floats, advantage: Floats, *, top: float = TOP_SHARE
) -> AssignedCalibration:
    """Calibration of later leads (n,) whose rep had the highest advantages: where a plan would have put them."""
    count = max(1, round(top * label.size))
    rows = np.argsort(-advantage, kind="stable")[:count]
    p = chance[rows]
    return AssignedCalibration(
        rows=count,
        expected=float(p.mean()),
        observed=float(label[rows].mean()),
        standard_error=float(np.sqrt((p * (1.0 - p)).sum())) / count,
        log_loss=float(log_losses(label[rows], p).mean()),
    )


def permuted_reps(history: pd.DataFrame, *, seed: int, blocks: int = 12) -> pd.DataFrame:
    """The history with its reps dealt anew at random among leads of the same time: a placebo, where reps cannot matter.

    What a plan claims after learning from it, it claims of nothing. Leads stay whole: all rows of one change alike.
    """
    lead = history["lead_id"].astype(str).to_numpy()
    column = "assigned_at" if "assigned_at" in history.columns else None
    keys = pd.DataFrame({"lead": lead, "row": np.arange(len(history))})
    keys["time"] = pd.to_datetime(history[column], utc=True).to_numpy() if column else 0
    first = keys.sort_values(["time", "lead", "row"], kind="stable").drop_duplicates("lead")
    reps = history["rep_id"].to_numpy(dtype=object)[first["row"].to_numpy()]
    rng = np.random.default_rng(seed)
    dealt = np.concatenate([rng.permutation(part) for part in np.array_split(reps, blocks)])
    return history.assign(rep_id=pd.Series(lead).map(dict(zip(first["lead"], dealt, strict=True))).to_numpy())


@dataclass(frozen=True, kw_only=True)
class GainSources:
    """Where a plan's gain over another comes from, in currency; the three add up to it.

    placed : other leads are placed (slack capacity, nurture). stars : the reps who are best at everything get the most
    valuable leads. fit : leads go to reps who are better at just these.
    """

    placed: float
    stars: float
    fit: float

    @property
    def total(self) -> float:
        """The gain."""
        return self.placed + self.stars + self.fit


def gain_sources(revenue: Floats, plan: Ints, other: Ints, *, nurture: Floats | None = None) -> GainSources:
    """Split the gain of `plan` over `other`, (L,) each; `revenue` (L, R) by a model that made neither.

    With o_i the mean over reps and m_j how rep j does on all leads against that mean, a pair is worth o_i, plus
    o_i (m_j − 1), plus the rest: the three sources.
    """
    opportunity = revenue.mean(axis=1)
    total = float(opportunity.sum())
    skill = revenue.sum(axis=0) / total if total > 0 else np.ones(revenue.shape[1])
    left = np.zeros(len(revenue)) if nurture is None else nurture

    def parts(rep: Ints) -> Floats:
        on = rep >= 0
        mine, worth = opportunity[on], revenue[on, rep[on]]
        stars = mine * (skill[rep[on]] - 1.0)
        return np.array([mine.sum() + left[~on].sum(), stars.sum(), (worth - mine - stars).sum()])

    placed, stars, fit = parts(plan) - parts(other)
    return GainSources(placed=float(placed), stars=float(stars), fit=float(fit))
