from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from apportion_models.validation.decision import (
    calibration_on_assigned,
    claimed_uplift,
    cross_fitted_uplift,
    gain_sources,
    permuted_reps,
)
from apportion_models.validation.realised import Realised, realised_share

NO_REP = np.full(3, -1)


def later_leads(seed: int, kept: float, trust: float = 0.0, rows: int = 4000) -> Realised | None:
    """κ in a world where `kept` of the advantages is true, and trusted reps get leads better than the table shows."""
    rng = np.random.default_rng(seed)
    rep = rng.integers(0, 30, rows)
    given_to = rng.normal(0, 0.4, 30)
    advantage = 0.3 * rng.normal(size=(30, 5))[rep, rng.integers(0, 5, rows)] + trust * given_to[rep]
    base = rng.normal(-1.0, 0.7, rows)
    chance = expit(base + kept * advantage + trust * given_to[rep] * (1.0 - kept))
    return realised_share(
        (rng.random(rows) < chance).astype(float), base, advantage, given_to[rep], rep.astype(str).astype(object)
    )


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_intervals_of_what_came_true_cover_as_they_say(kept: float) -> None:
    """Over 200 worlds the 90 % interval holds the truth in 85 to 95 %."""
    found = [later_leads(seed, kept) for seed in range(200)]
    covered = np.mean([one is not None and one.low <= kept <= one.high for one in found])
    assert 0.85 <= covered <= 0.95


def test_trust_does_not_pass_for_skill() -> None:
    """Where nothing but the better leads of trusted reps came true, κ is about 0 all the same."""
    shares = [one.share for seed in range(20) if (one := later_leads(seed, 0.0, trust=1.0)) is not None]
    assert abs(np.mean(shares)) < 0.1


def test_nothing_to_judge() -> None:
    """Equal advantages, or a single rep: there is no share to speak of."""
    ones, ids = np.ones(50), np.array(["a"] * 50, dtype=object)
    assert realised_share(ones, ones, ones, ones, np.arange(50).astype(str).astype(object)) is None
    assert realised_share(ones, ones, np.arange(50.0), ones, ids) is None


def claims_kept(kept: float) -> Realised:
    return Realised(share=kept, standard_error=0.2, rows=100)


def test_claims_grow_with_what_came_true() -> None:
    """Nothing came true: nothing is claimed; all of it: what the model says; the ends of the interval enclose it."""
    rng = np.random.default_rng(0)
    base, advantage, value = rng.normal(-1, 1, 40), rng.normal(0, 0.5, (40, 4)), rng.uniform(1, 9, 40)
    rep, share = advantage.argmax(axis=1), np.full(4, 0.25)
    claims = [
        claimed_uplift(
            base=base,
            advantage=advantage,
            value=value,
            rep=rep,
            share=share,
            realised=claims_kept(kept),
        )
        for kept in (0.0, 0.5, 1.0)
    ]
    worth = expit(base[:, None] + advantage) * value[:, None]
    assert claims[0].uplift == pytest.approx(0.0, abs=1e-12) and claims[0].has_zero
    assert claims[2].uplift == pytest.approx(worth[np.arange(40), rep].sum() / (worth @ share).sum() - 1.0)
    assert claims[0].uplift < claims[1].uplift < claims[2].uplift
    assert claims[0].claimed == 0.0 and claims[2].claimed == claims[2].uplift
    assert all(one.low < one.uplift < one.high for one in claims)
    told = {"base": base, "advantage": advantage, "value": value, "rep": rep, "realised": claims_kept(1.0)}
    by_lead = claimed_uplift(share=np.repeat(share[None], 40, axis=0), **told)
    assert by_lead == claimed_uplift(share=share, **told)
    own = np.zeros((40, 4))
    own[np.arange(40), rep] = 1.0  # only the planned rep may get the lead: nothing is gained
    assert claimed_uplift(share=own, **told).uplift == pytest.approx(0.0, abs=1e-12)
    none = claimed_uplift(base=base, advantage=advantage, value=value, rep=rep, share=share, realised=None)
    assert (none.uplift, none.low, none.high) == (0.0, 0.0, 0.0)


def test_halves_that_agree_on_nothing_claim_nothing() -> None:
    """Two models that are both noise: the plan looks good to its own, and no better than chance to the other."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(50):
        one, two = (np.exp(0.3 * rng.normal(size=(200, 5))) for _ in range(2))
        found.append(cross_fitted_uplift(one, two, one.argmax(axis=1), np.full(5, 0.2)))
    optimism, uplift = np.mean(found, axis=0)
    assert optimism > 0.2 and abs(uplift) < 0.01


def test_calibration_on_assigned_pairs() -> None:
    """Chances that are true pass in 90 of 100 worlds at least; advantages that are noise are caught."""
    rng = np.random.default_rng(2)
    passed = caught = 0
    for _ in range(100):
        advantage = rng.normal(0, 0.5, 3000)
        base = rng.normal(-1.5, 0.5, 3000)
        for true in (True, False):
            label = (rng.random(3000) < expit(base + true * advantage)).astype(float)
            found = calibration_on_assigned(label, expit(base + advantage), advantage)
            passed += true and found.holds
            caught += not true and not found.holds
    assert passed >= 88 and caught >= 88


def test_placebo_deals_reps_anew_within_their_time() -> None:
    """Every rep keeps as many leads, leads stay whole, early reps stay early, and the seed decides."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "lead_id": [f"L{i:04d}" for i in range(1200)],
            "assigned_at": pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.arange(1200), unit="h"),
            "rep_id": np.where(np.arange(1200) < 600, "early", "late"),
            "outcome": rng.choice(["won", "lost"], 1200),
        }
    )
    doubled = pd.concat([table, table.iloc[:50]], ignore_index=True)
    dealt = permuted_reps(doubled, seed=0)
    assert (dealt["rep_id"].iloc[:1200].value_counts() == table["rep_id"].value_counts()).all()
    assert (dealt["rep_id"].iloc[:50].to_numpy() == dealt["rep_id"].iloc[1200:].to_numpy()).all()
    assert (dealt["rep_id"].iloc[:500] == "early").all()
    mixed = table.assign(rep_id=rng.choice(["a", "b"], 1200))
    one, two = (permuted_reps(mixed, seed=seed)["rep_id"] for seed in (0, 1))
    assert (one != mixed["rep_id"]).any() and (one != two).any()
    assert (one == permuted_reps(mixed, seed=0)["rep_id"]).all()


@given(seed=st.integers(0, 10_000))
def test_sources_of_a_gain_add_up(seed: int) -> None:
    """Placed, stars and fit sum to the gain, whatever the plans."""
    rng = np.random.default_rng(seed)
    revenue, nurture = rng.uniform(0, 10, (12, 4)), rng.uniform(0, 1, 12)
    one, two = rng.integers(-1, 4, (2, 12))

    def worth(rep: np.ndarray) -> float:
        return float(np.where(rep >= 0, revenue[np.arange(12), np.maximum(rep, 0)], nurture).sum())

    found = gain_sources(revenue, one, two, nurture=nurture)
    assert found.total == pytest.approx(worth(one) - worth(two), abs=1e-9)


def test_sources_are_told_apart() -> None:
    """A rep better at everything is a star; crossed strengths are fit; an empty slot that is filled is placed."""
    stars = np.outer([10.0, 1.0], [2.0, 1.0])
    found = gain_sources(stars, np.array([0, 1]), np.array([1, 0]))
    assert found.stars == pytest.approx(found.total) and abs(found.fit) < 1e-12 and found.placed == 0
    crossed = np.array([[2.0, 1.0], [1.0, 2.0]])
    found = gain_sources(crossed, np.array([0, 1]), np.array([1, 0]))
    assert found.fit == pytest.approx(found.total) == pytest.approx(2.0)
    found = gain_sources(np.ones((3, 2)), np.array([0, 1, 0]), NO_REP)
    assert found.placed == pytest.approx(found.total) == pytest.approx(3.0)
