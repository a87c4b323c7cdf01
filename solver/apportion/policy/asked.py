"""Ask the policy's predicates about one batch; what does not fit the tables is told with key path and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.predicates import Predicate, PredicateError, Tables, holds
from apportion.policy.schema import Policy
from apportion_models.errors import Finding, PolicyError, TableError

Bools = NDArray[np.bool_]


def moment(at: object) -> pd.Timestamp:
    """`at` as a UTC time; one without a zone is taken as UTC."""
    stamp = pd.Timestamp(at)  # type: ignore[arg-type]
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def with_derived(policy: Policy, reps: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """The reps with what rules may ask for besides: `workload` (open leads per unit of capacity), `days_in_role`."""
    extra: dict[str, Any] = {}
    if "days_in_role" not in reps.columns:
        extra["days_in_role"] = days_in_role(reps, at)
    if "workload" not in reps.columns:
        base = base_capacity(policy, reps)
        extra["workload"] = numbers(reps, "open_leads") / np.where(base > 0, base, np.nan)
    return reps.assign(**extra)


def days_in_role(reps: pd.DataFrame, at: pd.Timestamp) -> NDArray[np.float64]:
    """Days since each rep's start_date at `at`, negative before it; NaN where there is none."""
    if "start_date" not in reps.columns:
        return np.full(len(reps), np.nan)
    start = pd.to_datetime(reps["start_date"], utc=True)
    return np.asarray((at - start).dt.total_seconds() / 86_400.0, dtype=float)


def base_capacity(policy: Policy, reps: pd.DataFrame) -> NDArray[np.float64]:
    """(R,) effort units in a window by the reps' table, else by level, else the default."""
    base = numbers(reps, "capacity")
    if policy.capacity.by_level and "level" in reps.columns:
        by_level = reps["level"].map(policy.capacity.by_level).to_numpy(dtype=float)
        base = np.where(np.isnan(base), by_level, base)
    return np.where(np.isnan(base), policy.capacity.default, base)


def numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """A number column; NaN throughout when the table has none."""
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[column].to_numpy(dtype=float, na_value=np.nan)


def texts(frame: pd.DataFrame, column: str) -> list[str | None]:
    """A column of ids or text, None where missing or when the table has none."""
    if column not in frame.columns:
        return [None] * len(frame)
    return [None if gap else str(value) for value, gap in zip(frame[column], frame[column].isna(), strict=True)]


def flags(frame: pd.DataFrame, column: str) -> Bools:
    """A flag column; false where missing or when the table has none."""
    if column not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    gone = frame[column].isna()
    return np.array([not gap and bool(value) for value, gap in zip(frame[column], gone, strict=True)], dtype=bool)


def needed(frame: pd.DataFrame, table: str, columns: Sequence[str]) -> None:
    """Raise TableError with every column that a rule needs of a table and that is not there."""
    gone = [name for name in columns if name not in frame.columns]
    if gone:
        message = "A rule of the policy needs this column of the table."
        remedy = f"The table has: {', '.join(map(str, frame.columns))}."
        raise TableError(
            Finding(severity="error", table=table, column=name, message=message, remedy=remedy) for name in gone
        )


class Asked:
    """One batch's leads and reps, ready for the policy's predicates."""

    def __init__(
        self, policy: Policy, *, at: object, leads: pd.DataFrame | None = None, reps: pd.DataFrame | None = None
    ) -> None:
        self.policy, self.at = policy, moment(at)
        self.leads, self.reps = leads, None if reps is None else with_derived(policy, reps, self.at)
        self.tables = Tables(leads=self.leads, reps=self.reps, at=self.at)

    def check(self, *sections: str) -> None:
        """Raise PolicyError with everything in these sections that does not fit the tables."""
        findings = list(self.misfits(sections))
        if findings:
            raise PolicyError(findings)

    def misfits(self, sections: Sequence[str]) -> Iterator[Finding]:
        """A finding for each predicate over tables that are here and that does not fit them, by a probe of one
        entry a column."""
        probe = self.tables.probe()
        absent = {"lead": self.leads is None, "rep": self.reps is None, "pair": self.leads is None or self.reps is None}
        for path, predicate in self.policy.predicates(*sections):
            if path.startswith(tuple(sections)) and not absent[predicate.scope]:
                try:
                    holds(predicate, probe)
                except PredicateError as error:
                    yield self._finding(path, error)

    def holds(self, predicate: Predicate, path: str) -> Bools:
        """(L,), (R,) or (L, R), by the predicate's scope. Raises PolicyError."""
        try:
            return holds(predicate, self.tables)
        except PredicateError as error:
            raise PolicyError(self._finding(path, error)) from None

    def first(self, predicates: Iterable[tuple[str, Predicate]], count: int) -> NDArray[np.int64]:
        """(count,) index of the first predicate that holds for each row, -1 where none does."""
        found = np.full(count, -1)
        for index, (path, predicate) in enumerate(predicates):
            found[(found < 0) & self.holds(predicate, path)] = index
        return found

    def _finding(self, path: str, error: PredicateError) -> Finding:
        message = f"{error.message}, at character {error.position + 1}"
        return self.policy.finding("error", path, message, value=error.text, remedy=error.remedy)
