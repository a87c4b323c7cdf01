"""The fit model of a use case: a saved one, or one fitted on the history."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from apportion.app.sources import Read
from apportion_models import FitModel, load_model
from apportion_models.errors import UsageError


def obtain_model(read: Read, saved: Path | None, *, at: pd.Timestamp, seed: int) -> FitModel:
    """Load the saved model, or fit one on what the history knew at `at`."""
    if saved is not None:
        return load_model(saved)
    if read.history is None:
        raise UsageError("There must be a history (--history) to learn from, or a saved model (--model).")
    return FitModel(random_state=seed).fit(read.history, read.tables.reps, until=at)
