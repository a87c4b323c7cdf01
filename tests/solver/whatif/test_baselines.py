"""The routers: rules that all of them keep, and what each of them does by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.problem import AssignmentProblem
from apportion.whatif import BASELINES, Baseline, RouterContext, run_baselines
from apportion_models.errors import UsageError

BY_NAME = {baseline.name: baseline for baseline in BASELINES}
each_baseline = pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)


def _random_case(seed: int, n_leads: int = 30, n_reps: int = 6) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    arrays = {
        "value": np.round(rng.gamma(2, 50, (n_leads, n_reps)), 0),  # whole numbers: ties happen
        "capacity": rng.integers(0, 9, n_reps).astype(float),
        "effort": rng.integers(1, 3, (n_leads, n_reps)).astype(float),
        "eligible": rng.random((n_leads, n_reps)) < 0.6,
        "nurture": np.round(rng.random(n_leads) * 60, 0),
        "must_assign": rng.random(n_leads) < 0.1,
        "parcel": rng.integers(0, 22, n_leads),
        "lead_ids": [f"L{i:03d}" for i in rng.permutation(n_leads)],
        "rep_ids": [f"R{i}" for i in rng.permutation(n_reps)],
    }
    context = {
        "order": rng.permutation(n_leads),
        "score": np.round(rng.random(n_leads), 1),
        "owner": rng.integers(-1, n_reps, n_leads),
        "weights": rng.integers(0, 4, n_reps).astype(float),
        "territory": rng.integers(-1, 3, n_leads),
        "cover": rng.random((3, n_reps)) < 0.5,
        "rank": rng.integers(0, 3, n_reps).astype(float),
        "shotgun": 2,
        "seed": 4,
    }
    return arrays, context


def _permuted(arrays: dict[str, Any], context: dict[str, Any], leads: Any, reps: Any) -> Any:
    where = np.argsort(leads)
    new_rep = np.append(np.argsort(reps), -1)
    pick = lambda items, by: [items[i] for i in by]  # noqa: E731
    moved = {
        "value": arrays["value"][leads][:, reps],
        "capacity": arrays["capacity"][reps],
        "effort": arrays["effort"][leads][:, reps],
        "eligible": arrays["eligible"][leads][:, reps],
        "nurture": arrays["nurture"][leads],
        "must_assign": arrays["must_assign"][leads],
        "parcel": arrays["parcel"][leads],
        "lead_ids": pick(arrays["lead_ids"], leads),
        "rep_ids": pick(arrays["rep_ids"], reps),
    }
    facts = {
        **context,
        "order": where[context["order"]],
        "score": context["score"][leads],
        "owner": new_rep[context["owner"]][leads],
        "weights": context["weights"][reps],
        "territory": context["territory"][leads],
        "cover": context["cover"][:, reps],
        "rank": context["rank"][reps],
    }
    return moved, facts


def _by_id(problem: AssignmentProblem, rep: Any) -> dict[str, str]:
    return {lead: "" if j < 0 else problem.rep_ids[j] for lead, j in zip(problem.lead_ids, rep.tolist(), strict=True)}


@each_baseline
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_rules_are_kept(baseline: Baseline, seed: int) -> None:
    """Whatever the batch: eligible pairs only, no rep above capacity, leads of a parcel together."""
    arrays, context = _random_case(seed)
    problem = AssignmentProblem.from_arrays(**arrays)
    rep = baseline.assign(problem, RouterContext(**context))
    assert rep.shape == (problem.n_leads,)
    placed = np.flatnonzero(rep >= 0)
    assert arrays["eligible"][placed, rep[placed]].all()
    load = np.bincount(rep[placed], weights=arrays["effort"][placed, rep[placed]], minlength=problem.n_reps)
    assert (load <= arrays["capacity"] + 1e-9).all()
    for label in np.unique(arrays["parcel"]):
        assert len(set(rep[arrays["parcel"] == label].tolist())) == 1


@each_baseline
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_of_rows_changes_nothing(baseline: Baseline, seed: int) -> None:
    """Leads and reps in another order of rows: each lead still goes to the same rep."""
    arrays, context = _random_case(seed)
    rng = np.random.default_rng(seed + 1)
    leads, reps = rng.permutation(30), rng.permutation(6)
    moved, facts = _permuted(arrays, context, leads, reps)
    first, second = AssignmentProblem.from_arrays(**arrays), AssignmentProblem.from_arrays(**moved)
    one = _by_id(first, baseline.assign(first, RouterContext(**context)))
    other = _by_id(second, baseline.assign(second, RouterContext(**facts)))
    assert one == other


@each_baseline
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nobody_is_left_while_someone_is_free(baseline: Baseline, seed: int) -> None:
    """A router that takes every lead leaves one only when no eligible rep has room for it at the end."""
    if baseline.name == "cherry_pick":
        return  # leaves what is worth less than nurture
    arrays, context = _random_case(seed)
    arrays["parcel"] = None
    context["weights"] = np.ones(6)
    context["cover"] = np.ones((3, 6), dtype=bool)
    problem = AssignmentProblem.from_arrays(**arrays)
    rep = baseline.assign(problem, RouterContext(**context))
    placed = np.flatnonzero(rep >= 0)
    left = arrays["capacity"] - np.bincount(rep[placed], weights=arrays["effort"][placed, rep[placed]], minlength=6)
    for lead in np.flatnonzero(rep < 0):
        assert not (arrays["eligible"][lead] & (arrays["effort"][lead] <= left)).any()


@each_baseline
def test_a_must_stay_is_kept_against_earlier_arrivals(baseline: Baseline) -> None:
    """A locked lead that comes last still gets the only slot of the only rep it may go to."""
    problem = AssignmentProblem.from_arrays(
        [[9.0, 1.0], [9.0, 1.0], [0.0, 0.0]],
        capacity=[1, 1],
        eligible=np.array([[True, True], [True, True], [True, False]]),
        nurture=5.0,
        must_assign=np.array([False, False, True]),
    )
    context = RouterContext(order=np.array([0, 1, 2]), weights=np.array([0.0, 1.0]))
    assert baseline.assign(problem, context)[2] == 0


@each_baseline
def test_empty_batch(baseline: Baseline) -> None:
    """No leads: no assignments, no error."""
    problem = AssignmentProblem.from_arrays(np.zeros((0, 2)), capacity=[1, 1])
    assert baseline.assign(problem).tolist() == []


def _assign(name: str, value: Any, capacity: Any, **facts: Any) -> list[int]:
    problem = AssignmentProblem.from_arrays(value, capacity=capacity)
    answer: list[int] = BY_NAME[name].assign(problem, RouterContext(**facts)).tolist()
    return answer


def test_round_robin_skips_the_full() -> None:
    """In turn by id; a rep without room is passed over, and the turn goes on behind the one who took it."""
    assert _assign("round_robin", np.ones((6, 3)), [3, 1, 2]) == [0, 1, 2, 0, 2, 0]


def test_round_robin_follows_arrival() -> None:
    """The first to arrive gets the first rep, wherever it stands in the table."""
    assert _assign("round_robin", np.ones((3, 3)), [1, 1, 1], order=np.array([2, 0, 1])) == [1, 2, 0]


def test_weighted_is_smooth() -> None:
    """Weights 5, 1, 1 give the smooth sequence a a b a c a a, known of smooth weighted round robin."""
    got = _assign("weighted", np.ones((7, 3)), [9, 9, 9], weights=np.array([5.0, 1.0, 1.0]))
    assert got == [0, 0, 1, 0, 2, 0, 0]


def test_weight_zero_gets_nothing() -> None:
    """A rep of weight zero gets no lead even if others are full."""
    assert _assign("weighted", np.ones((3, 2)), [1, 9], weights=np.array([1.0, 0.0])) == [0, -1, -1]


def test_territory_has_its_own_turn() -> None:
    """Each territory goes round its own cover, unmoved by the others; nobody outside the cover takes part."""
    cover = np.array([[True, True, False], [False, True, True]])
    got = _assign("territory", np.ones((5, 3)), [9, 9, 9], territory=np.array([0, 1, 0, 1, 0]), cover=cover)
    assert got == [0, 1, 1, 2, 0]


def test_least_loaded_is_relative_to_capacity() -> None:
    """With twice the capacity, twice the leads."""
    assert _assign("least_loaded", np.ones((6, 2)), [4, 2]) == [0, 1, 0, 0, 1, 0]


def test_score_tiered_gives_the_best_to_the_best() -> None:
    """The highest score goes to the highest rank, in turn among equals; the lower rank gets the rest."""
    got = _assign(
        "score_tiered",
        np.ones((5, 3)),
        [1, 1, 9],
        score=np.array([1.0, 5.0, 4.0, 3.0, 2.0]),
        rank=np.array([2.0, 2.0, 1.0]),
    )
    assert got == [2, 0, 1, 2, 2]


def test_cherry_pick_takes_the_best_pair_and_leaves_what_nurture_beats() -> None:
    """The best pair first, greedily: the classic case where greed loses to the optimum; what nurture beats is left."""
    problem = AssignmentProblem.from_arrays([[10.0, 9.0], [8.0, 1.0]], capacity=[1, 1], nurture=2.0)
    assert BY_NAME["cherry_pick"].assign(problem).tolist() == [0, -1]


def test_shotgun_offers_to_the_best_first() -> None:
    """Offered to one at a time, it goes to the best with room; offered to all, whoever answers first, by the seed."""
    value = np.tile([1.0, 3.0, 2.0], (3, 1))
    assert _assign("shotgun", value, [1, 1, 1], shotgun=1) == [1, 2, 0]
    many = np.tile([1.0, 3.0, 2.0], (300, 1))
    got = np.bincount(_assign("shotgun", many, [300, 300, 300], shotgun=2), minlength=3)
    assert got[0] == 0
    assert got[1] > 100
    assert got[2] > 100


def test_shotgun_is_seeded() -> None:
    """Same seed, same answer; another seed, another."""
    value = np.ones((40, 5))
    runs = [_assign("shotgun", value, [40] * 5, seed=seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_incumbent_keeps_the_owner() -> None:
    """The owner keeps the lead while there is room; the others go round."""
    assert _assign("incumbent", np.ones((4, 2)), [2, 9], owner=np.array([1, 0, 0, 0])) == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"order": np.array([0, 0])}, "order"),
        ({"score": np.array([1.0])}, "score"),
        ({"score": np.array([1.0, np.nan])}, "score"),
        ({"owner": np.array([0, 2])}, "owner"),
        ({"owner": np.array([0.5, 1.0])}, "owner"),
        ({"weights": np.array([-1.0, 1.0])}, "weights"),
        ({"territory": np.array([0, 1]), "cover": np.ones((1, 2), dtype=bool)}, "cover"),
        ({"shotgun": 0}, "shotgun"),
    ],
)
def test_facts_that_do_not_fit_are_refused(facts: dict[str, Any], word: str) -> None:
    """What does not fit the problem is refused by its name."""
    problem = AssignmentProblem.from_arrays(np.ones((2, 2)), capacity=[1, 1])
    with pytest.raises(UsageError, match=word):
        BASELINES[0].assign(problem, RouterContext(**facts))


def test_all_run_in_the_order_of_the_list() -> None:
    """`run_baselines` measures every entry of the list, each under its own name."""
    problem = AssignmentProblem.from_arrays(np.ones((2, 2)), capacity=[1, 1])
    results = run_baselines(problem)
    assert [result.name for result in results] == [baseline.name for baseline in BASELINES]
    assert all(result.n_placed == 2 and result.expected_revenue == 2.0 for result in results)
