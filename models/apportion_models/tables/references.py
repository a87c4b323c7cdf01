"""What one table says of another: ids that are not where they should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from apportion_models.errors import Finding
from apportion_models.tables.words import one_currency

Severity = Literal["error", "notice"]
Frame = pd.DataFrame | None


@dataclass(frozen=True)
class _Link:
    """Ids in `table.column` that should be in `other.key`; `kind` narrows the rows."""

    table: str
    column: str
    other: str
    key: str
    severity: Severity
    message: str
    kind: str | None = None


_LINKS = (
    _Link("leads", "owner_rep_id", "reps", "rep_id", "notice", "is no rep of the reps table: read as a former rep"),
    _Link("leads", "account_id", "accounts", "account_id", "notice", "is not in the accounts table"),
    _Link("leads", "parent_account_id", "accounts", "account_id", "notice", "is not in the accounts table"),
    _Link("reps", "team_id", "teams", "team_id", "error", "is not in the teams table"),
    _Link("reps", "manager_id", "reps", "rep_id", "notice", "is no rep: a manager who takes no leads"),
    _Link("history", "rep_id", "reps", "rep_id", "notice", "is no rep of the reps table: read as a former rep"),
    _Link("history", "account_id", "accounts", "account_id", "notice", "is not in the accounts table"),
    _Link(
        "accounts",
        "owner_rep_id",
        "reps",
        "rep_id",
        "notice",
        "is no rep of the reps table: the account counts as free",
    ),
    _Link("accounts", "parent_account_id", "accounts", "account_id", "notice", "is not in the accounts table"),
    _Link("teams", "manager_id", "reps", "rep_id", "notice", "is no rep: a manager who takes no leads"),
    _Link("teams", "parent_team_id", "teams", "team_id", "error", "is not in the teams table"),
    _Link("territories", "rep_id", "reps", "rep_id", "error", "is no rep, so that nobody covers the territory there"),
    _Link("calendar", "rep_id", "reps", "rep_id", "notice", "is no rep of the reps table"),
    _Link("overrides", "lead_id", "leads", "lead_id", "notice", "is not in this batch"),
    _Link("overrides", "rep_id", "reps", "rep_id", "error", "is no rep, and cannot be locked to a lead", "lock"),
    _Link("overrides", "rep_id", "reps", "rep_id", "notice", "is no rep: the ban has no effect", "ban"),
    _Link("assignments", "rep_id", "reps", "rep_id", "notice", "is no rep of the reps table: read as a former rep"),
)


def check_references(
    leads: pd.DataFrame,
    reps: pd.DataFrame,
    history: Frame = None,
    *,
    accounts: Frame = None,
    teams: Frame = None,
    territories: Frame = None,
    calendar: Frame = None,
    overrides: Frame = None,
    assignments: Frame = None,
) -> list[Finding]:
    """Ids that one table has and the table they point to lacks: one Finding for each column, with the count of rows.

    Tables that are absent are not checked. An error cannot be planned with (a lock to nobody); a notice can (a former
    rep in history). `row` is None, because the frames no longer know the source's rows; `value` is the first id.
    """
    tables: dict[str, Frame] = {
        "leads": leads,
        "reps": reps,
        "history": history,
        "accounts": accounts,
        "teams": teams,
        "territories": territories,
        "calendar": calendar,
        "overrides": overrides,
        "assignments": assignments,
    }
    found = [finding for link in _LINKS if (finding := _follow(link, tables[link.table], tables[link.other]))]
    found += _territories(reps, territories)
    return found + _alike(leads, history)


def _follow(link: _Link, frame: Frame, other: Frame) -> Finding | None:
    if frame is None or other is None or link.column not in frame.columns or link.key not in other.columns:
        return None
    ids = frame[link.column]
    if link.kind is not None:
        ids = ids[frame["kind"] == link.kind]
    return _missing(link, ids, other[link.key])


def _missing(link: _Link, ids: pd.Series[Any], known: pd.Series[Any]) -> Finding | None:
    unknown = ids[ids.notna() & ~ids.isin(known)]
    if unknown.empty:
        return None
    # The first by name, not by place: the order of rows changes nothing.
    distinct = sorted(unknown.unique())
    folded = {str(name).casefold().replace(" ", ""): str(name) for name in known.dropna()}
    alike = next(
        (f"'{name}' and '{twin}'" for name in distinct if (twin := folded.get(str(name).casefold().replace(" ", "")))),
        None,
    )
    remedy = f"Are {alike} the same? Map one to the other with `values`." if alike else ""
    if not remedy and link.severity == "error":
        remedy = f"Add it to {link.other}, or correct it."
    several = "" if len(distinct) == 1 else f" ({len(distinct)} different ids)"
    return Finding(
        severity=link.severity,
        table=link.table,
        column=link.column,
        message=link.message + several,
        value=distinct[0],
        count=len(unknown),
        remedy=remedy,
    )


def _territories(reps: pd.DataFrame, territories: Frame) -> list[Finding]:
    """Territories that reps claim and the cover table does not know."""
    if territories is None or "territories" not in reps.columns:
        return []
    link = _Link("reps", "territories", "territories", "territory", "notice", "is not in the territories table")
    finding = _missing(link, reps["territories"].explode().astype("str"), territories["territory"])
    return [] if finding is None else [finding]


def _alike(leads: pd.DataFrame, history: Frame) -> list[Finding]:
    """Leads and history speak of the same things in the same way."""
    if history is None:
        return []
    found = []
    both = [
        name
        for name in leads.columns
        if name in history.columns and leads[name].notna().any() and history[name].notna().any()
    ]
    for name in both:
        one, two = pd.api.types.is_numeric_dtype(leads[name]), pd.api.types.is_numeric_dtype(history[name])
        if one != two:
            here, there = ("a number" if numeric else "text" for numeric in (one, two))
            message = f"is {here} here and {there} in history, so that nothing can be learned from it."
            found.append(
                Finding(severity="notice", table="leads", column=name, message=message, remedy="Write it in one way.")
            )
    if "currency" in both:
        words = {str(word).upper() for frame in (leads, history) for word in frame["currency"].dropna().unique()}
        if one_currency(words) is None:
            shown = " and ".join(sorted(words))
            found.append(
                Finding(
                    severity="error",
                    table="leads",
                    column="currency",
                    message=f"must be history's currency too; there are {shown}.",
                    remedy="Convert the amounts.",
                )
            )
    return found
