"""The fit model of a use case: a saved one, or one fitted on the history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from apportion.app.people import refuse_protected
from apportion.app.sources import Read
from apportion.policy import Policy, people_rules
from apportion_models import FitModel, load_model
from apportion_models.errors import UsageError


def obtain_model(
    read: Read, saved: Path | None, *, at: pd.Timestamp, seed: int, policies: Sequence[Policy] = ()
) -> FitModel:
    """Load the saved model, or fit one on what the history knew at `at`.

    policies : whose protected attributes are no features of it. Raises ModelError where a saved model uses one.
    """
    if saved is not None:
        model = load_model(saved)
        refuse_protected(model, policies)
        return model
    if read.history is None:
        raise UsageError("There must be a history (--history) to learn from, or a saved model (--model).")
    return FitModel(random_state=seed, **people_rules(policies)).fit(read.history, read.tables.reps, until=at)
