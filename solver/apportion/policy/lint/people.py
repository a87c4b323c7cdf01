"""What persons and tables say against the policy: locks, parcels, holidays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apportion.policy.asked import texts
from apportion.policy.daysoff import known_country
from apportion.policy.lint.batch import CheckedBatch, some
from apportion.policy.shares import group_column
from apportion_models.errors import Finding


def overridden(batch: CheckedBatch) -> Iterator[Finding]:
    """Locks beyond a rep's capacity or caps, locks that rules forbid, one parcel locked to two reps."""
    lock = batch.eligibility.lock
    for rep in sorted(set(lock[lock >= 0].tolist())):
        work, count = float(batch.effort[lock == rep].sum()), int((lock == rep).sum())
        room, most = float(batch.capacity["capacity"].iloc[rep]), float(batch.capacity["max_leads"].iloc[rep])
        if (work > room + 1e-9 or count > most) and not batch.policy.overrides.locks_break_capacity:
            message = (
                f"Locks give {batch.rep_ids[rep]} {count} leads of {work:.4g} effort units; free are {room:.4g} units"
            )
            remedy = "Release a lock, or set locks_break_capacity: true."
            yield batch.told("error", "overrides.locks_break_capacity", message, value=False, remedy=remedy)
    for lead in np.flatnonzero(lock >= 0):
        why = batch.eligibility.why_not(int(lead), int(lock[lead]))
        if why is not None:
            message = f"Lead {batch.lead_ids[lead]} is locked to {batch.rep_ids[lock[lead]]}, and {why}"
            remedy = "Release the lock, or set locks_break_eligibility: true."
            yield batch.told("error", "overrides.locks_break_eligibility", message, value=False, remedy=remedy)
    for label in sorted(set(batch.parcels[lock >= 0].tolist())):
        reps = sorted(set(lock[(batch.parcels == label) & (lock >= 0)].tolist()))
        if len(reps) > 1:
            leads = some([batch.lead_ids[lead] for lead in np.flatnonzero((batch.parcels == label) & (lock >= 0))])
            whom = some([batch.rep_ids[rep] for rep in reps])
            message = f"Leads {leads} of one account stay together, and are locked to {whom}"
            yield batch.told("error", "accounts.together", message, remedy="Lock them to one rep.")


def odd_parcels(batch: CheckedBatch) -> Iterator[Finding]:
    """Parcels that are too large for everybody, or that no one rep may get whole."""
    room = batch.capacity["capacity"].to_numpy(dtype=float)
    allowed = batch.eligibility.allowed
    apart: list[list[int]] = []
    large: list[list[int]] = []
    for members in _parcels(batch) if len(room) else ():
        able = allowed[members].all(axis=0)
        if not able.any():
            apart += [members] if allowed[members].any(axis=1).all() else []
        elif batch.effort[members].sum() > room[able].max() + 1e-9:
            large.append(members)
    for found, why in ((apart, "no one rep may get all of them"), (large, "no rep who may get them has room for all")):
        if found:
            leads = some([batch.lead_ids[lead] for lead in found[0]])
            work = f"{batch.effort[found[0]].sum():,.6g} effort units"
            more = f"; and so for {len(found) - 1} more accounts" if len(found) > 1 else ""
            message = f"Leads {leads} stay together, with {work}, and {why}: they go to nurture{more}"
            yield batch.told("notice", "accounts.together", message)


def _parcels(batch: CheckedBatch) -> Iterator[list[int]]:
    """Positions of the leads of each parcel with more than one lead that stands for assignment."""
    standing = np.flatnonzero(batch.standing)
    order = standing[np.argsort(batch.parcels[standing], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(batch.parcels[order])) + 1):
        if len(members) > 1:
            yield members.tolist()


def unknown_holidays(batch: CheckedBatch) -> Iterator[Finding]:
    """Countries of reps for which there is no calendar of public holidays."""
    column = batch.policy.availability.holidays.column
    strange = [
        (row, country)
        for row, country in enumerate(texts(batch.reps, column))
        if country is not None and not known_country(country)
    ]
    if strange:
        default = batch.policy.availability.holidays.default
        kept = f"those of {default}" if default else "none"
        yield Finding(
            severity="notice",
            table="reps",
            row=strange[0][0] + 1,
            column=column,
            value=strange[0][1],
            count=len(strange),
            message=f"has no known calendar of public holidays; {kept} are kept.",
            remedy="Write a country code such as SE or US-CA.",
        )


def audited(batch: CheckedBatch) -> Iterator[Finding]:
    """Audits by a column that the reps lack, or that puts all of them into one group."""
    for index, audit in enumerate(batch.policy.audits):
        column, path = group_column(audit.by), f"audits[{index}].by"
        if column not in batch.reps.columns:
            known = some([str(name) for name in batch.reps.columns], most=20)
            message = "must name a column that is there"
            yield batch.told("error", path, message, value=audit.by, remedy=f"Write team, or one of {known}.")
        elif len(set(texts(batch.reps, column)) - {None}) < 2:
            yield batch.told("notice", path, "puts all reps into one group: there is nothing to compare")
