"""How a track's state evolves from batch to batch: small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion.whatif.replay.measures import measure
from apportion.whatif.replay.run import finished
from tests.solver.whatif.replay.hand import DAY, MONDAY, HandGround, leads_of, owners, placed, play, played, tracks_of
from tests.solver.whatif.replay.hand import stage_of as stage

ROOM_3 = {"capacity": {"default": 3}}


def test_backlog_opens_and_closes() -> None:
    """Three leads fill the rep; while they are open nothing fits; closed after a day and a half, three fit again."""
    policy = {"capacity": {"default": 3, "backlog": {"effort_each": 1}}}
    steps = played(stage(policy, leads_of([3, 3, 3]), 3), ends=1.5)
    assert placed(steps) == [3, 0, 3]
    assert [step.open_leads.tolist() for step in steps] == [[3.0], [3.0], [3.0]]


def test_what_is_never_closed_stays_in_the_backlog() -> None:
    """Without an end the backlog stays for good, up to the share that the policy lets it take."""
    policy = {"capacity": {"default": 4, "backlog": {"effort_each": 1, "at_most": 0.5}}}
    assert placed(played(stage(policy, leads_of([4, 4, 4]), 3))) == [4, 2, 2]


def test_what_was_open_before_the_run_counts_until_it_closes() -> None:
    """A lead of the real past, open for one more day, takes its room on the first day and none on the second."""
    earlier = pd.DataFrame(
        {
            "lead_id": ["old"],
            "rep_id": ["A"],
            "assigned_at": [MONDAY - 9 * DAY],
            "account_id": [None],
            "effort": [1.0],
            "opportunity": [np.nan],
            "expected_revenue": [np.nan],
            "tier": [None],
            "deal_value": [50.0],
            "closes_at": [MONDAY + DAY / 2],
            "won": [np.nan],
        }
    )
    policy = {"capacity": {"default": 3, "backlog": {"effort_each": 1}}}
    assert placed(played(stage(policy, leads_of([3, 3]), 2, earlier=earlier), ends=0.1)) == [2, 3]


def test_a_new_rep_ramps_with_the_days() -> None:
    """Half the capacity on the first two days in the role, then all of it."""
    reps = pd.DataFrame({"rep_id": ["A"], "start_date": [MONDAY.normalize()], "capacity": [4.0]})
    policy = {"ramp": [{"name": "new", "points": [{"day": 0, "share": 0.5}, {"day": 2, "share": 1}]}]}
    assert placed(played(stage(policy, leads_of([4, 4, 4]), 3, reps), ends=0.1)) == [2, 2, 4]


def test_who_starts_later_gets_nothing_before() -> None:
    """A rep of tomorrow has no lead today."""
    reps = pd.DataFrame({"rep_id": ["A"], "start_date": [MONDAY.normalize() + DAY]})
    assert placed(played(stage(ROOM_3, leads_of([3, 3]), 2, reps), ends=0.1)) == [0, 3]


def test_batches_of_one_window_share_its_capacity() -> None:
    """Three units in five working days: two, one, none ..., and two again when the first are five days old."""
    policy = {"window": {"days": 5}, **ROOM_3, "availability": {"week": "mon-sun 09:00-17:00"}}
    made = leads_of([2] * 6)
    assert placed(played(stage(policy, made, 6), ends=0.1)) == [2, 1, 0, 0, 0, 2]
    assert placed(played(stage(policy, made, 6, carry=False), ends=0.1)) == [2] * 6


def test_an_open_lead_of_the_running_window_takes_room_once() -> None:
    """Its effort is out of the window's capacity; its backlog is not taken away besides."""
    policy = {"window": {"days": 5}, "capacity": {"default": 4, "backlog": {"effort_each": 1}}}
    assert placed(played(stage(policy, leads_of([2, 4]), 2))) == [2, 2]


def test_caps_count_the_tracks_own_leads() -> None:
    """Two a week: Monday and Tuesday, then none until the next Monday."""
    policy = {"capacity": {"default": 9, "caps": [{"name": "two a week", "per": "week", "at_most": 2}]}}
    assert placed(played(stage(policy, leads_of([1] * 8), 8))) == [1, 1, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("window", "fourth"), [(2.5, "A"), (300, "B")])
def test_the_rolling_window_moves_with_the_track(window: float, fourth: str) -> None:
    """A converts five times as often. One lead a day at 100 a missing lead below 0.8 of the fair share:

    day 1 to A (50); day 2 to B, for A would leave B 0.8 short (50 − 80 < 10); day 3 to A (50 − 20 > 10 − 20). On day 4
    all of it says B (50 − 60 < 10), but within two and a half days each had one: A.
    """
    rule = {"name": "even", "measure": "leads", "low": 0.8, "window": window, "price": 100}
    chance = {"A": 0.5, "B": 0.1}
    steps = played(stage({"equity": [rule]}, leads_of([1] * 4), 4, "AB"), chance=lambda _, rep: chance[rep])
    assert owners(steps) == ["A", "B", "A", fourth]


def test_turns_go_on_from_batch_to_batch() -> None:
    """One lead a day: round robin does not begin with the first rep each day; the least loaded has fewest open."""
    steps = played(stage({}, leads_of([1] * 5), 5, "ABC"), "round_robin", "weighted", "least_loaded")
    assert owners(steps, "round_robin") == ["A", "B", "C", "A", "B"]
    assert sorted(owners(steps, "weighted")[:3]) == ["A", "B", "C"]
    assert sorted(owners(steps, "least_loaded")[:3]) == ["A", "B", "C"]


def test_leads_wait_where_no_plan_keeps_the_rules() -> None:
    """Two leads need a rep who has room for one: nobody gets any; on the second day there is room for both."""
    reps = pd.DataFrame({"rep_id": ["A"], "start_date": [MONDAY.normalize()], "capacity": [2.0]})
    policy = {
        "ramp": [{"name": "new", "points": [{"day": 0, "share": 0.5}, {"day": 1, "share": 1}]}],
        "nurture": {"must_assign": "true"},
    }
    steps = played(stage(policy, leads_of([2, 0, 1]), 3, reps), ends=0.1)
    assert [step.status for step in steps] == ["INFEASIBLE", "OPTIMAL", "OPTIMAL"]
    assert steps[0].decisions["outcome"].tolist() == ["waiting", "waiting"]
    assert placed(steps) == [0, 2, 1]
    assert steps[1].decisions["hours_waited"].tolist() == [26.0, 26.0]  # an hour, a day, and an hour until work begins


def test_each_track_lives_by_its_own_past() -> None:
    """The plan leaves the worthless lead; the router takes it, and is full where the plan has room."""
    made = leads_of([2, 1]).assign(good=[0.0, 1.0, 1.0])
    policy = {"window": {"days": 5}, "capacity": {"default": 2}, "nurture": {"value": 1}}
    steps = played(stage(policy, made, 2), "round_robin", chance=lambda lead, _: 0.5 * lead["good"], ends=0.1)
    assert placed(steps) == [1, 1]
    assert placed(steps, "round_robin") == [2, 0]


def test_routers_do_worse_where_it_matters_who_gets_what() -> None:
    """Each rep converts one kind of lead only, and leads come so that turns always fall wrongly."""
    kinds = ["b", "a"] * 6
    made = leads_of([2] * 6).assign(kind=kinds)
    own = {("a", "A"), ("b", "B")}
    steps = played(
        stage({"capacity": {"default": 1}}, made, 6, "AB"),
        "round_robin",
        "least_loaded",
        "weighted",
        chance=lambda lead, rep: 0.5 if (lead["kind"], rep) in own else 0.01,
        ends=0.1,
    )
    worth = measure(steps, stage({}, made, 6, "AB").reps, days=28).totals.set_index("track")["worth"]
    assert worth["plan"] == pytest.approx(12 * 50)
    assert worth["round_robin"] == pytest.approx(12 * 1)
    assert (worth.drop("plan") < 0.6 * worth["plan"]).all()


@pytest.mark.parametrize("seed", range(4))
def test_every_lead_is_decided_exactly_once(seed: int) -> None:
    """On every track: once, in the batch at or after its arrival, whatever arrives when; and the counts add up."""
    rng = np.random.default_rng(seed)
    made = leads_of(rng.integers(0, 5, 6).tolist())
    made["created_at"] += pd.to_timedelta(rng.integers(-600, 60, len(made)), unit="min")
    made["junk"] = rng.random(len(made)) < 0.2
    policy = {
        "window": {"days": 2},
        "capacity": {"default": 2},
        "screening": [{"name": "junk", "when": "junk", "outcome": "reject", "reason": "Junk."}],
    }
    ground = HandGround(lambda lead, rep: 0.3, 1.0)
    on = stage(policy, made.sample(frac=1, random_state=seed), 6, "AB")
    tracks = tracks_of(on, "round_robin", "cherry_pick")
    run = finished("replay", "", on, tracks, play(on, tracks, ground), models=pd.DataFrame())
    for _, own in run.decisions.groupby("track"):
        assert sorted(own["lead_id"]) == sorted(made["lead_id"])
        arrived = own["lead_id"].map(made.set_index("lead_id")["created_at"])
        assert (own["at"] >= arrived).all() and (own["at"] - arrived < DAY).all()
    totals = run.measured.totals
    assert (totals["placed"] + totals["nurture"] + totals["rejected"] + totals["waiting"] == len(made)).all()
    assert (totals["rejected"] == made["junk"].sum()).all()
