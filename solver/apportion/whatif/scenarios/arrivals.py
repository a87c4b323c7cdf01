"""A scenario's changes to the leads: more of a kind, drawn again from those of the batch."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Tables
from apportion.policy import Policy
from apportion.policy.context import with_territory
from apportion.policy.predicates import Tables as Seen
from apportion.policy.predicates import holds
from apportion.policy.predicates.values import PredicateError
from apportion.whatif.scenarios.schema import Growth, Scenario
from apportion_models.errors import Finding, PolicyError

APART = "~"  # in the id of a lead that is drawn again: L0001~nordics~1


def changed_leads(
    tables: Tables, policy: Policy, at: pd.Timestamp, scenario: Scenario, faults: list[Finding]
) -> Tables:
    """The tables with the scenario's leads; what is wrong is appended to `faults`. policy : the base's, whose
    territories count.

    Growth by g draws round(g · n) of the kind's n leads, with replacement once each was drawn, under new ids; a lead
    drawn again is of no account, so that it is bound to no other lead. Shrinkage takes as many away. Each kind is
    drawn from the base's leads by itself, so that the order of kinds changes nothing.
    """
    if not scenario.leads.grow:
        return tables
    seen, label = with_territory(policy, tables.leads, at=at)
    names = [item.name for item in policy.territories.cover]
    more: list[pd.DataFrame] = []
    gone = np.zeros(len(tables.leads), dtype=bool)
    for k, growth in enumerate(scenario.leads.grow):
        rows = _rows(growth, f"leads.grow[{k}]", seen, label, names, at, scenario, faults)
        if rows is None:
            continue
        if not len(rows):
            message = "must be a kind of which the batch has leads; it has none"
            faults.append(scenario.fault(f"leads.grow[{k}]", message, value=growth.kind))
            continue
        drawn = _drawn(growth, rows, tables.leads)
        if growth.by < 0:
            gone[drawn] = True
        else:
            more.append(_renamed(tables.leads, drawn, growth))
    leads = pd.concat([tables.leads[~gone], *more], ignore_index=True)
    ordered = leads.sort_values("lead_id", key=lambda ids: ids.astype(str), kind="stable").reset_index(drop=True)
    twice = ordered["lead_id"].astype(str).duplicated()
    if twice.any():
        message = "gives a lead an id that another has"
        faults.append(scenario.fault("leads.grow", message, value=str(ordered["lead_id"][twice].iloc[0])))
        return tables
    for name in ordered.columns:
        if ordered[name].dtype != tables.leads[name].dtype:
            ordered[name] = ordered[name].astype(tables.leads[name].dtype)
    return replace(tables, leads=ordered)


def _rows(
    growth: Growth,
    key: str,
    seen: pd.DataFrame,
    label: NDArray[np.int64],
    names: list[str],
    at: pd.Timestamp,
    scenario: Scenario,
    faults: list[Finding],
) -> NDArray[np.int64] | None:
    """Positions of the leads of the kind; None where there is no such kind."""
    if growth.territory is not None:
        if growth.territory not in names:
            shown = f"There are: {', '.join(names)}." if names else "The policy has none: use when instead."
            message = "must be a territory of the policy"
            faults.append(scenario.fault(f"{key}.territory", message, value=growth.territory, remedy=shown))
            return None
        return np.flatnonzero(label == names.index(growth.territory))
    assert growth.when is not None
    try:
        return np.flatnonzero(np.asarray(holds(growth.when, Seen(leads=seen, at=at))))
    except (PredicateError, PolicyError) as error:
        faults.append(scenario.fault(f"{key}.when", f"must be a predicate over the leads: {error}"))
        return None


def _drawn(growth: Growth, rows: NDArray[np.int64], leads: pd.DataFrame) -> NDArray[np.int64]:
    """Positions of the leads that are drawn, by their ids' order: whole rounds first, then without replacement."""
    by_id = rows[np.argsort(leads["lead_id"].astype(str).to_numpy(dtype=str)[rows], kind="stable")]
    count = round(abs(growth.by) * len(rows))
    name = int.from_bytes(hashlib.sha256(growth.kind.encode()).digest()[:8], "big")
    random = np.random.default_rng([growth.seed, name])
    rounds, rest = divmod(count, len(rows))
    return np.concatenate([np.tile(by_id, rounds), np.sort(random.permutation(by_id)[:rest])]).astype(np.int64)


def _renamed(leads: pd.DataFrame, drawn: NDArray[np.int64], growth: Growth) -> pd.DataFrame:
    copies = leads.iloc[drawn].reset_index(drop=True)
    turn = copies.groupby(copies["lead_id"].astype(str)).cumcount() + 1
    alone = {name: np.nan for name in ("account_id", "parent_account_id", "owner_rep_id") if name in copies}
    ids = copies["lead_id"].astype(str) + APART + growth.kind + APART + turn.astype(str)
    return copies.assign(lead_id=ids, **alone)
