"""The trial that the gate judges: every candidate trained as of a date and tested on later leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.fit.history import Cases
from apportion_models.fit.labels import Labels
from apportion_models.fit.levels import LEVELS
from apportion_models.fit.scorer import Rows
from apportion_models.fit.training import Settings, Training
from apportion_models.validation.evidence import Effect, Evidence
from apportion_models.validation.gate import OutOfTime, judge, paired_gain, untested
from apportion_models.validation.homogeneity import (
    Homogeneity,
    equal_given_leads,
    equal_rates,
    equal_within_reps,
    periods_of,
    rate_table,
)
from apportion_models.validation.metrics import summary
from apportion_models.validation.realised import Realised, realised_share
from apportion_models.validation.splits import date_splits

FEWEST_RESOLVED = 200
FEWEST_OF_EACH = 20  # wins, and losses

# By number of rows: how many splits, and the share of the rows, the latest, that they test. Much data needs no more.
SPLITS = ((10_000, 3, 0.5), (50_000, 2, 0.4), (np.inf, 1, 0.3))
FEWEST_TO_BOOST = 2000  # closed leads; of wins, and of losses, a tenth
LAST_SHARE = 0.3  # of the rows, tested to see whether boosting pays

Floats = NDArray[np.float64]


def run_trial(
    cases: Cases, settings: Settings, *, boosted: bool | None, gap_days: float, margin: float, random_state: int
) -> tuple[Evidence, dict[str, Any], Training]:
    """The evidence, the measures out of time by level ({} when nothing could be tested), and the training of the whole.

    `boosted` None: the boosted lead part is used where it pays out of time.
    """
    rates = rate_table(cases.rep_id, (cases.outcome == 1).astype(np.float64), cases.resolved)
    raw = equal_rates(
        rates["wins"].to_numpy(dtype=np.float64), rates["leads"].to_numpy(dtype=np.float64), random_state=random_state
    )
    why = too_thin(cases)
    if boosted is None:
        boosted = not why and boosting_pays(cases, settings, gap_days=gap_days)
    settings = replace(settings, boosted=boosted)
    tested = None if why else out_of_time(cases, settings, gap_days=gap_days)
    whole = Training.of(cases, settings)
    if tested is None:
        why = why or "the history is too short to train on one part of it and test on a later one"
        effects = tuple(untested(name, why) for name in LEVELS[1:])
        return _no_evidence(why, effects, raw, rates), {}, whole
    alike, p_value = reps_alike(whole)
    within = segments_alike(whole)
    verdict = judge(tested.results, margin=margin, noise={"rep": p_value, "rep x segment": within.p_value})
    evidence = Evidence(
        level=verdict.level,
        reason=verdict.reason,
        effects=verdict.effects,
        homogeneity=raw,
        homogeneity_given_leads=alike,
        rates=rates,
        tested_rows=int(tested.results.label.size),
        realised=tested.realised(verdict.level, whole),
    )
    measures = {level: summary(tested.results.label, chance) for level, chance in tested.results.chances.items()}
    return evidence, measures, whole


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What came of the later leads under every candidate."""

    results: OutOfTime
    rows: Mapping[str, Sequence[Rows]]  # by level, one a split

    def realised(self, level: str, whole: Training) -> Realised | None:
        """How much of the reps' advantages came true, at a level that has any.

        How good the leads were that each rep was given is taken from the whole history, where it is known best.
        """
        if level not in LEVELS[2:]:
            return None
        parts = self.rows[level]
        base, advantage = (np.concatenate([getattr(part, name) for part in parts]) for name in ("base", "advantage"))
        scorer = whole.scorer(level)
        given = pd.Series(scorer.given, index=list(scorer.rep_ids)).reindex(self.results.rep_id.astype(str)).to_numpy()
        return realised_share(self.results.label, base, advantage, np.nan_to_num(given), self.results.rep_id)


def boosting_pays(cases: Cases, settings: Settings, *, gap_days: float) -> bool:
    """Whether a boosted lead part lowers the log loss of the latest leads by more than a standard error."""
    resolved, wins = int(cases.resolved.sum()), cases.wins
    if resolved < FEWEST_TO_BOOST or min(wins, resolved - wins) < FEWEST_TO_BOOST // 10:
        return False
    label = Labels.of(cases)
    labels = label.given(label.rate())
    for split in date_splits(cases.assigned, splits=1, test_share=LAST_SHARE, gap_days=gap_days):
        past, rows = cases.known_at(split.known_at), np.flatnonzero(split.test_rows(cases.assigned))
        if min(past.wins, int(past.resolved.sum()) - past.wins) < FEWEST_OF_EACH or rows.size == 0:
            return False
        later = cases.take(rows)
        plain, trees = (
            Training.of(past, replace(settings, boosted=on)).scorer("lead").score_rows(later, settings.reps)
            for on in (False, True)
        )
        results = OutOfTime(label=labels[rows], rep_id=later.rep_id, chances={"plain": plain, "boosted": trees})
        gain, error = paired_gain(results, "plain", "boosted")
        return bool(gain > error)
    return False


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


def out_of_time(cases: Cases, settings: Settings, *, gap_days: float) -> Trial | None:
    """Chances of later leads under each candidate; None when no split leaves enough to train on."""
    label = Labels.of(cases)
    labels = label.given(label.rate())
    levels = LEVELS if np.unique(cases.rep_id.astype(str)).size > 1 else LEVELS[:2]
    rows_of: list[NDArray[np.intp]] = []
    scored: dict[str, list[Rows]] = {level: [] for level in levels}
    count, share = next((splits, share) for most, splits, share in SPLITS if len(cases) <= most)
    for split in date_splits(cases.assigned, splits=count, test_share=share, gap_days=gap_days):
        past = cases.known_at(split.known_at)
        rows = np.flatnonzero(split.test_rows(cases.assigned))
        if past.wins < FEWEST_OF_EACH or int(past.resolved.sum()) - past.wins < FEWEST_OF_EACH or rows.size == 0:
            continue
        later, training = cases.take(rows), Training.of(past, settings)
        rows_of.append(rows)
        prepared = training.scorer("lead").prepare(later.frame)
        for level in levels:
            ready = None if level == LEVELS[0] else prepared
            scored[level].append(training.scorer(level).rows(later, settings.reps, ready))
    if not rows_of:
        return None
    rows = np.concatenate(rows_of)
    joined = {level: np.concatenate([part.chance for part in parts]) for level, parts in scored.items()}
    results = OutOfTime(label=labels[rows], rep_id=cases.rep_id[rows], chances=joined)
    return Trial(results=results, rows=scored)


def reps_alike(whole: Training) -> tuple[Homogeneity, float]:
    """Test that reps convert alike given their leads; and the p-value that no declared skill matters either."""
    cases, reps = whole.cases, whole.settings.reps
    residual, variance = residuals(cases, whole.rows("lead").chance)
    period = periods_of(cases.assigned)
    alike = equal_given_leads(residual, variance, cases.rep_id, period)
    declared = whole.scorer("rep").matched(cases, reps)
    p_values = [alike.p_value, *(equal_given_leads(residual, variance, match, period).p_value for match in declared)]
    return alike, min(1.0, len(p_values) * min(p_values))


def segments_alike(whole: Training) -> Homogeneity:
    """Test that no rep is better at one kind of lead than at another."""
    cases, scorer = whole.cases, whole.scorer("rep")
    residual, variance = residuals(cases, whole.rows("rep").chance)
    codes = scorer.leads.segment_codes(cases.frame)
    return equal_within_reps(residual, variance, cases.rep_id, codes, periods_of(cases.assigned))


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
