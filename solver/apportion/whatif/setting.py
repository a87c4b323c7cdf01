"""Setting: everything that one batch is posed from. A scenario turns one setting into another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import Policy
from apportion_models import FitModel


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """Tables in the order of their ids, policy, fit model, and the moment of the batch."""

    tables: Tables
    policy: Policy
    model: FitModel
    at: pd.Timestamp


def believe(setting: Setting) -> Estimates:
    """The model's estimates for every lead and rep of the setting; the spread too where the policy needs it."""
    leads, reps, model = setting.tables.leads, setting.tables.reps, setting.model
    wary = setting.policy.value.estimate == "lower"
    value = model.predict_deal_value(leads) if len(leads) else np.zeros(0)
    if not len(leads) or not len(reps):
        none = np.zeros((len(leads), len(reps)))
        return Estimates(none.astype(np.float32), value, none if wary else None)
    spread = model.predict_spread(leads, reps, at=setting.at) * value[:, None] if wary else None
    return Estimates(model.predict_fit(leads, reps, at=setting.at), value, spread)


def pose(setting: Setting, *, estimates: Estimates | None = None) -> Batch:
    """The setting's batch, ready to solve. estimates : in place of the model's own, in the tables' order.

    Raises PolicyError and TableError where policy and tables do not fit together.
    """
    believed = believe(setting) if estimates is None else estimates
    return build_batch(setting.policy, setting.tables, believed, at=setting.at)


def past_rank(setting: Setting) -> NDArray[np.float64]:
    """(R,) the reps' shrunk past rates, by which a score-tiered router ranks them; the mean without history."""
    rates = setting.model.evidence_.rates.set_index("rep_id")["shrunk_rate"]
    own = rates.reindex(setting.tables.reps["rep_id"].astype(str)).to_numpy(dtype=float)
    known = own[~np.isnan(own)]
    return np.where(np.isnan(own), known.mean() if len(known) else 0.0, own)
