"""Equity, limits, reserve, exploration and soft caps come to the right arrays; so do values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apportion.policy import equity, fair_weights, limits, load_policy, pair_costs, pair_values, rep_capacity
from apportion.policy.resolved import ResolvedLimit
from apportion_models.errors import PolicyError, TableError, UsageError

Frames = Callable[..., pd.DataFrame]
AT = "2026-03-04 00:00"
TIERS = "tiers: {bands: [{name: hot, at_least: 80}, {name: cold}]}\n"


def resolve(policy: str, leads: pd.DataFrame, reps: pd.DataFrame, **tables: Any) -> tuple[ResolvedLimit, ...]:
    loaded = load_policy(policy)
    capacity = rep_capacity(loaded, reps, at=AT, assigned=tables.get("assigned"))
    return limits(loaded, leads, reps, at=AT, capacity=capacity, **tables)


def test_the_default_floor(leads: Frames, reps: Frames) -> None:
    """Every rep is offered 70 % of the fair share of opportunity, at a price of 2 for each unit missing."""
    (rule,) = equity(load_policy(""), leads(score=[1, 2]), reps(level=["a", "b"]), at=AT)
    assert (rule.measure, rule.low, rule.high, rule.keep, rule.price) == ("opportunity", 0.7, None, None, 2.0)
    assert rule.leads.tolist() == [True, True]
    assert rule.group.tolist() == [0, 1]
    assert rule.group_names == ("r1", "r2")
    assert rule.weights.tolist() == [1.0, 1.0]
    assert rule.earlier.tolist() == [0.0, 0.0]


def test_equity_by_group_and_tier(leads: Frames, reps: Frames) -> None:
    """Groups are sorted by name; a rep without one stands outside, as do the excepted; `each` tier is a rule a tier."""
    policy = (
        TIERS
        + """
equity:
  - {name: teams, measure: leads, by: team, low: 0.5, high: 1.5, tier: each, except: level == 'trainee'}
  - {name: best, measure: max_min, keep: 0.9, by: level}
  - {name: hot ones, measure: revenue, tier: hot, high: 2, price: 3}
"""
    )
    frame = reps(team_id=["B", "A", None, "A"], level=["x", "x", "y", "trainee"])
    rules = equity(load_policy(policy), leads(score=[90, 1, 80]), frame, at=AT)
    assert [rule.name for rule in rules] == ["teams (hot)", "teams (cold)", "best", "hot ones"]
    assert rules[0].leads.tolist() == [True, False, True]
    assert rules[1].leads.tolist() == [False, True, False]
    assert rules[0].group.tolist() == [1, 0, -1, -1]
    assert rules[0].group_names == ("A", "B")
    assert (rules[0].low, rules[0].high, rules[0].price) == (0.5, 1.5, None)
    assert (rules[2].keep, rules[2].group.tolist()) == (0.9, [1, 1, 2, 0])
    assert (rules[3].leads.tolist(), rules[3].price) == ([True, False, True], 3.0)


ASSIGNED = pd.DataFrame(
    {
        "rep_id": ["r1", "r1", "r2", "r2", "gone", "r1"],
        "assigned_at": pd.to_datetime(
            ["2026-03-01", "2026-02-01", "2026-03-03", "2026-02-25", "2026-03-03", "2026-03-05"], utc=True
        ),
        "opportunity": [10.0, 20.0, 5.0, np.nan, 100.0, 1000.0],
        "expected_revenue": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "tier": ["hot", "hot", "cold", "hot", "hot", "hot"],
    }
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("measure: leads, low: 1, window: 7", [1, 1]),
        ("measure: leads, low: 1, window: 8", [1, 2]),
        ("measure: opportunity, low: 1, window: 40", [30, 5]),
        ("measure: revenue, low: 1, window: 40", [3, 7]),
        ("measure: leads, low: 1, window: 40, tier: hot", [2, 1]),
        ("measure: leads, low: 1, window: batch", [0, 0]),
        ("measure: leads, low: 1, window: 40, except: level == 'a'", [0, 2]),
    ],
)
def test_a_rolling_window_counts_what_earlier_batches_gave(
    leads: Frames, reps: Frames, rule: str, expected: list[float]
) -> None:
    """From `window` days back, without that moment itself, up to now; by the rule's measure, tier and groups."""
    policy = load_policy(TIERS + f"equity: [{{name: a, {rule}}}]")
    (found,) = equity(policy, leads(score=[1]), reps(level=["a", "b"]), at=AT, assigned=ASSIGNED)
    assert found.earlier.tolist() == expected


def test_a_rolling_window_needs_its_columns(leads: Frames, reps: Frames) -> None:
    """A window on opportunity cannot count assignments without it."""
    policy = load_policy("equity: [{name: a, measure: opportunity, low: 1, window: 7}]")
    with pytest.raises(TableError, match="opportunity"):
        equity(policy, leads(score=[1]), reps(level=["a"]), at=AT, assigned=ASSIGNED.drop(columns="opportunity"))


def test_groups_need_their_column(leads: Frames, reps: Frames) -> None:
    """An unknown group column is told with the columns there are."""
    with pytest.raises(PolicyError, match="squad"):
        equity(
            load_policy("equity: [{name: a, measure: leads, low: 1, by: squad}]"),
            leads(score=[1]),
            reps(level=["a"]),
            at=AT,
        )
    with pytest.raises(PolicyError, match="continent"):
        resolve("limits: [{name: a, high: 1, each: continent}]", leads(score=[1]), reps(level=["a"]))


def test_weights_multiply(reps: Frames) -> None:
    """All weights that hold are multiplied; the others have weight one."""
    policy = load_policy(
        "weights: [{name: a, reps: level == 'new', weight: 0.5}, {name: b, reps: team_id == 'A', weight: 3}]"
    )
    found = fair_weights(policy, reps(level=["new", "old", "new"], team_id=["A", "A", "B"]), at=AT)
    assert found.tolist() == [1.5, 3.0, 0.5]


def test_limits(leads: Frames, reps: Frames) -> None:
    """Absolute bounds by group, by value of a lead's column, for some leads and some reps."""
    policy = (
        TIERS
        + """
limits:
  - {name: teams, by: team, each: tier, low: 1, high: 3, leads: country == 'SE', reps: level == 'x'}
  - {name: all, by: all, measure: effort, high: 9, price: 4}
"""
    )
    frame = reps(team_id=["B", "A", "A"], level=["x", "x", "y"])
    cold, hot, everything = resolve(policy, leads(score=[90, 1, 80], country=["SE", "SE", "DE"]), frame)
    assert (cold.name, hot.name) == ("teams (cold)", "teams (hot)")
    assert hot.leads.tolist() == [True, False, False]
    assert cold.leads.tolist() == [False, True, False]
    assert hot.group.tolist() == [1, 0, -1]
    assert (hot.low.tolist(), hot.high.tolist(), hot.price) == ([1, 1], [3, 3], None)
    assert (everything.group.tolist(), everything.group_names) == ([0, 0, 0], ("all",))
    assert (everything.low.tolist(), everything.high.tolist(), everything.price) == ([0], [9], 4)


def test_limits_each_territory(leads: Frames, reps: Frames) -> None:
    """A bound for each territory counts that territory's leads."""
    policy = """
territories: {cover: [{name: N, when: country == 'SE', primary: true}, {name: S, when: country == 'IT', primary: true}]}
limits: [{name: a, by: all, each: territory, high: 2}]
"""
    north, south = resolve(policy, leads(country=["SE", "IT", None]), reps(level=["a"]))
    assert (north.leads.tolist(), south.leads.tolist()) == ([True, False, False], [False, True, False])


def test_reserve_bounds_the_effort_of_other_leads(leads: Frames, reps: Frames) -> None:
    """A fifth held back for hot leads: the others may take four fifths of each rep's capacity."""
    policy = TIERS + "reserve: [{name: r, leads: tier == 'hot', share: 0.2, reps: level == 'a', price: 5}]"
    (rule,) = resolve(policy, leads(score=[90, 1]), reps(level=["a", "b"], capacity=[10, 20]))
    assert rule.measure == "effort"
    assert rule.leads.tolist() == [False, True]
    assert rule.group.tolist() == [0, -1]
    assert rule.high.tolist() == [8.0, 16.0]
    assert rule.price == 5


def test_explore_gives_new_reps_a_floor_within_their_room(leads: Frames, reps: Frames) -> None:
    """New by days or by past leads; never above capacity or caps."""
    policy = """
explore: [{minimum: 3, first_days: 30, fewer_than: 1}]
capacity: {caps: [{name: c, per: open, at_most: 5}]}
"""
    frame = reps(
        start_date=["2026-02-20", "2020-01-01", "2020-01-01", "2026-05-01"],
        capacity=[2.5, 10, 10, 10],
        open_leads=[0, 4, 0, 0],
    )
    past = pd.DataFrame({"rep_id": ["r1", "r3", "r4"], "assigned_at": pd.to_datetime(["2026-01-01"] * 3, utc=True)})
    (rule,) = resolve(policy, leads(score=[1]), frame, assigned=past)
    assert rule.group.tolist() == [0, 1, -1, -1]
    assert rule.low.tolist()[:2] == [2.0, 1.0]
    assert rule.price is None


def test_soft_caps_are_limits_at_a_price(leads: Frames, reps: Frames) -> None:
    """A cap with a price bounds what is still free in the period, each lead more costs it."""
    policy = "capacity: {caps: [{name: wish, per: open, at_most: 5, reps: level == 'a', price: 7}]}"
    (rule,) = resolve(policy, leads(score=[1]), reps(level=["a", "b"], open_leads=[3, 9]))
    assert (rule.measure, rule.high.tolist(), rule.price) == ("leads", [2.0, np.inf], 7.0)


def test_limits_want_the_capacity_of_these_reps(leads: Frames, reps: Frames) -> None:
    """A capacity frame of other reps is a mistake of the caller."""
    capacity = rep_capacity(load_policy(""), reps(level=["a"]), at=AT)
    with pytest.raises(UsageError, match="same reps"):
        limits(load_policy(""), leads(score=[1]), reps(level=["a", "b"]), at=AT, capacity=capacity)


def test_values_with_caution_and_cost(leads: Frames, reps: Frames) -> None:
    """(revenue − caution × spread, at least 0) − cost per lead − effort × cost per effort, by the rep's own column."""
    policy = load_policy("""
value: {estimate: lower, caution: 2, cost_per_lead: 1, cost_per_effort: 3, cost_column: hourly}
""")
    batch, frame = leads(effort=[1, 2]), reps(hourly=[10.0, np.nan])
    revenue, spread = np.array([[100.0, 50.0], [10.0, 10.0]]), np.array([[5.0, 5.0], [5.0, 20.0]])
    found = pair_values(policy, batch, frame, revenue, at=AT, spread=spread)
    assert found.tolist() == [[90 - 1 - 10, 40 - 1 - 3], [0 - 1 - 20, 0 - 1 - 6]]
    with pytest.raises(UsageError, match="spread="):
        pair_values(policy, batch, frame, revenue, at=AT)
    assert pair_values(load_policy(""), batch, frame, revenue, at=AT).tolist() == revenue.tolist()


def test_costs_by_predicate_are_added_up(leads: Frames, reps: Frames) -> None:
    """Every cost that holds counts: per lead, per effort, of the revenue, and the lead's own amount."""
    policy = load_policy("""
value:
  cost_per_lead: 1
  costs:
    - {name: travel, when: country != rep.home, per_lead: 20, per_effort: 5}
    - {name: commission, when: rep.level == 'a', of_revenue: 0.1}
    - {name: own, column: onboarding}
""")
    batch = leads(effort=[1, 2], country=["SE", "NO"], onboarding=[7.0, np.nan])
    frame = reps(home=["SE", "NO"], level=["a", "b"])
    revenue = np.array([[100.0, 50.0], [10.0, 10.0]])
    cost = pair_costs(policy, batch, frame, revenue, at=AT)
    assert cost is not None
    assert cost.tolist() == [[1 + 10 + 7, 1 + 25 + 7], [1 + 30 + 1, 1]]
    assert pair_values(policy, batch, frame, revenue, at=AT).tolist() == (revenue - cost).tolist()
    assert pair_costs(load_policy(""), batch, frame, revenue, at=AT) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("value: {costs: [{name: nothing}]}", "what it costs"),
        ("value: {costs: [{name: a, per_lead: -1}]}", "greater than or equal to 0"),
        ("value: {costs: [{name: a, of_revenue: 2}]}", "less than or equal to 1"),
        ("value: {costs: [{name: a, per_lead: 1}, {name: a, per_lead: 2}]}", "distinct names"),
    ],
)
def test_costs_that_are_none_are_refused(text: str, told: str) -> None:
    """A cost says what it costs, and no cost is a gain."""
    with pytest.raises(PolicyError, match=told):
        load_policy(text)


def test_a_cost_by_a_column_that_is_not_there(leads: Frames, reps: Frames) -> None:
    """Named with what the table has."""
    policy = load_policy("value: {costs: [{name: own, column: onboarding}]}")
    with pytest.raises(TableError, match="onboarding"):
        pair_costs(policy, leads(score=[1]), reps(level=["a"]), np.ones((1, 1)), at=AT)


def test_values_decay_while_a_lead_waits(leads: Frames, reps: Frames) -> None:
    """Half for each half-life waited, until the rep next works; never below the floor."""
    policy = load_policy("value: {decay: {half_life_hours: 8, floor: 0.2}}")
    batch = leads(created_at=["2026-03-04 09:00", "2026-03-04 01:00", "2026-01-01", None])
    frame = reps(working_hours=["mon-fri 09:00-17:00", "mon-fri 17:00-24:00"])
    found = pair_values(policy, batch, frame, np.full((4, 2), 100.0), at="2026-03-04 09:00")
    assert found.tolist() == [[100, 50], [50, 25], [20, 20], [100, 50]]
