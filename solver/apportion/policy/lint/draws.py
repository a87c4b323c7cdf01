"""A draw that can move nothing, or next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apportion.policy.lint.batch import CheckedBatch
from apportion_models.errors import Finding


def few_swaps(batch: CheckedBatch) -> Iterator[Finding]:
    """`swaps` where fewer than two leads or reps may take part, or where less than one lead is moved on average."""
    rule = batch.policy.swaps
    if rule is None:
        return
    leads = batch.asked.holds(rule.leads, "swaps.leads") & batch.standing
    reps = batch.asked.holds(rule.reps, "swaps.reps") & (batch.capacity["capacity"].to_numpy(dtype=float) > 0)
    open_to = np.asarray(batch.eligibility.allowed)[np.ix_(leads, reps)].sum(axis=1) > 1
    if leads.sum() < 2 or reps.sum() < 2:
        message = f"{int(leads.sum())} leads and {int(reps.sum())} reps may take part: nothing can be swapped"
        yield batch.told("notice", "swaps", message, remedy="Widen leads or reps.")
    elif open_to.sum() < 2:
        yield batch.told(
            "notice", "swaps", "No two leads that may take part have two reps who may: nothing can be swapped"
        )
    elif rule.share * float(leads.sum()) < 1:
        message = f"At most {rule.share * float(leads.sum()):.2g} leads of this batch are swapped on average"
        yield batch.told("notice", "swaps.share", message, value=rule.share, remedy="A larger share teaches sooner.")
