"""Leads to come, and how open ones end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from apportion_models.synthetic import World, coming, ended

WORLD = World(seed=4, n_reps=6, n_new=1, n_unseen=0, days=120)


def test_leads_come_after_the_batch_day_in_order() -> None:
    """Over the days asked for, sorted, each with an id of its own, and with what a lead has."""
    ahead = coming(WORLD, 300, days=14)
    created = ahead.leads["created_at"]
    midnight = WORLD.at.normalize()
    assert created.is_monotonic_increasing and ahead.leads["lead_id"].is_unique
    assert created.min() >= midnight and created.max() < midnight + pd.Timedelta(days=14)
    assert set(WORLD.leads(1).columns) == set(ahead.leads.columns)


def test_the_same_world_gives_the_same_leads_and_luck() -> None:
    """Bit for bit; another draw gives others."""
    one, other, third = coming(WORLD, 40, days=7), coming(WORLD, 40, days=7), coming(WORLD, 40, days=7, draw=1)
    pd.testing.assert_frame_equal(one.leads, other.leads, check_exact=True)
    assert one.luck.tolist() == other.luck.tolist() != third.luck.tolist()


def test_a_better_chance_never_loses_what_a_worse_one_wins() -> None:
    """One draw decides at any chance, at the rate of the chance."""
    ahead = coming(WORLD, 4000, days=7)
    lead = np.arange(4000)
    low, high = ahead.won(lead, np.full(4000, 0.2)), ahead.won(lead, np.full(4000, 0.3))
    assert (high | ~low).all() and abs(low.mean() - 0.2) < 0.02 and abs(high.mean() - 0.3) < 0.02


def test_open_leads_end_later_as_the_truth_has_it() -> None:
    """Closed ones stay as they are; open ones end after the batch time, won where the truth says so."""
    logged = WORLD.logged(500)
    whole, before = ended(WORLD, logged), logged.frame
    was_open = (before["outcome"] == "open").to_numpy()
    assert was_open.sum() > 50 and not (whole["outcome"] == "open").any()
    pd.testing.assert_frame_equal(whole[~was_open], before[~was_open], check_exact=True)
    assert (whole.loc[was_open, "closed_at"] > WORLD.at).all()
    assert ((whole["outcome"] == "won").to_numpy() == logged.won).all()
    assert (whole["deal_value"].notna() == (whole["outcome"] == "won")).all()


def test_delays_of_open_leads_are_those_of_all() -> None:
    """History and what became of its open leads together have the mean days of the law: 25 + 8 × size for losses."""
    world = World(seed=9, n_reps=6, n_new=0, n_unseen=0, days=60)
    logged = world.logged(6000)
    whole = ended(world, logged)
    days = (whole["closed_at"] - whole["assigned_at"]).dt.total_seconds() / 86_400
    small = (whole["company_size"] < 50) & (whole["outcome"] == "lost")
    assert abs(days[small].mean() - 25.0) < 1.5
