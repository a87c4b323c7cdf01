"""Which accounts a lead has to do with, and who got the last lead of each."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import pandas as pd

from apportion.policy import Policy
from apportion.policy.accounts import parents_of
from apportion.policy.asked import texts
from apportion.service.store.assignments import Given
from apportion.service.store.cells import Record

Mark = tuple[pd.Timestamp, str]  # when an account's last lead was given, and to whom


class LastOwners:
    """The accounts table, and beside it who got the last lead of each account whose owner no table names.

    given : what was given so far (`account_id`, `rep_id`, `assigned_at`), or None. Nothing is kept where the policy
    asks for no owners.
    """

    def __init__(self, policy: Policy, accounts: pd.DataFrame | None, given: pd.DataFrame | None) -> None:
        self._asked, self._accounts = policy.accounts.owner != "off", accounts
        self._last: dict[str, Mark] = {}
        self._newer: dict[str, Mark] = {}
        self._rows: dict[str, list[int]] = {}
        self._named: set[str] = set()
        self._parents: dict[str, str] = {}
        if not self._asked:
            return
        if accounts is not None:
            self._parents = parents_of(accounts, None)
            owners = zip(texts(accounts, "account_id"), texts(accounts, "owner_rep_id"), strict=True)
            for row, (account, owner) in enumerate(owners):
                if account is not None:
                    self._rows.setdefault(account, []).append(row)
                    self._named |= set() if owner is None else {account}
        if given is not None and "account_id" in given:
            columns = texts(given, "account_id"), texts(given, "rep_id"), given["assigned_at"]
            for account, rep, at in zip(*columns, strict=True):
                if account is not None and rep is not None:
                    self._last[account] = max((at, rep), self._last.get(account, (at, rep)))

    def copy(self) -> LastOwners:
        """One that may go on by itself."""
        other = copy(self)
        other._newer = dict(self._newer)
        return other

    def give(self, one: Given) -> None:
        """Count one lead that a rep got."""
        if self._asked and one.account_id is not None and one.rep_id is not None:
            mark = (pd.Timestamp(one.assigned_at), one.rep_id)
            self._newer[one.account_id] = max(mark, self._mark(one.account_id) or mark)

    def about(self, row: Record) -> frozenset[str]:
        """Every account that may have a say in who owns a lead's: its own, its parent, and all above."""
        found: set[str] = set()
        for name in ("account_id", "parent_account_id") if self._asked else ():
            account = row.get(name)
            while account is not None and account not in found:
                found.add(account)
                account = self._parents.get(account)
        return frozenset(found)

    def table(self, rows: Sequence[Record]) -> pd.DataFrame | None:
        """The accounts of these leads and those above, each with its owner; None where there is none."""
        wanted = sorted(set().union(*(self.about(row) for row in rows)))
        places = [place for account in wanted for place in self._rows.get(account, ())]
        marks = {account: self._mark(account) for account in wanted if account not in self._named}
        last = {account: mark[1] for account, mark in marks.items() if mark is not None}
        own = pd.DataFrame({"account_id": list(last), "owner_rep_id": list(last.values())}, dtype="str")
        if not places or self._accounts is None:
            return own if last else None
        known = self._accounts.iloc[places]
        return pd.concat([known, own], ignore_index=True) if last else known.reset_index(drop=True)

    def _mark(self, account: str) -> Mark | None:
        return self._newer.get(account) or self._last.get(account)
