"""Setting: everything that one batch is posed from. A scenario turns one setting into another."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import Policy
from apportion.whatif.estimates import estimate
from apportion_models import FitModel
from apportion_models.errors import UsageError


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """Tables in the order of their ids, policy, fit model, and the moment of the batch."""

    tables: Tables
    policy: Policy
    model: FitModel
    at: pd.Timestamp


def pose(setting: Setting, *, estimates: Estimates | None = None, like: Batch | None = None) -> Batch:
    """The setting's batch, ready to solve. estimates : in place of the model's own, in the tables' order. like : see
    `build_batch`.

    Raises PolicyError and TableError where policy and tables do not fit together.
    """
    if estimates is None:
        estimates = estimate(setting.model, setting.tables, setting.policy, at=setting.at)
    return build_batch(setting.policy, setting.tables, estimates, at=setting.at, like=like)


def check_effort(*, gap: float | None, time_limit: float | None) -> None:
    """Before anything is read or learnt: UsageError, as the options are called, where no solve could do so."""
    wrong = []
    if gap is not None and not 0.0 <= gap < 1.0:
        wrong.append(f"--gap must lie between 0 and 1. Got {gap:g}.")
    if time_limit is not None and not time_limit > 0.0:
        wrong.append(f"--time-limit must be a number of seconds above 0. Got {time_limit:g}.")
    if wrong:
        raise UsageError(" ".join(wrong))
