"""From a history or a saved model to estimates for one batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.app.sources import Read
from apportion.build import Estimates
from apportion.policy import Policy
from apportion_models import FitModel, load_model
from apportion_models.errors import UsageError


def obtain_model(read: Read, saved: Path | None, *, at: pd.Timestamp, seed: int) -> FitModel:
    """Load the saved model, or fit one on what the history knew at `at`."""
    if saved is not None:
        return load_model(saved)
    if read.history is None:
        raise UsageError("There must be a history (--history) to learn from, or a saved model (--model).")
    return FitModel(random_state=seed).fit(read.history, read.tables.reps, until=at)


def estimate(model: FitModel, read: Read, *, at: pd.Timestamp, with_spread: bool = False) -> Estimates:
    """The model's estimates for every lead and rep of the tables.

    With `with_spread`, also the standard error of fit × deal value, which a policy with `value.estimate: lower` needs.
    """
    leads, reps = read.tables.leads, read.tables.reps
    value = model.predict_deal_value(leads) if len(leads) else np.zeros(0)
    if not len(leads) or not len(reps):
        none = np.zeros((len(leads), len(reps)))
        return Estimates(none.astype(np.float32), value, none if with_spread else None)
    spread = model.predict_spread(leads, reps, at=at) * value[:, None] if with_spread else None
    return Estimates(model.predict_fit(leads, reps, at=at), value, spread)


def needs_spread(policy: Policy) -> bool:
    """Whether the policy values a pair by its lower bound."""
    return policy.value.estimate == "lower"


def past_rates(model: FitModel, reps: pd.DataFrame) -> NDArray[np.float64]:
    """(R,) the reps' shrunk past rates, by which a score-tiered router would rank them; the mean without history."""
    rates = model.evidence_.rates.set_index("rep_id")["shrunk_rate"]
    own = rates.reindex(reps["rep_id"].astype(str)).to_numpy(dtype=float)
    known = own[~np.isnan(own)]
    return np.where(np.isnan(own), known.mean() if len(known) else 0.0, own)
