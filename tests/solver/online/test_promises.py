from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion import AssignmentProblem, LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare, solve
from apportion.online import Router
from apportion_models.errors import ProblemError
from tests.solver.online.cases import Case, random_case

ROOM = 1e-7  # of a bound: the verifier's tolerance


class Books:
    """Every promise, kept account of in plain Python from the arguments alone."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.reps: list[str] = case.router["rep_ids"]
        self.capacity = dict(zip(self.reps, map(float, case.router["capacity"]), strict=True))
        self.held: dict[int, str] = {}
        self.paused: set[str] = set()

    def amount(self, measure: str, row: int, rep: str) -> float:
        lead, at = self.case.lead(row), self.reps.index(rep)
        revenue = lead.get("revenue", lead["value"])
        if measure == "opportunity":
            there = np.asarray(lead.get("eligible", np.ones(len(self.reps), dtype=bool)))
            return float(lead.get("opportunity", np.mean(revenue[there]) if there.any() else 0.0))
        effort = np.broadcast_to(lead.get("effort", 1.0), len(self.reps))
        return {"leads": 1.0, "effort": float(effort[at]), "revenue": float(revenue[at])}[measure]

    def check_pair(self, row: int, rep: str) -> None:
        lead = self.case.lead(row)
        assert lead.get("eligible", np.ones(len(self.reps), dtype=bool))[self.reps.index(rep)]
        assert rep not in self.paused

    def check_sums(self, touched: str | None = None) -> None:
        """`touched` just got a lead: what was placed before a capacity was cut stays, but nothing is added."""
        if touched is not None:
            load = sum(self.amount("effort", row, rep) for row, rep in self.held.items() if rep == touched)
            assert load <= self.capacity[touched] * (1 + ROOM)
        for limit in self.case.limits:
            if limit.price is None:
                self.check_limit(limit)

    def check_limit(self, limit: Limit) -> None:
        groups: Any = limit.by
        if isinstance(groups, str):
            groups = range(len(self.reps)) if groups == "rep" else [0] * len(self.reps)
        sums = {int(group): 0.0 for group in groups if group >= 0}
        for row, rep in self.held.items():
            counts = limit.leads is None or self.case.lead(row)["counts"][limit.name]
            group = int(groups[self.reps.index(rep)])
            if group >= 0 and counts:
                sums[group] += self.amount(limit.measure, row, rep)
        for total in sums.values():
            assert total <= limit.high + ROOM  # type: ignore[operator]
            assert total >= limit.low - ROOM  # type: ignore[operator]


@given(seed=st.integers(0, 10**6), events=st.lists(st.integers(0, 9), min_size=60, max_size=60), data=st.data())
@settings(max_examples=60, deadline=None)
def test_hard_rules_are_never_broken(seed: int, events: list[int], data: st.DataObject) -> None:
    """Whatever comes (arrivals, efforts, releases, pauses, capacities cut and raised), no decision goes to a pair that
    is not eligible, to a paused rep, or beyond a capacity or a hard limit; after a release every rule still holds."""
    case = random_case(seed)
    router, books = case.make(), Books(case)
    for row, (lead, event) in enumerate(zip(case.lead_ids, events, strict=True)):
        if event == 0 and books.held:
            gone = data.draw(st.sampled_from(sorted(books.held)))
            router.release(case.lead_ids[gone])
            del books.held[gone]
            books.check_sums()
        elif event == 1:
            rep = data.draw(st.sampled_from(books.reps))
            books.capacity[rep] = data.draw(st.sampled_from([0.0, 0.1, 1.0, 30.0]))
            router.set_capacity(rep, books.capacity[rep])
        elif event == 2:
            rep = data.draw(st.sampled_from(books.reps))
            router.resume(rep) if rep in books.paused else router.pause(rep)
            books.paused ^= {rep}
        decision = router.route(lead, **case.lead(row))
        if decision.rep_id is not None:
            books.check_pair(row, decision.rep_id)
            books.held[row] = decision.rep_id
            books.check_sums(decision.rep_id)
    load = dict(zip(router.rep_ids, router.report().load.tolist(), strict=True))
    for rep in books.reps:
        assert load[rep] == pytest.approx(
            sum(books.amount("effort", row, at) for row, at in books.held.items() if at == rep), abs=1e-9
        )


def test_release_leaves_nothing_behind() -> None:
    """When every lead of a rep was given back, the load is exactly nothing, whatever the rounding of the sums, and the
    prices are what they would be without: what is free keeps being used."""
    rng = np.random.default_rng(0)
    router, placed = Router(capacity=[0.3, 7.7], horizon=3000), 0
    for number in range(300):
        names = [f"{number}-{part}" for part in range(10)]
        for name in names:
            effort = float(rng.choice([0.1, 0.2, 0.7]))
            placed += router.route(name, value=rng.lognormal(0, 1, 2), effort=effort).rep_id is not None
        for name in rng.permutation(names):
            router.release(name)
        assert router.report().load.tolist() == [0.0, 0.0]
    assert placed > 1000


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"min_load": [1.0, 0.0]}, "min_load"),
    ({"must_assign": True}, "must_assign"),
    ({"parcel": [0, 0, 1, 2]}, "parcel"),
    ({"limits": [Limit(low=1.0, name="floor")]}, "floor"),
    ({"limits": [Limit(measure="revenue", low=-9.0, high=-1.0, name="below")]}, "below"),
    ({"equity": [RevenueShare(0.1, 3.0, name="band")]}, "band"),
    ({"equity": [OpportunityShare(0.1, name="offer")]}, "offer"),
    ({"equity": [LeadShare(high=1.9, name="most")]}, "most"),
    ({"equity": [MaxMin(name="worst")]}, "worst"),
]


def _problem(**rules: Any) -> AssignmentProblem:
    return AssignmentProblem.from_arrays([[3.0, 2.0], [1.0, 4.0], [2.0, 2.0], [1.0, 1.0]], capacity=[2, 2], **rules)


@pytest.mark.parametrize(("rules", "column"), REFUSED, ids=[column for _, column in REFUSED])
def test_what_cannot_be_promised_is_refused(rules: dict[str, Any], column: str) -> None:
    """Each hard rule that depends on leads still to come is refused, by its name, with what to do instead."""
    problem = _problem(**rules)
    plan = solve(problem.replace(limits=())) if column == "below" else solve(problem)  # which no plan can keep
    with pytest.raises(ProblemError) as told:
        Router.from_plan(plan, problem)
    assert [finding.column for finding in told.value.findings] == [column]
    assert told.value.findings[0].remedy


def test_all_refusals_are_told_at_once() -> None:
    """A problem with several of them is told all of them."""
    problem = _problem(min_load=[1.0, 0.0], must_assign=True, equity=[RevenueShare(0.1, 3.0)])
    with pytest.raises(ProblemError) as told:
        Router.from_plan(solve(problem), problem)
    assert len(told.value.findings) == 3


def test_promises_and_prices_are_named() -> None:
    """The router says what it keeps and what it only prices in; hard shares are priced in on request alone."""
    problem = _problem(
        limits=[Limit(high=3, by="all", name="all in all"), Limit(high=1, price=1.0, name="gently")],
        equity=[RevenueShare(0.1, 3.0, name="band")],
    )
    router = Router.from_plan(solve(problem), problem, hard_shares="price")
    assert router.promises == ("eligibility", "capacity", "all in all")
    assert router.priced == ("band (a share)", "gently (soft)")


def test_max_min_needs_the_prices_of_a_plan() -> None:
    """Without a plan nothing says what the worst-off are owed."""
    with pytest.raises(ProblemError, match="MaxMin"):
        Router(capacity=[1.0, 1.0], equity=[MaxMin(price=1.0)])
    assert Router(capacity=[1.0, 1.0], equity=[MaxMin(price=1.0)], prices=[0.0, 0.0]).priced


def test_a_negative_amount_makes_no_room() -> None:
    """Room under a hard limit that came of a negative amount would be broken by its release; a floor of 0 is kept."""
    router = Router(capacity=[9.0], limits=[Limit(measure="revenue", low=-1.0, high=2.0)], horizon=50)
    assert router.route("minus", value=[1.0], revenue=[-1.0]).rep_id == "0"
    assert router.route("plus", value=[1.0], revenue=[2.0]).rep_id == "0"
    full = router.route("more", value=[9.0], revenue=[0.5])
    assert full.rep_id is None and full.bound == "limit on revenue of 0"
    again = router.route("less", value=[9.0], revenue=[-0.5])
    assert again.rep_id is None and again.bound == "limit on revenue (floor) of 0"


@pytest.mark.parametrize("share", [RevenueShare(0.8, 1.25), OpportunityShare(0.8, 1.25), LeadShare(0.8, 1.25)])
def test_priced_shares_come_close(share: Any) -> None:
    """A band around the fair share that is priced in ends near it, where the same router without it ends far off."""
    rng = np.random.default_rng(0)
    value = rng.lognormal(0, 0.5, (4000, 6)) * np.linspace(1, 2, 6)
    ids = [str(i) for i in range(4000)]
    worst = []
    for equity in ([], [share]):
        router = Router(capacity=np.full(6, 2000.0), horizon=4000, equity=equity, hard_shares="price")
        decisions = router.route_many(ids, value=value, compiled=True)
        per_lead = value.mean(axis=1) if isinstance(share, OpportunityShare) else np.ones(4000)
        got = decisions.value if isinstance(share, RevenueShare) else per_lead
        parts = np.bincount(decisions.rep, weights=got, minlength=6) / got.sum() * 6
        worst.append(max(0.8 - parts.min(), parts.max() - 1.25))
    assert worst[0] > 0.2 and worst[1] < 0.03


def test_a_soft_limit_pays_its_price() -> None:
    """Beyond a soft limit a lead goes on only if it is worth the price; below its floor it is drawn in."""
    router = Router(capacity=[99.0], limits=[Limit(high=2, price=3.0)], horizon=100)
    assert [router.route(str(i), value=[5.0]).rep_id for i in range(3)] == ["0"] * 3
    assert router.route("cheap", value=[2.9]).rep_id is None
    assert router.route("dear", value=[3.1]).rep_id == "0"
