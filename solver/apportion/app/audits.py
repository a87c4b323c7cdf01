"""The audits of a plan: those of the policy, then those that a command asks for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from apportion.policy import Policy
from apportion.policy.shares import group_column
from apportion.reasons import Explanations, GroupAudit, audit_plan
from apportion_models.errors import Finding, PolicyError, UsageError

AT_LEAST = 3  # reps in a group that is told by itself, where the policy does not say


def wanted_audits(policy: Policy, asked: Sequence[str], reps: pd.DataFrame) -> list[tuple[str, int]]:
    """(column, least reps of a group) of every audit, each column once.

    Raises PolicyError and UsageError, before anything is solved, where the reps lack a column.
    """
    faults: list[Finding] = []
    for index, audit in enumerate(policy.audits):
        if group_column(audit.by) not in reps.columns:
            remedy = f"Write team, or a column of the reps: {', '.join(map(str, reps.columns))}."
            message = "must name a column that is there"
            faults.append(policy.finding("error", f"audits[{index}].by", message, value=audit.by, remedy=remedy))
    if faults:
        raise PolicyError(faults)
    wanted = {group_column(audit.by): audit.at_least for audit in policy.audits}
    for by in asked:
        column = group_column(by)
        if column not in reps.columns:
            known = ", ".join(map(str, reps.columns))
            raise UsageError(f"--audit must name team, or a column of the reps: {known}. Got {by!r}.")
        wanted.setdefault(column, AT_LEAST)
    return list(wanted.items())


def audited(reasons: Explanations, asked: Sequence[str], *, seed: int) -> tuple[GroupAudit, ...]:
    """Every audit of a plan."""
    batch = reasons.facts.batch
    declared = batch.policy.protected.columns
    return tuple(
        audit_plan(reasons, column, at_least=at_least, declared=declared, seed=seed)
        for column, at_least in wanted_audits(batch.policy, asked, batch.reps)
    )
