"""The trial that the gate judges: every candidate trained as of a date and tested on later leads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.fit.history import Cases
from apportion_models.fit.labels import Labels
from apportion_models.fit.scorer import LEVELS, Scorer
from apportion_models.validation.evidence import Effect, Evidence
from apportion_models.validation.gate import OutOfTime, judge, untested
from apportion_models.validation.homogeneity import (
    Homogeneity,
    equal_given_leads,
    equal_rates,
    equal_within_reps,
    rate_table,
)
from apportion_models.validation.metrics import summary
from apportion_models.validation.splits import date_splits

FEWEST_RESOLVED = 200
FEWEST_OF_EACH = 20  # wins, and losses

Floats = NDArray[np.float64]
Train = Callable[[Cases, str], Scorer]


def run_trial(
    cases: Cases, reps: pd.DataFrame, train: Train, *, gap_days: float, margin: float, random_state: int
) -> tuple[Evidence, dict[str, object]]:
    """The evidence, and the measures out of time of the model in use ({} when nothing could be tested)."""
    rates = rate_table(cases.rep_id, (cases.outcome == 1).astype(np.float64), cases.resolved)
    raw = equal_rates(
        rates["wins"].to_numpy(dtype=np.float64), rates["leads"].to_numpy(dtype=np.float64), random_state=random_state
    )
    why = too_thin(cases)
    tested = None if why else out_of_time(cases, reps, train, gap_days=gap_days)
    if tested is None:
        why = why or "the history is too short to train on one part of it and test on a later one"
        effects = tuple(untested(name, why) for name in LEVELS[1:])
        return _no_evidence(why, effects, raw, rates), {}
    alike, p_value = reps_alike(cases, reps, train)
    within = segments_alike(cases, reps, train)
    verdict = judge(tested, margin=margin, noise={"rep": p_value, "rep x segment": within.p_value})
    evidence = Evidence(
        level=verdict.level,
        reason=verdict.reason,
        effects=verdict.effects,
        homogeneity=raw,
        homogeneity_given_leads=alike,
        rates=rates,
        tested_rows=int(tested.label.size),
    )
    return evidence, {level: summary(tested.label, chance) for level, chance in tested.chances.items()}


def too_thin(cases: Cases) -> str | None:
    """Why the history cannot carry more than its base rate, in words; None when it can."""
    resolved, wins = int(cases.resolved.sum()), cases.wins
    if not cases.dated:
        return "the history has no dates"
    if wins == 0:
        return f"none of the {resolved} closed leads is won"
    if wins == resolved:
        return f"all {resolved} closed leads are won"
    if resolved < FEWEST_RESOLVED:
        return f"the history has {resolved} closed leads, and {FEWEST_RESOLVED} are the least that can be tested"
    for kind, count in (("won", wins), ("lost", resolved - wins)):
        if count < FEWEST_OF_EACH:
            return f"the history has {count} {kind} leads, and {FEWEST_OF_EACH} are the least that can be tested"
    return None


def out_of_time(cases: Cases, reps: pd.DataFrame, train: Train, *, gap_days: float) -> OutOfTime | None:
    """Chances of later leads under each candidate; None when no split leaves enough to train on."""
    label = Labels.of(cases)
    labels = label.given(label.rate())
    levels = LEVELS if np.unique(cases.rep_id.astype(str)).size > 1 else LEVELS[:2]
    rows_of: list[NDArray[np.intp]] = []
    chances: dict[str, list[NDArray[np.float64]]] = {level: [] for level in levels}
    for split in date_splits(cases.assigned, gap_days=gap_days):
        past = cases.known_at(split.known_at)
        rows = np.flatnonzero(split.test_rows(cases.assigned))
        if past.wins < FEWEST_OF_EACH or int(past.resolved.sum()) - past.wins < FEWEST_OF_EACH or rows.size == 0:
            continue
        later = cases.take(rows)
        rows_of.append(rows)
        for level in levels:
            chances[level].append(train(past, level).score_rows(later, reps))
    if not rows_of:
        return None
    rows = np.concatenate(rows_of)
    joined = {level: np.concatenate(parts) for level, parts in chances.items()}
    return OutOfTime(label=labels[rows], rep_id=cases.rep_id[rows], chances=joined)


def reps_alike(cases: Cases, reps: pd.DataFrame, train: Train) -> tuple[Homogeneity, float]:
    """Test that reps convert alike given their leads; and the p-value that no declared skill matters either."""
    residual, variance = residuals(cases, train(cases, "lead").score_rows(cases, reps))
    alike = equal_given_leads(residual, variance, cases.rep_id)
    declared = train(cases, "rep").matched(cases, reps)
    p_values = [alike.p_value, *(equal_given_leads(residual, variance, match).p_value for match in declared)]
    return alike, min(1.0, len(p_values) * min(p_values))


def segments_alike(cases: Cases, reps: pd.DataFrame, train: Train) -> Homogeneity:
    """Test that no rep is better at one kind of lead than at another."""
    scorer = train(cases, "rep")
    residual, variance = residuals(cases, scorer.score_rows(cases, reps))
    return equal_within_reps(residual, variance, cases.rep_id, scorer.leads.segment_codes(cases.frame))


def residuals(cases: Cases, chance: Floats) -> tuple[Floats, Floats]:
    """(n,) label minus chance and (n,) its variance if the chance is true; open leads count by their share of a win."""
    labels = Labels.of(cases)
    return labels.given(chance) - chance, labels.variance(chance)


def _no_evidence(why: str, effects: tuple[Effect, ...], raw: Homogeneity, rates: pd.DataFrame) -> Evidence:
    return Evidence(
        level="base rate",
        reason=f"Every lead gets the overall conversion rate: {why}.",
        effects=effects,
        homogeneity=raw,
        homogeneity_given_leads=None,
        rates=rates,
        tested_rows=0,
    )
