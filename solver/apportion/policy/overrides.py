"""Locks (this lead, this rep) and bans (not this one) that a person set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import needed, texts
from apportion.policy.schema import Policy
from apportion_models.errors import Finding, TableError


@dataclass(frozen=True)
class Overrides:
    """(L,) index of the rep that a lead is locked to, -1 where it is not; (L, R) pairs that are banned."""

    lock: NDArray[np.int64]
    ban: NDArray[np.bool_]


def read_overrides(
    policy: Policy, leads: pd.DataFrame, reps: pd.DataFrame, overrides: pd.DataFrame | None
) -> Overrides:
    """Locks and bans on this batch, as far as the policy honours them; rows on other leads are left aside.

    `overrides` has `lead_id`, `rep_id`, `kind` (`lock` or `ban`). A ban of an unknown
    rep has no effect. Raises TableError with every unknown kind, lock to an unknown rep, two
    locks of one lead to two reps, and a pair that is both locked and banned.
    """
    lock = np.full(len(leads), -1)
    ban = np.zeros((len(leads), len(reps)), dtype=bool)
    if overrides is None or not len(overrides):
        return Overrides(lock, ban)
    needed(overrides, "overrides", ("lead_id", "rep_id", "kind"))
    honoured = {"lock": policy.overrides.locks, "ban": policy.overrides.bans}
    lead_place = {str(lead): index for index, lead in enumerate(leads["lead_id"])}
    rep_place = {str(rep): index for index, rep in enumerate(reps["rep_id"])}
    findings: list[Finding] = []
    columns = (texts(overrides, name) for name in ("lead_id", "rep_id", "kind"))
    for row, (lead_id, rep_id, kind) in enumerate(zip(*columns, strict=True)):
        lead, rep = lead_place.get(str(lead_id), -1), rep_place.get(str(rep_id), -1)
        if kind not in honoured:
            findings.append(_fault(row, "kind", kind, "must be lock or ban"))
        elif lead_id is None or lead < 0 or not honoured[kind]:
            continue
        elif rep_id is None or rep < 0:
            if kind == "lock":
                findings.append(_fault(row, "rep_id", rep_id, "must be a rep of the reps table"))
        elif kind == "ban":
            ban[lead, rep] = True
        elif lock[lead] not in (-1, rep):
            findings.append(_fault(row, "rep_id", rep_id, f"locks lead {lead_id}, which is locked to another rep too"))
        else:
            lock[lead] = rep
    findings += _contradictions(lock, ban, leads, reps)
    if findings:
        raise TableError(findings)
    return Overrides(lock, ban)


def _contradictions(
    lock: NDArray[np.int64], ban: NDArray[np.bool_], leads: pd.DataFrame, reps: pd.DataFrame
) -> Iterator[Finding]:
    for lead in np.flatnonzero(lock >= 0):
        if ban[lead, lock[lead]]:
            lead_id, rep_id = leads["lead_id"].iloc[int(lead)], reps["rep_id"].iloc[int(lock[lead])]
            message = f"lead {lead_id} is both locked to and banned from rep {rep_id}"
            yield Finding(severity="error", table="overrides", message=message, remedy="Keep one of them.")


def _fault(row: int, column: str, value: object, message: str) -> Finding:
    return Finding(severity="error", table="overrides", row=row + 1, column=column, value=value, message=message)
