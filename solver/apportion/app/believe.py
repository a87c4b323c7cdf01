"""From a history or a saved model to estimates for one batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from apportion.app.sources import Read
from apportion.build import Estimates
from apportion_models import FitModel, load_model
from apportion_models.errors import UsageError


def obtain_model(read: Read, saved: Path | None, *, at: pd.Timestamp, seed: int) -> FitModel:
    """Load the saved model, or fit one on what the history knew at `at`."""
    if saved is not None:
        return load_model(saved)
    if read.history is None:
        raise UsageError("There must be a history (--history) to learn from, or a saved model (--model).")
    return FitModel(random_state=seed).fit(read.history, read.tables.reps, until=at)


def estimate(model: FitModel, read: Read, *, at: pd.Timestamp) -> Estimates:
    """The model's estimates for every lead and rep of the tables."""
    leads, reps = read.tables.leads, read.tables.reps
    fit = model.predict_fit(leads, reps, at=at) if len(leads) and len(reps) else np.zeros((len(leads), len(reps)), np.float32)
    value = model.predict_deal_value(leads) if len(leads) else np.zeros(0)
    return Estimates(fit, value)
