from __future__ import annotations

import numpy as np
import pytest

from apportion_models.fit.history import Cases, read_cases
from apportion_models.fit.training import Settings, Training
from apportion_models.fit.trial import boosting_pays, out_of_time, residuals, run_trial, too_thin
from tests.models.worlds import World

COLUMNS = ("company_size", "industry", "score")


def setting(world: World, rows: int) -> tuple[Cases, Settings]:
    return read_cases(world.history(rows))[0], Settings(reps=world.reps(), columns=COLUMNS)


def test_training_never_sees_the_tested_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model of the trial knows only what was known before the leads that it is tested on."""
    cases, settings = setting(World(win_days=20.0), 1500)
    seen: list[float] = []
    plain = Training.of

    def watched(some: Cases, what: Settings) -> Training:
        seen.append(some.as_of)
        assert (some.assigned <= some.as_of).all()
        assert not (some.resolved & (some.closed > some.as_of)).any()
        return plain(some, what)

    monkeypatch.setattr(Training, "of", watched)
    tested = out_of_time(cases, settings, gap_days=7.0)
    assert tested is not None and len(set(seen)) == 3 and max(seen) < cases.as_of
    assert all(chances.size == tested.results.label.size for chances in tested.results.chances.values())


def test_trees_are_used_where_they_pay() -> None:
    """A step and an interaction that lines and bends cannot follow are left to trees; a straight world has none."""
    world = World(seed=5)
    history = world.history(6000)
    rng = np.random.default_rng(0)
    history["alpha"], history["beta"] = rng.normal(size=(2, 6000))
    settings = Settings(reps=world.reps(), columns=(*COLUMNS, "alpha", "beta"))
    assert not boosting_pays(read_cases(history)[0], settings, gap_days=7.0)
    corner = (history["alpha"] > 0.5) & (history["beta"] > 0.5) | (history["alpha"] < -0.5) & (history["beta"] < -0.5)
    history["outcome"] = np.where(rng.random(6000) < np.where(corner, 0.8, 0.15), "won", "lost")
    assert boosting_pays(read_cases(history)[0], settings, gap_days=7.0)


@pytest.mark.parametrize("rows", [30, 190])
def test_thin_histories_are_not_tested(rows: int) -> None:
    """Under 200 closed leads nothing is claimed, and the number is told."""
    cases, settings = setting(World(), rows)
    why = too_thin(cases)
    assert why is not None and str(rows) in why
    evidence, measures, _ = run_trial(cases, settings, boosted=None, gap_days=7.0, margin=2.0, random_state=0)
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
