"""Tables, policy and estimates become the problem that one would write by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apportion import LeadShare, Limit, MaxMin, OpportunityShare, solve, verify
from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import load_policy
from apportion.reasons import plan_document
from tests.solver.oracle import best_plan

AT = pd.Timestamp("2026-03-04", tz="UTC")  # a Wednesday
PLAIN: dict[str, Any] = {"equity": []}
FIT = [[0.5, 0.2], [0.4, 0.4], [0.1, 0.3]]
DEAL = [100.0, 200.0, 1000.0]
REVENUE = [[50.0, 20.0], [80.0, 80.0], [100.0, 300.0]]


def _frame(key: str, ids: list[str], columns: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({key: ids, **columns})


def build(
    policy: Mapping[str, Any] | None = None,
    *,
    leads: Mapping[str, Any] | None = None,
    reps: Mapping[str, Any] | None = None,
    fit: Any = FIT,
    deal: Any = DEAL,
    spread: Any = None,
    **tables: Any,
) -> Batch:
    """A batch of three leads a, b, c and two reps x, y with room for 10 each, unless said otherwise."""
    rep_columns = {"capacity": [10.0, 10.0]} | dict(reps or {})
    made = Tables(
        leads=_frame("lead_id", ["a", "b", "c"], leads or {}),
        reps=_frame("rep_id", ["x", "y"], rep_columns),
        **{name: pd.DataFrame(rows) for name, rows in tables.items()},
    )
    estimates = Estimates(np.array(fit, dtype=np.float32), np.array(deal, dtype=np.float64), spread)
    return build_batch(load_policy(PLAIN | dict(policy or {})), made, estimates, at=AT)


def chosen(batch: Batch) -> dict[str, str | None]:
    """Which rep each lead gets in the optimal plan; brute force agrees."""
    plan, best = solve(batch.problem, gap=0), best_plan(batch.problem)
    assert best is not None
    assert plan.objective == pytest.approx(best[1], rel=1e-7)
    assert verify(batch.problem, plan)
    ids = batch.problem.rep_ids
    return {
        lead: ids[rep] if rep >= 0 else None
        for lead, rep in zip(batch.problem.lead_ids, plan.rep.tolist(), strict=True)
    }


def dense(batch: Batch, name: str) -> list[list[float]]:
    return batch.problem.pairs.dense(getattr(batch.problem, name), np.nan).round(3).tolist()


def test_a_plain_batch_is_fit_times_deal_value() -> None:
    """Value and revenue are the expected revenue; capacity is the reps'; opportunity the mean over the reps."""
    batch = build()
    assert dense(batch, "value") == dense(batch, "revenue") == REVENUE
    assert batch.problem.capacity.tolist() == [10.0, 10.0]
    assert batch.problem.opportunity.round(3).tolist() == [35.0, 80.0, 200.0]
    assert batch.problem.lead_ids == ("a", "b", "c")
    assert batch.problem.rep_ids == ("x", "y")
    assert batch.rows.tolist() == [0, 1, 2]
    assert chosen(batch)["c"] == "y"


def test_the_default_policy_offers_every_rep_their_share() -> None:
    """Unsaid, each rep is offered 70 % of the fair share of opportunity, at a price."""
    tables = Tables(leads=_frame("lead_id", ["a", "b", "c"], {}), reps=_frame("rep_id", ["x", "y"], {}))
    batch = build_batch(load_policy(None), tables, Estimates(np.array(FIT, np.float32), np.array(DEAL)), at=AT)
    [rule] = batch.problem.equity
    assert isinstance(rule, OpportunityShare)
    assert np.asarray(rule.low).tolist() == [0.7, 0.7]
    assert rule.price is not None
    assert batch.problem.capacity.tolist() == [10.0, 10.0]


def test_a_cap_on_leads_is_a_limit() -> None:
    """At most one lead a day: a limit on leads beside the effort capacity."""
    batch = build({"capacity": {"caps": [{"name": "a day's worth", "per": "day", "at_most": 1}]}})
    [limit] = batch.problem.limits
    assert isinstance(limit, Limit)
    assert (limit.measure, np.asarray(limit.high).tolist(), limit.price) == ("leads", [1.0, 1.0], None)
    assert chosen(batch) == {"a": None, "b": "x", "c": "y"}


def test_caps_keep_their_names_and_yield_to_locks() -> None:
    """Each rep stands under the hard cap that leaves least, by its name; no cap asks for a least number of leads.

    A lock goes beyond a cap where it goes beyond capacity.
    """
    caps = [
        {"name": "one a day", "per": "day", "at_most": 1, "reps": "rep_id == 'x'"},
        {"name": "three a week", "per": "week", "at_most": 3},
    ]
    batch = build({"capacity": {"caps": caps}})
    first, second = batch.problem.limits
    assert isinstance(first, Limit) and isinstance(second, Limit)
    assert (first.name, np.asarray(first.high).tolist()) == ("one a day", [1.0, np.inf])
    assert (second.name, np.asarray(second.high).tolist()) == ("three a week", [np.inf, 3.0])
    assert np.isneginf(np.asarray(first.low)).all()
    assert chosen(batch) == {"a": "x", "b": "y", "c": "y"}
    locks = [{"lead_id": lead, "rep_id": "x", "kind": "lock"} for lead in "ab"]
    assert best_plan(build({"capacity": {"caps": caps}}, overrides=locks).problem) is None
    beyond = build({"capacity": {"caps": caps}, "overrides": {"locks_break_capacity": True}}, overrides=locks)
    assert chosen(beyond) == {"a": "x", "b": "x", "c": "y"}


def test_overtime_adds_room_at_a_price() -> None:
    """Room for one lead, and for one more at 60: taken for the lead that earns 80, not for the one that earns 50."""
    batch = build({"capacity": {"overtime": {"share": 1.0, "price": 60.0}}}, reps={"capacity": [1.0, 1.0]})
    assert batch.problem.capacity.tolist() == [2.0, 2.0]
    [limit] = batch.problem.limits
    assert (limit.measure, np.asarray(limit.high).tolist(), limit.price) == ("effort", [1.0, 1.0], 60.0)
    assert chosen(batch) == {"a": None, "b": "x", "c": "y"}  # 80 + 300; a as well would earn 50 and cost 60
    cheap = build({"capacity": {"overtime": {"share": 1.0, "price": 10.0}}}, reps={"capacity": [1.0, 1.0]})
    assert set(chosen(cheap).values()) == {"x", "y"}


LOCK = [{"lead_id": "a", "rep_id": "y", "kind": "lock"}, {"lead_id": "b", "rep_id": "y", "kind": "lock"}]


def test_locks_bind_within_capacity() -> None:
    """A locked lead has one rep and must be assigned; where two locks need more room than there is, no plan exists."""
    batch = build(overrides=LOCK)
    assert batch.problem.must_assign.tolist() == [True, True, False]
    assert chosen(batch) == {"a": "y", "b": "y", "c": "y"}
    narrow = build(overrides=LOCK, reps={"capacity": [1.0, 1.0]})
    assert best_plan(narrow.problem) is None
    assert not solve(narrow.problem).status.has_plan


def test_locks_may_break_capacity_where_the_policy_lets_them() -> None:
    """The room grows to what is locked, and no further."""
    batch = build({"overrides": {"locks_break_capacity": True}}, overrides=LOCK, reps={"capacity": [1.0, 1.0]})
    assert batch.problem.capacity.tolist() == [1.0, 2.0]
    assert chosen(batch) == {"a": "y", "b": "y", "c": "x"}


def test_bans_are_not_eligible() -> None:
    """A banned pair is gone; the opportunity is the mean over who is left."""
    batch = build(overrides=[{"lead_id": "c", "rep_id": "y", "kind": "ban"}])
    assert batch.problem.pairs.position([2], [1]).tolist() == [-1]
    assert batch.problem.opportunity.round(3).tolist() == [35.0, 80.0, 100.0]
    assert chosen(batch)["c"] == "x"


def test_screened_leads_do_not_stand_for_assignment() -> None:
    """What screening takes out is not in the problem; `rows` leads back to the table."""
    policy = {
        "screening": [{"name": "students", "when": "company_size == 1", "outcome": "reject", "reason": "No budget."}]
    }
    batch = build(policy, leads={"company_size": [50, 1, 7]})
    assert batch.rows.tolist() == [0, 2]
    assert batch.problem.lead_ids == ("a", "c")
    assert dense(batch, "value") == [REVENUE[0], REVENUE[2]]
    assert batch.fit.shape == (2, 2)
    assert batch.deal_value.tolist() == [100.0, 1000.0]
    assert batch.screened["outcome"].tolist() == ["assign", "reject", "assign"]
    everything = build(policy, leads={"company_size": [1, 1, 1]})
    assert everything.problem.n_leads == 0
    assert solve(everything.problem).status.has_plan


def test_reps_who_reach_nothing_have_no_floor() -> None:
    """A rep whom no lead may go to keeps their capacity, loses the floor, and is told of."""
    policy = {
        "equity": [{"name": "fair", "measure": "leads", "low": 0.5, "price": "hard"}],
        "rules": [{"name": "never y", "effect": "forbid", "when": "rep.rep_id == 'y'"}],
    }
    batch = build(policy)
    [rule] = batch.problem.equity
    assert isinstance(rule, LeadShare)
    assert np.asarray(rule.low).tolist() == [0.5, 0.0]
    assert [(note.value, note.table) for note in batch.notes] == [("y", "reps")]
    assert set(chosen(batch).values()) == {"x"}
    most = build(policy | {"equity": [{"name": "worst", "measure": "max_min", "keep": 0.9, "price": "hard"}]})
    [worst] = most.problem.equity
    assert isinstance(worst, MaxMin)
    assert np.asarray(worst.weights).tolist() == [10.0, 0.0]
    assert set(chosen(most).values()) == {"x"}


def test_weights_move_the_fair_share_and_not_the_capacity() -> None:
    """A mentor at weight one half is due a third: of three leads at a floor of 1, exactly one."""
    policy = {
        "equity": [{"name": "fair", "measure": "leads", "low": 1.0, "price": "hard"}],
        "weights": [{"name": "mentors", "reps": "level == 'lead'", "weight": 0.5}],
    }
    batch = build(policy, reps={"level": ["lead", "senior"]})
    assert batch.problem.capacity.tolist() == [10.0, 10.0]
    [rule] = batch.problem.equity
    assert isinstance(rule, LeadShare)
    assert np.asarray(rule.weights).tolist() == [5.0, 10.0]
    assert list(chosen(batch).values()).count("x") == 1


def test_effects_move_the_value_and_not_the_revenue() -> None:
    """A bonus of 100 on one pair decides who gets the lead; what equity counts as revenue stays."""
    policy = {
        "rules": [{"name": "grow y", "effect": "prefer", "when": "lead_id == 'a' and rep.rep_id == 'y'", "amount": 100}]
    }
    batch = build(policy)
    assert dense(batch, "value") == [[50.0, 120.0], *REVENUE[1:]]
    assert dense(batch, "revenue") == REVENUE
    assert batch.problem.opportunity.round(3).tolist() == [35.0, 80.0, 200.0]
    assert chosen(batch)["a"] == "y"


def test_costs_move_the_value_and_not_the_revenue() -> None:
    """A lead that costs more than it earns goes to nurture."""
    batch = build({"value": {"cost_per_lead": 60.0}, "nurture": {"value": 1.0, "share": 0.1}})
    assert dense(batch, "value") == [[-10.0, -40.0], [20.0, 20.0], [40.0, 240.0]]
    assert dense(batch, "revenue") == REVENUE
    assert batch.problem.nurture.round(3).tolist() == [4.5, 9.0, 21.0]
    assert chosen(batch)["a"] is None


def test_costs_are_told_apart_from_revenue() -> None:
    """What a pair costs is held beside its value, told with every lead, and summed up beside the expected revenue."""
    batch = build({"value": {"costs": [{"name": "far", "when": "rep.rep_id == 'x'", "per_lead": 15.0}]}})
    assert batch.cost is not None and batch.cost.tolist() == [[15.0, 0.0]] * 3
    assert dense(batch, "value") == [[35.0, 20.0], [65.0, 80.0], [85.0, 300.0]]
    assert chosen(batch) == {"a": "x", "b": "y", "c": "y"}
    plan = solve(batch.problem, gap=0)
    document = plan_document(batch, plan)
    assert document["summary"]["expected_revenue"] == pytest.approx(430.0)
    assert document["summary"]["expected_cost"] == 15.0
    first = document["assignments"][0]
    assert (first["expected_cost"], first["components"]["cost"]) == (15.0, -15.0)
    assert sum(first["components"].values()) == pytest.approx(first["priced_value"])
    assert "cost" not in document["assignments"][1]["components"]


def test_caution_moves_leads_to_those_who_are_known() -> None:
    """`estimate: lower` takes standard errors off the value and leaves the revenue; 0 of them change nothing."""
    spread = np.array([[30.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    for caution, rep, value in ((0.0, "x", 50.0), (0.5, "x", 35.0), (1.5, "y", 5.0), (9.0, "y", 0.0)):
        batch = build({"value": {"estimate": "lower", "caution": caution}}, spread=spread)
        assert dense(batch, "value")[0] == [pytest.approx(value), 20.0]
        assert dense(batch, "revenue") == REVENUE
        assert chosen(batch)["a"] == rep


def test_the_floor_for_new_reps_gives_them_leads() -> None:
    """`explore`: a rep in the first days gets the minimum though every lead is worth more elsewhere, and no more."""
    fit = [[0.5, 0.1], [0.5, 0.2], [0.5, 0.4]]
    floor = {"explore": [{"minimum": 2, "first_days": 30}]}
    started = {"start_date": pd.to_datetime(["2020-01-01", "2026-02-20"], utc=True)}
    assert set(chosen(build(fit=fit, deal=[100.0] * 3, reps=started)).values()) == {"x"}
    found = chosen(build(floor, fit=fit, deal=[100.0] * 3, reps=started))
    assert found == {"a": "x", "b": "y", "c": "y"}
    soft = {"explore": [{"minimum": 2, "first_days": 30, "price": 20.0}]}
    assert chosen(build(soft, fit=fit, deal=[100.0] * 3, reps=started)) == {"a": "x", "b": "x", "c": "y"}


def test_efforts_come_from_the_leads() -> None:
    """The effort column counts against capacity: the large lead fills a rep."""
    batch = build(leads={"effort": [1.0, 1.0, 10.0]}, reps={"capacity": [2.0, 10.0]})
    assert dense(batch, "effort") == [[1.0, 1.0], [1.0, 1.0], [10.0, 10.0]]
    assert chosen(batch) == {"a": "x", "b": "x", "c": "y"}


def test_leads_of_one_account_stay_together() -> None:
    """Parcels: both leads of an account go to one rep, though each alone would go elsewhere."""
    batch = build(leads={"account_id": ["k", "m", "k"]})
    found = chosen(batch)
    assert found["a"] == found["c"] == "y"


def test_must_assign_is_a_predicate() -> None:
    """Hot leads need a rep, even at a loss."""
    policy = {"value": {"cost_per_lead": 500.0}, "nurture": {"must_assign": "score >= 80"}}
    batch = build(policy, leads={"score": [90.0, 10.0, 10.0]})
    assert batch.problem.must_assign.tolist() == [True, False, False]
    assert chosen(batch) == {"a": "x", "b": None, "c": None}


def test_the_order_of_the_tables_changes_nobody() -> None:
    """Leads and reps in another order: the same rep for each lead, by id."""
    policy = {"equity": [{"name": "fair", "measure": "opportunity", "low": 0.7, "price": 2}]}
    found = chosen(build(policy, reps={"team_id": ["north", "south"]}))
    turned = Tables(
        leads=_frame("lead_id", ["c", "a", "b"], {}),
        reps=_frame("rep_id", ["y", "x"], {"capacity": [10.0, 10.0], "team_id": ["south", "north"]}),
    )
    fit = np.array(FIT, np.float32)[[2, 0, 1]][:, [1, 0]]
    batch = build_batch(load_policy(policy), turned, Estimates(fit, np.array(DEAL)[[2, 0, 1]]), at=AT)
    assert chosen(batch) == found
