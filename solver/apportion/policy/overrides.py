"""Locks (this lead, this rep) and bans (not this one) that a person set."""

from __future__ import annotations

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
    findings: list[Finding] = []
    lead_place = {str(lead): index for index, lead in enumerate(leads["lead_id"])}
    rep_place = {str(rep): index for index, rep in enumerate(reps["rep_id"])}
    columns = (texts(overrides, name) for name in ("lead_id", "rep_id", "kind"))
    for row, (lead_id, rep_id, kind) in enumerate(zip(*columns, strict=True)):
        if kind not in ("lock", "ban"):
            findings.append(_fault(row, "kind", kind, "must be lock or ban"))
            continue
        if (
            lead_id is None
            or lead_id not in lead_place
            or not (policy.overrides.locks if kind == "lock" else policy.overrides.bans)
        ):
            continue
        if kind == "ban" and rep_id not in rep_place:
            continue
        if rep_id is None or rep_id not in rep_place:
            findings.append(_fault(row, "rep_id", rep_id, "must be a rep of the reps table"))
            continue
        lead, rep = lead_place[lead_id], rep_place[rep_id]
        if kind == "ban":
            ban[lead, rep] = True
        elif lock[lead] not in (-1, rep):
            findings.append(_fault(row, "rep_id", rep_id, f"locks lead {lead_id}, which is locked to another rep too"))
        else:
            lock[lead] = rep
    for both in np.flatnonzero(lock >= 0):
        if ban[both, lock[both]]:
            rep_id = reps["rep_id"].iloc[int(lock[both])]
            message = f"lead {leads['lead_id'].iloc[int(both)]} is both locked to and banned from rep {rep_id}"
            findings.append(
                Finding(severity="error", table="overrides", message=f"{message}.", remedy="Keep one of them.")
            )
    if findings:
        raise TableError(findings)
    return Overrides(lock, ban)


def _fault(row: int, column: str, value: object, message: str) -> Finding:
    return Finding(severity="error", table="overrides", row=row + 1, column=column, value=value, message=f"{message}.")
