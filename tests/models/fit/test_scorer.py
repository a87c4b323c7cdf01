from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.fit.history import Cases, read_cases
from apportion_models.fit.levels import LEVELS
from apportion_models.fit.scorer import Scorer
from apportion_models.fit.training import Settings, Training
from tests.models.worlds import DAYS, FIRST, World

COLUMNS = ("company_size", "industry", "score")
NOW = FIRST.timestamp() / 86400.0 + DAYS


def trained(level: str, world: World, rows: int = 3000) -> tuple[Scorer, Cases]:
    cases, _ = read_cases(world.history(rows))
    return Training.of(cases, Settings(reps=world.reps(), columns=COLUMNS, unseen=0.0)).scorer(level), cases


@pytest.mark.parametrize("level", LEVELS)
def test_pairs_and_rows_are_scored_alike(level: str) -> None:
    """The factorised matrix holds what scoring row by row gives."""
    world = World(rep_sd=0.6, segment_sd=0.5, skill=0.4, ramp=0.5)
    scorer, cases = trained(level, world, 800)
    some = cases.take(np.arange(cases.assigned.size - 60, cases.assigned.size))
    by_row = scorer.score_rows(some, world.reps())
    for i in range(0, 60, 7):
        matrix = scorer.score(some.frame.iloc[[i]], world.reps(), float(some.assigned[i]))
        assert matrix[0, int(some.rep_id[i][1:])] == pytest.approx(by_row[i], abs=2e-6)


def test_chances_come_close_to_the_truth() -> None:
    """With rep, segment and skill effects in the world, the full model beats the mean by far and is calibrated."""
    world = World(rep_sd=0.6, segment_sd=0.5, skill=0.5, seed=3)
    scorer, _ = trained("rep x segment", world, 6000)
    leads = world.draw(500)
    truth, found = world.truth(leads), scorer.score(leads, world.reps(), NOW).astype(float)
    tenured = np.arange(12) >= 3
    error = np.sqrt(np.mean((truth - found)[:, tenured] ** 2))
    assert error < 0.4 * truth[:, tenured].std()
    assert found.mean() == pytest.approx(truth.mean(), abs=0.02)


def test_a_rep_with_one_lead_stays_near_the_peers() -> None:
    """One won lead does not make a star: the rep's chances stay within two points of an unseen peer's."""
    world = World(rep_sd=0.4, seed=4)
    history = world.history(3000)
    star = history.iloc[[-1]].assign(lead_id="star", rep_id="R99", outcome="won")
    cases, _ = read_cases(pd.concat([history, star]))
    newcomers = pd.DataFrame({"rep_id": ["R98", "R99"], "team_id": "T0", "level": "senior", "start_date": FIRST})
    reps = pd.concat([world.reps(), newcomers])
    scorer = Training.of(cases, Settings(reps=reps, columns=COLUMNS)).scorer("rep")
    unseen, one = scorer.score(world.draw(200), reps.iloc[-2:], NOW).astype(float).T
    assert (one > unseen).all() and (one - unseen).max() < 0.05 and (one - unseen).mean() < 0.03


def test_new_reps_follow_the_ramp() -> None:
    """Where new reps convert less at first, an unseen new rep gets less than an unseen tenured one."""
    world = World(ramp=1.5, rep_sd=0.1, seed=5)
    scorer, _ = trained("rep", world, 6000)
    unseen = pd.DataFrame(
        {
            "rep_id": ["X1", "X2"],
            "level": "junior",
            "team_id": "T1",
            "start_date": [FIRST + pd.Timedelta(days=DAYS), FIRST - pd.Timedelta(days=900)],
            "skills": [(), ()],
        }
    )
    new, tenured = scorer.score(world.draw(50), unseen, NOW).T
    assert (new < tenured - 0.03).all()


def test_declared_skill_is_worth_what_it_is() -> None:
    """A declared skill that matters raises the chance of matching pairs, also of a rep never seen."""
    world = World(skill=0.8, seed=6)
    scorer, _ = trained("rep", world, 5000)
    reps = pd.DataFrame({"rep_id": ["X"], "skills": [("bank",)]})
    leads = world.draw(200)
    chance = scorer.score(leads, reps, NOW)[:, 0].astype(float)
    without = scorer.score(leads, reps.assign(skills=[()]), NOW)[:, 0].astype(float)
    gain = np.log(chance / (1 - chance)) - np.log(without / (1 - without))
    bank = leads["industry"].to_numpy() == "bank"
    assert gain[bank].mean() == pytest.approx(0.8, abs=0.2) and np.abs(gain[~bank]).max() < 1e-5


def test_unseen_levels_and_missing_values_are_scored() -> None:
    """New levels, missing values and missing columns of leads and reps give a finite chance between 0 and 1."""
    scorer, _ = trained("rep x segment", World(rep_sd=0.5))
    leads = pd.DataFrame({"lead_id": ["a", "b"], "industry": ["never seen", None], "score": [np.nan, 1e9]})
    chances = scorer.score(leads, pd.DataFrame({"rep_id": ["R01", "nobody"]}), NOW)
    assert chances.shape == (2, 2) and np.isfinite(chances).all() and (chances > 0).all() and (chances < 1).all()


def test_without_effects_of_the_rep_all_reps_are_equal() -> None:
    """At the levels base rate and lead every rep has the same chance."""
    for level in LEVELS[:2]:
        scorer, _ = trained(level, World(rep_sd=1.0))
        chances = scorer.score(World().draw(20), World().reps(), NOW)
        assert (chances == chances[:, :1]).all()
        assert (np.ptp(chances) == 0) == (level == "base rate")


def test_open_leads_are_neither_lost_nor_dropped() -> None:
    """With slow wins the mean chance is the true one, where "open is lost" would be far too low."""
    world = World(win_days=90.0, seed=7)
    scorer, cases = trained("lead", world, 12_000)
    leads = world.draw(2000)
    truth = world.truth(leads, DAYS)[:, 6].mean()
    found = float(scorer.score(leads, world.reps(), NOW)[:, 6].mean())
    assert abs(found - truth) < 0.02
    assert cases.wins / len(cases) < truth - 0.04
