"""The history as cases: one row a lead, the first owner, what was known at a moment, in an order of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding, TableError
from apportion_models.features.columns import numbers, texts
from apportion_models.features.reps import to_days

Floats = NDArray[np.float64]

OUTCOMES = {"won": 1, "lost": 0, "open": -1}
FAR_AHEAD_DAYS = 180.0
NEEDED = ("lead_id", "rep_id", "outcome")


@dataclass(frozen=True, kw_only=True)
class Cases:
    """One row a lead, sorted by assignment time and id. Times are days since 1970 in UTC."""

    frame: pd.DataFrame  # the leads' columns, as they were on the first owner's row
    rep_id: NDArray[np.object_]  # (n,) the first owner
    assigned: Floats  # (n,) zeros when the history is undated
    closed: Floats  # (n,) NaN when open or unknown
    outcome: NDArray[np.int8]  # (n,) 1 won, 0 lost, -1 open
    value: Floats  # (n,) earned when won, else NaN
    estimate: Floats  # (n,) value noted on rows that are not won, else NaN
    as_of: float  # the moment of knowledge; inf when undated
    dated: bool

    def __len__(self) -> int:
        return int(self.outcome.size)

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """(n,) won or lost."""
        return self.outcome >= 0

    @property
    def wins(self) -> int:
        """How many are won."""
        return int((self.outcome == 1).sum())

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Cases:
        """Only these rows."""
        picked = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return replace(
            self,
            frame=self.frame.iloc[picked],
            **{
                name: getattr(self, name)[picked]
                for name in ("rep_id", "assigned", "closed", "outcome", "value", "estimate")
            },
        )

    def known_at(self, moment: float) -> Cases:
        """What was known at `moment` (days): later leads are gone, and what closed later was still open."""
        if not self.dated:
            return self
        past = self.take(self.assigned <= moment)
        still = past.resolved & (past._closing_time() > moment)
        return replace(
            past,
            outcome=np.where(still, -1, past.outcome).astype(np.int8),
            closed=np.where(still, np.nan, past.closed),
            value=np.where(still, np.nan, past.value),
            as_of=moment,
        )

    def _closing_time(self) -> Floats:
        """(n,) when each closed; where a closed lead lacks the date, its like's median delay is assumed."""
        closing = self.closed.copy()
        for outcome in (0, 1):
            same = self.outcome == outcome
            delay = (self.closed - self.assigned)[same]
            typical = float(np.nanmedian(delay)) if np.isfinite(delay).any() else 0.0
            unknown = same & np.isnan(closing)
            closing[unknown] = self.assigned[unknown] + typical
        return closing


def read_cases(history: pd.DataFrame, *, until: pd.Timestamp | None = None) -> tuple[Cases, list[Finding]]:
    """Check the history and reduce it to cases; the findings tell what was left out or put together.

    The rep that counts is the first owner: who works a lead later is decided by how it went. A lead listed more than
    once is won if it ever was, else open while its last row is, else lost.
    Raises TableError with every finding when the contract is broken or no lead is won or lost.
    """
    _check(history)
    table, findings = _with_owner(history)
    assigned, dated, more = _times(table)
    findings += more
    keep = ~np.isnan(assigned)
    table, assigned = table.loc[keep], assigned[keep]
    lead_ids, rep_ids = texts(table, "lead_id").astype(str), texts(table, "rep_id").astype(str)
    outcome = np.array([OUTCOMES[word] for word in texts(table, "outcome")], dtype=np.int8)
    closed = to_days(table["closed_at"]) if "closed_at" in table.columns else np.full(len(table), np.nan)
    findings += _odd_dates(assigned, closed) if dated else []
    earned = numbers(table, "deal_value")
    order = np.lexsort((np.nan_to_num(earned, nan=-1.0), outcome, np.nan_to_num(closed), rep_ids, lead_ids, assigned))
    cases = Cases(
        frame=table.iloc[order].reset_index(drop=True),
        rep_id=rep_ids[order].astype(object),
        assigned=assigned[order],
        closed=np.where(outcome >= 0, closed, np.nan)[order],
        outcome=outcome[order],
        value=np.where(outcome == 1, earned, np.nan)[order],
        estimate=np.where(outcome == 1, np.nan, earned)[order],
        as_of=_last_moment(assigned, closed) if dated else np.inf,
        dated=dated,
    )
    cases, merged = _first_owner(cases, lead_ids[order])
    findings += merged
    if until is not None:
        cases = cases.known_at(until.timestamp() / 86_400.0)
    if not cases.resolved.any():
        message = "no lead is won or lost" + ("." if until is None else f" by {until.date()}.")
        remedy = "A fit model needs leads with an outcome: give an older or a longer history."
        raise TableError(Finding(severity="error", table="history", column="outcome", message=message, remedy=remedy))
    return cases, findings


def check_table(table: object, name: str, needed: tuple[str, ...]) -> list[Finding]:
    """What keeps `table` from being a table with the `needed` columns."""
    if not isinstance(table, pd.DataFrame):
        message = "must be a pandas DataFrame."
        return [Finding(severity="error", table=name, message=message, value=type(table).__name__)]
    doubled = [
        Finding(
            severity="error", table=name, column=str(column), message="two columns have this name.", remedy="Keep one."
        )
        for column in table.columns[table.columns.duplicated()].unique()
    ]
    return doubled + [
        Finding(severity="error", table=name, column=column, message="this column is missing.", remedy="Add it.")
        for column in needed
        if column not in table.columns
    ]


def check_ids(table: pd.DataFrame, name: str, column: str) -> list[Finding]:
    """Findings for missing ids and, per id, for duplicates."""
    ids = pd.Series(texts(table, column))
    missing = np.flatnonzero(ids.isna())
    doubled = np.flatnonzero(ids.duplicated() & ids.notna())
    out = []
    for rows, message, remedy in (
        (missing, "the id is missing.", "Give every row an id."),
        (doubled, "the id occurs more than once.", "Keep one row for each."),
    ):
        if rows.size:
            first = int(rows[0])
            out.append(
                Finding(
                    severity="error",
                    table=name,
                    row=first + 1,
                    column=column,
                    value=None if pd.isna(ids[first]) else ids[first],
                    message=message,
                    remedy=remedy,
                    count=int(rows.size),
                )
            )
    return out


def _check(history: pd.DataFrame) -> None:
    errors = check_table(history, "history", NEEDED)
    if not errors and len(history) == 0:
        errors.append(Finding(severity="error", table="history", message="it has no rows.", remedy="Give past leads."))
    if not errors:
        words = texts(history, "outcome")
        strange = np.flatnonzero([word not in OUTCOMES for word in words])
        if strange.size:
            first = int(strange[0])
            errors.append(
                Finding(
                    severity="error",
                    table="history",
                    row=first + 1,
                    column="outcome",
                    value=words[first],
                    message="must be won, lost or open.",
                    remedy="Map the words of your CRM in the mapping file.",
                    count=int(strange.size),
                )
            )
        blank = np.flatnonzero(pd.isna(texts(history, "lead_id")))
        if blank.size:
            message = "the id is missing."
            row = int(blank[0]) + 1
            errors.append(
                Finding(severity="error", table="history", row=row, column="lead_id", message=message, count=blank.size)
            )
    if errors:
        raise TableError(errors)


def _with_owner(history: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Without the rows that nobody owned."""
    orphan = pd.isna(texts(history, "rep_id"))
    if not orphan.any():
        return history, []
    row, count = int(np.flatnonzero(orphan)[0]) + 1, int(orphan.sum())
    message = "no rep owned this lead, so it says nothing of how reps convert; left out."
    notice = Finding(severity="notice", table="history", row=row, column="rep_id", message=message, count=count)
    if orphan.all():
        message = "no row has a rep."
        raise TableError(Finding(severity="error", table="history", column="rep_id", message=message))
    return history.loc[~orphan], [notice]


def _times(table: pd.DataFrame) -> tuple[Floats, bool, list[Finding]]:
    """(n,) assignment times in days (NaN: leave the row out), whether the history is dated, and findings."""
    assigned = np.full(len(table), np.nan)
    for column in ("assigned_at", "created_at"):
        if column in table.columns:
            assigned = np.where(np.isnan(assigned), to_days(table[column]), assigned)
    missing = np.isnan(assigned)
    if not missing.any():
        return assigned, True, []
    where = {"table": "history", "column": "assigned_at", "count": int(missing.sum())}
    if missing.all():
        message = "no row has a date, so nothing can be tested out of time and no effect is believed."
        finding = Finding(severity="notice", message=message, remedy="Add assigned_at.", **where)  # type: ignore[arg-type]
        return np.zeros(len(table)), False, [finding]
    message = "the assignment date is missing (and created_at too); left out."
    finding = Finding(severity="notice", message=message, row=int(np.flatnonzero(missing)[0]) + 1, **where)  # type: ignore[arg-type]
    return assigned, True, [finding]


def _odd_dates(assigned: Floats, closed: Floats) -> list[Finding]:
    """Notices of dates that cannot be right. They are used as they stand; only a person knows what was meant."""
    findings = []
    backwards = int((closed < assigned).sum())
    if backwards:
        message = "a lead was closed before it was assigned; it counts as closed at once."
        where = {"table": "history", "column": "closed_at", "count": backwards}
        findings.append(Finding(severity="notice", message=message, **where))  # type: ignore[arg-type]
    known = np.concatenate([assigned, closed])
    known = np.sort(known[~np.isnan(known)])
    bulk = float(np.quantile(known, 0.99))
    if known[-1] - bulk > max(FAR_AHEAD_DAYS, 0.5 * (bulk - known[0])):
        day = str(pd.Timestamp(known[-1] * 86_400.0, unit="s", tz="UTC").date())
        message = "the last date lies far after all others; open leads are judged by their age on that day."
        remedy = "Mend the date, or fit with `until` set to the day the history was taken."
        column = "assigned_at" if np.nanmax(assigned) == known[-1] else "closed_at"
        findings.append(
            Finding(severity="notice", table="history", column=column, value=day, message=message, remedy=remedy)
        )
    return findings


def _last_moment(assigned: Floats, closed: Floats) -> float:
    known = np.concatenate([assigned, closed])
    return float(np.nanmax(known))


def _first_owner(cases: Cases, lead_ids: NDArray[np.str_]) -> tuple[Cases, list[Finding]]:
    """One row a lead: the first owner's, with the lead's final outcome."""
    codes, uniques = pd.factorize(lead_ids.astype(object))
    if len(uniques) == len(lead_ids):
        return cases, []
    first = np.flatnonzero(~pd.Series(codes).duplicated())
    last = np.flatnonzero(~pd.Series(codes).duplicated(keep="last"))
    source = last[np.argsort(codes[last])]  # the row that tells the outcome, by code
    won = np.flatnonzero(cases.outcome == 1)
    won = won[~pd.Series(codes[won]).duplicated().to_numpy()]
    source[codes[won]] = won
    final = source[codes[first]]
    one = replace(
        cases.take(first),
        closed=cases.closed[final],
        outcome=cases.outcome[final],
        value=cases.value[final],
        estimate=cases.estimate[final],
    )
    count = len(lead_ids) - len(uniques)
    message = "leads listed more than once count once, for their first owner, with their final outcome."
    return one, [Finding(severity="notice", table="history", column="lead_id", message=message, count=count)]
