"""Simulation: the truth judges, each track learns from itself, the same luck everywhere."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from apportion.app.replay import RunReport
from apportion.policy import load_policy
from apportion.whatif.replay import WORLD_POLICY, Run, SimulateHow, simulate
from apportion_models.errors import UsageError

HOW = SimulateHow(
    weeks=3, seed=2, reps=4, new=1, past=300, batches="weekly", retrain=14, gap=0.2,
    routers=("round_robin", "territory", "cherry_pick"), frozen=True,
)  # fmt: skip


@lru_cache(maxsize=1)
def once() -> Run:
    return simulate(None, HOW)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Document and page; another seed is another company."""
    other = simulate(None, HOW)
    assert RunReport(run=other).document() == RunReport(run=once()).document()
    assert RunReport(run=other).html() == RunReport(run=once()).html()


def test_luck_is_the_leads_and_not_the_tracks() -> None:
    """Round robin and territory round robin decide alike without territories: so all ends alike, to the last digit."""
    table = once().decisions.set_index("lead_id")
    one, other = (table[table["track"] == name].drop(columns="track") for name in ("round_robin", "territory"))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_what_is_believed_with_the_truth_is_true() -> None:
    """The all-knowing policy expects what is so; a model does not."""
    totals = once().measured.totals.set_index("track")
    assert totals.loc["truth", "expected_revenue"] == pytest.approx(totals.loc["truth", "worth"], rel=1e-5)
    assert totals.loc["plan", "expected_revenue"] != pytest.approx(totals.loc["plan", "worth"], rel=1e-3)


def test_each_track_learns_from_what_it_made_happen() -> None:
    """At the second fit a track knows the past and its own leads until then; who looks at no value learns nothing."""
    models = once().models
    assert set(models["track"]) == {"all", "plan", "cherry_pick"}
    first = models[models["track"] == "all"].iloc[0]
    assert first["leads"] == HOW.past
    for row in models[models["track"] != "all"].to_dict(orient="records"):
        table = once().decisions.query("outcome == 'assigned'")
        own = table[table["track"] == row["track"]]
        assert row["leads"] == HOW.past + (own["at"] < pd.Timestamp(row["at"])).sum()


def test_a_model_that_is_never_retrained_decides_alike_until_the_first_retraining() -> None:
    """The plan and the frozen plan are one until then, and differ after it."""
    table = once().decisions.set_index("lead_id")
    plan, frozen = (table[table["track"] == name][["batch", "rep_id", "fit"]] for name in ("plan", "frozen"))
    early = plan["batch"] < 2
    pd.testing.assert_frame_equal(plan[early], frozen[early], check_exact=True)
    assert not plan["fit"].equals(frozen["fit"])


def test_nothing_is_earned_before_it_closes() -> None:
    """Booked so far is what has closed by then; in the end no more than was earned in all."""
    table = once().decisions
    for track, own in table.groupby("track"):
        every = once().measured.batches
        batches = every[every["track"] == track]
        last = once().stage.moments[-1]
        closed = own[(own["closes_at"] <= last) & own["earned"].notna()]
        assert batches["booked"].sum() == pytest.approx(closed["earned"].sum())
        assert batches["booked"].sum() <= own["earned"].sum()


def test_leads_close_after_a_delay_and_reps_ramp() -> None:
    """Closing comes after assignment; the new rep's capacity grows from batch to batch."""
    given = once().decisions.query("outcome == 'assigned'")
    assert (given["closes_at"] > given["at"]).all()
    start = once().stage.reps["start_date"]
    new = int(np.argmax(start))
    full = [step.full[new] for step in once().steps if step.track == "plan"]
    assert all(early < late for early, late in pairwise(full))


def test_identical_reps_leave_nothing_to_gain() -> None:
    """Strength nil and room for all: worth is the same whoever gets what."""
    roomy = load_policy({**WORLD_POLICY, "capacity": {"default": 24}, "equity": []})
    run = simulate(roomy, replace(HOW, strength=0.0, leads_per_week=10, frozen=False, weeks=2))
    totals = run.measured.totals
    assert (totals["placed"] == 20).all()
    assert totals["worth"].to_numpy() == pytest.approx(totals["worth"].iloc[0])


def test_routers_do_worse_where_reps_differ_much() -> None:
    """With strong differences and little room, the truth's plan is worth far more than turns, and the model's more."""
    policy = load_policy({**WORLD_POLICY, "equity": []})
    how = replace(HOW, strength=3.0, past=1200, leads_per_week=50, frozen=False, exploration=1.0, weeks=2)
    worth = simulate(policy, how).measured.totals.set_index("track")["worth"]
    assert worth["truth"] > 1.3 * worth["round_robin"]
    assert worth["truth"] > worth["plan"] > 1.1 * worth["round_robin"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weeks": 0}, "--weeks"),
        ({"retrain": -1.0}, "--retrain"),
        ({"past": 3}, "--past"),
        ({"new": 9}, "--new must be"),
        ({"gap": 2.0}, "--gap"),
    ],
)
def test_what_cannot_be_simulated_is_refused(change: dict[str, float], words: str) -> None:
    """UsageError names the option."""
    with pytest.raises(UsageError, match=words):
        simulate(None, replace(HOW, **change))  # type: ignore[arg-type]
