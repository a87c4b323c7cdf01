"""Leads of one account stay together at a price: each that goes to another rep than the account's home rep costs it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.accounts import account_keys, account_owners
from apportion.policy.asked import Asked
from apportion.policy.eligibility import Effect, Eligibility
from apportion.policy.schema import Policy

NAME = "account: its leads stay together"


def apart_effect(
    policy: Policy,
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    revenue: NDArray[np.floating],
    eligibility: Eligibility,
    *,
    at: object,
    capacity: pd.DataFrame,
    accounts: pd.DataFrame | None = None,
    assigned: pd.DataFrame | None = None,
) -> Effect | None:
    """The malus on pairs of an account's lead and a rep who is not its home; None where the rule is not soft.

    The home is chosen before the plan, among the reps with capacity who may have any of the account's leads: who owns
    most of them, then who may have most of them, then who makes most of those, by expected revenue; ties by rep id.
    An account with one lead, or with no such rep, costs nothing; nor does nurture. `revenue` is (L, R) currency,
    `capacity` rep_capacity's answer.
    """
    price = policy.accounts.together
    if not isinstance(price, float):
        return None
    asked = Asked(policy, at=at, leads=leads, reps=reps)
    known = account_owners(asked, leads, accounts, assigned, capacity)
    owner = np.where(known.there, known.owner, -1)
    able = capacity["capacity"].to_numpy(dtype=float) > 0
    by_id = np.argsort(reps["rep_id"].astype(str).to_numpy(), kind="stable")
    amount = np.zeros(eligibility.allowed.shape)
    for members in _accounts(account_keys(policy, leads, accounts), leads["lead_id"].astype(str).tolist()):
        home = _home(members, owner, eligibility.allowed & able[None, :], revenue, by_id)
        if home >= 0:
            amount[members] = -price
            amount[members, home] = 0.0
    return Effect(NAME, amount)


def _accounts(keys: list[str | None], lead_ids: list[str]) -> list[NDArray[np.int64]]:
    """The places of the leads of each account that has more than one, in the order of the leads' ids: a sum of numbers
    must not depend on the order of rows."""
    found: dict[str, list[int]] = {}
    for place in sorted(range(len(keys)), key=lambda lead: lead_ids[lead]):
        key = keys[place]
        if key is not None:
            found.setdefault(key, []).append(place)
    return [np.array(places, dtype=np.int64) for places in found.values() if len(places) > 1]


def _home(
    members: NDArray[np.int64],
    owner: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    revenue: NDArray[np.floating],
    by_id: NDArray[np.int64],
) -> int:
    """The account's home rep; -1 where nobody may have any of its leads."""
    may = allowed[members]
    if not may.any():
        return -1
    own = (owner[members][:, None] == np.arange(may.shape[1])[None, :]).sum(axis=0)
    worth = np.where(may, revenue[members], 0.0).sum(axis=0)
    places = [rep for rep in by_id.tolist() if may[:, rep].any()]
    rank = np.stack([own, may.sum(axis=0), worth], axis=1).tolist()
    best: int = max(places, key=rank.__getitem__)  # the first of equals
    return best
