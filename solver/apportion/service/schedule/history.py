"""What the store knows of past leads, as a history to learn from and to watch by."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from apportion.service.store import Tx
from apportion.service.store.cells import frame
from apportion.service.store.schema import assignments, leads, outcomes, reps
from apportion_models import read_history, read_reps

GIVEN = ("batch", "route", "person")  # origins of what really was given to somebody
KEPT = ("fit", "expected_revenue")


def history_of(tx: Tx) -> pd.DataFrame:
    """Every lead that a rep was given, with its first owner and what became of it: as `read_history` gives it."""
    found = [_case(row) for row in _given(tx)]
    first = {str(row["lead_id"]): row for row in reversed(found)}
    return read_history(frame(list(first.values()), "history"))


def given_of(tx: Tx) -> pd.DataFrame:
    """The leads that reps were given, with what the model expected of each: what `monitor` watches."""
    rows = [_case(row) | {name: row._mapping[name] for name in KEPT} for row in _given(tx)]
    whole = [row for row in rows if all(row[name] is not None for name in KEPT)]
    told = pd.DataFrame(whole).drop(columns=["outcome", "closed_at", "deal_value"], errors="ignore")
    return told.drop_duplicates("lead_id", keep="first").reset_index(drop=True) if len(told) else told


def reps_of(tx: Tx) -> pd.DataFrame:
    """Every rep that there is or was: as `read_reps` gives it."""
    rows = [{**rep.content, "rep_id": rep.rep_id} for rep in tx.reps.all(active=None)]
    return read_reps(frame(rows, "reps"))


def _given(tx: Tx) -> list[sa.Row[Any]]:
    column = assignments.c
    joined = (
        assignments.join(leads, column.lead_key == leads.c.lead_key)
        .join(reps, column.rep_key == reps.c.rep_key)
        .outerjoin(outcomes, column.lead_key == outcomes.c.lead_key)
    )
    told = (outcomes.c.outcome, outcomes.c.closed_at, outcomes.c.deal_value.label("earned"))
    asked = sa.select(
        leads.c.lead_id, leads.c.content, reps.c.rep_id, column.assigned_at, column.fit, column.expected_revenue, *told
    )
    mine = asked.select_from(joined).where(column.origin.in_(GIVEN), leads.c.state != "forgotten")
    return tx.assignments.rows(mine.order_by(column.id))


def _case(row: sa.Row[Any]) -> dict[str, Any]:
    """One lead's row of the history. Its own estimate of the deal value is not what was earned."""
    case = {name: cell for name, cell in row.content.items() if name not in ("deal_value", "owner_rep_id")}
    case |= {"lead_id": row.lead_id, "rep_id": row.rep_id, "assigned_at": row.assigned_at.isoformat()}
    case["outcome"] = row.outcome or "open"
    if row.closed_at is not None:
        case["closed_at"] = row.closed_at.isoformat()
    if row.outcome == "won" and row.earned is not None:
        case["deal_value"] = row.earned
    return case
