"""Leads of one account stay together at a price: the home rep, and what it costs to go elsewhere."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apportion import solve, verify
from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import load_policy
from apportion.reasons import explain
from tests.solver.oracle import best_plan

AT = pd.Timestamp("2026-03-04", tz="UTC")
FIT = [[0.5, 0.2, 0.1], [0.4, 0.3, 0.1], [0.1, 0.2, 0.6]]


def build(
    of: list[str | None],
    *,
    fit: Any = FIT,
    price: Any = 10.0,
    policy: dict[str, Any] | None = None,
    leads: dict[str, Any] | None = None,
    reps: dict[str, Any] | None = None,
    deal: Any = None,
    **tables: Any,
) -> Batch:
    """Leads a, b, ... of these accounts, worth 100 each; reps x, y, z with room for ten."""
    made = Tables(
        leads=pd.DataFrame({"lead_id": list("abcdefgh")[: len(of)], "account_id": of, **(leads or {})}),
        reps=pd.DataFrame({"rep_id": list("xyz")[: len(fit[0])], "capacity": 10.0, **(reps or {})}),
        **{name: pd.DataFrame(rows) for name, rows in tables.items()},
    )
    rules = load_policy({"equity": [], "accounts": {"together": price}} | (policy or {}))
    values = np.full(len(of), 100.0) if deal is None else deal
    return build_batch(rules, made, Estimates(np.array(fit, np.float32), values), at=AT)


def charged(batch: Batch) -> list[list[float]]:
    """(L, R) what the rule takes from each pair."""
    [effect] = [one for one in batch.eligibility.effects if "stay together" in one.name]
    return (-effect.amount).tolist()


def homes(batch: Batch, lead: int) -> list[str]:
    """The reps with whom a lead costs nothing."""
    return [rep for rep, cost in zip(batch.problem.rep_ids, charged(batch)[lead], strict=True) if cost == 0]


def test_who_makes_most_of_the_account_is_its_home() -> None:
    """x makes 100 of the three leads, y 70, z 80: with anybody else each lead costs the price; nothing is hard."""
    batch = build(["k", "k", "k"])
    assert charged(batch) == [[0.0, 10.0, 10.0]] * 3
    assert len(set(batch.problem.parcel.tolist())) == 3
    assert batch.eligibility.allowed.all()
    plan = solve(batch.problem, gap=0)
    assert plan.rep.tolist() == [0, 0, 2]
    assert plan.objective == pytest.approx(50 + 40 + 60 - 10)
    assert solve(build(["k", "k", "k"], price=60.0).problem, gap=0).rep.tolist() == [0, 0, 0]


def test_the_owner_is_the_home() -> None:
    """By the accounts table, by the leads, or by who got the account's last lead; whatever `owner` says."""
    owned = [{"account_id": "k", "owner_rep_id": "y"}]
    assert homes(build(["k", "k", None], accounts=owned), 0) == ["y"]
    assert homes(build(["k", "k", None], leads={"owner_rep_id": ["y", None, None]}), 1) == ["y"]
    past = {"assigned": [{"account_id": "k", "rep_id": "z", "assigned_at": AT - pd.Timedelta(days=9)}]}
    assert homes(build(["k", "k", None], **past), 0) == ["z"]
    both = build(["k", "k", None], accounts=owned, policy={"accounts": {"owner": 3.0, "together": 10.0}})
    assert both.problem.pairs.dense(both.problem.value, 0.0)[0].round(3).tolist() == [37.0, 20.0, -3.0]


@pytest.mark.parametrize(
    "gone",
    [
        {"reps": {"paused": [False, True, False]}},
        {"reps": {"capacity": [10.0, 0.0, 10.0]}},
        {"reps": {"start_date": [None, AT + pd.Timedelta(days=9), None]}},
        {"calendar": [{"rep_id": "y", "start": AT - pd.Timedelta(days=2), "end": AT + pd.Timedelta(days=9)}]},
        {"accounts": [{"account_id": "k", "owner_rep_id": "somebody else"}]},
    ],
)
def test_an_owner_who_cannot_act_is_no_home(gone: dict[str, Any]) -> None:
    """Paused, without capacity, not started, away for the whole window, or no rep: the next in rank is the home."""
    tables = {"accounts": [{"account_id": "k", "owner_rep_id": "y"}]} | gone
    assert homes(build(["k", "k", None], **tables), 0) == ["x"]


def test_who_may_have_most_goes_before_who_makes_most() -> None:
    """x makes more of a, but may not have b: y, who may have both, is the home. With equal reps the first id is."""
    forbid = {"rules": [{"name": "no", "effect": "forbid", "when": "lead_id == 'b' and rep.rep_id == 'x'"}]}
    accounts = {"accounts": {"together": 10.0}}
    assert homes(build(["k", "k", None], policy=accounts | forbid), 0) == ["y"]
    assert homes(build(["k", "k", None], fit=[[0.3, 0.3, 0.3]] * 3), 0) == ["x"]


def test_accounts_of_one_lead_cost_nothing() -> None:
    """One lead cannot be apart; leads without an account stand alone; screened leads do not count."""
    batch = build(["k", None, "m"])
    assert not np.any(charged(batch))
    out = {"screening": [{"name": "b", "when": "lead_id == 'b'"}], "accounts": {"together": 10.0}}
    assert not np.any(charged(build(["k", "k", None], policy=out)))


def test_subsidiaries_stay_with_the_parent() -> None:
    """Two subsidiaries of one parent are one account, unless the policy says otherwise."""
    family = [{"account_id": "k", "parent_account_id": "top"}, {"account_id": "m", "parent_account_id": "top"}]
    assert np.any(charged(build(["k", "m", None], accounts=family)))
    apart = {"accounts": {"together": 10.0, "subsidiaries": False}}
    assert not np.any(charged(build(["k", "m", None], accounts=family, policy=apart)))


def test_off_and_hard_charge_nothing() -> None:
    """Off leaves the leads free, hard binds them: no effect in either."""
    for price, parcels in (("off", 3), ("hard", 1)):
        batch = build(["k", "k", "k"], price=price)
        assert batch.eligibility.effects == ()
        assert len(set(batch.problem.parcel.tolist())) == parcels


def test_the_order_of_rows_changes_no_home() -> None:
    """Leads and reps in another order: the same charge for each pair, to the bit."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        fit = rng.choice([0.1, 0.2, 0.3], (6, 3)).astype(np.float32)
        accounts = rng.choice(["k", "m"], 6).tolist()
        leads, reps = rng.permutation(6), rng.permutation(3)
        policy = load_policy({"equity": [], "accounts": {"together": 7.0}})
        table = pd.DataFrame({"lead_id": list("abcdef"), "account_id": accounts})
        people = pd.DataFrame({"rep_id": list("xyz"), "capacity": 10.0})
        straight = build_batch(policy, Tables(table, people), Estimates(fit, np.full(6, 0.7)), at=AT)
        turned = Tables(table.iloc[leads].reset_index(drop=True), people.iloc[reps].reset_index(drop=True))
        mixed = build_batch(policy, turned, Estimates(fit[leads][:, reps], np.full(6, 0.7)), at=AT)
        assert np.array(charged(straight))[leads][:, reps].tolist() == charged(mixed)


def by_words(batch: Batch, accounts: list[str], revenue: np.ndarray, price: float) -> float:
    """The best of all assignments, where each lead with another rep than the account's home costs the price."""
    capacity, best = batch.problem.capacity, -np.inf
    home = {}
    for account in set(accounts):
        mine = [lead for lead, name in enumerate(accounts) if name == account]
        able = [rep for rep in range(revenue.shape[1]) if capacity[rep] > 0]
        if len(mine) > 1 and able:
            home[account] = max(able, key=lambda rep: (sum(revenue[lead, rep] for lead in mine), -rep))
    for owner in itertools.product(range(-1, revenue.shape[1]), repeat=len(accounts)):
        if any(owner.count(rep) > capacity[rep] for rep in range(revenue.shape[1])):
            continue
        worth = sum(revenue[lead, rep] for lead, rep in enumerate(owner) if rep >= 0)
        worth -= sum(price for lead, rep in enumerate(owner) if rep >= 0 and home.get(accounts[lead], rep) != rep)
        best = max(best, worth)
    return float(best)


@pytest.mark.parametrize("seed", range(12))
def test_a_search_over_all_assignments_agrees(seed: int) -> None:
    """The plan is the best by the rule's own words, counted without the effect."""
    rng = np.random.default_rng(seed)
    fit = rng.uniform(0.05, 0.9, (5, 3)).astype(np.float32)
    accounts = rng.choice(["k", "m", "n"], 5).tolist()
    price = float(rng.choice([1.0, 20.0, 400.0]))
    room = rng.integers(0, 4, 3).astype(float)
    batch = build(accounts, fit=fit, price=price, reps={"capacity": room})
    plan, found = solve(batch.problem, gap=0), best_plan(batch.problem)
    assert found is not None and verify(batch.problem, plan)
    assert plan.objective == pytest.approx(found[1], rel=1e-7)
    assert plan.objective == pytest.approx(by_words(batch, accounts, fit.astype(float) * 100.0, price), rel=1e-6)


def test_reasons_tell_what_kept_the_lead_with_its_account() -> None:
    """c would earn most with z, and goes to x because of the price: the reason says so, and its parts add up."""
    batch = build(["k", "k", "k"], price=60.0)
    told = explain(batch, solve(batch.problem, gap=0))
    assert "“account: its leads stay together”" in told.leads["reason"][2], told.leads["reason"][2]
    apart = build(["k", "k", "k"], price=10.0)
    parts = explain(apart, solve(apart.problem, gap=0)).components(2)
    assert parts["account: its leads stay together"] == -10.0
