"""What a fit model believes about one batch: the only place that asks a model for its estimates."""

from __future__ import annotations

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


def past_rates(model: FitModel, reps: pd.DataFrame) -> NDArray[np.float64]:
    """(R,) the reps' shrunk past rates, by which a score-tiered router would rank them; the mean without history."""
    rates = model.evidence_.rates.set_index("rep_id")["shrunk_rate"]
    own = rates.reindex(reps["rep_id"].astype(str)).to_numpy(dtype=float)
    known = own[~np.isnan(own)]
    return np.where(np.isnan(own), known.mean() if len(known) else 0.0, own)
