from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apportion import LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare, solve
from benchmarks import instances
from benchmarks.contender import Answer, Ask, load
from benchmarks.instances import Instance
from benchmarks.judge import judged
from benchmarks.rows import CAREFUL, FLOW, GREEDY, LINPROG, LP, LSA, MILP, MIP, ROBIN

ASK = Ask(time_limit=20.0, gap=0.0, seed=0, threads=1)
WHOLE = (CAREFUL, MIP, MILP)
RULES = {
    "effort": {"effort": np.tile([1.0, 2.0, 1.5], 4)},
    "effort of the pair": {"effort": np.linspace(1, 2, 36).reshape(12, 3)},
    "minimum load": {"min_load": np.array([1.0, 2.0, 1.0])},
    "nurture": {"nurture": np.linspace(0, 900, 12)},
    "parcels": {"parcel": np.repeat(np.arange(6), 2)},
    "revenue": {"equity": (RevenueShare(0.7, 1.3),)},
    "opportunity": {"equity": (OpportunityShare(0.8, 1.3),)},
    "tier": {"tier": np.arange(12) % 2, "equity": (LeadShare(0.7, 1.5, tier=1),)},
    "team": {"team": np.array([0, 0, 1]), "limits": (Limit(measure="revenue", high=3000.0, by="team"),)},
    "some leads": {"limits": (Limit(low=1, high=2, leads=np.arange(12) < 5),)},
    "labels": {"equity": (OpportunityShare(0.9, by=[0, 0, -1]),)},
    "soft share": {"equity": (RevenueShare(0.95, 1.05, price=0.5),)},
    "soft limit": {"limits": (Limit(measure="revenue", low=1500.0, price=2.0),)},
}


def base(seed: int = 0, **changes: object) -> Instance:
    """Twelve leads, three reps, and one rule."""
    rng = np.random.default_rng(seed)
    made = Instance(rng.uniform(50, 900, (12, 3)), np.array([4.0, 3.0, 5.0]), eligible=rng.random((12, 3)) < 0.9)
    return replace(made, **changes)  # type: ignore[arg-type]


def answered(name: str, instance: Instance) -> Answer:
    """What a contender answers."""
    one = load(name)
    assert one.cannot(instance) is None
    return one.solve(one.prepare(one.setup(instance)), ASK)


@pytest.mark.parametrize("rule", RULES)
def test_rivals_state_the_same_rule(rule: str) -> None:
    """Rivals written from the instance alone and our solver find plans of the same worth, and all verify.

    A rule written down wrongly on either side shows as a better plan that breaks a rule, or as a worse one.
    """
    instance = base(**RULES[rule])
    if instance.parcel is not None:
        assert instance.eligible is not None
        instance = replace(instance, eligible=instance.eligible | True)
    best = solve(instance.problem(), gap=0)
    assert best.status.has_plan
    for name in WHOLE:
        verdict = judged(instance, answered(name, instance))
        assert verdict["ok"], f"{name}: {verdict['broken']}"
        assert verdict["objective"] == pytest.approx(best.objective, rel=2e-4), name


@pytest.mark.parametrize("name", [LP, LINPROG])
def test_relaxations_bound_the_plan(name: str) -> None:
    """The optimum of the relaxation is a bound for everybody, and it is told as one."""
    instance = base(capacity=np.array([3.5, 2.5, 4.5]), equity=(RevenueShare(0.7, 1.3),))
    answer = answered(name, instance)
    best = solve(instance.problem(), gap=0)
    assert answer.relaxed and answer.bound is not None
    assert best.objective <= answer.bound * (1 + 1e-9) <= best.objective * 1.2
    assert answer.split > 0


@pytest.mark.parametrize("sparse", [False, True])
def test_counts_are_exact_everywhere(sparse: bool) -> None:
    """Flow and assignment agree with ours to the last cent on plain counts, dense and sparse."""
    make = instances.sparse_bands if sparse else instances.counts
    instance = replace(make(leads=60, reps=6, seed=0, **({"territories": 6} if sparse else {})), equity=())
    best = solve(instance.problem(), gap=0)
    for name in (FLOW, LSA, MILP):
        verdict = judged(instance, answered(name, instance))
        assert verdict["ok"] and verdict["objective"] == pytest.approx(best.objective, rel=1e-7), name


@pytest.mark.parametrize("name", [GREEDY, ROBIN])
def test_simple_ways_keep_what_they_can_state(name: str) -> None:
    """Eligibility, effort and capacity hold; they earn something, and no more than the optimum."""
    instance = base(effort=np.tile([1.0, 2.0, 1.5], 4), nurture=np.full(12, 10.0))
    verdict = judged(instance, answered(name, instance))
    best = solve(instance.problem(), gap=0)
    assert verdict["ok"] and 0 < verdict["objective"] <= best.objective + 1e-6


def test_must_assign() -> None:
    """Where each lead needs a rep, the rivals that can state it place each."""
    instance = base(must_assign=True, eligible=None)
    for name in (*WHOLE, FLOW):
        assert (np.asarray(answered(name, instance).rep) >= 0).all(), name


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (FLOW, RULES["revenue"], "cannot state RevenueShare"),
        (FLOW, RULES["effort"], "cannot state effort"),
        (FLOW, RULES["minimum load"], "cannot state a minimum load"),
        (LSA, RULES["parcels"], "cannot state that leads stay together"),
        (LSA, {"must_assign": True}, "cannot force every lead"),
        (GREEDY, RULES["team"], "cannot state Limit"),
        (ROBIN, RULES["minimum load"], "cannot state a minimum load"),
        (MILP, {"equity": (MaxMin(),)}, "cannot state max-min"),
        (CAREFUL, {"equity": (RevenueShare(0.5, weights=[1, 1, 1]),)}, "cannot state weights"),
        ("benchmarks.ours_warm", {}, "no warm start"),
    ],
)
def test_what_cannot_be_stated_is_said(name: str, change: dict[str, object], reason: str) -> None:
    """A rival names the rule that it has no words for."""
    said = load(name).cannot(base(**change))
    assert said is not None and said.startswith(reason)


def test_rivals_hold_nothing_of_ours() -> None:
    """They import the names of rules, and no solver of ours."""
    for path in Path(instances.__file__).with_name("rivals").glob("*.py"):
        for line in re.findall(r"^(?:from|import) apportion.*$", path.read_text(encoding="utf-8"), flags=re.M):
            assert re.fullmatch(r"from apportion import [\w, ]*", line) and "solve" not in line, f"{path.name}: {line}"
