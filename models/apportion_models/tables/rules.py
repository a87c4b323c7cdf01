"""What must hold between the rows and between the columns of one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from apportion_models.tables.contracts import Table
from apportion_models.tables.notes import Mask, Notes, Rows
from apportion_models.tables.words import one_currency


@dataclass
class Checked:
    """A parsed table under check. `frame` (n rows, RangeIndex) and `rows` (n,) may be changed by a rule.

    `empty` marks (n,) the cells of a column that had no value, apart from those whose value was refused.
    """

    table: Table
    frame: pd.DataFrame
    rows: Rows
    notes: Notes
    date_only: dict[str, Mask] = field(default_factory=dict)
    empty: dict[str, Mask] = field(default_factory=dict)

    def mark(self, severity: Any, message: str, mask: Any, *, column: str, remedy: str = "") -> None:
        """Note one thing where `mask` (n,) is true."""
        marks = np.asarray(mask, dtype=bool)
        self.notes.where(severity, message, marks, self.rows, column=column, values=self.frame[column], remedy=remedy)

    def has(self, *columns: str) -> bool:
        """Whether the table has all these columns."""
        return set(columns) <= set(self.frame.columns)


def check(checked: Checked) -> None:
    """Apply the rules of every table, then those of this one."""
    _required(checked)
    _duplicates(checked)
    for rule in RULES.get(checked.table.name, ()):
        rule(checked)


def check_currency(named: dict[str, str], wanted: str | None, notes: Notes, frame: pd.DataFrame) -> None:
    """All amounts of a table are of one currency: by their signs, by a column `currency`, by the mapping."""
    said = {f"column '{name}'": currency for name, currency in named.items() if currency}
    if "currency" in frame.columns:
        for word in sorted(set(frame["currency"].dropna().str.upper())):
            said[f"'{word}' in column 'currency'"] = word
    if wanted:
        said["the mapping's `currency`"] = wanted
    if one_currency(set(said.values())) is None:
        shown = ", ".join(f"{place} says {currency}" for place, currency in said.items())
        notes.add(
            "error",
            f"all amounts must be of one currency; {shown}",
            remedy="Convert the amounts, or keep one currency's rows with the mapping's `where`.",
        )


def _required(checked: Checked) -> None:
    for column in checked.table.columns:
        if column.required and column.name in checked.empty:
            remedy = f"Fill it, or set the mapping key `{checked.table.name}.defaults.{column.name}`."
            checked.mark("error", "must not be empty", checked.empty[column.name], column=column.name, remedy=remedy)


def _refused(checked: Checked, column: str) -> bool:
    """Whether the column's values were refused already, so that they are missing for that reason."""
    return any(finding.column == column for finding in checked.notes.errors)


def _duplicates(checked: Checked) -> None:
    """Rows of one key: identical ones are left out but for the first, differing ones refused."""
    key = list(checked.table.key)
    if key and not checked.has(*key):
        return
    frame = checked.frame
    same = frame.duplicated(subset=key or None, keep=False).to_numpy(dtype=bool)
    if key:
        same = same & frame[key].notna().all(axis=1).to_numpy(dtype=bool)
    if not same.any():
        return
    shown = key[0] if key else str(frame.columns[0])
    again = np.zeros(len(frame), dtype=bool)
    again[same] = frame[same].duplicated(keep="first").to_numpy(dtype=bool)
    checked.mark("repair", "row stands more than once; read once", again, column=shown)
    differs = np.zeros(len(frame), dtype=bool)
    rest = same & ~again
    if key:
        differs[rest] = frame[rest].duplicated(subset=key, keep="first").to_numpy(dtype=bool)
    if differs.any():
        _tell_differing(checked, key, rest, differs)
    checked.frame = frame[~again].reset_index(drop=True)
    checked.rows = checked.rows[~again]
    checked.date_only = {name: mask[~again] for name, mask in checked.date_only.items()}


def _tell_differing(checked: Checked, key: list[str], rest: Mask, differs: Mask) -> None:
    """Name the first two rows that contradict each other, and in which columns."""
    frame, at = checked.frame, int(differs.argmax())
    alike = rest & (frame[key] == frame.loc[at, key]).all(axis=1).to_numpy(dtype=bool)
    first = int(alike.argmax())
    both = frame.loc[[first, at]]
    columns = [name for name in frame.columns if len(both[[name]].drop_duplicates()) == 2]
    pair = f"{checked.rows[first]} and {checked.rows[at]}"
    what = " and ".join(f"`{name}`" for name in key)
    checked.mark(
        "error",
        f"{what} must be once in the table; rows {pair} share it and differ in {', '.join(columns)}",
        differs,
        column=key[0],
        remedy="Keep the right row.",
    )


def _history_created(checked: Checked) -> None:
    """A history without arrival times dates each lead by its assignment."""
    frame = checked.frame
    if not checked.has("assigned_at"):
        return
    if not checked.has("created_at"):
        frame.insert(1, "created_at", frame["assigned_at"])
        checked.notes.add("repair", "there is no such column; taken from `assigned_at`", column="created_at")
        return
    empty = frame["created_at"].isna() & frame["assigned_at"].notna()
    if not _refused(checked, "created_at"):
        checked.mark("repair", "is empty; taken from `assigned_at`", empty, column="created_at")
    frame["created_at"] = frame["created_at"].where(~empty, frame["assigned_at"])
    late = frame["created_at"].dt.floor("D") > frame["assigned_at"]
    checked.mark("notice", "lies after `assigned_at`", late, column="created_at")


def _history_closed(checked: Checked) -> None:
    """`closed_at` belongs to leads that are won or lost, and does not come before `assigned_at`."""
    frame = checked.frame
    if not checked.has("outcome", "closed_at", "assigned_at"):
        return
    opened = (frame["outcome"] == "open") & frame["closed_at"].notna()
    # CRM systems keep the expected close date in the same field, so an open lead's date is no contradiction there.
    checked.mark("repair", "is set on an open lead: an expected date, left out", opened, column="closed_at")
    frame["closed_at"] = frame["closed_at"].mask(opened)
    early = frame["closed_at"] < frame["assigned_at"]
    no_clock = checked.date_only.get("closed_at", np.zeros(len(frame), dtype=bool))
    same_day = early & no_clock & (frame["assigned_at"] - frame["closed_at"] < pd.Timedelta(days=1))
    checked.mark(
        "repair", "is a date, and `assigned_at` a time on that day; closed at that time", same_day, column="closed_at"
    )
    frame["closed_at"] = frame["closed_at"].where(~same_day, frame["assigned_at"])
    checked.mark(
        "error",
        "must not lie before `assigned_at`",
        early & ~same_day,
        column="closed_at",
        remedy="Correct one of the two.",
    )
    undated = frame["outcome"].isin(["won", "lost"]) & frame["closed_at"].isna()
    if not _refused(checked, "closed_at"):
        checked.mark(
            "notice", "is won or lost with no `closed_at`: counted, with its date unknown", undated, column="outcome"
        )


def _history_worth(checked: Checked) -> None:
    """Only what was won was earned."""
    if not checked.has("outcome", "deal_value"):
        return
    outcome, value = checked.frame["outcome"], checked.frame["deal_value"]
    checked.mark(
        "notice",
        "is set on a lead that was not won: an estimate, never counted as earned",
        (outcome != "won") & (value > 0),
        column="deal_value",
    )
    if not _refused(checked, "deal_value"):
        checked.mark(
            "notice",
            "is empty on a won lead: its value is unknown",
            (outcome == "won") & value.isna(),
            column="deal_value",
        )


def _history_sides(checked: Checked) -> None:
    """With one outcome alone there is nothing to learn; often a mapping missed a word."""
    if checked.has("outcome") and len(checked.frame):
        for word in sorted({"won", "lost"} - set(checked.frame["outcome"].dropna().unique())):
            checked.notes.add(
                "notice", f"no lead is {word}", column="outcome", remedy="Check the mapping's `values` and `where`."
            )


def _reps_zone(checked: Checked) -> None:
    if not checked.has("time_zone"):
        return
    zones = checked.frame["time_zone"]
    unknown = {zone for zone in zones.dropna().unique() if not _is_zone(str(zone))}
    checked.mark(
        "error",
        "must be an IANA time zone",
        zones.isin(unknown),
        column="time_zone",
        remedy="Write it as in Europe/Berlin.",
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return False
    return True


def _calendar_span(checked: Checked) -> None:
    if checked.has("start", "end"):
        wrong = checked.frame["end"] <= checked.frame["start"]
        checked.mark("error", "must lie after `start`", wrong, column="end", remedy="Correct one of the two.")


def _override_locks(checked: Checked) -> None:
    """A lead can be locked to one rep only."""
    if not checked.has("lead_id", "rep_id", "kind"):
        return
    locks = checked.frame["kind"] == "lock"
    again = locks & checked.frame.where(locks)["lead_id"].duplicated(keep="first") & checked.frame["lead_id"].notna()
    checked.mark(
        "error", "must be locked to one rep, and is locked to several", again, column="lead_id", remedy="Keep one lock."
    )


def _account_parents(checked: Checked) -> None:
    """A parent is another account, and nobody is their own ancestor."""
    if not checked.has("account_id", "parent_account_id"):
        return
    frame = checked.frame
    own = frame["account_id"] == frame["parent_account_id"]
    checked.mark("repair", "is the account itself; read as no parent", own, column="parent_account_id")
    frame["parent_account_id"] = frame["parent_account_id"].mask(own)
    known = pd.Index(frame["account_id"]).drop_duplicates()
    at = known.get_indexer(pd.Index(frame["account_id"]))
    up = np.full(len(known) + 1, len(known), dtype=np.int64)
    above = known.get_indexer(pd.Index(frame["parent_account_id"]))
    up[at] = np.where(frame["parent_account_id"].isna() | (above < 0), len(known), above)
    for _ in range(len(known).bit_length() + 1):  # doubling: after k rounds, 2^k steps up
        up = up[up]
    checked.mark(
        "error",
        "must not lead back to the account itself through its parents",
        up[at] < len(known),
        column="parent_account_id",
        remedy="Break the circle.",
    )


RULES: dict[str, tuple[Callable[[Checked], None], ...]] = {
    "history": (_history_created, _history_closed, _history_worth, _history_sides),
    "reps": (_reps_zone,),
    "calendar": (_calendar_span,),
    "overrides": (_override_locks,),
    "accounts": (_account_parents,),
}
