"""What peers share: a rep's tenure on the ramp, level, team, and whether a declared skill matches the lead.

A rep without history is estimated by these alone. Nothing else about a rep is looked at unless it is asked for by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.features.columns import CategoryCoder, Coder, NumberCoder, coder_from_state, learn_coder, texts
from apportion_models.features.leads import Block, LeadEncoder, one_hot

Floats = NDArray[np.float64]

RAMP_DAYS = 90.0  # e-folding time of a new rep's deficit
DECLARED = ("skills", "languages", "specialism", "specialisms", "industries", "products", "use_cases")
MAX_LEVELS = 30


@dataclass(frozen=True, kw_only=True)
class Match:
    """One lead column whose values reps declare as skills."""

    column: str
    values: tuple[str, ...]  # casefolded, sorted

    def lead_codes(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """(n,) index of the lead's value among `values`, -1 for none."""
        codes, levels = pd.factorize(texts(table, self.column), use_na_sentinel=True)
        folded = pd.Index([str(level).casefold() for level in levels], dtype=object)
        place = pd.Index(self.values, dtype=object).get_indexer(folded).astype(np.int64)
        return np.append(place, -1)[codes]

    def declared(self, skills: Sequence[frozenset[str]]) -> Floats:
        """(R, V) 1 where the rep declares the value."""
        return np.array([[float(value in own) for value in self.values] for own in skills]).reshape(
            len(skills), len(self.values)
        )


@dataclass(frozen=True, kw_only=True)
class RepEncoder:
    """What was learned of the reps' columns. Build it with `RepEncoder.learn`."""

    coders: tuple[Coder, ...]
    tenure: bool  # start dates are known, and tenure varied in the history
    matches: tuple[Match, ...]
    declared: tuple[str, ...] = DECLARED  # the list columns that matches are read from

    @classmethod
    def learn(cls, reps: pd.DataFrame, extra: Sequence[str], leads: pd.DataFrame, encoder: LeadEncoder) -> RepEncoder:
        """Learn from the reps at work in the history, and from `leads`, the history's lead columns."""
        coders = []
        for column in [c for c in ("level", "team_id", *extra) if c in reps.columns]:
            # A level of rep with a single member is that rep; the rep's own effect already says it.
            coder, _ = learn_coder(reps, column, max_levels=MAX_LEVELS, min_count=2)
            if coder is not None:
                coders.append(coder)
        declared = tuple(column for column in DECLARED if column in reps.columns)
        return cls(
            coders=tuple(coders),
            tenure=bool("start_date" in reps.columns and reps["start_date"].notna().any()),
            matches=_learn_matches(declared_skills(reps, declared), leads, encoder),
            declared=declared,
        )

    def skills(self, reps: pd.DataFrame) -> list[frozenset[str]]:
        """Per rep, what is declared in the columns that the matches were learned from."""
        return declared_skills(reps, self.declared) if self.matches else []

    def static_part(self, reps: pd.DataFrame) -> Block:
        """(R, q) columns that do not change with time."""
        parts: list[Floats] = []
        groups: list[str] = []
        for coder in self.coders:
            if isinstance(coder, NumberCoder):
                parts.append(coder.encode(reps)[0][:, None])
                groups.append(f"rep {coder.name}")
            else:
                width = coder.width - coder.missing  # an unknown level counts as the average
                parts.append(one_hot(coder.encode(reps), width))
                groups += [f"rep {coder.name}"] * width
        return Block(matrix=np.hstack(parts) if parts else np.zeros((len(reps), 0)), groups=tuple(groups))

    def ramp(self, start_days: Floats, at_days: Floats | float) -> Floats:
        """(n, 0 or 1) exp(-days since start / 90): 1 on the first day, 0 when ramped or when the start is unknown."""
        if not self.tenure:
            return np.zeros((start_days.size, 0))
        days = np.maximum(np.asarray(at_days) - start_days, 0.0)
        left = np.where(np.isnan(days), 0.0, np.exp(-days / RAMP_DAYS))
        return np.asarray(left[:, None], dtype=np.float64)

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "coders": [coder.state() for coder in self.coders],
            "tenure": self.tenure,
            "matches": [{"column": match.column, "values": list(match.values)} for match in self.matches],
            "declared": list(self.declared),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> RepEncoder:
        """The encoder that `state` describes."""
        return cls(
            coders=tuple(coder_from_state(item) for item in state["coders"]),
            tenure=bool(state["tenure"]),
            matches=tuple(Match(column=m["column"], values=tuple(m["values"])) for m in state["matches"]),
            declared=tuple(state.get("declared", DECLARED)),
        )


def declared_skills(reps: pd.DataFrame, declared: Sequence[str] = DECLARED) -> list[frozenset[str]]:
    """Per rep, every value declared in these list columns, casefolded."""
    columns = [reps[column].tolist() for column in declared if column in reps.columns]
    return [
        frozenset(part.strip().casefold() for column in columns for part in _parts(column[row]) if part.strip())
        for row in range(len(reps))
    ]


def start_days(reps: pd.DataFrame) -> Floats:
    """(R,) start dates as days since 1970 in UTC, NaN where unknown."""
    if "start_date" not in reps.columns:
        return np.full(len(reps), np.nan)
    return to_days(reps["start_date"])


def to_days(times: pd.Series) -> Floats:
    """(n,) days since 1970-01-01 UTC; NaN where missing. A time without a zone is read as UTC."""
    stamps = pd.to_datetime(times, utc=True, errors="coerce")
    seconds = (stamps - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds()
    return np.asarray(seconds.to_numpy(dtype=np.float64, na_value=np.nan) / 86_400.0, dtype=np.float64)


def _parts(value: Any) -> list[str]:
    if isinstance(value, tuple | list | set | frozenset):
        return [str(part) for part in value]
    return value.split(";") if isinstance(value, str) else []


def _learn_matches(skills: Sequence[frozenset[str]], leads: pd.DataFrame, encoder: LeadEncoder) -> tuple[Match, ...]:
    """A match per lead category that shares at least one value with what reps declare (not one that all declare)."""
    everything = frozenset().union(*skills) if skills else frozenset()
    matches = []
    for coder in encoder.coders:
        if isinstance(coder, CategoryCoder):
            present = {str(value).casefold() for value in pd.unique(texts(leads, coder.name)) if not pd.isna(value)}
            shared = sorted(v for v in present & everything if not all(v in own for own in skills))
            if shared:
                matches.append(Match(column=coder.name, values=tuple(shared)))
    return tuple(matches)
