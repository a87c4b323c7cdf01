from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.fit.history import Cases, read_cases
from apportion_models.fit.scorer import Scorer
from apportion_models.fit.trial import out_of_time, residuals, run_trial, too_thin
from tests.models.worlds import World

COLUMNS = ("company_size", "industry", "score")


def setting(world: World, rows: int) -> tuple[Cases, pd.DataFrame, object]:
    reps = world.reps()

    def train(cases: Cases, level: str) -> Scorer:
        return Scorer.train(cases, reps, level=level, columns=COLUMNS, rep_columns=())

    return read_cases(world.history(rows))[0], reps, train


def test_training_never_sees_the_tested_leads() -> None:
    """Every model of the trial knows only what was known before the leads that it is tested on."""
    cases, reps, train = setting(World(win_days=20.0), 1500)
    seen: list[float] = []

    def watched(some: Cases, level: str) -> Scorer:
        seen.append(some.as_of)
        assert (some.assigned <= some.as_of).all()
        assert not (some.resolved & (some.closed > some.as_of)).any()
        return train(some, level)  # type: ignore[operator,no-any-return]

    tested = out_of_time(cases, reps, watched, gap_days=7.0)
    assert tested is not None and len(set(seen)) == 3 and max(seen) < cases.as_of
    assert all(chances.size == tested.label.size for chances in tested.chances.values())


@pytest.mark.parametrize("rows", [30, 190])
def test_thin_histories_are_not_tested(rows: int) -> None:
    """Under 200 closed leads nothing is claimed, and the number is told."""
    cases, reps, train = setting(World(), rows)
    why = too_thin(cases)
    assert why is not None and str(rows) in why
    evidence, measures = run_trial(cases, reps, train, gap_days=7.0, margin=1.0, random_state=0)  # type: ignore[arg-type]
    assert evidence.level == "base rate" and measures == {} and evidence.homogeneity_given_leads is None


def test_few_wins_are_not_tested() -> None:
    """Under 20 wins nothing is claimed, however many leads there are."""
    history = World().history(1000)
    history["outcome"] = np.where(np.arange(1000) < 15, "won", "lost")
    assert "15 won leads" in str(too_thin(read_cases(history)[0]))


def test_residuals_of_the_truth_have_the_variance_they_are_said_to_have() -> None:
    """With true chances, the sum of residuals over its standard deviation is near a standard normal; open leads too."""
    scores = []
    for seed in range(25):
        world = World(seed=seed, win_days=60.0, lead_effect=0.0)
        world.industry_effect[:] = 0.0
        cases, _ = read_cases(world.history(1500))
        chance = np.full(len(cases), 1 / (1 + np.exp(1.2)))
        residual, variance = residuals(cases, chance)
        scores.append(residual.sum() / np.sqrt(variance.sum()))
    assert abs(np.mean(scores)) < 0.8 and 0.6 < np.std(scores) < 1.6
