"""Which leads stand for assignment at all, and what becomes of the others; which leads stay together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.accounts import account_keys
from apportion.policy.asked import Asked
from apportion.policy.context import with_territory
from apportion.policy.schema import Policy


def screen(policy: Policy, leads: pd.DataFrame, *, at: object) -> pd.DataFrame:
    """One row a lead, in lead order: `lead_id`, `outcome` (`assign`, `nurture`, `reject`), `reason` (empty for assign).

    The first screening rule that holds counts; then leads of no territory, where the policy says so. A soft rule
    keeps no lead back: its price is an effect on the pairs. Raises PolicyError.
    """
    placed, territory = with_territory(policy, leads, at=at)
    asked = Asked(policy, at=at, leads=placed)
    asked.check("screening")
    chosen = asked.first(((f"screening[{k}].when", rule.when) for k, rule in enumerate(policy.screening)), len(leads))
    outcome = np.full(len(leads), "assign", dtype=object)
    reason = np.full(len(leads), "", dtype=object)
    if policy.territories.cover and policy.territories.unmatched in ("nurture", "reject"):
        outcome[territory < 0] = policy.territories.unmatched
        reason[territory < 0] = "It lies in no territory."
    for index, rule in enumerate(policy.screening):
        if rule.price != "hard":
            outcome[chosen == index], reason[chosen == index] = "assign", ""
            continue
        outcome[chosen == index] = rule.outcome
        reason[chosen == index] = rule.reason or f"Screened out: {rule.name}."
    return pd.DataFrame({"lead_id": leads["lead_id"].to_numpy(), "outcome": outcome, "reason": reason})


def parcels(policy: Policy, leads: pd.DataFrame, *, accounts: pd.DataFrame | None = None) -> NDArray[np.int64]:
    """(L,) labels: leads of one label go to one rep together. Each lead has its own where the policy keeps none
    together.

    Labels do not depend on the order of rows: they follow the order of accounts' and leads' ids.
    """
    ids = [f"lead {lead}" for lead in leads["lead_id"].astype(str)]
    if policy.accounts.together == "hard":
        keys = account_keys(policy, leads, accounts)
        ids = [own if key is None else f"account {key}" for own, key in zip(ids, keys, strict=True)]
    if not ids:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.array(ids, dtype=object), return_inverse=True)[1].astype(np.int64)
