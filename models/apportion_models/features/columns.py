"""How one column becomes numbers: learned once on the history, then applied to any table.

Each coder is immutable, knows its own JSON form, and answers for every value: missing ones, new levels, absent columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HEAVY_TAIL = 2.0  # skewness above which a non-negative number is taken on the log scale
LARGEST = 1e100  # so that squares stay finite
ALIKE = "every row has the same value or none, so it can tell nothing and is not used."
CLIP = 4.0  # standardised numbers are held within this, so that no outlier runs away with the logit


@dataclass(frozen=True, kw_only=True)
class NumberCoder:
    """A number: on the log scale when heavy tailed, standardised, clipped; missing is the mean (0)."""

    name: str
    log: bool
    mean: float
    scale: float
    curved: bool  # enough distinct values for a bend
    missing: bool  # the history has missing values, so that "missing" can have an effect of its own

    def encode(self, table: pd.DataFrame) -> tuple[Floats, NDArray[np.bool_]]:
        """(n,) standardised values and (n,) whether the value is missing."""
        raw = numbers(table, self.name)
        missing = np.isnan(raw)
        value = np.log1p(np.maximum(raw, 0.0)) if self.log else raw
        coded = np.clip((value - self.mean) / self.scale, -CLIP, CLIP)
        return np.where(missing, 0.0, coded), missing

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        return {"kind": "number", **self.__dict__}


@dataclass(frozen=True, kw_only=True)
class CategoryCoder:
    """A text column: one code per frequent level; rare and new levels share one, missing has its own."""

    name: str
    levels: tuple[str, ...]  # most frequent first
    other: bool  # the history has rare levels, so that "other" can have an effect of its own
    missing: bool

    @property
    def width(self) -> int:
        """How many codes there are."""
        return len(self.levels) + self.other + self.missing

    @property
    def labels(self) -> list[str]:
        """The name of each code."""
        return [*self.levels, *(["(other)"] if self.other else []), *(["(missing)"] if self.missing else [])]

    def encode(self, table: pd.DataFrame) -> Ints:
        """(n,) codes in [0, width), or -1 where the history has nothing to say (counts as the average)."""
        text = texts(table, self.name)
        codes = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(text)).astype(np.int64)
        absent = pd.isna(text)
        codes[(codes < 0) & ~absent] = len(self.levels) if self.other else -1
        codes[absent] = len(self.levels) + self.other if self.missing else -1
        return codes

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        return {"kind": "category", **self.__dict__, "levels": list(self.levels)}


Coder = NumberCoder | CategoryCoder


def coder_from_state(state: Mapping[str, Any]) -> Coder:
    """The coder that `state` describes. Raises KeyError or TypeError when it describes none."""
    fields = {key: value for key, value in state.items() if key != "kind"}
    if state["kind"] == "number":
        return NumberCoder(**fields)
    return CategoryCoder(**{**fields, "levels": tuple(fields["levels"])})


def learn_coder(
    table: pd.DataFrame, column: str, *, max_levels: int, min_count: int
) -> tuple[Coder | None, str | None]:
    """The coder of one column, or None and, where people should know it, why the column cannot help."""
    values = table[column]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _learn_number(table, column)
    return _learn_category(table, column, max_levels=max_levels, min_count=min_count)


def _learn_number(table: pd.DataFrame, column: str) -> tuple[Coder | None, str | None]:
    raw = numbers(table, column)
    known = np.sort(raw[~np.isnan(raw)])
    if known.size == 0 or known[0] == known[-1]:
        coder = _only_missing(column, known, known.size < raw.size)
        return coder, None if coder is not None else ALIKE
    centred = known - known.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    skew = float(np.mean((centred / spread) ** 3)) if spread > 0 else 0.0
    log = bool(known[0] >= 0 and skew > HEAVY_TAIL)
    value = np.log1p(known) if log else known
    scale = float(value.std())
    if not np.isfinite(scale) or scale <= 1e-12 * max(1.0, float(np.abs(value).max())):
        return None, None
    return (
        NumberCoder(
            name=column,
            log=log,
            mean=float(value.mean()),
            scale=scale,
            curved=bool(np.unique(known).size > 10),
            missing=bool(np.isnan(raw).any()),
        ),
        None,
    )


def _only_missing(column: str, known: Floats, missing: bool) -> Coder | None:
    """A number that never varies may still tell by being there or not."""
    if known.size == 0 or not missing:
        return None
    return NumberCoder(name=column, log=False, mean=float(known[0]), scale=1.0, curved=False, missing=True)


def _learn_category(
    table: pd.DataFrame, column: str, *, max_levels: int, min_count: int
) -> tuple[Coder | None, str | None]:
    text = texts(table, column)
    absent = pd.isna(text)
    counts = pd.Series(text[~absent]).value_counts()
    if counts.size > 20 and counts.size > 0.5 * int((~absent).sum()):
        return None, "nearly every row has a value of its own, so it is read as free text and not used."
    ranked = sorted(((-int(count), str(level)) for level, count in counts.items()), key=lambda pair: pair)
    kept = tuple(level for count, level in ranked[:max_levels] if -count >= min_count)
    other = len(kept) < len(ranked)
    coder = CategoryCoder(name=column, levels=kept, other=other, missing=bool(absent.any()))
    return (coder, None) if coder.width > 1 else (None, ALIKE)


def numbers(table: pd.DataFrame, column: str) -> Floats:
    """(n,) float64 of a column; NaN where it is absent, missing, infinite or no number."""
    if column not in table.columns:
        return np.full(len(table), np.nan)
    raw = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(raw), np.clip(raw, -LARGEST, LARGEST), np.nan)


def texts(table: pd.DataFrame, column: str) -> NDArray[np.object_]:
    """(n,) text of a column, stripped; NaN where it is absent, missing or empty; a list as its sorted parts."""
    out = np.full(len(table), np.nan, dtype=object)
    if column not in table.columns:
        return out
    values = table[column].to_numpy(dtype=object)
    try:
        codes, uniques = pd.factorize(values, use_na_sentinel=True)
    except TypeError:  # lists, which have no hash
        plain_values = np.fromiter((_plain(v) if isinstance(v, list | set) else v for v in values), object, len(values))
        codes, uniques = pd.factorize(plain_values, use_na_sentinel=True)
    plain = np.empty(len(uniques) + 1, dtype=object)
    plain[:-1] = [_plain(value) for value in uniques]
    plain[-1] = np.nan
    return plain[codes]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or np.nan
    if isinstance(value, tuple | list | set | frozenset):
        return ";".join(sorted(str(part).strip() for part in value)) or np.nan
    text = str(value).strip()
    return text or np.nan
