"""Where the reps stand: what each can take yet, after all that was given up to one tick of the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from copy import copy

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Tables
from apportion.build.rules import full_capacity
from apportion.policy import rep_capacity
from apportion.policy.capacity import backlog_of, loaded_shares
from apportion.policy.window import given_in_window, used_of, window_start
from apportion.service.runs.routing.owners import LastOwners
from apportion.service.runs.routing.setting import Setting, with_reps
from apportion.service.runs.starting import latest
from apportion.service.store import Tx
from apportion.service.store.assignments import Given
from apportion.service.store.cells import Record
from apportion.service.store.reps import TOLD
from apportion.service.store.runs import FORESEEN

Floats = NDArray[np.float64]
CELL_SECONDS = 60  # for so long what depends on the clock alone is taken to stay
LONGEST_PERIOD = pd.Timedelta(days=33)  # of a cap: a month, wherever the rep is
FACTORS = ("ramp", "availability", "adjustment", "throttle")
SIMPLE = ("route", "batch", "given")  # origins that give, and take nothing from anybody


class Standing:
    """The reps' capacity under one setting, reps in the order of its tables. It follows what is given lead by lead.

    at : the moment that availability, ramp and caps are of. tick : what was given up to it is counted. last : when
    something was given last. rep_keys : the reps' numbers in the store. assigned : what was given before, for leads
    that are posed by themselves; else None.
    """

    def __init__(self, setting: Setting, tx: Tx) -> None:
        self.setting, self.tick = setting, tx.last_tick("assignments")
        self.last = tx.assignments.last_moment(until=tx.now() + FORESEEN)
        self.at = self.moment(tx)
        self._place = {rep: place for place, rep in enumerate(setting.tables.reps["rep_id"].astype(str))}
        self.rep_keys = tx.reps.keys(list(self._place))
        rows = {str(row["rep_id"]): row for row in tx.reps.contents()}
        self._open, self._pipeline = (np.array([float(rows[rep][name]) for rep in self._place]) for name in TOLD)
        self._stale: set[int] = set()
        given = _table(tx.assignments.earlier(self.tick, after=self._needed_from()))
        self.assigned = given if setting.alone else None
        self.owners = LastOwners(setting.policy, setting.tables.accounts, given)
        self._frame = rep_capacity(
            setting.policy, self.tables.reps, at=self.at, assigned=given, calendar=setting.tables.calendar
        )
        self._base, *shares, self._free = (
            self._frame[name].to_numpy(dtype=float).copy() for name in ("base", *FACTORS, "max_leads")
        )
        self._shares = dict(zip(FACTORS, shares, strict=True))
        self._full = _full(self._base, self._shares)
        self._given, self._count = np.zeros(len(self._place)), np.zeros(len(self._place))
        if given is not None:
            self._given, self._count = given_in_window(setting.policy, given, self._frame["rep_id"], at=self.at)

    def _needed_from(self) -> dt.datetime | None:
        """Since when what was given matters: to windows and caps; to the owners of accounts for ever."""
        policy = self.setting.policy
        if self.setting.alone or policy.accounts.owner != "off":
            return None
        return min(window_start(policy, self.at), self.at - LONGEST_PERIOD).to_pydatetime()

    def moment(self, tx: Tx) -> pd.Timestamp:
        """When a lead that is routed now is given."""
        return pd.Timestamp(latest(tx.now(), self.last))

    def holds_at(self, at: pd.Timestamp) -> bool:
        """Whether it is good for a lead that is given at `at`: the clock has not left its cell."""
        same = at.timestamp() // CELL_SECONDS == self.at.timestamp() // CELL_SECONDS
        return same and (not self.setting.alone or at == self.at)

    def copy(self) -> Standing:
        """One that may go on by itself."""
        other = copy(self)
        for name in ("_open", "_pipeline", "_full", "_free", "_given", "_count"):
            setattr(other, name, getattr(self, name).copy())
        other._shares = {name: shares.copy() for name, shares in self._shares.items()}
        other._stale, other.owners = set(self._stale), self.owners.copy()
        return other

    def follow(self, given: Sequence[Given], tick: int) -> bool:
        """Count what was given since, up to a tick. False where something else happened (a lead was taken back or
        closed): then it must be read anew, and nothing is changed."""
        ticks = {one.tick for one in given if one.tick <= tick}
        unknown = len(ticks) < tick - self.tick or any(one.origin not in SIMPLE for one in given)
        if unknown or (self.setting.alone and tick > self.tick):
            return False
        for one in given:
            if one.tick <= tick and one.origin != "given":
                self.give(one)
        self.tick = tick
        return True

    def give(self, one: Given) -> None:
        """Count one lead."""
        if one.assigned_at <= self.at.to_pydatetime() + FORESEEN:
            self.last = one.assigned_at if self.last is None else max(self.last, one.assigned_at)
        if one.rep_id is None:
            return
        self.owners.give(one)
        place = self._place.get(one.rep_id)
        if place is not None:
            self._open[place] += 1.0
            self._pipeline[place] += one.deal_value or 0.0
            self._given[place] += 1.0 if one.effort is None else one.effort
            self._count[place] += 1.0
            self._free[place] = max(self._free[place] - 1.0, 0.0)
            if self.setting.factors:
                self._stale.add(place)

    @property
    def tables(self) -> Tables:
        """The setting's tables, with the reps' open leads as they are now."""
        return with_reps(self.setting.tables, **dict(zip(TOLD, (self._open, self._pipeline), strict=True)))

    @property
    def capacity(self) -> pd.DataFrame:
        """`rep_capacity`'s answer, less what was given since and in the window."""
        left, backlog = self._left()
        return self._frame.assign(backlog=backlog, capacity=left, max_leads=self._free)

    def _left(self) -> tuple[Floats, Floats]:
        self._refresh()
        backlog = backlog_of(self.setting.policy, self._open, self._full)
        used = used_of(self._given, self._count, self._open, backlog)
        return np.maximum(np.maximum(self._full - backlog, 0.0) - used, 0.0), backlog

    @property
    def free(self) -> Floats:
        """(R,) leads that each rep can take yet under the caps."""
        return self._free

    def room(self) -> Floats:
        """(R,) effort units that each rep can take yet, overtime too."""
        left = self._left()[0]
        if self.setting.policy.capacity.overtime is None:
            return left
        return full_capacity(self.setting.policy, pd.DataFrame({"capacity": left}))

    def place(self, rep_id: str) -> int:
        """Where a rep stands in the tables."""
        return self._place[rep_id]

    def _refresh(self) -> None:
        """The factors of those who were given a lead, where these follow what is open."""
        if not self._stale:
            return
        places = sorted(self._stale)
        some = self.setting.tables.reps.iloc[places].reset_index(drop=True)
        some = some.assign(open_leads=self._open[places], open_pipeline=self._pipeline[places])
        for name, shares in loaded_shares(self.setting.policy, some, at=self.at).items():
            self._shares[name][places] = shares
        self._full[places] = _full(self._base, self._shares)[places]
        self._stale.clear()


def _full(base: Floats, shares: Mapping[str, Floats]) -> Floats:
    """(R,) capacity before the backlog."""
    full = base * np.prod([shares[name] for name in FACTORS], axis=0)
    return np.asarray(full, dtype=np.float64)


def _table(rows: Sequence[Record]) -> pd.DataFrame | None:
    """What was given, as the reader of assignments gives it; None where nothing was."""
    if not rows:
        return None
    table = pd.DataFrame(list(rows))
    for name in ("rep_id", "account_id", "tier"):
        if name in table:
            table[name] = table[name].astype("str")
    return table.assign(assigned_at=pd.to_datetime(table["assigned_at"], utc=True, format="ISO8601"))
