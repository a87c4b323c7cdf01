"""Labels under delayed feedback: an open lead is neither lost nor dropped.

A lead that is still open after a days was lost in the end with some chance: with p the chance to convert and G the
distribution of the time to a win, it converts with chance p(1 − G(a)) / (1 − p·G(a)) (Chapelle 2014, Modeling delayed
feedback in display advertising). That share of a win is its label, renewed with p while the model is being fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.fit.history import Cases

Floats = NDArray[np.float64]

FEWEST_AT_RISK = 5  # below this a step of the estimate is noise, and is not taken


@dataclass(frozen=True, kw_only=True)
class WinDelay:
    """G: the distribution of days from assignment to a win, as steps."""

    days: Floats  # (k,) increasing
    share: Floats  # (k,) share of the wins that have come by then; the last is 1

    @classmethod
    def estimate(cls, cases: Cases) -> WinDelay:
        """Product-limit estimate for right-truncated delays (Lynden-Bell 1971; Kalbfleisch and Lawless 1989).

        A win is only seen when its delay is shorter than the lead's age, so that young leads show quick wins only;
        F(t) = Π over s > t of (1 − wins at s / wins with delay <= s <= age) mends that.
        """
        delay = np.maximum(cases.closed - cases.assigned, 0.0)
        seen = (cases.outcome == 1) & np.isfinite(delay)
        delay, age = delay[seen], np.maximum(cases.as_of - cases.assigned[seen], delay[seen])
        if delay.size == 0 or not cases.dated:
            return cls(days=np.zeros(1), share=np.ones(1))
        steps, events = np.unique(delay, return_counts=True)
        quick_enough = np.searchsorted(np.sort(delay), steps, side="right")
        too_young = np.searchsorted(np.sort(age), steps, side="left")
        at_risk = quick_enough - too_young
        factor = np.where(at_risk >= FEWEST_AT_RISK, 1.0 - events / np.maximum(at_risk, events), 1.0)
        share = np.append(np.cumprod(factor[::-1])[::-1][1:], 1.0)
        return cls(days=steps, share=share)

    def by(self, days: Floats) -> Floats:
        """(n,) G: the share of wins that come within so many days."""
        place = np.searchsorted(self.days, days, side="right") - 1
        return np.where(place >= 0, self.share[np.maximum(place, 0)], 0.0)

    def quantile(self, share: float) -> float:
        """Days by which this share of the wins has come."""
        return float(self.days[int(np.searchsorted(self.share, share - 1e-12))])


def open_share(chance: Floats, came: Floats) -> Floats:
    """(n,) the chance that a lead still open converts after all; `came` is G at its age."""
    return chance * (1.0 - came) / np.maximum(1.0 - chance * came, 1e-12)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of the cases: 1 and 0 where known, a share of a win where open."""

    known: Floats  # (n,) 1, 0; 0 where open
    is_open: NDArray[np.bool_]  # (n,)
    came: Floats  # (n,) G at the age

    @classmethod
    def of(cls, cases: Cases, delay: WinDelay) -> Labels:
        """The labels as known at `cases.as_of`."""
        age = np.maximum(cases.as_of - cases.assigned, 0.0)
        return cls(known=(cases.outcome == 1).astype(np.float64), is_open=~cases.resolved, came=delay.by(age))

    def given(self, chance: Floats | float) -> Floats:
        """(n,) labels when the leads convert with `chance`."""
        chances = np.broadcast_to(np.asarray(chance, dtype=np.float64), self.known.shape)
        return np.where(self.is_open, open_share(chances, self.came), self.known)

    def rate(self) -> float:
        """The conversion rate by maximum likelihood under delayed feedback, strictly between 0 and 1.

        Half a win and half a loss are added (Jeffreys), so that "never" and "always" are never claimed.
        """
        rate = (self.known.sum() + 0.5) / (max(int((~self.is_open).sum()), 1) + 1.0)
        for _ in range(200):
            new = (float(self.given(rate).sum()) + 0.5) / (self.known.size + 1.0)
            if abs(new - rate) < 1e-12:
                break
            rate = new
        return float(rate)
