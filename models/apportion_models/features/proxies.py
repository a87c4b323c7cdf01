"""Proxies: a rep's features that tell a protected attribute of the reps apart, so that leaving it out is no use.

The reps are the sample. How well a feature tells an attribute is Cramér's V with its bias taken off (Bergsma 2013):
0 no better than blind, 1 without fail. Numbers are cut into bands of like size; of a list each entry is looked at,
and the strongest counts. Whether it is chance is tested by permuting the attribute among the reps, the strongest entry
against the strongest under each permutation (Westfall and Young 1993); the level is divided among all tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding
from apportion_models.features.columns import numbers, texts

STRONG = 0.5  # V from which a feature counts as standing for the attribute
LEVEL = 0.05  # chance of refusing any innocent feature at all
PERMUTATIONS = 4_999
WORK = 4_000_000  # reps × permutations × entries at most, so that a large company does not wait
FEWEST_REPS = 8
FEWEST_IN_GROUP = 2
BANDS = 4
FEW_VALUES = 6  # a number with more distinct values is cut into bands

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """How well one feature tells one attribute. v : 0 to 1. p : of a permutation test. strong : refused."""

    column: str
    attribute: str
    v: float
    p: float
    reps: int
    strong: bool

    def sentence(self) -> str:
        """In plain words."""
        told = (
            f"it tells '{self.attribute}' of the reps (Cramér's V {self.v:.2f} over {self.reps} reps, p {self.p:.2g})"
        )
        return f"{told}, so it stands for a protected attribute and is not used as a feature."

    def finding(self) -> Finding:
        """What people are told."""
        remedy = (
            "Where the job itself explains it, put that on record: "
            f"override={{'{self.column}': {{'who': …, 'when': 'YYYY-MM-DD', 'why': …}}}}."
        )
        return Finding(severity="notice", table="reps", column=self.column, message=self.sentence(), remedy=remedy)


def find_proxies(
    features: Mapping[str, Sequence[Ints]], attributes: Mapping[str, Ints], *, seed: int = 0
) -> list[Proxy]:
    """Test every feature against every attribute; the strong ones first, then by strength.

    features : column -> its entries, each (R,) codes, -1 for unknown (see `codes` and `list_codes`). attributes :
    protected column -> (R,) codes. The rows must be in an order of their own, such as by id.
    """
    pairs = [(feature, name) for feature in features for name in attributes]
    found = [
        _test(feature, features[feature], name, attributes[name], LEVEL / len(pairs), seed) for feature, name in pairs
    ]
    told = [proxy for proxy in found if proxy is not None]
    return sorted(told, key=lambda proxy: (not proxy.strong, -proxy.v, proxy.column, proxy.attribute))


def codes(table: pd.DataFrame, column: str) -> Ints:
    """(R,) groups of a column, -1 where missing: texts as they are, numbers of many values in bands of like size."""
    values = table[column]
    if pd.api.types.is_datetime64_any_dtype(values):
        days = (pd.to_datetime(values, utc=True) - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
        return bands(np.asarray(days.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64))
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        raw = numbers(table, column)
        if np.unique(raw[~np.isnan(raw)]).size > FEW_VALUES:
            return bands(raw)
    found, _ = pd.factorize(pd.Series(texts(table, column)), sort=True)
    return found.astype(np.int64)


def bands(raw: NDArray[np.float64]) -> Ints:
    """(R,) band of each number, -1 where it is NaN; equal numbers share one."""
    known = ~np.isnan(raw)
    if not known.any():
        return np.full(raw.size, -1, dtype=np.int64)
    edges = np.unique(np.quantile(raw[known], np.linspace(0, 1, BANDS + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, raw, side="left"), -1).astype(np.int64)


def list_codes(lists: Sequence[frozenset[str]]) -> list[Ints]:
    """For each entry of the reps' lists: (R,) 1 who has it, 0 who has not."""
    every = sorted(set().union(*lists)) if lists else []
    return [np.array([int(entry in own) for own in lists], dtype=np.int64) for entry in every]


def cramers_v(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...,) bias-corrected Cramér's V of (..., r, c) counts; 0 where either side has one value only."""
    total = table.sum(axis=(-2, -1))
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    expected = rows[..., :, None] * columns[..., None, :] / total[..., None, None]
    phi2 = np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=expected > 0).sum(axis=(-2, -1))
    phi2 = phi2 / total
    r, c = (rows > 0).sum(axis=-1), (columns > 0).sum(axis=-1)
    less = np.maximum(total - 1.0, 1.0)
    corrected = np.maximum(phi2 - (r - 1) * (c - 1) / less, 0.0)
    room = np.minimum(r - (r - 1) ** 2 / less, c - (c - 1) ** 2 / less) - 1.0
    v = np.sqrt(np.divide(corrected, room, out=np.zeros_like(corrected), where=room > 0))
    return np.asarray(np.minimum(v, 1.0), dtype=np.float64)


def _test(column: str, entries: Sequence[Ints], name: str, attribute: Ints, level: float, seed: int) -> Proxy | None:
    """None where there are too few reps, or one group only, to tell."""
    known = attribute >= 0
    for entry in entries[:1] if len(entries) == 1 else ():
        known = known & (entry >= 0)
    groups, held = np.unique(attribute[known], return_inverse=True)
    if known.sum() < FEWEST_REPS or groups.size < 2:
        return None
    sides = [_numbered(entry[known]) for entry in entries]
    sides = [side for side in sides if _tells(side)]
    if not sides:
        return None
    rng = np.random.default_rng([seed, 7, int(known.sum())])
    most = min(PERMUTATIONS, max(int(2.0 / level), WORK // (int(known.sum()) * len(sides))))
    observed = max(float(cramers_v(_counts(side, held[None]))[0]) for side in sides)
    drawn = np.argsort(rng.random((most, held.size)), axis=1)
    blind = np.max([cramers_v(_counts(side, held[drawn])) for side in sides], axis=0)
    p = (1.0 + float((blind >= observed - 1e-12).sum())) / (most + 1.0)
    strong = observed >= STRONG and p <= level
    return Proxy(column=column, attribute=name, v=observed, p=p, reps=int(known.sum()), strong=strong)


def _numbered(side: Ints) -> Ints:
    return np.asarray(np.unique(side, return_inverse=True)[1], dtype=np.int64)


def _tells(side: Ints) -> bool:
    """Whether at least two reps are on either side: who stands alone is a person, not a group."""
    return int((np.bincount(side) >= FEWEST_IN_GROUP).sum()) >= 2


def _counts(side: Ints, held: Ints) -> NDArray[np.float64]:
    """(M, r, c) tables of counts, one for each row of `held` (M, R)."""
    r, c = int(side.max()) + 1, int(held.max()) + 1
    key = (np.arange(len(held))[:, None] * r + side[None]) * c + held
    return np.bincount(key.ravel(), minlength=len(held) * r * c).reshape(len(held), r, c).astype(np.float64)
