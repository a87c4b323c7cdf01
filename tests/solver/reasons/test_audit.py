"""Audits by group: rates, intervals and tests that hold against a known truth, groups that tell of nobody alone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from apportion.reasons import audit_plan, audit_words, explain
from apportion.reasons.audit.groups import group_of
from apportion.reasons.audit.rates import rates
from apportion_models.errors import UsageError
from tests.solver.reasons.cases import batch_of, plan_of

GROUP = np.repeat([0, 1], [24, 36])


def drawn(seed: int, difference: float) -> tuple[np.ndarray, np.ndarray]:
    """What 60 reps got, and their fair shares; group 1 is given `difference` more, as a factor, on average."""
    rng = np.random.default_rng(seed)
    fair = rng.choice([0.5, 1.0, 1.5], 60)
    return fair * rng.gamma(6.0, 1 / 6.0, 60) * np.where(GROUP == 1, difference, 1.0) * 100, fair


def test_intervals_cover_the_truth() -> None:
    """Over 300 worlds the 90 % intervals hold the groups' true rates in 85 to 95 % of cases."""
    hits = []
    for seed in range(300):
        amount, fair = drawn(seed, 1.3)
        part = np.bincount(GROUP, weights=fair) / fair.sum()
        truth = np.array([1.0, 1.3]) / (part @ [1.0, 1.3])
        found = rates(amount, fair, GROUP, 2)
        hits.append((found.low <= truth) & (truth <= found.high))
    assert 0.85 <= np.mean(hits) <= 0.95


def test_the_test_keeps_its_level_and_finds_differences() -> None:
    """Groups treated alike are called different in about 5 % of cases; two fifths more is found nearly always."""
    alike = np.mean([rates(*drawn(seed, 1.0), GROUP, 2).p <= 0.05 for seed in range(300)])
    apart = np.mean([rates(*drawn(seed, 1.4), GROUP, 2).p <= 0.05 for seed in range(60)])
    assert 0.02 <= alike <= 0.085
    assert apart >= 0.8


def test_rates_are_shares_against_fair_shares() -> None:
    """Twice the fair share is 200 %; reps without a fair share or group do not count; one alone has no interval."""
    amount, fair = np.array([40.0, 20.0, 40.0, 999.0]), np.array([1.0, 1.0, 2.0, 0.0])
    found = rates(amount, fair, np.array([0, 1, 1, 0]), 2)
    assert found.rate == pytest.approx([1.6, 0.8])
    assert math.isnan(found.low[0]) and found.low[1] <= 0.8 <= found.high[1]
    nothing = rates(np.zeros(3), np.ones(3), np.array([0, 1, 1]), 2)
    assert np.isnan(nothing.rate).all() and math.isnan(nothing.p)


def test_groups_are_never_told_alone() -> None:
    """Groups with fewer reps than asked are put together, with the next smallest where they are still too few."""
    reps = pd.DataFrame({"sex": ["f"] * 4 + ["m"] * 5 + ["x"] + [None]})
    everyone = np.ones(11, dtype=bool)
    names, of = group_of(reps, "sex", everyone, 3)
    assert names == ["m", "(groups of fewer than 3)"]
    assert of == [1] * 4 + [0] * 5 + [1, 1]
    assert group_of(reps, "sex", everyone, 1)[0] == ["f", "m", "x", "(unknown)"]
    assert group_of(reps, "sex", everyone, 2)[0] == ["f", "m", "(groups of fewer than 2)"]
    _, away = group_of(reps, "sex", np.arange(11) != 0, 1)
    assert away[0] == -1


def test_numbers_and_dates_are_told_in_bands() -> None:
    """Forty ages are four bands of like size, named by what is in them; two values are two groups."""
    reps = pd.DataFrame(
        {
            "age": np.arange(20.0, 60.0),
            "flag": np.tile([True, False], 20),
            "start": pd.date_range("2020-01-01", periods=40, tz="UTC"),
        }
    )
    everyone = np.ones(40, dtype=bool)
    names, of = group_of(reps, "age", everyone, 3)
    assert names[0].startswith("20 to ") and names[-1].endswith(" to 59") and len(names) == 4
    assert np.bincount(of).tolist() == [10, 10, 10, 10]
    assert group_of(reps, "flag", everyone, 3)[0] == ["False", "True"]
    assert group_of(reps, "start", everyone, 3)[0][0].startswith("2020-01-01 to ")


def case() -> object:
    """Six reps of two sexes; the first three are worth more for every lead."""
    rng = np.random.default_rng(0)
    fit = rng.uniform(0.1, 0.2, (30, 6))
    fit[:, :3] += 0.1
    batch = batch_of(fit, rng.lognormal(5, 1, 30), capacity=[4.0] * 6)
    batch.reps["sex"] = ["f", "f", "f", "m", "m", "m"]
    rep = np.repeat(np.arange(-1, 6), [6, 4, 4, 4, 4, 4, 4])
    return explain(batch, plan_of(batch.problem, rep=rep))


def test_an_audit_adds_up() -> None:
    """What a group is offered, placed and expected to earn is the sum over its reps; the attribute is named."""
    reasons = case()
    audit = audit_plan(reasons, "sex")  # type: ignore[arg-type]
    reps = reasons.reps  # type: ignore[attr-defined]
    table = audit.table.set_index(["measure", "group"])
    assert table.loc[("offered", "f"), "amount"] == pytest.approx(reps["opportunity"][:3].sum())
    assert table.loc[("placed", "m"), "amount"] == 12
    assert table.loc[("expected revenue", "f"), "amount"] == pytest.approx(reps["expected_revenue"][:3].sum())
    assert table.loc[("placed", "f"), "rate"] == pytest.approx(1.0)
    assert audit.protected == "sex" and set(audit.p) == {"offered", "placed", "expected revenue"}
    said = " ".join(audit_words(audit))
    assert "By “sex”, offered, of the fair share: f " in said and "is no feature of the fit model" in said


def test_an_audit_without_groups_says_so() -> None:
    """One group only, or no such column: said in words, and refused with what there is."""
    reasons = case()
    [said] = audit_words(audit_plan(reasons, "sex", at_least=4))  # type: ignore[arg-type]
    assert "nothing to compare" in said
    with pytest.raises(UsageError, match="rep_id, name, sex"):
        audit_plan(reasons, "planet")  # type: ignore[arg-type]
