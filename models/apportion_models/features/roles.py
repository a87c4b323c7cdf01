"""Which columns may be a feature at all: the one place for that rule.

Three kinds never are: keys and names (they do not generalise), what is known only after the assignment (it leaks the
outcome), and protected attributes of people (refused unless a person overrides it on record).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from apportion_models.errors import Finding, InputError


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
# The history's own columns: that they are no features needs no telling.
CONTRACT = _words("outcome closed_at deal_value assigned_at created_at rep_id")
# A rep's columns that say how things stand today, not how they stood when past leads were worked.
REP_STATE = _words("capacity territories time_zone open_leads open_pipeline paused start_date")

PROTECTED_WORDS = _words(
    "gender sex ethnicity ethnic race racial nationality citizenship religion religious faith disability disabled "
    "marital married parental parent_status children pregnancy pregnant maternity paternity birth birthday birthdate "
    "birthplace dob pronoun pronouns orientation veteran photo picture portrait avatar firstname forename surname "
    "lastname health union politics political skin caste"
)
PROTECTED_PAIRS = (
    "first_name",
    "last_name",
    "family_status",
    "given_name",
    "full_name",
    "maiden_name",
    "year_of_birth",
)
AGE_FILLERS = _words("age rep person employee contact seller group band bracket years in of the")


def is_protected(column: str) -> bool:
    """Whether the column's name says that it holds a protected attribute of a person (or an obvious proxy)."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower())
    joined = "_".join(words)
    if PROTECTED_WORDS.intersection(words) or any(pair in joined for pair in PROTECTED_PAIRS):
        return True
    return ("age" in words or "ages" in words) and AGE_FILLERS.issuperset(words)


def is_key(column: str) -> bool:
    """Whether the column identifies or names something, so that nothing learned on it carries over."""
    low = column.lower()
    return low in KEYS or low.endswith(("_id", "_email", "_phone", "_url"))


def check_override(override: Mapping[str, str] | None) -> dict[str, str]:
    """The protected columns that somebody allowed, each with the reason on record.

    Raises InputError when a reason is empty: an override without a reason is no record.
    """
    allowed = dict(override or {})
    empty = sorted(column for column, reason in allowed.items() if not str(reason).strip())
    if empty:
        raise InputError(
            Finding(
                severity="error",
                table="model",
                column=column,
                message="an override of the deny-list must state who decided it and why, got an empty reason.",
                remedy="Write FitModel(override={column: 'who, when, why'}).",
            )
            for column in empty
        )
    return {column: str(reason) for column, reason in sorted(allowed.items())}


def candidate_columns(
    table: pd.DataFrame, *, name: str, wanted: Sequence[str] | None, override: Mapping[str, str]
) -> tuple[list[str], list[Finding]]:
    """The columns of `table` that may be features, in alphabetical order, and a notice for each that was refused.

    `wanted` limits the choice (None: whatever is there). Raises InputError, with all findings, when `wanted` names a
    column that is absent, known only after the assignment, a key, a time, or protected and not overridden.
    """
    notices: list[Finding] = []
    errors: list[Finding] = []
    chosen: list[str] = []
    for column in sorted(str(c) for c in (table.columns if wanted is None else set(wanted))):
        why = _refusal(table, column, override)
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


def _refusal(table: pd.DataFrame, column: str, override: Mapping[str, str]) -> tuple[str, bool, str] | None:
    """(message, worth telling unasked, remedy) when the column must not be a feature."""
    low = column.lower()
    if column not in table.columns:
        return "this column is asked for as a feature and is not in the table.", True, "Leave it out, or add it."
    if is_protected(column) and column not in override:
        remedy = "To use it, put it on record: FitModel(override={column: 'who, when, why'})."
        return "a protected attribute of a person is not used as a feature.", True, remedy
    if low in KNOWN_AFTER:
        return "known only after the assignment, so it would leak the outcome.", low not in CONTRACT, "Leave it out."
    if is_key(column):
        return "a key or a name: nothing learned on it carries over to new leads.", False, "Leave it out."
    if low in TIMES or pd.api.types.is_datetime64_any_dtype(table[column]):
        return "a time is not used as a feature as it stands.", low not in TIMES, "Give a number of days instead."
    return None
