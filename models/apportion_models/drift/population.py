"""Population drift: do the leads that come now look like those the model learned from?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from apportion_models.drift.alarms import Alarm
from apportion_models.drift.calibration import rejected
from apportion_models.features.columns import numbers, texts
from apportion_models.features.roles import candidate_columns

Floats = NDArray[np.float64]

FDR = 0.05
MODERATE, STRONG = 0.1, 0.25  # usual bounds of the population stability index
BINS = 10
MOST_LEVELS = 50  # a column with more is free text or a key
FEWEST = 50  # leads on either side
RARE = 5.0


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One column, then and now. index : population stability index, net of what chance alone adds to it.

    p_value : of "the same distribution", by Kolmogorov and Smirnov, or chi-square. An alarm needs both: a difference
    that is no chance (false discovery rate 5 % over the columns) and one that is large enough to matter.
    """

    column: str
    index: float
    p_value: float
    alarmed: bool
    detail: str


def shifts(reference: pd.DataFrame, recent: pd.DataFrame, *, extra: dict[str, tuple[Floats, Floats]]) -> list[Shift]:
    """Every attribute that both tables have, largest first. extra : named numbers (reference, recent), as scores."""
    names, _ = candidate_columns(recent, name="assignments", wanted=None, override={})
    rows: list[tuple[str, float, float, str]] = []
    if min(len(reference), len(recent)) >= FEWEST:
        for name in names:
            if name in reference:
                found = _compare_column(name, reference, recent)
                rows += [] if found is None else [(name, *found)]
    for name, (then, now) in extra.items():
        if min(then.size, now.size) >= FEWEST:
            rows.append((name, *_numbers(then, now)))
    hits = rejected([p for _, _, p, _ in rows], FDR)
    made = [
        Shift(column=name, index=index, p_value=p, alarmed=bool(hit and index >= MODERATE), detail=detail)
        for (name, index, p, detail), hit in zip(rows, hits, strict=True)
    ]
    return sorted(made, key=lambda shift: (-shift.index, shift.column))


def _compare_column(name: str, reference: pd.DataFrame, recent: pd.DataFrame) -> tuple[float, float, str] | None:
    then, now = reference[name], recent[name]
    both = [pd.api.types.is_numeric_dtype(side) and not pd.api.types.is_bool_dtype(side) for side in (then, now)]
    if all(both):
        return _numbers(numbers(reference, name), numbers(recent, name))
    return _levels(texts(reference, name), texts(recent, name))


def _numbers(then: Floats, now: Floats) -> tuple[float, float, str]:
    known_then, known_now = then[np.isfinite(then)], now[np.isfinite(now)]
    gap = abs(known_then.size / max(then.size, 1) - known_now.size / max(now.size, 1))
    if not known_then.size or not known_now.size:
        index, p = _index(_missing(then), _missing(now))
        return index, p, "known on one side only" if gap > 0 else "never known"
    edges = np.unique(np.quantile(known_then, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = [
        np.append(
            np.bincount(np.searchsorted(edges, side, side="left"), minlength=edges.size + 1), whole.size - side.size
        )
        for side, whole in ((known_then, then), (known_now, now))
    ]
    index, by_bins = _index(counts[0].astype(float), counts[1].astype(float))
    exact = float(ks_2samp(known_then, known_now, method="asymp").pvalue)
    detail = f"median {np.median(known_then):,.4g} before, {np.median(known_now):,.4g} now"
    if gap > 0.02:
        detail += f"; missing {1 - known_then.size / then.size:.0%} before, {1 - known_now.size / now.size:.0%} now"
        exact = min(1.0, 2.0 * min(exact, by_bins))
    return index, exact, detail


def _missing(side: Floats) -> Floats:
    known = float(np.isfinite(side).sum())
    return np.array([known, side.size - known])


def _levels(then: NDArray[np.object_], now: NDArray[np.object_]) -> tuple[float, float, str] | None:
    sides = [pd.Series(side).fillna("(missing)").astype(str).value_counts() for side in (then, now)]
    names = sorted(set(sides[0].index) | set(sides[1].index))
    if len(names) > MOST_LEVELS:
        return None
    counts = np.array([side.reindex(names, fill_value=0).to_numpy(dtype=float) for side in sides])
    share = counts / counts.sum(axis=1, keepdims=True)
    most = int(np.argmax(np.abs(share[1] - share[0])))
    index, p = _index(counts[0], counts[1])
    return index, p, f"{names[most]}: {share[0][most]:.0%} before, {share[1][most]:.0%} now"


def _index(then: Floats, now: Floats) -> tuple[float, float]:
    """(stability index, p-value of the chi-square test) of two sets of counts; rare cells are put together.

    Σ (q − p) ln(q / p) has the mean (B − 1)(1/n + 1/m) where nothing has changed (Yurdakul 2018); that is taken off.
    """
    expected = (then + now) * min(then.sum(), now.sum()) / max(float((then + now).sum()), 1.0)
    rare = expected < RARE
    if rare.sum() > 1:
        then = np.append(then[~rare], then[rare].sum())
        now = np.append(now[~rare], now[rare].sum())
    there = (then + now) > 0
    then, now = then[there], now[there]
    if then.size < 2:
        return 0.0, 1.0
    p, q = ((side + 0.5) / (side.sum() + 0.5 * side.size) for side in (then, now))
    raw = float(((q - p) * np.log(q / p)).sum())
    chance = (then.size - 1) * (1.0 / then.sum() + 1.0 / now.sum())
    return max(0.0, raw - chance), float(chi2_contingency(np.array([then, now]), correction=False).pvalue)


def population_alarms(found: list[Shift]) -> Iterator[Alarm]:
    """One alarm for each column that has shifted."""
    for shift in found:
        if not shift.alarmed:
            continue
        size = "strongly" if shift.index >= STRONG else "moderately"
        scores = shift.column == "expected chance"
        yield Alarm(
            kind="scores" if scores else "population",
            where=shift.column,
            sentence=f"{shift.column} has shifted {size} (stability index {shift.index:.2f}): {shift.detail}.",
            action=(
                "The model sees other leads than it learned from: check whether conversions keep to what is expected, "
                "and fit again when enough of the new leads are ripe."
                if scores
                else "Find out whether the leads changed or only how the column is filled in. If the leads: fit again "
                "when enough of them are ripe. If the column: mend its source, or the mapping file."
            ),
        )
