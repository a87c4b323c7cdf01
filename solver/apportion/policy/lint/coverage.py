"""Territories that no one covers, reps who cover nothing, leads that no rep may get."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from apportion.policy.lint.batch import CheckedBatch, some
from apportion.policy.nurture import must_assign
from apportion_models.errors import Finding


def uncovered_territories(batch: CheckedBatch) -> Iterator[Finding]:
    """A hard territory without any rep sends all its leads to nurture."""
    for index, territory in enumerate(batch.policy.territories.cover):
        if (batch.eligibility.covers[index] > 0).any():
            continue
        count = int(((batch.eligibility.territory == index) & batch.standing).sum())
        severity = "error" if territory.price == "hard" and count else "notice"
        message = f"No rep covers territory '{territory.name}', with {count} leads of this batch"
        remedy = "Name who covers it by primary, or in the reps' territories column or the territories table."
        yield batch.told(severity, f"territories.cover[{index}]", message, remedy=remedy)


def idle_reps(batch: CheckedBatch) -> Iterator[Finding]:
    """Reps with capacity who may get no lead at all, or who cover no territory."""
    able = batch.capacity["capacity"].to_numpy(dtype=float) > 0
    covers_none = (
        ~(batch.eligibility.covers > 0).any(axis=0) if len(batch.eligibility.covers) else np.zeros(len(able), bool)
    )
    reached = (batch.eligibility.allowed & batch.standing[:, None]).any(axis=0)
    for reps, message in (
        (covers_none & ~reached, "cover no territory, and may get no lead of this batch"),
        (covers_none & reached, "cover no territory"),
        (~covers_none & ~reached & able, "have capacity, and may get no lead of this batch"),
    ):
        if reps.any():
            names = [batch.rep_ids[index] for index in np.flatnonzero(reps)]
            yield Finding(
                severity="notice",
                table="reps",
                row=int(np.flatnonzero(reps)[0]) + 1,
                column="rep_id",
                value=names[0],
                count=len(names),
                message=f"{some(names)} {message}.",
            )


def missing_skills(batch: CheckedBatch) -> Iterator[Finding]:
    """What leads need of a rep, and no rep has."""
    for index, rule in enumerate(batch.policy.requirements):
        tables = batch.asked.tables
        wanted, offered = tables.get("lead", rule.lead), tables.get("rep", rule.rep)
        applies = batch.asked.holds(rule.when, f"requirements[{index}].when") & batch.standing & ~wanted.missing[:, 0]
        if wanted.kind == "nothing" or offered.kind not in ("list", "nothing"):
            continue
        had = {item for items in offered.data.ravel() if isinstance(items, frozenset) for item in items}
        needs = Counter(
            item for value in wanted.data[applies, 0] for item in (value if isinstance(value, frozenset) else (value,))
        )
        for item in sorted(needs.keys() - had, key=str):
            message = f"No rep's {rule.rep} hold {item!r}, which {needs[item]} leads of this batch need"
            severity = "error" if rule.price == "hard" else "notice"
            yield batch.told(severity, f"requirements[{index}]", message, value=item, remedy="Add it to a rep.")


def leads_without_rep(batch: CheckedBatch) -> Iterator[Finding]:
    """Leads that no rep may get, by the rules that forbid them."""
    nobody = batch.standing & ~batch.eligibility.allowed.any(axis=1)
    needed = must_assign(batch.policy, batch.context.leads, at=batch.asked.at, tier=batch.context.tier)
    causes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for lead in np.flatnonzero(nobody):
        blocked = Counter(int(rule) for rule in batch.eligibility.blocked_by[lead])
        causes[tuple(batch.eligibility.rules[rule] for rule, _ in blocked.most_common(3))].append(int(lead))
    for rules, leads in sorted(causes.items(), key=lambda cause: (-len(cause[1]), cause[0])):
        forced = bool(needed[leads].any())
        because = "; ".join(rules) if rules else "there are no reps"
        yield Finding(
            severity="error" if forced else "notice",
            table="leads",
            row=leads[0] + 1,
            column="lead_id",
            value=batch.lead_ids[leads[0]],
            count=len(leads),
            message=f"No rep may get this lead: {because}.",
            remedy="It must be assigned: relax one of the rules." if forced else "It goes to nurture.",
        )
