from __future__ import annotations

import json

import numpy as np
import pandas as pd

from apportion_models.features.leads import LeadEncoder
from apportion_models.features.reps import RepEncoder, declared_skills, start_days, to_days
from tests.models.worlds import FIRST, World


def learned() -> tuple[World, pd.DataFrame, RepEncoder]:
    world = World()
    history, reps = world.history(400), world.reps()
    encoder, _ = LeadEncoder.learn(history, ["industry", "score"])
    return world, reps, RepEncoder.learn(reps, (), history, encoder)


def test_only_what_is_declared_is_used() -> None:
    """Level, team, tenure and declared skills; never names, capacity or what else the table holds."""
    _, _, encoder = learned()
    assert [coder.name for coder in encoder.coders] == ["level", "team_id"]
    assert encoder.tenure and [match.column for match in encoder.matches] == ["industry"]


def test_ramp_falls_from_one() -> None:
    """exp(-days / 90): 1 before and on the first day, 0 for an unknown start."""
    _, _, encoder = learned()
    start = np.array([100.0, 100.0, 10.0, np.nan])
    assert np.allclose(encoder.ramp(start, 100.0)[:, 0], [1.0, 1.0, np.exp(-1.0), 0.0])
    assert encoder.ramp(start, 50.0)[0, 0] == 1.0


def test_match_reads_lists_and_semicolons_in_any_case() -> None:
    """A skill matches the lead's value whatever its case, given as a list or as text."""
    reps = pd.DataFrame({"rep_id": ["a", "b", "c"], "skills": [("Bank ", "x"), "HEALTH;retail", np.nan]})
    assert declared_skills(reps) == [frozenset({"bank", "x"}), frozenset({"health", "retail"}), frozenset()]


def test_match_codes_and_declarations_meet() -> None:
    """The lead's code and the rep's declaration name the same value."""
    world, reps, encoder = learned()
    match = encoder.matches[0]
    leads = world.draw(40)
    declared = match.declared(declared_skills(reps))
    codes = match.lead_codes(leads)
    truth = world.skill_of[:, None] == leads["industry_code"].to_numpy()[None, :]
    assert (declared[:, codes] == truth).all()


def test_a_skill_that_everybody_declares_tells_nothing() -> None:
    """Where all reps declare the same, there is no match to learn."""
    world = World()
    history, reps = world.history(100), world.reps()
    reps["skills"] = [("bank",)] * len(reps)
    encoder, _ = LeadEncoder.learn(history, ["industry"])
    assert RepEncoder.learn(reps, (), history, encoder).matches == ()


def test_bare_reps_table() -> None:
    """With ids alone, peers share nothing but the mean."""
    world = World()
    history = world.history(100)
    reps = world.reps()[["rep_id"]]
    encoder, _ = LeadEncoder.learn(history, ["industry"])
    rep_encoder = RepEncoder.learn(reps, (), history, encoder)
    assert rep_encoder.static_part(reps).matrix.shape == (12, 0)
    assert rep_encoder.ramp(start_days(reps), 0.0).shape == (12, 0)


def test_json_round_trip() -> None:
    """A rep encoder restored from JSON is the same."""
    _, _, encoder = learned()
    assert RepEncoder.from_state(json.loads(json.dumps(encoder.state()))) == encoder


def test_days_are_utc() -> None:
    """Times count in days of UTC; a time without a zone is read as UTC; missing stays missing."""
    days = to_days(pd.Series([FIRST, FIRST.tz_convert("Asia/Tokyo"), pd.NaT]))
    assert days[0] == days[1] == 19723.0 and np.isnan(days[2])
