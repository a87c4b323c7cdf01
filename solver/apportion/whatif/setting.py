"""Setting: everything that one batch is posed from. A scenario turns one setting into another."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import Policy
from apportion.whatif.estimates import estimate
from apportion_models import FitModel


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
