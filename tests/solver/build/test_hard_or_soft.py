"""Every rule of the policy can be hard, or soft with a price in currency; where not, the guide says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from apportion import solve, verify
from apportion.build import Batch, Estimates, Tables, build_batch
from apportion.policy import Policy, load_policy
from tests.solver.oracle import best_plan

AT = pd.Timestamp("2026-03-04", tz="UTC")  # a Wednesday
GUIDE = Path(__file__).parents[3] / "docs" / "policy.md"

Owners = dict[str, str | None]  # lead -> rep, None for nurture
Case = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """One kind of rule on a small company: leads a, b, c; reps x, y.

    policy : from `hard` or a price to the policy. broken : whether a plan goes against the rule. costs : what the
    plan that earns most without the rule pays under it, in units of the price.
    """

    key: str
    policy: Case
    broken: Callable[[Owners], bool]
    costs: float = 1.0
    leads: Mapping[str, Any] = field(default_factory=dict)
    reps: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    hard: Any = "hard"


FIT = [[0.5, 0.2], [0.5, 0.1], [0.2, 0.4]]  # a and b are x's, c is y's; each is worth something with both
DEAL = [100.0, 200.0, 1000.0]


def named(section: str, **keys: Any) -> Case:
    return lambda price: {section: [{"name": "it", "price": price, **keys}]}


def many(found: Owners, rep: str) -> int:
    return list(found.values()).count(rep)


YEAR_AGO, TODAY = pd.Timestamp("2025-03-04", tz="UTC"), pd.Timestamp("2026-03-03", tz="UTC")
COVER = [{"name": "north", "when": "country == 'SE'", "primary": "rep_id == 'y'"}]
ONLY_B = {"country": ["NO", "SE", "NO"]}

KINDS = [
    Kind(
        "capacity.caps[].price",
        lambda price: {"capacity": {"caps": [{"name": "one a day", "per": "day", "at_most": 1, "price": price}]}},
        lambda found: many(found, "x") > 1,
    ),
    Kind(
        "capacity.overtime.price",
        lambda price: {} if price == "hard" else {"capacity": {"overtime": {"share": 1.0, "price": price}}},
        lambda found: many(found, "x") > 1,
        reps={"capacity": [1.0, 10.0]},
    ),
    Kind(
        "ramp[].price",
        lambda price: {
            "tiers": {"by": "score", "bands": [{"name": "hot", "at_least": 80}, {"name": "cold"}]},
            "ramp": [{"name": "new", "points": [{"day": 0, "share": 1}], "tier_from": {"hot": 30}, "price": price}],
        },
        lambda found: found["a"] == "x",
        leads={"score": [90.0, 10.0, 10.0]},
        reps={"start_date": [TODAY, YEAR_AGO]},
    ),
    Kind(
        "territories.cover[].price",
        lambda price: {"territories": {"cover": [{**COVER[0], "price": price}]}},
        lambda found: found["b"] == "x",
        leads=ONLY_B,
    ),
    Kind(
        "territories.cover[].overflow_price",
        lambda price: {
            "territories": {
                "cover": [
                    {**COVER[0], **({} if price == "hard" else {"overflow": "rep_id == 'x'", "overflow_price": price})}
                ]
            }
        },
        lambda found: found["b"] == "x",
        leads=ONLY_B,
    ),
    Kind(
        "territories.unmatched",
        lambda price: {"territories": {"cover": [{**COVER[0], "primary": "true"}], "unmatched": price}},
        lambda found: found["b"] is not None,
        leads={"country": ["SE", "NO", "SE"]},
        hard="nurture",
    ),
    Kind(
        "requirements[].price",
        named("requirements", lead="product", rep="skills"),
        lambda found: found["a"] == "x",
        leads={"product": ["crm", "erp", "erp"]},
        reps={"skills": [("erp",), ("crm", "erp")]},
    ),
    Kind(
        "accounts.owner",
        lambda price: {"accounts": {"owner": price, "together": "off"}},
        lambda found: found["a"] == "x",
        leads={"account_id": ["k", None, None], "owner_rep_id": ["y", None, None]},
    ),
    Kind(
        "accounts.if_owner_away",
        lambda price: {"accounts": {"owner": "hard", "if_owner_away": price}},
        lambda found: found["a"] is not None,
        leads={"account_id": ["k", None, None], "owner_rep_id": ["somebody who left", None, None]},
        hard="nurture",
    ),
    Kind(
        "accounts.together",
        lambda price: {"accounts": {"together": price}},
        lambda found: found["a"] != found["c"],
        leads={"account_id": ["k", "m", "k"]},
    ),
    Kind(
        "rules[].price",
        named("rules", effect="forbid", when="lead_id == 'a' and rep.rep_id == 'x'"),
        lambda found: found["a"] == "x",
    ),
    Kind(
        "rules[].price",
        named("rules", effect="allow", leads="lead_id == 'a'", when="rep.rep_id == 'y'"),
        lambda found: found["a"] == "x",
    ),
    Kind(
        "rules[].amount",
        lambda price: {
            "rules": [
                {"name": "it", "effect": "forbid", "when": "lead_id == 'a' and rep.rep_id == 'x'"}
                if price == "hard"
                else {"name": "it", "effect": "avoid", "when": "lead_id == 'a' and rep.rep_id == 'x'", "amount": price}
            ]
        },
        lambda found: found["a"] == "x",
    ),
    Kind(
        "screening[].price",
        named("screening", when="lead_id == 'b'"),
        lambda found: found["b"] is not None,
    ),
    Kind(
        "equity[].price",
        named("equity", measure="leads", high=1.0),
        lambda found: many(found, "x") > 1,
        costs=0.5,
    ),
    Kind(
        "limits[].price",
        named("limits", measure="leads", high=1),
        lambda found: many(found, "x") > 1,
    ),
    Kind(
        "reserve[].price",
        named("reserve", leads="lead_id == 'c'", share=0.5),
        lambda found: many(found, "x") > 1,
        reps={"capacity": [2.0, 10.0]},
    ),
    Kind(
        "explore[].price",
        named("explore", minimum=2, first_days=60),
        lambda found: many(found, "y") < 2,
        reps={"start_date": [YEAR_AGO, TODAY]},
    ),
    Kind(
        "nurture.must_assign_price",
        lambda price: {
            "nurture": {"must_assign": "lead_id == 'a'", "must_assign_price": price},
            "value": {"cost_per_lead": 80.0},
        },
        lambda found: found["a"] is None,
    ),
]


def build(kind: Kind, price: Any, fit: Any = FIT) -> Batch:
    tables = Tables(
        leads=pd.DataFrame({"lead_id": ["a", "b", "c"], **kind.leads}),
        reps=pd.DataFrame({"rep_id": ["x", "y"], "capacity": [10.0, 10.0], **kind.reps}),
    )
    policy = load_policy({"equity": []} | kind.policy(price))
    return build_batch(policy, tables, Estimates(np.array(fit, np.float32), np.array(DEAL)), at=AT)


def best(batch: Batch) -> tuple[Owners, float, Any]:
    """Who gets each lead in the best plan, and what it is worth; brute force agrees."""
    plan, found = solve(batch.problem, gap=0), best_plan(batch.problem)
    assert found is not None
    assert plan.objective == pytest.approx(found[1], rel=1e-7)
    assert verify(batch.problem, plan)
    ids = batch.problem.rep_ids
    owners = {
        lead: ids[rep] if rep >= 0 else None
        for lead, rep in zip(batch.problem.lead_ids, plan.rep.tolist(), strict=True)
    }
    return {"a": None, "b": None, "c": None} | owners, plan.objective, plan


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_hard_is_kept_and_soft_has_its_price(kind: Kind) -> None:
    """Hard: kept, whatever it costs. At a high price: kept too. At a low one: broken, and paid for, to the cent."""
    free_owners, free, _ = best(build(kind, 0.0))
    assert kind.broken(free_owners), "a rule that nobody would break shows nothing"
    hard = build(kind, kind.hard)
    hard_owners, least, _ = best(hard)
    assert not kind.broken(hard_owners)
    assert least < free
    dear_owners, _, _ = best(build(kind, 500.0))
    assert not kind.broken(dear_owners)
    cheap_owners, paid, plan = best(build(kind, 3.0))
    assert kind.broken(cheap_owners)
    assert free - paid == pytest.approx(3.0 * kind.costs)
    if hard.problem.n_leads == 3:
        assert not verify(hard.problem, plan).ok, "the verifier sees a plan that breaks the hard rule"


POOR_Y = [[0.5, 0.4], [0.5, 0.4], [0.4, 0.1]]  # all three are x's: 50, 100 and 400, and y has 40, 80 and 100


def worst_off(found: Owners) -> float:
    """The smaller of the two reps' revenue over the fair share of a half."""
    worth = {"x": 0.0, "y": 0.0}
    for lead, fit, deal in zip("abc", POOR_Y, DEAL, strict=True):
        rep = found[lead]
        if rep is not None:
            worth[rep] += fit["xy".index(rep)] * deal
    return min(worth.values()) / 0.5


def test_max_min_can_be_hard_or_soft() -> None:
    """Hard: the poorest as rich as keep allows. Soft: each unit of currency that the poorest has more, as revenue over
    fair share, is worth the price."""

    def under(**how: float) -> Batch:
        policy = {"equity": [{"name": "it", "measure": "max_min", **how}]}
        return build(Kind("equity[].price", lambda _: policy, lambda _: True), None, POOR_Y)

    free, total, _ = best(under(price=0.0))
    assert (worst_off(free), total) == (0.0, pytest.approx(550.0))
    hard, _, _ = best(under(keep=0.9))
    assert worst_off(hard) == pytest.approx(240.0)  # y gets a and b
    assert best(under(keep=0.99))[0] == free
    # c with x and the rest with y is worth 520 + price × 240 against 550
    below, at_550, _ = best(under(price=0.12))
    above, more, _ = best(under(price=0.13))
    assert (below, at_550) == (free, pytest.approx(550.0))
    assert (above, more) == (hard, pytest.approx(520.0 + 0.13 * 240.0))


def _priced(section: Any, path: str) -> dict[str, Any]:
    """Every key of the schema that takes a price."""
    found: dict[str, Any] = {}
    for name, info in section.model_fields.items():
        here = f"{path}.{name}" if path else name
        inner = [kind for kind in _kinds(info.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        listed = "tuple" in str(info.annotation)
        for kind in inner:
            found |= _priced(kind, f"{here}[]" if listed else here)
        if (
            not inner
            and name != "currency"
            and ("price" in f"{name} {info.description}" or "costs" in f"{info.description}")
        ):
            found[here] = info
    return found


def _kinds(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(kind for each in inner for kind in _kinds(each))]


def test_every_priced_key_is_in_the_table() -> None:
    """A rule that is added to the schema with a price must be tried hard and soft here."""
    known = {kind.key for kind in KINDS} | {"equity[].price", "value.cost_per_lead"}
    found = set(_priced(Policy, ""))
    assert len(found) > 15
    assert found <= known


def test_the_guide_says_of_every_key_how_it_can_be_soft() -> None:
    """docs/policy.md names each section of rules, hard and soft, or says why it is neither."""
    guide = GUIDE.read_text().split("## Hard and soft, rule by rule")[1].split("\n## ")[0]
    for section in Policy.model_fields.keys() - {"version", "name", "currency"}:
        assert f"`{section}" in guide, section
    for kind in KINDS:
        assert f"`{kind.key.replace('[]', '')}`" in guide, kind.key
