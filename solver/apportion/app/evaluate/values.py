"""What leads are worth if they convert, by what deals brought in the half of the history that had no part in the plan.

A plan gives the best reps to the leads that look most valuable, and so to those whose deal value is put too high: by
the values that it was made with, every plan looks too good. So the other half of the history says what won deals of
such leads brought. A lead's own deal value may know more, and may be off. How far it holds no history can tell, which
has what deals brought in the end and no longer what was said of them before. So anything from nothing to all of it is
taken to be as likely; the middle is what is reported, and the intervals span the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models import FitModel
from apportion_models.features.columns import numbers
from apportion_models.policy_value.past import beforehand

Floats = NDArray[np.float64]

HALFWAY = 0.5
UNTOLD = ("none", "estimates")  # sources of a deal value of which no won deal tells


@dataclass(frozen=True, eq=False)
class DealValues:
    """Currency. stated : (L,) the lead's own deal value, NaN where it has none. borne_out : (L,) what won deals of such
    leads bring. drawn : (S, L) the same, as far as won deals leave it open."""

    stated: Floats
    borne_out: Floats
    drawn: Floats

    @classmethod
    def of(cls, leads: pd.DataFrame, stranger: FitModel, *, draws: int, seed: int) -> DealValues:
        """stranger : a model that had no part in planning these leads. Where it knows no won deal, what the leads say
        of themselves is all there is."""
        source = stranger.deal_value_
        stated = numbers(leads, "deal_value")
        if source.source in UNTOLD:
            known = source.predict(leads)
            return cls(np.full(len(leads), np.nan), known, np.broadcast_to(known, (draws, len(leads))))
        blank = beforehand(leads)
        drawn = replace(source, doubted=None).draw(blank, draws=draws, seed=seed)
        return cls(np.where(stated > 0.0, stated, np.nan), source.predict(blank), drawn)

    @property
    def own(self) -> int:
        """How many leads have a deal value of their own that a won deal could contradict."""
        return int(np.isfinite(self.stated).sum())

    @property
    def middle(self) -> Floats:
        """(L,) what is reported: half way between what a lead says and what such leads bring."""
        return np.asarray(self._between(self.borne_out, HALFWAY), dtype=np.float64)

    def at(self, trust: Floats, rows: slice) -> Floats:
        """(s, L) of some draws: `trust` (s,) of what the leads say, the rest of what won deals bring."""
        return self._between(self.drawn[rows], trust[:, None])

    def _between(self, told: Floats, trust: Floats | float) -> Floats:
        return np.where(np.isnan(self.stated), told, told + trust * (np.nan_to_num(self.stated) - told))
