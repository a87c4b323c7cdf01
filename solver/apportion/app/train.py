"""Fit a model on the history and save it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from apportion.app.sources import Sources, read_sources
from apportion.policy import load_policy, people_rules
from apportion_models import FitModel, save_model
from apportion_models.errors import Finding, InputError, UsageError


@dataclass(frozen=True, eq=False)
class TrainReport:
    """The fitted model, what was found in the tables, and where it was saved."""

    model: FitModel
    findings: tuple[Finding, ...]
    folder: Path


def train(
    sources: Sources,
    *,
    out: Path,
    until: pd.Timestamp | None = None,
    seed: int = 0,
    policy: str | Path | None = None,
) -> TrainReport:
    """Learn from `history` and `reps` and save the model into the folder `out`.

    policy : whose section `protected` says what must not be a feature, and what may be all the same.
    """
    if sources.history is None or sources.reps is None:
        raise UsageError("Fitting needs a history (--history) and the reps (--reps).")
    read = read_sources(sources)
    assert read.history is not None
    rules = people_rules(() if policy is None else (load_policy(policy),))
    model = FitModel(random_state=seed, **rules).fit(read.history, read.tables.reps, until=until)
    try:
        folder = save_model(model, out)
    except OSError as error:
        raise InputError(f"The model's folder {out} must be writable: {error.strerror or error}.") from None
    return TrainReport(model, (*read.tables.findings, *model.findings_), folder)
