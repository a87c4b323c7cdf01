from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

from apportion import AssignmentProblem, LeadShare, Limit, solve
from apportion.online import Router
from apportion_models.errors import ApportionError, InputError, ProblemError, UsageError
from tests.solver.online.cases import random_case


def router(**more: Any) -> Router:
    return Router(capacity=[1.0, 2.0], rep_ids=["ann", "bob"], horizon=10, **more)


def test_the_best_charged_pair_gets_the_lead() -> None:
    """Value less the price of the effort decides, and the decision tells each amount."""
    made = Router(capacity=[5.0, 5.0], rep_ids=["ann", "bob"], prices=[4.0, 1.0], horizon=10)
    decision = made.route("l1", value=[9.0, 8.0], effort=2.0, nurture=0.5)
    assert (decision.rep_id, decision.value, decision.worth, decision.nurture) == ("bob", 8.0, 6.0, 0.5)
    assert (decision.runner_up, decision.runner_up_worth) == ("ann", 1.0)
    assert decision.charges == (("capacity", 2.0),) and decision.outcome == "assign"
    assert decision.reason == (
        "bob: worth 8.00, 6.00 after 2.00 for capacity; next was ann with 1.00; nurture was worth 0.50."
    )


def test_nurture_when_no_pair_is_worth_its_price() -> None:
    """A pair that is not worth more than nurture after its charge is left."""
    made = Router(capacity=[5.0], rep_ids=["ann"], prices=[4.0], horizon=10)
    decision = made.route("l1", value=[4.25], nurture=0.25)
    assert (decision.rep_id, decision.value, decision.worth) == (None, 0.25, None)
    assert decision.outcome == "nurture" and decision.runner_up == "ann"
    assert decision.reason.startswith("nurture, worth 0.25: the best with room was ann, 0.25 after 4.00 for capacity")


def test_who_is_full_or_paused_is_told() -> None:
    """A better rep without room is named with the rule that kept them out; so is one who is paused."""
    made = router()
    assert made.route("l1", value=[9.0, 1.0]).rep_id == "ann"
    second = made.route("l2", value=[90.0, 1.0])
    assert (second.rep_id, second.full, second.bound) == ("bob", "ann", "capacity of ann")
    made.pause("bob")
    third = made.route("l3", value=[-1.0, 50.0])
    assert (third.rep_id, third.full, third.bound) == (None, "bob", "a pause of bob")
    made.resume("bob")
    assert made.route("l4", value=[-1.0, 50.0]).rep_id == "bob"
    nobody = made.route("l5", value=[1.0, 1.0], eligible=[False, False])
    assert nobody.reason == "nurture: no eligible rep is open and has room."


def test_ties_go_to_the_smaller_id_and_rep_order_changes_nothing() -> None:
    """Equal worth is decided by id, however the reps are ordered; so are whole runs, rule by rule."""
    assert Router(capacity=[1, 1], rep_ids=["b", "a"]).route("l", value=[3.0, 3.0]).rep_id == "a"
    for seed in range(12):
        case = random_case(seed)
        order = np.random.default_rng(seed).permutation(len(case.router["rep_ids"]))
        other = dict(case.router)
        for name in ("capacity", "rep_ids", "team", "prices"):
            other[name] = None if other[name] is None else np.asarray(other[name])[order]
        other["rep_ids"] = other["rep_ids"].tolist()
        other["limits"] = [_reordered(limit, order) for limit in case.limits]
        arrivals = {name: given[:, order] if np.ndim(given) == 2 else given for name, given in case.arrivals.items()}
        here = case.make().route_many(case.lead_ids, **case.arrivals)
        there = Router(**other).route_many(case.lead_ids, **arrivals)
        assert list(here) == list(there)


def _reordered(limit: Limit, order: Any) -> Limit:
    from dataclasses import replace

    return limit if isinstance(limit.by, str) else replace(limit, by=np.asarray(limit.by)[order])


def test_released_leads_may_come_again() -> None:
    """What a rep gives back may be routed anew; its room is free for others."""
    made = router()
    assert made.route("l1", value=[9.0, 1.0]).rep_id == "ann"
    made.release("l1")
    assert made.report().load.tolist() == [0.0, 0.0] and made.report().released == 1
    assert made.route("l1", value=[9.0, 8.5], eligible=[False, True]).rep_id == "bob"
    assert made.report().assigned == {"l1": "bob"} and made.report().value == 8.5


def test_a_cut_capacity_takes_nobody_back() -> None:
    """Below what is placed a rep gets no more, until there is room again."""
    made = router()
    made.route("l1", value=[0.0, 5.0])
    made.set_capacity("bob", 0.5)
    assert made.route("l2", value=[-1.0, 90.0]).rep_id is None
    made.set_capacity("bob", 2.0)
    assert made.route("l3", value=[-1.0, 90.0]).rep_id == "bob"


def test_a_new_window_starts_empty_with_the_prices_it_had() -> None:
    """Loads and limits start at zero, leads of the last window are forgotten, prices stay."""
    made = Router(capacity=[2.0], horizon=20, limits=[Limit(high=2, name="two")])
    for number in range(20):
        made.route(str(number), value=[float(number % 3 + 1)])
    before = made.prices.copy()
    made.new_window(capacity=[1.0], horizon=5)
    assert made.report().arrivals == 0 and made.report().load.tolist() == [0.0] and made.report().assigned == {}
    assert np.array_equal(made.prices, before) and before[0] > 0
    assert made.route("0", value=[50.0]).rep_id == "0"
    assert made.route("1", value=[500.0]).bound == "capacity of 0"


def test_shares_may_count_on_over_windows() -> None:
    """What shares counted so far counts on when asked, and is forgotten otherwise."""
    for kept in (True, False):
        made = Router(capacity=[9, 9], equity=[LeadShare(0.9, 1.1, price=5.0)], horizon=10)
        for number in range(5):
            made.route(str(number), value=[1.0, 0.0], eligible=[True, False])
        made.new_window(keep_shares=kept)
        assert made.state()[1]["book_total"].tolist()[1] == (5.0 if kept else 0.0)


def test_expecting_fewer_lowers_prices() -> None:
    """When fewer leads are to come than was said, what is left is worth less."""
    prices = []
    for ahead in (1000, 20):
        made = Router(capacity=[50.0], prices=[3.0], known=100, horizon=1000)
        made.route("first", value=[3.5])
        made.expect(ahead)
        for number in range(15):
            made.route(str(number), value=[2.9])
        prices.append(float(made.prices[0]))
    assert prices[1] < prices[0]


def test_a_longer_wait_than_said_is_survived() -> None:
    """Past its horizon, and with none at all, a router goes on, keeps its capacity and does not stop taking leads."""
    rng = np.random.default_rng(1)
    for horizon in (50, None, 0):
        made = Router(capacity=[300.0], horizon=horizon)
        decisions = [made.route(str(i), value=[float(v)]) for i, v in enumerate(rng.lognormal(0, 1, 600))]
        assert 250 <= sum(decision.rep_id is not None for decision in decisions) <= 300


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"value": [1.0, np.nan]}, "value.*rep bob.*nan"),
    ({"value": [1.0, np.inf]}, "value.*rep bob"),
    ({"value": [1.0]}, r"shape \(2,\)"),
    ({"value": "much"}, "must be numbers"),
    ({"value": {"ann": 1.0, "zoe": 2.0}}, "must name reps of the router.*zoe"),
    ({"value": {"ann": "x"}}, "rep ann"),
    ({"value": [1.0, 2.0], "effort": -1.0}, "effort.*>= 0"),
    ({"value": [1.0, 2.0], "effort": [1.0, np.nan]}, "effort.*rep bob"),
    ({"value": [1.0, 2.0], "nurture": np.nan}, "nurture.*finite"),
    ({"value": [1.0, 2.0], "eligible": [1, 0]}, "eligible.*bool"),
    ({"value": [1.0, 2.0], "counts": {"no such rule": True}}, "counts.*no such rule"),
    ({"value": [1e300, 2.0]}, "1e15"),
    ({"value": [1.0, 2.0], "revenue": [1.0, None]}, "revenue"),
]


@pytest.mark.parametrize(("lead", "told"), WRONG, ids=[told for _, told in WRONG])
def test_bad_leads_are_refused_and_change_nothing(lead: dict[str, Any], told: str) -> None:
    """A lead with a wrong number is refused with column and value; the state stays byte for byte."""
    made = router()
    made.route("fine", value=[1.0, 2.0])
    before = made.state()
    with pytest.raises(InputError, match=f"(?s){told}"):
        made.route("l1", **lead)
    after = made.state()
    assert before[0] == after[0] and all(np.array_equal(before[1][name], after[1][name]) for name in before[1])


def test_every_fault_is_told_at_once() -> None:
    """One call, all its faults, with their rows."""
    value = np.ones((3, 2))
    value[1, 0] = np.nan
    with pytest.raises(InputError) as told:
        router().route_many(["a", "b", "c"], value=value, effort=[1.0, 1.0, -2.0], nurture=[0.0, np.inf, 0.0])
    found = {finding.column: finding.row for finding in told.value.findings}
    assert found == {"value": 2, "effort": 3, "nurture": 2}


def test_leads_are_routed_once() -> None:
    """A lead that was routed, or stands twice in a batch, is refused; nothing of the batch is routed."""
    made = router()
    made.route("l1", value=[1.0, 2.0])
    with pytest.raises(InputError, match=r"routed before.*'l1'"):
        made.route("l1", value=[1.0, 2.0])
    with pytest.raises(InputError, match=r"(?s)row 2.*'l1'.*row 3.*'x'"):
        made.route_many(["x", "l1", "x"], value=np.ones((3, 2)))
    with pytest.raises(InputError, match="must be 3 names"):
        made.route_many(["x"], value=np.ones((3, 2)))
    with pytest.raises(InputError, match=r"\(N, R\)"):
        made.route_many(["x"], value=[1.0, 2.0])
    assert made.report().arrivals == 1


def test_unknown_leads_and_reps_are_refused() -> None:
    """Releasing what was not routed, or twice, and changing a rep who is not there, is told."""
    made = router()
    made.route("l1", value=[1.0, 2.0])
    made.release("l1")
    for name, told in (("l1", "released before"), ("l2", "routed in this window")):
        with pytest.raises(InputError, match=told):
            made.release(name)
    for call in (lambda: made.pause("zoe"), lambda: made.resume("zoe"), lambda: made.set_capacity("zoe", 1.0)):
        with pytest.raises(InputError, match=r"must be a rep of the router.*zoe"):
            call()
    for capacity in (-1.0, np.nan, np.inf, "1", True):
        with pytest.raises(InputError, match="capacity"):
            made.set_capacity("ann", capacity)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="2 finite numbers"):
        made.new_window(capacity=[1.0])


def test_rules_that_count_some_leads_must_be_answered() -> None:
    """No lead slips a rule by saying nothing of its tier or of whether it counts."""
    some = Limit(high=1, by="all", leads=[True], name="hot")
    made = Router(capacity=[9.0], limits=[some], equity=[LeadShare(0.5, tier=1, price=1.0)])
    with pytest.raises(InputError) as told:
        made.route("l1", value=[1.0])
    assert {finding.column for finding in told.value.findings} == {"tier", "counts"}
    assert made.route("l1", value=[1.0], tier=2, counts={"hot": True}).rep_id == "0"
    assert made.route("l2", value=[9.0], tier=2, counts={"hot": True}).bound == "hot of all reps"
    assert made.route("l3", value=[9.0], tier=2, counts={"hot": False}).rep_id == "0"
    with pytest.raises(InputError, match="True or False"):
        made.route("l4", value=[9.0], tier=2, counts={"hot": 1})  # type: ignore[dict-item]


MADE_WRONG: list[tuple[dict[str, Any], type[ApportionError], str]] = [
    ({"capacity": [1.0, -1.0]}, ProblemError, "capacity"),
    ({"capacity": [1.0], "rep_ids": ["a", "b"]}, ProblemError, "capacity"),
    ({"capacity": [1.0, 1.0], "rep_ids": ["a", "a"]}, ProblemError, "unique"),
    ({"capacity": [1.0], "prices": [1.0, 2.0]}, ProblemError, "prices"),
    ({"capacity": [1.0], "prices": [np.nan]}, ProblemError, "prices"),
    ({"capacity": [1.0], "horizon": -1}, UsageError, "horizon"),
    ({"capacity": [1.0], "horizon": 2.5}, UsageError, "horizon"),
    ({"capacity": [1.0], "known": True}, UsageError, "known"),
    ({"capacity": [1.0], "hard_shares": "maybe"}, UsageError, "hard_shares"),
    ({"capacity": [1.0], "limits": ["few"]}, ProblemError, "limits"),
    ({"capacity": [1.0], "limits": [Limit(by="team")]}, ProblemError, "team"),
]


@pytest.mark.parametrize(("arguments", "error", "told"), MADE_WRONG)
def test_a_router_is_checked_when_it_is_made(arguments: dict[str, Any], error: type[ApportionError], told: str) -> None:
    """Capacities, ids, prices, rules and counts out of their range are refused."""
    with pytest.raises(error, match=told):
        Router(**arguments)


def test_a_plan_must_be_there_and_of_the_problem() -> None:
    """Prices come of a plan of that very problem."""
    problem = AssignmentProblem.from_arrays([[1.0], [2.0]], capacity=[1])
    impossible = problem.replace(must_assign=True)
    with pytest.raises(ProblemError, match="must have a plan"):
        Router.from_plan(solve(impossible), impossible)
    with pytest.raises(ProblemError, match="must be a plan of the problem"):
        Router.from_plan(solve(problem), AssignmentProblem.from_arrays([[1.0]], capacity=[1]))
    with pytest.raises(UsageError, match="needs a horizon"):
        Router.from_plan(solve(problem), problem, in_order=True)


def test_hostile_numbers_do_no_harm() -> None:
    """Zeros, ties, no capacity, one rep, tiny and huge values together: no warning, no broken capacity."""
    for value in (np.zeros((50, 3)), np.ones((50, 3)), np.full((50, 3), 1e14), np.full((50, 3), 1e-300)):
        for capacity in ([0.0, 0.0, 0.0], [1e-9, 1e9, 3.0]):
            mixed = value.copy()
            mixed[::7] *= 1e-12
            made = Router(capacity=capacity, horizon=50)
            made.route_many([str(i) for i in range(50)], value=mixed, effort=np.resize([0.0, 1.0, 1e-12], 50))
            assert (made.report().load <= np.array(capacity) * (1 + 1e-7)).all()


def test_many_threads_keep_the_capacity() -> None:
    """Calls of many threads are done one after the other: no capacity is exceeded, no lead is lost."""
    made = Router(capacity=np.full(5, 40.0), horizon=400)

    def work(name: int) -> None:
        rng = np.random.default_rng(name)
        for number in range(50):
            made.route(f"{name}-{number}", value=rng.lognormal(0, 1, 5))
            if number % 9 == 0:
                made.release(f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = made.report()
    assert report.arrivals == len(report.assigned) == 400 and report.released == 48
    assert (report.load <= 40).all() and report.load.sum() == report.placed


def test_one_at_a_time_loads_no_compiler() -> None:
    """Neither importing the room nor routing single leads waits for numba."""
    code = (
        "import sys; from apportion.online import Router\n"
        "Router(capacity=[1.0]).route('a', value=[1.0]); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment(), check=True)
    assert done.stdout.strip() == "False"


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
