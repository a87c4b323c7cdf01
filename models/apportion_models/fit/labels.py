"""Labels under delayed feedback: an open lead is neither lost nor dropped.

With p the chance to convert, G(a) the share of wins that have come by age a, and H(a) the share of losses that have
been closed by then, a lead still open at age a converts with chance

    p(1 − G) / (p(1 − G) + (1 − p)(1 − H)).

That share of a win is its label, renewed with p while the model is being fitted. Where losses are never closed (H = 0)
this is p(1 − G) / (1 − pG), the delayed-feedback label of Chapelle (2014, Modeling delayed feedback in display
advertising); where they are, an old open lead is worth more than that, and H says how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.fit.history import Cases

Floats = NDArray[np.float64]

MATURE = 0.95
FEWEST_MATURE = 30  # old leads below which the share of losses that are ever closed is not believed
FEWEST_AT_RISK = 5  # below this a step of the estimate is noise, and is not taken


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Days from assignment to a win (or to a loss) as steps."""

    days: Floats  # (k,) increasing
    share: Floats  # (k,) share that has come by then; the last is `total`
    total: float  # 1 for wins; for losses the share that is ever closed

    @classmethod
    def of_wins(cls, cases: Cases) -> Delay:
        """G. All at once when the history is undated or tells no date of a win."""
        days, share = _truncated(cases, 1)
        return (
            cls(days=days, share=share, total=1.0) if days.size else cls(days=np.zeros(1), share=np.ones(1), total=1.0)
        )

    @classmethod
    def of_losses(cls, cases: Cases, wins: Delay) -> Delay:
        """H. The share that is ever closed is seen on leads so old that all has come; else it is taken as 0."""
        days, share = _truncated(cases, 0)
        nothing = cls(days=np.zeros(1), share=np.zeros(1), total=0.0)
        if not days.size:
            return nothing
        closed = cls(days=days, share=share, total=1.0)
        old = cases.as_of - cases.assigned >= max(wins.quantile(MATURE), closed.quantile(MATURE))
        lost, still = int((old & (cases.outcome == 0)).sum()), int((old & (cases.outcome < 0)).sum())
        if lost + still < FEWEST_MATURE:
            return nothing
        total = lost / (lost + still)
        return cls(days=days, share=share * total, total=total)

    def by(self, days: Floats) -> Floats:
        """(n,) share that comes within so many days."""
        place = np.searchsorted(self.days, days, side="right") - 1
        return np.where(place >= 0, self.share[np.maximum(place, 0)], 0.0)

    def quantile(self, share: float) -> float:
        """Days by which this share of what ever comes has come."""
        return float(self.days[int(np.searchsorted(self.share, share * self.total - 1e-12))])


def _truncated(cases: Cases, outcome: int) -> tuple[Floats, Floats]:
    """Product-limit estimate for right-truncated delays (Lynden-Bell 1971; Kalbfleisch and Lawless 1989).

    A delay is only seen when it is shorter than the lead's age, so that young leads show quick ones only;
    F(t) = Π over s > t of (1 − events at s / delays <= s of leads at least s old) mends that. Empty when there is none.
    """
    delay = np.maximum(cases.closed - cases.assigned, 0.0)
    seen = (cases.outcome == outcome) & np.isfinite(delay)
    delay, age = delay[seen], np.maximum(cases.as_of - cases.assigned[seen], delay[seen])
    if delay.size == 0 or not cases.dated:
        return np.zeros(0), np.zeros(0)
    steps, events = np.unique(delay, return_counts=True)
    quick_enough = np.searchsorted(np.sort(delay), steps, side="right")
    too_young = np.searchsorted(np.sort(age), steps, side="left")
    at_risk = quick_enough - too_young
    factor = np.where(at_risk >= FEWEST_AT_RISK, 1.0 - events / np.maximum(at_risk, events), 1.0)
    return steps, np.append(np.cumprod(factor[::-1])[::-1][1:], 1.0)


def open_share(chance: Floats, came: Floats, gone: Floats) -> Floats:
    """(n,) the chance that a lead still open converts after all; `came` and `gone` are G and H at its age."""
    winning = chance * (1.0 - came)
    losing = (1.0 - chance) * (1.0 - gone)
    return np.asarray(winning / np.maximum(winning + losing, 1e-12), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of the cases: 1 and 0 where known, a share of a win where open."""

    known: Floats  # (n,) 1, 0; 0 where open
    is_open: NDArray[np.bool_]  # (n,)
    came: Floats  # (n,) G at the age
    gone: Floats  # (n,) H at the age

    @classmethod
    def of(cls, cases: Cases) -> Labels:
        """The labels as known at `cases.as_of`."""
        age = np.maximum(cases.as_of - cases.assigned, 0.0)
        wins = Delay.of_wins(cases)
        losses = Delay.of_losses(cases, wins)
        return cls(
            known=(cases.outcome == 1).astype(np.float64),
            is_open=~cases.resolved,
            came=wins.by(age),
            gone=losses.by(age),
        )

    def take(self, rows: NDArray[np.intp]) -> Labels:
        """Only these rows, in this order."""
        return Labels(known=self.known[rows], is_open=self.is_open[rows], came=self.came[rows], gone=self.gone[rows])

    def given(self, chance: Floats | float) -> Floats:
        """(n,) labels when the leads convert with `chance`."""
        chances = np.broadcast_to(np.asarray(chance, dtype=np.float64), self.known.shape)
        return np.where(self.is_open, open_share(chances, self.came, self.gone), self.known)

    def variance(self, chance: Floats) -> Floats:
        """(n,) variance of label − chance when the chance is true."""
        share = self.given(chance)
        won = chance * self.came
        still = chance * (1.0 - self.came) + (1.0 - chance) * (1.0 - self.gone)
        part = won + still * share**2 - chance**2
        return np.maximum(np.where(self.is_open, part, chance * (1.0 - chance)), 0.0)

    def rate(self) -> float:
        """The conversion rate by maximum likelihood under delayed feedback, strictly between 0 and 1.

        Half a win and half a loss are added (Jeffreys), so that "never" and "always" are never claimed.
        """
        rate = (self.known.sum() + 0.5) / (max(int((~self.is_open).sum()), 1) + 1.0)
        for _ in range(500):
            new = (float(self.given(rate).sum()) + 0.5) / (self.known.size + 1.0)
            if abs(new - rate) < 1e-12:
                break
            rate = new
        return float(rate)
