"""Eligibility: which pairs are allowed, by which rule the others are not, and what soft rules add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apportion.policy import Eligibility, eligible_pairs, load_policy, rep_capacity, tiers
from apportion_models.errors import PolicyError, TableError, UsageError

Frames = Callable[..., pd.DataFrame]
AT = "2026-03-04 00:00"


def ask(policy: str, leads: pd.DataFrame, reps: pd.DataFrame, **tables: Any) -> Eligibility:
    return eligible_pairs(load_policy(policy), leads, reps, at=AT, **tables)


def drawn(found: Eligibility) -> list[str]:
    """Rows of leads: x where the pair is allowed."""
    return ["".join("x" if pair else "." for pair in row) for row in found.allowed]


def effect(found: Eligibility, name: str) -> list[list[float]]:
    (amount,) = [item.amount for item in found.effects if item.name.startswith(name)]
    return amount.tolist()


def test_without_rules_everybody_may_get_everything(leads: Frames, reps: Frames) -> None:
    """The default policy forbids no pair, but those of paused reps and of reps who have not started."""
    frame = reps(paused=[False, True, False], start_date=["2020-01-01", None, "2026-05-01"])
    found = ask("", leads(score=[1, 2]), frame)
    assert drawn(found) == ["x..", "x.."]
    assert found.why_not(0, 0) is None
    assert found.why_not(0, 1) == "pause: the rep is paused"
    assert found.why_not(1, 2) == "start date: the rep has not started yet"
    assert found.blocked_by.dtype == np.int16
    assert found.effects == ()


TERRITORIES = """
territories:
  cover:
    - name: North
      when: country in ['SE', 'NO']
      primary: team_id == 'N'
      overflow: team_id == 'O'
      overflow_price: 20
    - {name: Europe, when: known(country), price: 50}
"""


def test_territories(leads: Frames, reps: Frames) -> None:
    """The first that holds counts; hard ones forbid strangers, soft ones charge them; overflow has its price."""
    frame = reps(team_id=["N", "O", "X"], territories=[("Europe",), (), ("Europe", "North")])
    found = ask(TERRITORIES, leads(country=["SE", "DE", None]), frame)
    assert drawn(found) == ["xx.", "xxx", "xxx"]
    assert found.territory.tolist() == [0, 1, -1]
    assert found.covers.tolist() == [[2, 1, 0], [2, 0, 2]]
    assert found.why_not(0, 2) == "territory 'North': the rep does not cover it"
    assert effect(found, "territory 'North': overflow") == [[0, -20, 0], [0, 0, 0], [0, 0, 0]]
    assert effect(found, "territory 'Europe'") == [[0, 0, 0], [0, -50, 0], [0, 0, 0]]


def test_the_territories_table_covers_too(leads: Frames, reps: Frames) -> None:
    """Rows of the table name primary and overflow reps; a row twice keeps the stronger role."""
    table = pd.DataFrame(
        {
            "territory": ["Europe", "Europe", "Europe", "Asia"],
            "rep_id": ["r1", "r2", "r2", "r3"],
            "cover": [None, "overflow", "primary", "primary"],
        }
    )
    found = ask(
        "territories: {cover: [{name: Europe, when: true}]}", leads(score=[1]), reps(level=["a"] * 3), territories=table
    )
    assert drawn(found) == ["xx."]
    with pytest.raises(TableError, match="column territory"):
        ask(
            "territories: {cover: [{name: Europe, when: true}]}",
            leads(score=[1]),
            reps(level=["a"]),
            territories=pd.DataFrame({"rep_id": ["r1"]}),
        )


def test_requirements(leads: Frames, reps: Frames) -> None:
    """A lead's value must be in the rep's list, all of them if it has several; nothing asked is nothing needed."""
    policy = """
requirements:
  - {name: skill, lead: product, rep: skills}
  - {name: tongue, lead: language, rep: languages, when: score > 5, price: 30}
"""
    frame = reps(skills=[("x", "y"), ("x",), None], languages=[("sv",), ("en",), ("sv", "en")])
    batch = leads(product=["x", "y", None], language=["sv", "de", "en"], score=[9, 9, 1])
    found = ask(policy, batch, frame)
    assert drawn(found) == ["xx.", "x..", "xxx"]
    assert effect(found, "requirement 'tongue'") == [[0, -30, 0], [-30, -30, -30], [0, 0, 0]]
    several = batch.assign(product=[("x", "y"), (), ("z",)])
    assert drawn(ask(policy, several, frame)) == ["x..", "xxx", "..."]
    with pytest.raises(PolicyError, match=r"requirements\[0\]\.rep"):
        ask("requirements: [{name: a, lead: product, rep: skils}]", batch, frame)
    with pytest.raises(PolicyError, match="must be a list column"):
        ask("requirements: [{name: a, lead: product, rep: level}]", batch, frame.assign(level="x"))


ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["child", "parent", "grand", "alone"],
        "parent_account_id": ["parent", "grand", None, None],
        "owner_rep_id": ["r1", None, "r2", "gone"],
    }
)


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ("owner: hard", [".x.", "xxx", "xxx"]),
        ("owner: hard, subsidiaries: false", ["x..", "xxx", "xxx"]),
        ("owner: hard, if_owner_away: nurture", [".x.", "...", "xxx"]),
        ("owner: off", ["xxx", "xxx", "xxx"]),
    ],
)
def test_owners_keep_their_accounts(leads: Frames, reps: Frames, accounts: str, expected: list[str]) -> None:
    """Subsidiaries follow the topmost owner; an owner who is gone releases the lead, or it waits in nurture."""
    found = ask(
        f"accounts: {{{accounts}}}",
        leads(account_id=["child", "alone", None]),
        reps(level=["a"] * 3),
        accounts=ACCOUNTS,
    )
    assert drawn(found) == expected


def test_an_owner_at_a_price_or_away(leads: Frames, reps: Frames) -> None:
    """A soft owner charges the others; paused, or without working time in the window, an owner is away."""
    batch = leads(account_id=["a", "b"], owner_rep_id=["r1", "r2"])
    frame = reps(paused=[False, False, True])
    soft = ask("accounts: {owner: 40}", batch, frame)
    assert effect(soft, "account") == [[0, -40, -40], [-40, 0, -40]]
    leave = pd.DataFrame({"rep_id": ["r1"], "start": ["2026-03-01"], "end": ["2026-03-10"]})
    capacity = rep_capacity(load_policy(""), frame, at=AT, calendar=leave)
    assert drawn(ask("accounts: {owner: hard}", batch, frame, capacity=capacity)) == ["xx.", ".x."]
    held = ask("accounts: {owner: hard, if_owner_away: nurture}", batch, frame, capacity=capacity)
    assert drawn(held) == ["...", ".x."]
    assert held.why_not(0, 1) == "account: its owner is away, and it waits in nurture"


def test_a_parent_owned_by_another_leads_row(leads: Frames, reps: Frames) -> None:
    """Where only leads name owners, a subsidiary's lead follows the owner that the parent's lead names."""
    batch = leads(account_id=["p", "c"], parent_account_id=[None, "p"], owner_rep_id=["r2", None])
    assert drawn(ask("accounts: {owner: hard}", batch, reps(level=["a", "b"]))) == [".x", ".x"]


def test_the_last_rep_of_an_account_owns_it(leads: Frames, reps: Frames) -> None:
    """Where no table names an owner, it is the rep who got the account's last lead."""
    assigned = pd.DataFrame(
        {
            "rep_id": ["r1", "r2"],
            "account_id": ["a", "a"],
            "assigned_at": pd.to_datetime(["2026-03-02", "2026-03-01"], utc=True),
        }
    )
    batch = leads(account_id=["a", "b"])
    assert drawn(ask("accounts: {owner: hard}", batch, reps(level=["a", "b"]), assigned=assigned)) == ["x.", "xx"]
    table = pd.DataFrame({"account_id": ["a"], "owner_rep_id": ["r2"]})
    found = ask("accounts: {owner: hard}", batch, reps(level=["a", "b"]), assigned=assigned, accounts=table)
    assert drawn(found) == [".x", "xx"]


def test_circles_of_parents_end(leads: Frames, reps: Frames) -> None:
    """Two accounts that own each other are one family, and hang nothing."""
    table = pd.DataFrame({"account_id": ["a", "b"], "parent_account_id": ["b", "a"], "owner_rep_id": ["r1", None]})
    found = ask("accounts: {owner: hard}", leads(account_id=["a", "b"]), reps(level=["a", "b"]), accounts=table)
    assert drawn(found) == ["x.", "x."]


def test_own_rules(leads: Frames, reps: Frames) -> None:
    """forbid takes pairs away, allow leaves its leads only those, prefer and avoid add and take; soft ones charge."""
    policy = """
rules:
  - {name: no giants for juniors, effect: forbid, when: rep.level == 'junior' and company_size > 100}
  - {name: banks, effect: allow, leads: industry == 'Bank', when: rep.team_id == 'B'}
  - {name: bonus, effect: prefer, when: rep.level == 'senior', amount: 15}
  - {name: malus, effect: avoid, when: industry == 'Toys', amount: 5}
  - {name: soft, effect: forbid, when: rep.team_id == 'B' and industry == 'Toys', price: 7}
  - {name: soft allow, effect: allow, leads: company_size > 100, when: rep.level == 'senior', price: 9}
"""
    frame = reps(level=["junior", "senior", "junior"], team_id=["A", "A", "B"])
    batch = leads(company_size=[500, 5, np.nan], industry=["Toys", "Bank", None])
    found = ask(policy, batch, frame)
    assert drawn(found) == [".x.", "..x", "xxx"]
    assert found.why_not(0, 0) == "rule 'no giants for juniors'"
    assert found.why_not(1, 1) == "rule 'banks'"
    assert effect(found, "rule 'bonus'") == [[0, 15, 0]] * 3
    assert effect(found, "rule 'malus'") == [[-5, -5, -5], [0, 0, 0], [0, 0, 0]]
    assert effect(found, "rule 'soft'") == [[0, 0, -7], [0, 0, 0], [0, 0, 0]]
    assert effect(found, "rule 'soft allow'") == [[-9, 0, -9], [0, 0, 0], [0, 0, 0]]


def test_rules_know_tier_and_territory(leads: Frames, reps: Frames) -> None:
    """`tier` and `territory` are columns of the leads for every rule after them."""
    policy = """
tiers: {bands: [{name: hot, at_least: 80}, {name: cold}]}
territories: {cover: [{name: North, when: country == 'SE', primary: true}]}
rules: [{name: r, effect: forbid, when: tier == 'hot' and territory == 'North' and rep.level == 'junior'}]
"""
    found = ask(policy, leads(score=[90, 90, 1], country=["SE", "DE", "SE"]), reps(level=["junior"]))
    assert drawn(found) == [".", "x", "x"]


RAMP = """
tiers: {by: expected, bands: [{name: hot, at_least: 80}, {name: cold}]}
ramp: [{name: new, points: [{day: 0, share: 1}], tier_from: {hot: 30}%s}]
"""


def test_tiers_that_a_new_rep_may_not_get_yet(leads: Frames, reps: Frames) -> None:
    """On day 29 hot leads are forbidden, or charged; on day 30 they are not."""
    frame = reps(start_date=["2026-02-03", "2026-02-02", None])
    batch = leads(score=[1, 2])
    labels, names = tiers(load_policy(RAMP % ""), batch, np.array([100.0, 1.0]), at=AT)
    assert names == ("hot", "cold")
    assert drawn(ask(RAMP % "", batch, frame, tier=labels)) == [".xx", "xxx"]
    soft = ask(RAMP % ", price: 25", batch, frame, tier=labels)
    assert effect(soft, "ramp 'new'") == [[-25, 0, 0], [0, 0, 0]]
    with pytest.raises(UsageError, match="tier="):
        ask(RAMP % "", batch, frame)


def overrides(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["lead_id", "rep_id", "kind"])


def test_locks_and_bans(leads: Frames, reps: Frames) -> None:
    """A locked lead has its rep and no other, even against a rule; a ban takes one pair; other batches' rows are
    left."""
    table = overrides(("l1", "r2", "lock"), ("l2", "r1", "ban"), ("l9", "r1", "lock"))
    rule = "rules: [{name: r, effect: forbid, when: rep.level == 'b'}]\n"
    found = ask(rule, leads(score=[1, 2]), reps(level=["a", "b", "c"]), overrides=table)
    assert drawn(found) == [".x.", "..x"]
    assert found.lock.tolist() == [1, -1]
    assert found.why_not(0, 0) == "lock: a person gave this lead to another rep"
    assert found.why_not(1, 0) == "ban: a person excluded this rep for this lead"
    strict = rule + "overrides: {locks_break_eligibility: false}"
    assert drawn(ask(strict, leads(score=[1, 2]), reps(level=["a", "b", "c"]), overrides=table)) == ["...", "..x"]
    off = rule + "overrides: {locks: false, bans: false}"
    assert drawn(ask(off, leads(score=[1, 2]), reps(level=["a", "b", "c"]), overrides=table)) == ["x.x", "x.x"]


def test_contradicting_overrides_are_refused_together(leads: Frames, reps: Frames) -> None:
    """Two locks of a lead, lock and ban of a pair, an unknown rep or kind: all told at once."""
    table = overrides(
        ("l1", "r1", "lock"),
        ("l1", "r2", "lock"),
        ("l2", "r1", "lock"),
        ("l2", "r1", "ban"),
        ("l1", "r9", "ban"),
        ("l1", "r9", "lock"),
        ("l1", "r1", "hold"),
    )
    with pytest.raises(TableError) as caught:
        ask("", leads(score=[1, 2]), reps(level=["a", "b"]), overrides=table)
    assert [finding.row for finding in caught.value.findings] == [2, 6, 7, None]
    with pytest.raises(TableError, match="'kind'"):
        ask("", leads(score=[1]), reps(level=["a"]), overrides=table[["lead_id", "rep_id"]])


def test_the_first_rule_that_forbids_is_named(leads: Frames, reps: Frames) -> None:
    """Where several rules forbid a pair, the reason is the first in the policy's order."""
    policy = """
territories: {cover: [{name: T, when: true, primary: level == 'none'}]}
rules: [{name: second, effect: forbid, when: true}]
"""
    found = ask(policy, leads(score=[1]), reps(level=["a"]))
    assert found.why_not(0, 0) == "territory 'T': the rep does not cover it"
    assert set(found.blocked_by.ravel()) <= set(range(len(found.rules)))


def test_row_order_changes_nothing(leads: Frames, reps: Frames) -> None:
    """Pairs keep their verdict when leads and reps come in another order."""
    batch, frame = leads(country=["SE", "DE", None]), reps(team_id=["N", "O", "X"], territories=[("Europe",), (), ()])
    there = ask(TERRITORIES, batch, frame).allowed
    back = ask(TERRITORIES, batch.iloc[::-1].reset_index(drop=True), frame.iloc[::-1].reset_index(drop=True)).allowed
    assert (there == back[::-1, ::-1]).all()


def test_an_empty_batch(leads: Frames, reps: Frames) -> None:
    """No leads: arrays of no rows, no error."""
    batch = leads(country=["SE"]).iloc[:0]
    found = ask(TERRITORIES, batch, reps(team_id=["N"], territories=[()]))
    assert found.allowed.shape == (0, 1)
