"""Who owns an account, and which account a subsidiary belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked, days_in_role, flags, texts
from apportion.policy.schema import Policy


def parents_of(leads: pd.DataFrame, accounts: pd.DataFrame | None) -> dict[str, str]:
    """account -> parent account, by the accounts table, and for accounts that it lacks by the leads."""
    parents: dict[str, str] = {}
    for frame in (leads, accounts):
        if frame is None:
            continue
        for account, parent in sorted(
            (account, parent)
            for account, parent in zip(texts(frame, "account_id"), texts(frame, "parent_account_id"), strict=True)
            if account is not None and parent is not None and account != parent
        ):
            parents[account] = parent
    return parents


def lineage(account: str, parents: dict[str, str]) -> list[str]:
    """The account, its parent, and so on to the topmost. A circle ends where it closes, at its least member."""
    line, seen = [account], {account}
    while line[-1] in parents:
        above = parents[line[-1]]
        if above in seen:
            circle = line[line.index(above) :]
            return [*line, min(circle)]
        line.append(above)
        seen.add(above)
    return line


def account_roots(leads: pd.DataFrame, accounts: pd.DataFrame | None) -> list[str | None]:
    """For each lead the topmost account that its own belongs to; None for a lead without an account."""
    parents = parents_of(leads, accounts)
    own = texts(leads, "account_id")
    over = texts(leads, "parent_account_id")
    starts = [account if account is not None else parent for account, parent in zip(own, over, strict=True)]
    return [None if start is None else lineage(start, parents)[-1] for start in starts]


def account_keys(policy: Policy, leads: pd.DataFrame, accounts: pd.DataFrame | None) -> list[str | None]:
    """For each lead the account that it counts to: the topmost one, or its own where subsidiaries stand alone."""
    return account_roots(leads, accounts) if policy.accounts.subsidiaries else texts(leads, "account_id")


def owners(leads: pd.DataFrame, accounts: pd.DataFrame | None, *, subsidiaries: bool) -> list[str | None]:
    """For each lead the rep_id that owns its account: with subsidiaries the topmost account's owner, or the next below
    that has one; else the account's own; else the lead's `owner_rep_id`.
    """
    parents = parents_of(leads, accounts) if subsidiaries else {}
    owner = _owned_by(leads) | ({} if accounts is None else _owned_by(accounts))
    found: list[str | None] = []
    columns = (texts(leads, name) for name in ("account_id", "parent_account_id", "owner_rep_id"))
    for account, parent, fallback in zip(*columns, strict=True):
        start = account if account is not None or not subsidiaries else parent
        line = [] if start is None else lineage(start, parents)
        found.append(next((owner[item] for item in reversed(line) if item in owner), fallback))
    return found


def _owned_by(frame: pd.DataFrame) -> dict[str, str]:
    """account -> owner, for accounts on whose owner all rows of a table agree."""
    named: dict[str, set[str]] = {}
    for account, rep in zip(texts(frame, "account_id"), texts(frame, "owner_rep_id"), strict=True):
        if account is not None and rep is not None:
            named.setdefault(account, set()).add(rep)
    return {account: reps.pop() for account, reps in named.items() if len(reps) == 1}


@dataclass(frozen=True)
class Owners:
    """owner : (L,) index of the rep who owns the lead's account; -1 nobody, -2 somebody who is no rep. gone : (L,)
    the owner is no rep, paused, not started, or away for the whole window."""

    owner: NDArray[np.int64]
    gone: NDArray[np.bool_]

    @property
    def there(self) -> NDArray[np.bool_]:
        """(L,) the account has an owner who can act."""
        return (self.owner >= 0) & ~self.gone


def account_owners(
    asked: Asked,
    leads: pd.DataFrame,
    accounts: pd.DataFrame | None,
    assigned: pd.DataFrame | None,
    capacity: pd.DataFrame | None,
) -> Owners:
    """Who owns each lead's account, by the tables, else by who got its last lead."""
    assert asked.reps is not None
    place = {str(rep): index for index, rep in enumerate(asked.reps["rep_id"])}
    away = flags(asked.reps, "paused") | (days_in_role(asked.reps, asked.at) < 0)
    if capacity is not None:
        away = away | (capacity["availability"].to_numpy(dtype=float) <= 0)
    subsidiaries = asked.policy.accounts.subsidiaries
    named = owners(leads, with_last_owner(accounts, assigned), subsidiaries=subsidiaries)
    owner = np.array([-1 if rep is None else place.get(rep, -2) for rep in named], dtype=np.int64)
    away_or_strange = np.append(away, [True, False])  # index -2 is nobody's rep, -1 nobody
    return Owners(owner, away_or_strange[owner])


def with_last_owner(accounts: pd.DataFrame | None, assigned: pd.DataFrame | None) -> pd.DataFrame | None:
    """The accounts, with those that no table gives an owner owned by the rep who got their last lead."""
    if assigned is None or not {"account_id", "rep_id", "assigned_at"} <= set(assigned.columns):
        return accounts
    past = assigned.dropna(subset=["account_id", "rep_id"]).sort_values(["assigned_at", "rep_id"])
    last = past.groupby("account_id", sort=True)["rep_id"].last()
    extra = pd.DataFrame({"account_id": last.index.to_numpy(), "owner_rep_id": last.to_numpy()})
    if accounts is None:
        return extra
    if "owner_rep_id" in accounts.columns:
        owned = set(accounts.loc[accounts["owner_rep_id"].notna(), "account_id"])
        extra = extra[~extra["account_id"].isin(owned)]
    return pd.concat([accounts, extra], ignore_index=True)
