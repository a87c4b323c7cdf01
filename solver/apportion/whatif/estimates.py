"""What a fit model believes about one batch: the only place that asks a model for its estimates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Estimates, Tables
from apportion.policy import Policy
from apportion_models import FitModel


def estimate(model: FitModel, tables: Tables, policy: Policy, *, at: pd.Timestamp) -> Estimates:
    """The model's estimates for every lead and rep of the tables.

    With `value.estimate: lower` in the policy, also the standard error of fit × deal value.
    """
    leads, reps = tables.leads, tables.reps
    wary = policy.value.estimate == "lower"
    value = model.predict_deal_value(leads) if len(leads) else np.zeros(0)
    if not len(leads) or not len(reps):
        none = np.zeros((len(leads), len(reps)))
        return Estimates(none.astype(np.float32), value, none if wary else None)
    spread = model.predict_revenue_spread(leads, reps, at=at).astype(np.float64) if wary else None
    return Estimates(model.predict_fit(leads, reps, at=at), value, spread)


class Beliefs:
    """What one model believes of one table of leads, where rosters change: every rep is asked about once.

    Each rep that the base does not have as they are is asked about alone, so that it does not matter for what is
    believed of them who was asked about before.
    """

    def __init__(self, model: FitModel, tables: Tables, policy: Policy, estimates: Estimates, *, at: pd.Timestamp):
        self.model, self.leads, self._policy, self._at, self._estimates = model, tables.leads, policy, at, estimates
        self._column = {row: place for place, row in enumerate(_rows(model, tables.reps))}
        self._asked: dict[Row, NDArray[np.float32]] = {}

    def of(self, tables: Tables) -> Estimates:
        """As `estimate`, for the same leads and any reps."""
        rows = list(_rows(self.model, tables.reps))
        for place, row in enumerate(rows):
            if row not in self._column and row not in self._asked:
                self._asked[row] = self.model.predict_fit(tables.leads, tables.reps.iloc[[place]], at=self._at)[:, 0]
        fit = self._estimates.fit
        columns = [fit[:, self._column[row]] if row in self._column else self._asked[row] for row in rows]
        return Estimates(np.stack(columns, axis=1), self._estimates.deal_value)

    def know(self, model: FitModel, tables: Tables, policy: Policy) -> bool:
        """Whether they can be asked: the same model and leads, some reps, and no standard errors wanted."""
        alike = model is self.model and tables.leads is self.leads and policy.value.estimate != "lower"
        return alike and bool(len(tables.leads) and len(tables.reps))


Row = tuple[str, ...]
IDLE = ("name", "capacity", "open_leads", "open_pipeline", "paused", "territories")  # what no model reads by itself


def _rows(model: FitModel, reps: pd.DataFrame) -> Iterator[Row]:
    """Each rep's cells, as far as the model may read them."""
    read = {coder.name for coder in model.scorer_.reps.coders}
    cells = [reps[name].astype(str).tolist() for name in reps.columns if name not in IDLE or name in read]
    return zip(*cells, strict=True)


def past_rates(model: FitModel, reps: pd.DataFrame) -> NDArray[np.float64]:
    """(R,) the reps' shrunk past rates, by which a score-tiered router would rank them; the mean without history."""
    rates = model.evidence_.rates.set_index("rep_id")["shrunk_rate"]
    own = rates.reindex(reps["rep_id"].astype(str)).to_numpy(dtype=float)
    known = own[~np.isnan(own)]
    return np.where(np.isnan(own), known.mean() if len(known) else 0.0, own)
