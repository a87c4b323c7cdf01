"""Which columns may be a feature at all: the one place for that rule.

Three kinds never are: keys and names (they do not generalise), what is known only after the assignment (it leaks the
outcome), and protected attributes of people (refused unless a person overrides it on record).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from apportion_models.errors import Finding, InputError
from apportion_models.features.protected import attribute_of, refused


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYS = _words(
    "lead_id account_id parent_account_id rep_id owner_rep_id manager_id id uuid guid name account_name company_name "
    "contact_name lead_name email phone mobile website url domain address street notes note comment comments"
)
TIMES = _words("created_at assigned_at closed_at updated_at modified_at last_activity_at")
KNOWN_AFTER = _words(
    "outcome closed_at deal_value assigned_at closed_by close_reason lost_reason loss_reason won_reason won_at lost_at "
    "stage deal_stage status close_date close_value closed_value amount_won earned probability forecast_category "
    "first_response_minutes converted is_won is_closed"
)
# What an earlier plan, draw or experiment wrote beside its leads.
DECIDED = _words("expected_revenue runner_up_rep_id runner_up_cost propensity holdout arm")
# The history's own columns: that they are no features needs no telling.
CONTRACT = _words("outcome closed_at deal_value assigned_at created_at rep_id")
# A rep's columns that say how things stand today, not how they stood when past leads were worked.
REP_STATE = _words("capacity territories time_zone open_leads open_pipeline paused start_date")


def is_key(column: str) -> bool:
    """Whether the column identifies or names something, so that nothing learned on it carries over."""
    low = column.lower()
    return low in KEYS or low.endswith(("_id", "_email", "_phone", "_url"))


def candidate_columns(
    table: pd.DataFrame,
    *,
    name: str,
    wanted: Sequence[str] | None,
    override: Mapping[str, object],
    declared: Sequence[str] = (),
) -> tuple[list[str], list[Finding]]:
    """The columns of `table` that may be features, in alphabetical order, and a notice for each that was refused.

    `wanted` limits the choice (None: whatever is there). declared : columns that are protected whatever their name.
    Raises InputError, with all findings, when `wanted` names a column that is absent, known only after the assignment,
    a key, a time, or protected and not overridden.
    """
    notices: list[Finding] = []
    errors: list[Finding] = []
    chosen: list[str] = []
    for column in sorted(str(c) for c in (table.columns if wanted is None else set(wanted))):
        attribute = attribute_of(column, declared)
        if column in table.columns and attribute is not None and column not in override:
            found = refused(name, column, attribute, "notice" if wanted is None else "error")
            (notices if wanted is None else errors).append(found)
            continue
        why = _refusal(table, column)
        if why is None:
            chosen.append(column)
        elif wanted is not None:
            errors.append(_refused("error", name, column, why))
        elif why[1]:
            notices.append(_refused("notice", name, column, why))
    if errors:
        raise InputError(errors)
    return chosen, notices


def _refused(severity: Literal["error", "notice"], table: str, column: str, why: tuple[str, bool, str]) -> Finding:
    return Finding(severity=severity, table=table, column=column, message=why[0], remedy=why[2])


def _refusal(table: pd.DataFrame, column: str) -> tuple[str, bool, str] | None:
    """(message, worth telling unasked, remedy) when the column must not be a feature."""
    low = column.lower()
    if column not in table.columns:
        return "this column is asked for as a feature and is not in the table.", True, "Leave it out, or add it."
    if low in KNOWN_AFTER:
        return "known only after the assignment, so it would leak the outcome.", low not in CONTRACT, "Leave it out."
    if low in DECIDED:
        return (
            "written by an earlier plan or draw: it says how a lead was dealt, not what it is.",
            True,
            "Leave it out.",
        )
    if is_key(column):
        return "a key or a name: nothing learned on it carries over to new leads.", False, "Leave it out."
    if low in TIMES or pd.api.types.is_datetime64_any_dtype(table[column]):
        return "a time is not used as a feature as it stands.", low not in TIMES, "Give a number of days instead."
    return None
