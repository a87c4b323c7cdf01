"""Which leads change owner, and what that does to each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from apportion.whatif.compare.outcome import NOBODY, Outcome

NEW, GONE = "not in the base", "not in the scenario"
MOVE_COLUMNS = ("scenario", "lead_id", "from", "to", "kind", "revenue_before", "revenue_after", "change")


def moved_leads(one: Outcome, base: Outcome) -> int:
    """How many leads of both have another owner, or none, or have one now."""
    before = base.owners
    return sum(before.get(lead, owner) != owner for lead, owner in one.owners.items())


def moves_between(one: Outcome, base: Outcome) -> pd.DataFrame:
    """One row a lead whose owner differs, by id. kind : moved, placed, to nurture, new or gone. Revenue in currency, as
    each side believes it."""
    before, after = _sides(base), _sides(one)
    both = before.add_suffix("_before").join(after.add_suffix("_after"), how="outer").sort_index()
    both["from"], both["to"] = both["owner_before"].fillna(NEW), both["owner_after"].fillna(GONE)
    moved = both[both["from"] != both["to"]].copy()
    moved["kind"] = np.select(
        [moved["from"] == NEW, moved["to"] == GONE, moved["from"] == NOBODY, moved["to"] == NOBODY],
        ["new", "gone", "placed", "to nurture"],
        default="moved",
    )
    earned = moved[["revenue_before", "revenue_after"]].fillna(0.0)
    table = moved.assign(
        scenario=one.name,
        revenue_before=earned["revenue_before"],
        revenue_after=earned["revenue_after"],
        change=earned["revenue_after"] - earned["revenue_before"],
    )
    return table.rename_axis("lead_id").reset_index()[list(MOVE_COLUMNS)]


def _sides(outcome: Outcome) -> pd.DataFrame:
    owners = outcome.owners
    index = pd.Index(list(owners), dtype=object)
    return pd.DataFrame({"owner": list(owners.values()), "revenue": outcome.revenue}, index=index)
