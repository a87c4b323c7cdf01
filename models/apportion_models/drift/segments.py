"""Segments: where do conversions depart from what was expected? Many are tested, so that discoveries are controlled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.drift.alarms import Alarm
from apportion_models.drift.pairs import Pairs
from apportion_models.experiment.tilt import tilt_interval, tilt_test
from apportion_models.features.columns import texts
from apportion_models.features.roles import candidate_columns

MOST_LEVELS = 30
FEWEST_EXPECTED = 3.0  # wins expected, and losses, below which a segment is not looked at
FDR = 0.1


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One level of one column. factor, low, high : on the odds, 1 as expected, for every look at once."""

    column: str
    level: str
    pairs: int
    expected: float
    observed: int
    log_e: float
    factor: float
    low: float
    high: float
    alarmed: bool


def segments(pairs: Pairs, *, tolerance: float, alpha: float) -> list[Segment]:
    """Every rep, and every level of the leads' attributes, strongest evidence first.

    Each has an e-value; alarmed are those that the e-BH rule finds (Wang and Ramdas 2022): the false discovery rate is
    held at any look, however the segments overlap.
    """
    rows = [row for column, codes in _columns(pairs) for row in _rows(pairs, column, codes, tolerance)]
    rows.sort(key=lambda row: (-row[3], row[0], row[1]))
    hits = e_discoveries(np.array([log_e for *_, log_e in rows]), FDR)
    made = []
    for (column, level, inside, log_e), hit in zip(rows, hits, strict=True):
        won, chance = pairs.won[inside], pairs.chance[inside]
        factor, low, high = tilt_interval(won, chance, alpha=alpha)
        made.append(
            Segment(
                column=column,
                level=level,
                pairs=int(won.size),
                expected=float(chance.sum()),
                observed=int(won.sum()),
                log_e=log_e,
                factor=factor,
                low=low,
                high=high,
                alarmed=bool(hit),
            )
        )
    return made


def e_discoveries(log_e: NDArray[np.float64], rate: float) -> NDArray[np.bool_]:
    """(K,) which e-values, sorted from the largest, are discoveries: the k largest, the k-th >= K / (k · rate)."""
    count = log_e.size
    if not count:
        return np.zeros(0, dtype=bool)
    enough = log_e >= np.log(count / (np.arange(1, count + 1) * rate))
    most = int(np.flatnonzero(enough)[-1]) + 1 if enough.any() else 0
    return np.asarray(np.arange(count) < most, dtype=bool)


def _columns(pairs: Pairs) -> Iterator[tuple[str, pd.Series]]:
    names, _ = candidate_columns(pairs.leads, name="assignments", wanted=None, override={})
    plan = {"fit", "expected_revenue", "opportunity", "runner_up_cost", "reason", "propensity"}
    yield "rep_id", pd.Series(texts(pairs.leads, "rep_id"))
    for name in names:
        column = pairs.leads[name]
        if name in plan or (pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)):
            continue
        levels = pd.Series(texts(pairs.leads, name)).fillna("(missing)").astype(str)
        if 1 < levels.nunique() <= MOST_LEVELS:
            yield name, levels


def _rows(
    pairs: Pairs, column: str, levels: pd.Series, tolerance: float
) -> Iterator[tuple[str, str, NDArray[np.intp], float]]:
    for level, rows in sorted(levels.groupby(levels).indices.items(), key=lambda item: str(item[0])):
        inside = np.sort(np.asarray(rows))
        expected = float(pairs.chance[inside].sum())
        if min(expected, inside.size - expected) < FEWEST_EXPECTED:
            continue
        test = tilt_test(pairs.won[inside], pairs.chance[inside], tolerance=tolerance)
        yield column, str(level), inside, float(test.log_e[-1])


def segment_alarms(found: list[Segment]) -> Iterator[Alarm]:
    """One alarm for each discovery."""
    for segment in found:
        if not segment.alarmed:
            continue
        word = "more" if segment.observed > segment.expected else "fewer"
        rep = segment.column == "rep_id"
        yield Alarm(
            kind="segment",
            where=f"{segment.column} = {segment.level}",
            sentence=(
                f"{segment.column} = {segment.level}: {word} leads convert than expected, {segment.observed:,} of "
                f"{segment.pairs:,} where {segment.expected:,.1f} were expected."
            ),
            action=(
                "Ask the rep and the team what is different, from territory to how outcomes are booked, and fit again. "
                "This is about the estimates; it is no judgement of a person."
                if rep
                else "Look at these leads: a new source, product or way to book outcomes. Fit again with recent leads; "
                "until then a rule of the policy can cap or screen them."
            ),
        )
