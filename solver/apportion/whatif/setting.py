"""Setting: everything that one batch is posed from. A scenario turns one setting into another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import Policy
from apportion.whatif.estimates import estimate
from apportion_models import FitModel

ShareOut = Callable[[pd.DataFrame, Policy], pd.DataFrame]


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """Tables in the order of their ids, policy, fit model, and the moment of the batch.

    share_out : takes the reps' capacity by a policy, and gives the part of it that the batch may use; None: all of it.
    """

    tables: Tables
    policy: Policy
    model: FitModel
    at: pd.Timestamp
    share_out: ShareOut | None = None


def pose(setting: Setting, *, estimates: Estimates | None = None) -> Batch:
    """The setting's batch, ready to solve. estimates : in place of the model's own, in the tables' order.

    Raises PolicyError and TableError where policy and tables do not fit together.
    """
    if estimates is None:
        estimates = estimate(setting.model, setting.tables, setting.policy, at=setting.at)
    policy, share = setting.policy, setting.share_out
    own = None if share is None else partial(_part, share, policy)
    return build_batch(policy, setting.tables, estimates, at=setting.at, share_out=own)


def _part(share: ShareOut, policy: Policy, capacity: pd.DataFrame) -> pd.DataFrame:
    return share(capacity, policy)
