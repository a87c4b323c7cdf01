"""Screening, tiers, parcels, nurture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from apportion.policy import load_policy, must_assign, nurture_values, parcels, screen, tiers
from apportion_models.errors import PolicyError, UsageError

Frames = Callable[..., pd.DataFrame]
AT = "2026-03-04"


def test_screening_takes_the_first_rule_that_holds(leads: Frames) -> None:
    """Outcome and reason are the first rule's; a rule without a reason is told by its name."""
    policy = load_policy("""
screening:
  - {name: students, when: company_size == 1, outcome: nurture, reason: No budget to win.}
  - {name: tiny, when: company_size < 5, outcome: reject}
""")
    found = screen(policy, leads(company_size=[1, 3, 9, np.nan]), at=AT)
    assert found["outcome"].tolist() == ["nurture", "reject", "assign", "assign"]
    assert found["reason"].tolist() == ["No budget to win.", "Screened out: tiny.", "", ""]


@pytest.mark.parametrize(("unmatched", "outcome"), [("any", "assign"), ("nurture", "nurture"), ("reject", "reject")])
def test_leads_of_no_territory(leads: Frames, unmatched: str, outcome: str) -> None:
    """They go where the policy says; a screening rule goes before."""
    policy = load_policy(f"""
territories: {{cover: [{{name: North, when: country == 'SE', primary: true}}], unmatched: {unmatched}}}
screening: [{{name: x, when: country == 'XX' or territory == 'South', outcome: reject}}]
""")
    assert screen(policy, leads(country=["SE", "DE", "XX"]), at=AT)["outcome"].tolist() == ["assign", outcome, "reject"]


def test_tiers_by_threshold_quantile_and_predicate(leads: Frames) -> None:
    """Bands take in order; equal scores are of one tier; a missing score is of the last."""
    batch = leads(score=[90, 80, 50, 50, 10, np.nan], source=["a", "b", "c", "d", "vip", "f"])
    by_level = load_policy("tiers: {bands: [{name: hot, at_least: 80}, {name: warm, at_least: 50}, {name: cold}]}")
    assert tiers(by_level, batch, at=AT)[0].tolist() == [0, 0, 1, 1, 2, 2]
    by_share = load_policy("tiers: {bands: [{name: hot, top: 0.2}, {name: warm, top: 0.6}, {name: cold}]}")
    labels, names = tiers(by_share, batch, at=AT)
    assert labels.tolist() == [0, 1, 1, 1, 2, 2]
    assert names == ("hot", "warm", "cold")
    vip = load_policy("tiers: {bands: [{name: vip, when: source == 'vip'}, {name: rest}]}")
    assert tiers(vip, batch, at=AT)[0].tolist() == [1, 1, 1, 1, 0, 1]


def test_tiers_by_expected_revenue(leads: Frames) -> None:
    """The caller passes the expected revenue; without it the call is refused."""
    policy = load_policy("tiers: {by: expected, bands: [{name: hot, top: 0.5}, {name: cold}]}")
    assert tiers(policy, leads(score=[1, 2, 3]), np.array([5.0, 50.0, 20.0]), at=AT)[0].tolist() == [1, 0, 0]
    with pytest.raises(UsageError, match="expected="):
        tiers(policy, leads(score=[1]), at=AT)


def test_tiers_need_a_number_column(leads: Frames) -> None:
    """A text column, or none, is told with the columns that would do."""
    policy = load_policy("tiers: {by: grade, bands: [{name: hot, top: 0.5}, {name: cold}]}")
    with pytest.raises(PolicyError, match="score"):
        tiers(policy, leads(score=[1], grade=["A"]), at=AT)


def test_no_tiers_is_one_tier(leads: Frames) -> None:
    """A policy without bands has the single tier `all`."""
    labels, names = tiers(load_policy(""), leads(score=[1, 2]), at=AT)
    assert (labels.tolist(), names) == ([0, 0], ("all",))


FAMILY = pd.DataFrame({"account_id": ["c", "p"], "parent_account_id": ["p", "g"], "owner_rep_id": [None, None]})


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ("", "aabaccd"),
        ("subsidiaries: false", "abcadef"),
        ("together: off", "abcdefg"),
    ],
)
def test_parcels(leads: Frames, accounts: str, expected: str) -> None:
    """Leads of one account share a label; with subsidiaries, of one family; without an account each has its own."""
    batch = leads(account_id=["c", "p", "x", "c", None, None, None], parent_account_id=[None] * 4 + ["q", "q", None])
    labels = parcels(load_policy(f"accounts: {{{accounts}}}"), batch, accounts=FAMILY)
    same = [[a == b for b in expected] for a in expected]
    assert (labels[:, None] == labels[None, :]).tolist() == same


def test_parcel_labels_do_not_depend_on_row_order(leads: Frames) -> None:
    """A lead keeps its label wherever it stands."""
    batch = leads(account_id=["b", None, "a", "b"])
    there = parcels(load_policy(""), batch)
    back = parcels(load_policy(""), batch.iloc[::-1].reset_index(drop=True))
    assert there.tolist() == back[::-1].tolist()


def test_nurture_values(leads: Frames) -> None:
    """The first rule that holds gives value and share, else the section does."""
    policy = load_policy("""
tiers: {bands: [{name: hot, at_least: 80}, {name: cold}]}
nurture:
  value: 1
  share: 0.1
  rules: [{name: cold, when: tier == 'cold', value: 5}, {name: big, when: score > 0, share: 0.5}]
""")
    batch = leads(score=[90, 10, np.nan])
    assert nurture_values(policy, batch, np.array([100.0, 100.0, 100.0]), at=AT).tolist() == [50.0, 5.0, 5.0]
    assert nurture_values(load_policy(""), batch, np.ones(3), at=AT).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("said", "expected"), [("null", [False] * 2), ("true", [True] * 2), ("score > 50", [True, False])]
)
def test_must_assign(leads: Frames, said: str, expected: list[bool]) -> None:
    """Nobody, everybody, or by predicate."""
    policy = load_policy(f"nurture: {{must_assign: {said}}}")
    assert must_assign(policy, leads(score=[90, 10]), at=AT).tolist() == expected
