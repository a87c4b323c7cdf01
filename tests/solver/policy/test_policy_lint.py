"""The linter finds each contradiction, and is silent where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from apportion.policy import load_policy
from apportion.policy.lint import check_policy
from apportion_models.errors import Finding

Frames = Callable[..., pd.DataFrame]
AT = "2026-03-04 00:00"


@pytest.fixture
def batch(leads: Frames) -> pd.DataFrame:
    return leads(
        country=["SE", "SE", "DE", "DE"],
        score=[90.0, 20.0, 70.0, 10.0],
        product=["x", "y", "x", "x"],
        account_id=["a", "b", "c", "d"],
        deal_value=[100.0, 200.0, 300.0, 400.0],
    )


@pytest.fixture
def team(reps: Frames) -> pd.DataFrame:
    return reps(
        team_id=["A", "A", "B"],
        level=["senior", "junior", "senior"],
        skills=[("x", "y"), ("x",), ("x",)],
        capacity=[3.0, 3.0, 3.0],
        start_date=["2020-01-01", "2026-03-01", "2020-01-01"],
        territories=[("North",), ("North",), ("South",)],
    )


def found(policy: str, batch: pd.DataFrame, team: pd.DataFrame, **tables: Any) -> list[Finding]:
    return check_policy(load_policy(policy), batch, team, at=AT, **tables)


def says(findings: list[Finding], words: str, severity: str | None = None, path: str | None = None) -> bool:
    return any(
        words in str(finding) and severity in (None, finding.severity) and path in (None, finding.column)
        for finding in findings
    )


CLEAN = """
territories:
  cover:
    - {name: North, when: country == 'SE'}
    - {name: South, when: country == 'DE'}
requirements: [{name: skill, lead: product, rep: skills}]
tiers: {bands: [{name: hot, at_least: 50}, {name: cold}]}
equity: [{name: fair, measure: leads, low: 0.2}]
rules: [{name: r, effect: prefer, when: rep.level == 'junior' and tier == 'cold', amount: 3}]
limits: [{name: l, by: team, low: 1, high: 9}]
"""


def test_a_sound_policy_has_a_clean_bill(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """Nothing is said of a policy in which everything fits."""
    assert found(CLEAN, batch, team) == []
    assert found("", batch, team) == []


@pytest.mark.parametrize(
    ("policy", "severity", "path", "words"),
    [
        ("rules: [{name: r, effect: forbid, when: contry == 'SE'}]", "error", "rules[0].when", "Did you mean country?"),
        ("rules: [{name: r, effect: forbid, when: score == 'x'}]", "error", "rules[0].when", "is a number"),
        ("rules: [{name: r, effect: forbid, when: score > 99}]", "notice", "rules[0].when", "holds for no pair"),
        ("screening: [{name: r, when: score > 99}]", "notice", "screening[0].when", "holds for no lead"),
        ("weights: [{name: r, reps: level == 'juniour', weight: 2}]", "notice", "weights[0].reps", "'junior'"),
        (
            "weights: [{name: r, reps: level == 'juniour', weight: 2}]",
            "notice",
            "weights[0].reps",
            "never 'juniour' in these tables: the predicate holds for no rep",
        ),
        (
            "screening: [{name: a, when: score > 50}, {name: b, when: score > 80}]",
            "notice",
            "screening[1].when",
            "'b' is never reached",
        ),
        (
            "territories: {cover: [{name: West, when: country == 'SE'}]}",
            "error",
            "territories.cover[0]",
            "No rep covers",
        ),
        ("territories: {cover: [{name: North, when: country == 'SE'}]}", "notice", "rep_id", "cover no territory"),
        (
            "rules: [{name: r, effect: forbid, when: rep.team_id == 'B'}]",
            "notice",
            "rep_id",
            "r3 have capacity, and may get no lead",
        ),
        (
            "requirements: [{name: r, lead: country, rep: skills}]",
            "error",
            "requirements[0]",
            "No rep's skills hold 'DE'",
        ),
        ("requirements: [{name: r, lead: country, rep: skils}]", "error", "requirements[0].rep", "must be a column"),
        (
            "rules: [{name: r, effect: forbid, when: country == 'SE'}]",
            "notice",
            "lead_id",
            "No rep may get this lead: rule 'r'. Got 'l1'. (2 rows.) It goes to nurture",
        ),
        (
            "nurture: {must_assign: true}\nrules: [{name: r, effect: forbid, when: country == 'SE'}]",
            "error",
            "lead_id",
            "It must be assigned",
        ),
        ("capacity: {effort: {default: 5}}", "notice", "capacity", "needs 20 effort units, and the reps have 9"),
        ("capacity: {effort: {default: 5}}\nnurture: {must_assign: true}", "error", "capacity", "needs 20"),
        (
            "reserve: [{name: a, leads: score > 50, share: 0.6}, {name: b, leads: score < 50, share: 0.6}]",
            "notice",
            "reserve",
            "120%",
        ),
        ("equity: [{name: e, measure: leads, low: 1.2}]", "error", "equity[0].low", "more than everything"),
        ("equity: [{name: e, measure: leads, low: 1.2, price: 3}]", "notice", "equity[0].low", "more than everything"),
        ("equity: [{name: e, measure: revenue, high: 0.9}]", "error", "equity[0].high", "less than everything"),
        (
            "equity: [{name: e, measure: leads, low: 1}]\ncapacity: {caps: [{name: c, per: day, at_most: 1}]}",
            None,
            None,
            "",
        ),
        (
            "equity: [{name: e, measure: leads, low: 0.9}]\n"
            "capacity: {caps: [{name: c, per: day, at_most: 0, reps: team_id == 'B'}]}",
            "error",
            "equity[0].low",
            "owes r3",
        ),
        (
            "equity: [{name: e, measure: leads, low: 0.9}]\n"
            "capacity: {caps: [{name: c, per: day, at_most: 1, reps: team_id == 'B'}]}",
            "error",
            "equity[0].low",
            "owes r3 1.2 leads, and capacity and caps leave 1",
        ),
        (
            "equity: [{name: e, measure: opportunity, low: 0.5}]\n"
            "rules: [{name: r, effect: forbid, when: rep.team_id == 'B'}]",
            "error",
            "equity[0].low",
            "'e' owes r3 a share, and they may get none",
        ),
        ("limits: [{name: l, low: 2}]", "error", "limits[0]", "wants 6 in all, and there are 4"),
        (
            "limits: [{name: l, by: team, low: 4, reps: team_id == 'B'}]",
            "error",
            "limits[0]",
            "capacity and caps leave 3",
        ),
        (
            "limits: [{name: l, by: team, low: 3, reps: team_id == 'B'}]\n"
            "rules: [{name: r, effect: forbid, when: score > 50}]",
            "error",
            "limits[0]",
            "they may get 2",
        ),
        ("equity: [{name: e, measure: leads, low: 0.5, price: 0}]", "notice", "equity[0].price", "costs nothing"),
        ("equity: [{name: e, measure: max_min, price: 0}]", "notice", "equity[0].price", "costs nothing"),
        ("accounts: {together: 0}", "notice", "accounts.together", "costs nothing"),
        ("screening: [{name: s, when: true, price: 0}]", "notice", "screening[0].price", "costs nothing"),
        ("nurture: {must_assign: true, must_assign_price: 0}", "notice", "nurture.must_assign_price", "costs nothing"),
        (
            "capacity: {caps: [{name: c, per: day, at_most: 9, price: 0}]}",
            "notice",
            "capacity.caps[0].price",
            "costs nothing",
        ),
        ("tiers: {bands: [{name: top, at_least: 99}, {name: rest}]}", "notice", "tiers.bands[0]", "tier 'top'"),
        (
            "ramp: [{name: new, points: [{day: 0, share: 0.5}, {day: 9, share: 1}]}]\n"
            "capacity: {caps: [{name: c, per: day, at_most: 1}]}",
            "notice",
            "capacity.caps[0].at_most",
            "the ramp makes no difference",
        ),
        ("equity: [{name: e, measure: leads, low: 0.5, by: squad}]", "error", "equity[0].by", "squad"),
        ("tiers: {by: grade, bands: [{name: a, top: 0.5}, {name: b}]}", "error", "tiers.by", "number column"),
    ],
)
def test_what_the_linter_finds(
    batch: pd.DataFrame, team: pd.DataFrame, policy: str, severity: str | None, path: str | None, words: str
) -> None:
    """Each contradiction is told with its key path, as an error where a hard rule cannot be kept."""
    findings = found(policy + "\n", batch, team)
    assert says(findings, words, severity, path) if words else not any(f.severity == "error" for f in findings), [
        f"{finding.severity} {finding}" for finding in findings
    ]


def test_locks_against_capacity_and_rules(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """More locks than a rep has room for; a lock that a rule forbids; a family locked to two reps."""
    locks = pd.DataFrame({"lead_id": ["l1", "l2", "l3", "l4"], "rep_id": ["r3"] * 4, "kind": ["lock"] * 4})
    assert says(found("", batch, team, overrides=locks), "4 leads of 4 effort units; free are 3", "error")
    assert not says(found("overrides: {locks_break_capacity: true}", batch, team, overrides=locks), "Locks give")
    strict = (
        "overrides: {locks_break_eligibility: false}\nrules: [{name: r, effect: forbid, when: rep.team_id == 'B'}]\n"
    )
    assert says(found(strict, batch, team, overrides=locks[:1]), "locked to r3, and rule 'r'", "error")
    two = locks[:2].assign(rep_id=["r1", "r2"])
    family = batch.assign(account_id=["a", "a", "c", "d"])
    assert says(found("", family, team, overrides=two), "locked to r1, r2", "error", "accounts.together")
    assert not says(found("", family, team, overrides=locks[:2]), "locked to")
    ban = locks[:1].assign(kind="ban")
    assert says(found("", batch, team, overrides=pd.concat([locks[:1], ban])), "both locked to and banned", "error")


def test_parcels_that_fit_nowhere(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """An account larger than every capacity, and one that no single rep may get whole."""
    assert says(
        found("", batch.assign(account_id="a"), team),
        "with 4 effort units, and no rep who may get them has room for all",
        "notice",
        "accounts.together",
    )
    assert not says(found("capacity: {effort: {default: 5}}", batch, team), "stay together")
    assert not says(found("", batch.assign(account_id=["a", "a", "a", "d"]), team), "stay together")
    apart = "territories: {cover: [{name: North, when: country == 'SE'}, {name: South, when: country == 'DE'}]}\n"
    split = batch.assign(account_id=["a", "b", "a", "d"])
    assert says(found(apart, split, team), "no one rep may get all of them", "notice", "accounts.together")


def test_reserves_may_hold_back_everything_but_no_more(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """Two reserves of a half are told of only when they come to more than the whole."""
    policy = "reserve: [{name: a, leads: score > 50, share: 0.5}, {name: b, leads: score < 50, share: 0.5}]"
    assert not says(found(policy, batch, team), "holds back")


def test_unknown_countries_of_reps(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """A rep's country without a calendar of holidays is told by row."""
    findings = found("", batch, team.assign(country=["SE", "Narnia", None]))
    assert [(f.row, f.value) for f in findings if f.column == "country"] == [(2, "Narnia")]


def test_errors_come_first(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """What cannot work stands before what is only odd."""
    findings = found(
        "equity: [{name: e, measure: leads, low: 1.2}]\nscreening: [{name: s, when: score > 99}]\n", batch, team
    )
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=lambda severity: severity != "error")
    assert {"error", "notice"} <= set(severities)


@pytest.mark.parametrize(
    ("rule", "words", "path"),
    [
        ("leads: score > 80", "1 leads and 3 reps may take part: nothing can be swapped", "swaps"),
        ("reps: team_id == 'B'", "4 leads and 1 reps may take part", "swaps"),
        ("share: 0.1", "At most 0.4 leads of this batch are swapped on average", "swaps.share"),
    ],
)
def test_a_draw_that_moves_next_to_nothing(
    batch: pd.DataFrame, team: pd.DataFrame, rule: str, words: str, path: str
) -> None:
    """Too few leads or reps, or too small a share: told, and no error."""
    assert says(found(f"swaps: {{{rule}}}", batch, team), words, "notice", path)


def test_a_draw_among_leads_with_one_rep_each(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """Where eligibility leaves each lead one rep, nothing can be swapped; where it leaves two, the linter is silent."""
    rule = "rules: [{name: only, effect: allow, leads: true, when: rep.team_id == 'B'}]\n"
    assert says(found(f"{rule}swaps: {{share: 0.5}}", batch, team), "have two reps who may", "notice", "swaps")
    assert not says(found("swaps: {share: 0.5}", batch, team), "swap")


def test_audits_name_columns_of_the_reps(batch: pd.DataFrame, team: pd.DataFrame) -> None:
    """A column that is not there is an error; one with a single value leaves nothing to compare."""
    assert says(found("audits: [{by: sex}]", batch, team), "must name a column", "error", "audits[0].by")
    one = team.assign(sex="f")
    assert says(found("audits: [{by: sex}]", batch, one), "nothing to compare", "notice", "audits[0].by")
    assert not says(found("audits: [{by: team}]", batch, team), "audit")
