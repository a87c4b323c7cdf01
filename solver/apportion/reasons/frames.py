"""The plan as tables: the input tables, extended."""

from __future__ import annotations

from typing import Any

import pandas as pd

from apportion.build.batch import Batch
from apportion.problem import Plan
from apportion.reasons.explain import Explanations, explain
from apportion_models.errors import sentence

PLAN_COLUMNS = (
    "rep_id",
    "fit",
    "expected_revenue",
    "runner_up_rep_id",
    "reason",
    "tier",
    "opportunity",
    "outcome",
    "runner_up_cost",
    "propensity",
)
_TEXT = ("rep_id", "runner_up_rep_id", "reason", "tier", "outcome")


def assignments_frame(batch: Batch, plan: Plan, *, explanations: Explanations | None = None) -> pd.DataFrame:
    """Every lead of the input exactly once, in input order: the leads' columns, then PLAN_COLUMNS.

    rep_id is "" for nurture and rejected leads, outcome "assigned", "nurture" or "reject". A column of the leads that
    bears the name of a plan's column is kept under `lead_<name>`.
    """
    reasons = explanations or explain(batch, plan)
    leads = batch.leads.reset_index(drop=True)
    leads = leads.rename(columns={name: _free(f"lead_{name}", leads) for name in PLAN_COLUMNS if name in leads.columns})
    told = reasons.leads[list(PLAN_COLUMNS)].set_axis(batch.rows)
    every = told.astype(dict.fromkeys(_TEXT, object)).reindex(range(len(leads)))
    out = every.index.difference(told.index)
    screened = batch.screened.reset_index(drop=True)
    every.loc[out, "outcome"] = screened.loc[out, "outcome"].where(screened.loc[out, "outcome"] == "reject", "nurture")
    every.loc[out, "reason"] = [_reason(reason) for reason in screened.loc[out, "reason"]]
    for name in ("rep_id", "runner_up_rep_id"):
        every[name] = every[name].where(every[name].notna(), "")
    return pd.concat([leads, every], axis=1)


def beside_source(source: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The leads' source with all its columns, under its own names and in its order, then PLAN_COLUMNS.

    told : `assignments_frame`, row by row the same leads. `lead_id` is always the id as it was read: in its place where
    the source calls it so, else first of the new columns. A column of the source that bears the name of a new one is
    kept under `lead_<name>`.
    """
    ids = told["lead_id"].astype(str)
    own_id = "lead_id" in source.columns and bool((_ids(source["lead_id"]) == ids).all())
    new = [*([] if own_id else ["lead_id"]), *PLAN_COLUMNS]
    kept = source.rename(columns={name: _free(f"lead_{name}", source) for name in new if name in source.columns})
    if own_id:
        kept["lead_id"] = ids
    return pd.concat([kept, told[new]], axis=1)


def _ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as a table's reader takes them: without outer spaces, and 7 where a column of floats has 7.0."""
    if pd.api.types.is_float_dtype(column.dtype) and (column == column.round()).all():
        column = column.astype("int64")
    return column.astype(str).str.strip()


def reps_frame(batch: Batch, plan: Plan, *, explanations: Explanations | None = None) -> pd.DataFrame:
    """One row a rep, in the order of the reps table: see `rep_table`."""
    return (explanations or explain(batch, plan)).reps.copy()


def _free(name: str, leads: pd.DataFrame) -> str:
    while name in leads.columns:
        name += "_"
    return name


def _reason(reason: object) -> str:
    text = str(reason).strip() if pd.notna(reason) else ""  # type: ignore[call-overload]
    return sentence(text or "screened by the policy")
