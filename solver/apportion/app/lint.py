"""Check a policy against the tables it will rule."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from apportion.app.sources import Sources, default_moment, read_sources
from apportion.policy import check_policy, load_policy
from apportion_models.errors import Finding


def lint(policy: str | Path | None, sources: Sources, *, at: pd.Timestamp | None = None) -> list[Finding]:
    """What the linter finds, errors first.

    The leads' own expected revenue is not known here: `deal_value` stands for it where tiers need it.
    """
    read = read_sources(sources)
    tables = read.tables
    values = tables.leads["deal_value"] if "deal_value" in tables.leads else pd.Series(1.0, index=tables.leads.index)
    return check_policy(
        load_policy(policy),
        tables.leads,
        tables.reps,
        at=default_moment(tables) if at is None else at,
        expected=values.fillna(values.mean()).fillna(1.0).to_numpy(dtype=float),
        assigned=tables.assigned,
        accounts=tables.accounts,
        territories=tables.territories,
        calendar=tables.calendar,
        overrides=tables.overrides,
    )
