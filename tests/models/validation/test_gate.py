from __future__ import annotations

import numpy as np

from apportion_models.validation.gate import OutOfTime, judge, paired_gain

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(0.05, 0.6, 4000)
LABEL = (RNG.random(4000) < TRUTH).astype(float)
REP = RNG.integers(0, 20, 4000).astype(str).astype(object)
MEAN = np.full(4000, LABEL.mean())
HALF = 0.5 * (TRUTH + MEAN)
NO_NOISE = {"rep": 0.0, "rep x segment": 0.0}


def trial_of(**chances: np.ndarray) -> OutOfTime:
    names = {"base": "base rate", "lead": "lead", "rep": "rep", "segment": "rep x segment"}
    return OutOfTime(label=LABEL, rep_id=REP, chances={names[key]: value for key, value in chances.items()})


def test_the_simplest_that_is_not_beaten_wins() -> None:
    """Candidates that add nothing at all to a simpler one are not taken."""
    verdict = judge(trial_of(base=MEAN, lead=HALF, rep=HALF, segment=HALF), margin=1.0, noise=NO_NOISE)
    assert verdict.level == "lead"
    assert [effect.held for effect in verdict.effects] == [True, False, False]


def test_a_step_may_be_skipped() -> None:
    """An effect by segment can hold where the rep alone adds nothing."""
    verdict = judge(trial_of(base=MEAN, lead=HALF, rep=HALF, segment=TRUTH), margin=1.0, noise=NO_NOISE)
    assert verdict.level == "rep x segment"


def test_worse_models_are_refused_with_the_number() -> None:
    """A model that loses out of time is told as no evidence, with the loss."""
    worse = np.clip(TRUTH[::-1], 0.01, 0.99)
    verdict = judge(trial_of(base=MEAN, lead=HALF, rep=worse, segment=worse), margin=1.0, noise=NO_NOISE)
    rep = verdict.effects[1]
    assert not rep.held and rep.gain is not None and rep.gain < 0 and "rises by" in rep.sentence


def test_what_noise_explains_is_refused_though_it_held_once() -> None:
    """An effect that held out of time and cannot be told from noise is no evidence, though it stays in use."""
    chances = {"base": MEAN, "lead": MEAN, "rep": HALF, "segment": HALF}
    verdict = judge(trial_of(**chances), margin=1.0, noise={"rep": 0.4, "rep x segment": 0.4})
    rep = verdict.effects[1]
    assert verdict.level == "rep" and not rep.held and rep.in_use
    assert "p = 0.4" in rep.sentence and "no gain is claimed" in rep.sentence


def test_the_margin_is_in_standard_errors() -> None:
    """A candidate stays until the simpler one is better by the margin, and not a hair longer."""
    both = trial_of(base=MEAN, lead=np.clip(1.0 - HALF, 0.01, 0.99))
    gain, error = paired_gain(both, "base rate", "lead")
    assert gain < 0
    assert judge(both, margin=-gain / error * 1.01, noise={}).level == "lead"
    assert judge(both, margin=-gain / error * 0.99, noise={}).level == "base rate"


def test_errors_shared_by_a_rep_widen_the_margin() -> None:
    """A gain that comes from one rep alone has a larger error than one spread over all."""
    one = np.where(REP == "3", TRUTH, MEAN)
    everyone = MEAN + (TRUTH - MEAN) * 0.05
    spread = [paired_gain(trial_of(base=MEAN, lead=chance), "base rate", "lead") for chance in (one, everyone)]
    assert spread[0][1] / abs(spread[0][0]) > spread[1][1] / abs(spread[1][0])


def test_what_is_not_tested_is_not_believed() -> None:
    """With one rep there is nothing to compare, and the sentence says so."""
    verdict = judge(trial_of(base=MEAN, lead=TRUTH), margin=1.0, noise={})
    assert verdict.level == "lead"
    assert [effect.tested for effect in verdict.effects] == [True, False, False]
    assert "not tested" in verdict.effects[1].sentence


def test_a_single_row_proves_nothing() -> None:
    """One tested lead has no standard error, so no effect is taken."""
    few = OutOfTime(label=LABEL[:1], rep_id=REP[:1], chances={"base rate": MEAN[:1], "lead": LABEL[:1]})
    assert judge(few, margin=1.0, noise={}).level == "base rate"
