"""Who owns an account, and which account a subsidiary belongs to."""

from __future__ import annotations

import pandas as pd

from apportion.policy.asked import texts


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
