"""What goes into a problem: every fault is told, all at once; what is good is copied and frozen."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from apportion import AssignmentProblem, LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare
from apportion_models.errors import ProblemError

GOOD: dict[str, Any] = {"value": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "capacity": [1.0, 2.0]}  # 3 leads, 2 reps


def _faults(**changes: Any) -> list[tuple[str, Any]]:
    with pytest.raises(ProblemError) as caught:
        AssignmentProblem.from_arrays(**(GOOD | changes))
    assert all(finding.table == "problem" and finding.message for finding in caught.value.findings)
    return [(str(finding.column), finding.value) for finding in caught.value.findings]


BAD: dict[str, tuple[dict[str, Any], str, Any]] = {
    "value of one dimension": ({"value": [1.0, 2.0]}, "value", (2,)),
    "value of words": ({"value": [["a", "b"]]}, "value", None),
    "value ragged": ({"value": [[1.0], [1.0, 2.0]]}, "value", None),
    "value complex": ({"value": [[1j, 1], [1, 1], [1, 1]]}, "value", None),
    "value too large for a float": ({"value": [[10**400, 1], [1, 1], [1, 1]]}, "value", None),
    "value without reps": ({"value": np.zeros((3, 0)), "capacity": []}, "value", (3, 0)),
    "capacity short": ({"capacity": [1.0]}, "capacity", (1,)),
    "capacity negative": ({"capacity": [1.0, -2.0]}, "capacity", -2.0),
    "capacity infinite": ({"capacity": [math.inf, 1.0]}, "capacity", math.inf),
    "capacity none": ({"capacity": None}, "capacity", math.nan),
    "capacity of words": ({"capacity": ["x", "y"]}, "capacity", "list"),
    "effort per rep": ({"effort": [1.0, 2.0]}, "effort", (2,)),
    "effort negative": ({"effort": [1.0, -1.0, 1.0]}, "effort", -1.0),
    "effort of a pair negative": ({"effort": [[1, 1], [1, -3], [1, 1]]}, "effort", -3.0),
    "effort ragged": ({"effort": [[1], [1, 2]]}, "effort", "list"),
    "effort transposed": ({"effort": np.ones((2, 3))}, "effort", (2, 3)),
    "eligible of numbers": ({"eligible": [[1, 1], [1, 1], [1, 1]]}, "eligible", "int64 of shape (3, 2)"),
    "eligible transposed": ({"eligible": np.ones((2, 3), bool)}, "eligible", "bool of shape (2, 3)"),
    "nurture nan": ({"nurture": [0.0, math.nan, 0.0]}, "nurture", math.nan),
    "nurture short": ({"nurture": [0.0, 0.0]}, "nurture", (2,)),
    "must_assign of numbers": ({"must_assign": [1, 0, 1]}, "must_assign", "int64 of shape (3,)"),
    "must_assign short": ({"must_assign": [True]}, "must_assign", "bool of shape (1,)"),
    "min_load negative": ({"min_load": [0.0, -1.0]}, "min_load", -1.0),
    "tier of words": ({"tier": ["a", "b", "c"]}, "tier", "<U1 of shape (3,)"),
    "tier of fractions": ({"tier": [0.5, 1.0, 2.0]}, "tier", "float64 of shape (3,)"),
    "team per lead": ({"team": [0, 1, 2]}, "team", "int64 of shape (3,)"),
    "parcel short": ({"parcel": [0, 1]}, "parcel", "int64 of shape (2,)"),
    "opportunity infinite": ({"opportunity": [1.0, math.inf, 1.0]}, "opportunity", math.inf),
    "revenue transposed": ({"revenue": np.ones((2, 3))}, "revenue", (2, 3)),
    "revenue nan": ({"revenue": [[1, 1], [math.nan, 1], [1, 1]]}, "revenue", math.nan),
    "lead ids twice": ({"lead_ids": ["a", "b", "a"]}, "lead_ids", "a"),
    "lead ids alike as text": ({"lead_ids": [1, "1", 2]}, "lead_ids", "1"),
    "rep ids short": ({"rep_ids": ["a"]}, "rep_ids", 1),
    "equity not a list": ({"equity": RevenueShare(0.7)}, "equity", "RevenueShare"),
    "limit among equity": ({"equity": [Limit()]}, "equity", "Limit"),
    "share among limits": ({"limits": [LeadShare(0.7)]}, "limits", "LeadShare"),
    "something among equity": ({"equity": [0.7]}, "equity", "float"),
    "low above high": ({"equity": [LeadShare(2.0, 1.0)]}, "equity: lead share", "low=2.0, high=1.0"),
    "low nan": ({"equity": [LeadShare(math.nan)]}, "equity: lead share", None),
    "low of words": ({"equity": [LeadShare("much")]}, "equity: lead share low", "str"),
    "low out of reach": ({"limits": [Limit(low=math.inf)]}, "limits: limit on leads", math.inf),
    "high out of reach": ({"limits": [Limit(low=-math.inf, high=-math.inf)]}, "limits: limit on leads", -math.inf),
    "low per group of another number": ({"limits": [Limit(low=[1, 2, 3])]}, "limits: limit on leads", [1, 2, 3]),
    "price negative": ({"limits": [Limit(price=-1.0)]}, "limits: limit on leads", -1.0),
    "price infinite": ({"equity": [RevenueShare(0.5, price=math.inf)]}, "equity: revenue share", math.inf),
    "price nan": ({"equity": [MaxMin(price=math.nan)]}, "equity: max-min revenue", math.nan),
    "price a word": ({"equity": [LeadShare(0.5, price="hard")]}, "equity: lead share", "hard"),
    "keep above one": ({"equity": [MaxMin(keep=1.5)]}, "equity: max-min revenue", 1.5),
    "keep a word": ({"equity": [MaxMin(keep="all")]}, "equity: max-min revenue", "all"),
    "measure unknown": ({"limits": [Limit(measure="calls")]}, "limits", "calls"),
    "by unknown": ({"limits": [Limit(by="region")]}, "limits: limit on leads", "region"),
    "by team without teams": ({"equity": [LeadShare(0.5, by="team")]}, "equity: lead share", None),
    "by of another number": ({"equity": [LeadShare(0.5, by=[0, 1, 1])]}, "equity: lead share by", None),
    "tier without tiers": ({"equity": [LeadShare(0.5, tier=3)]}, "equity: lead share of tier 3", 3),
    "leads of numbers": ({"limits": [Limit(leads=[1, 0, 1])]}, "limits: limit on leads", "int64 of shape (3,)"),
    "leads short": ({"equity": [LeadShare(0.5, leads=[True])]}, "equity: lead share", "bool of shape (1,)"),
    "weights negative": ({"equity": [LeadShare(0.5, weights=[1, -1])]}, "equity: lead share weights", -1.0),
    "earlier short": ({"equity": [OpportunityShare(0.5, earlier=[1])]}, "equity: opportunity share earlier", (1,)),
    "two hard max-mins": ({"equity": [MaxMin(), MaxMin()]}, "equity", None),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_each_bad_argument_is_named_with_its_value(case: str) -> None:
    """One fault, one finding: the argument, and the value that was got."""
    changes, argument, value = BAD[case]
    [(column, got)] = _faults(**changes)
    assert column == argument
    if isinstance(value, float) and math.isnan(value):
        assert math.isnan(got)
    elif value is not None:
        assert got == value


def test_all_faults_come_at_once() -> None:
    """Ten wrong arguments are ten findings of one error, each in its message."""
    wrong = {
        "capacity": [-1.0, 1.0], "effort": [-1.0, 1.0, 1.0], "nurture": math.nan, "must_assign": [1, 2, 3],
        "min_load": [1.0], "tier": ["x"], "team": [0.5, 1.0], "parcel": [1], "lead_ids": ["a", "a", "b"],
        "rep_ids": ["a"], "equity": [RevenueShare(2.0, 1.0)], "limits": [Limit(price=-1)],
    }  # fmt: skip
    columns = {column.split(":")[0] for column, _ in _faults(**wrong)}
    assert columns == set(wrong)
    with pytest.raises(ProblemError, match=r"(?s)capacity.*limits"):
        AssignmentProblem.from_arrays(**(GOOD | wrong))


def test_a_fault_in_many_rows_is_one_finding_with_a_count() -> None:
    """The first place is named, the rest counted."""
    with pytest.raises(ProblemError) as caught:
        AssignmentProblem.from_arrays(**(GOOD | {"value": [[1, math.nan], [math.inf, 1], [1, 1]]}))
    [finding] = caught.value.findings
    assert finding.count == 2
    assert "value[0, 1]" in finding.message


def test_what_no_pair_needs_may_be_anything() -> None:
    """Numbers at pairs that are not eligible are not looked at."""
    eligible = np.array([[True, False], [True, True], [True, True]])
    problem = AssignmentProblem.from_arrays(
        [[1.0, math.nan], [1, 1], [1, 1]], capacity=[1, 1], eligible=eligible, effort=[[1, -5], [1, 1], [1, 1]]
    )
    assert problem.pairs.n_pairs == 5


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.coo_matrix, sp.csr_array, sp.coo_array, sp.csc_matrix])
def test_stored_entries_are_the_eligible_pairs(kind: Any) -> None:
    """Explicit zeros stay eligible; what is not stored is not."""
    coo = sp.coo_matrix(([0.0, 5.0, -1.0], ([0, 2, 0], [1, 0, 0])), shape=(3, 2))
    problem = AssignmentProblem.from_arrays(kind(coo), capacity=[1, 1])
    assert problem.pairs.lead.tolist() == [0, 0, 2]
    assert problem.pairs.rep.tolist() == [0, 1, 0]
    assert problem.value.tolist() == [-1.0, 0.0, 5.0]
    assert problem.pairs.position([0, 0, 1, 2, 2], [0, 1, 0, 0, -1]).tolist() == [0, 1, -1, 2, -1]


def test_sparse_and_dense_are_the_same_problem() -> None:
    """Sparse value, effort and revenue mean what their dense forms mean."""
    rng = np.random.default_rng(0)
    eligible = rng.random((6, 3)) < 0.6
    value, effort, revenue = rng.random((3, 6, 3)) + 0.1
    dense = AssignmentProblem.from_arrays(value, capacity=1, eligible=eligible, effort=effort, revenue=revenue)
    sparse = AssignmentProblem.from_arrays(
        *[sp.csr_matrix(np.where(eligible, value, 0))],
        capacity=1,
        effort=sp.csc_matrix(np.where(eligible, effort, 0)),
        revenue=sp.coo_array(revenue),
    )
    for name in ("value", "effort", "revenue", "opportunity", "capacity"):
        assert getattr(dense, name).tolist() == getattr(sparse, name).tolist()
    assert dense.pairs.rep.tolist() == sparse.pairs.rep.tolist()


def test_a_pair_stored_twice_is_refused() -> None:
    """Two values for one pair cannot both be meant."""
    twice = sp.coo_matrix(([1.0, 2.0, 3.0], ([0, 0, 1], [1, 1, 0])), shape=(3, 2))
    assert _faults(value=twice) == [("value", 1)]
    raw = sp.csr_matrix(([1.0, 2.0], [1, 1], [0, 2, 2, 2]), shape=(3, 2))
    assert _faults(value=raw) == [("value", 1)]
    assert ("effort", 1) in _faults(effort=twice)


@pytest.mark.parametrize("name", ["effort", "revenue"])
def test_a_sparse_entry_left_out_is_unknown_not_zero(name: str) -> None:
    """Effort and revenue must be stored for each eligible pair."""
    some = sp.csr_matrix(np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]))
    assert _faults(**{name: some}) == [(name, (1, 0))]
    assert _faults(**{name: sp.csr_matrix((2, 2))})[0] == (name, (2, 2))


def test_defaults_are_as_documented() -> None:
    """Effort 1, all eligible, nurture 0, nobody must be assigned, opportunity the mean, ids the row numbers."""
    problem = AssignmentProblem.from_arrays(**GOOD)
    assert problem.effort.tolist() == [1.0] * 6
    assert problem.nurture.tolist() == problem.must_assign.tolist() == [0, 0, 0]
    assert problem.opportunity.tolist() == [1.5, 3.5, 5.5]
    assert problem.revenue.tolist() == problem.value.tolist()
    assert problem.min_load.tolist() == [0, 0]
    assert problem.equity == problem.limits == ()
    assert problem.fair_share.tolist() == [1 / 3, 2 / 3]
    assert AssignmentProblem.from_arrays(np.zeros((11, 1)), capacity=[1]).lead_ids[:2] == ("00", "01")
    assert AssignmentProblem.from_arrays(**(GOOD | {"nurture": None})).nurture.tolist() == [0, 0, 0]
    assert AssignmentProblem.from_arrays(**(GOOD | {"must_assign": True})).must_assign.all()


def test_arrays_are_read_only() -> None:
    """No array of a problem can be written to."""
    problem = _full()
    for field in dataclasses.fields(problem):
        array = getattr(problem, field.name)
        if isinstance(array, np.ndarray):
            assert not array.flags.writeable, field.name
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    for rule in problem.rules:
        for field in dataclasses.fields(rule):
            held = getattr(rule, field.name)
            assert not isinstance(held, (list, np.ndarray)) or not held.flags.writeable, field.name
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.capacity = np.zeros(2)  # type: ignore[misc]


def _arguments() -> dict[str, Any]:
    return {
        "value": np.arange(6.0).reshape(3, 2), "capacity": np.array([3.0, 3.0]), "effort": np.ones((3, 2)),
        "eligible": np.ones((3, 2), bool), "nurture": np.zeros(3), "must_assign": np.zeros(3, bool),
        "min_load": np.zeros(2), "tier": np.zeros(3, int), "team": np.zeros(2, int), "parcel": np.arange(3),
        "opportunity": np.ones(3), "revenue": np.ones((3, 2)), "lead_ids": ["a", "b", "c"], "rep_ids": ["x", "y"],
        "equity": [LeadShare(np.array([0.1, 0.1]), weights=[1.0, 1.0], leads=[True, True, False])],
        "limits": [Limit(high=np.array([2.0, 2.0]), by=np.array([0, 1]), leads=np.ones(3, bool))],
    }  # fmt: skip


def _full() -> AssignmentProblem:
    return AssignmentProblem.from_arrays(**_arguments())


def _contents(problem: AssignmentProblem) -> dict[str, Any]:
    contents = {field.name: getattr(problem, field.name) for field in dataclasses.fields(problem)}
    pairs = contents.pop("pairs")
    contents.pop("given")
    return {"start": pairs.start.tolist(), "pair_rep": pairs.rep.tolist()} | {
        name: item.tolist() if isinstance(item, np.ndarray) else repr(item) for name, item in contents.items()
    }


def test_nothing_that_a_caller_changes_later_changes_a_problem() -> None:
    """Arrays are copied, those of rules too; and a `replace` later still starts from what was handed in."""
    arguments = _arguments()
    problem = AssignmentProblem.from_arrays(**arguments)
    before = _contents(problem)
    for item in [*arguments.values(), *(vars(rule)[name] for rule in (*arguments["equity"], *arguments["limits"])
                                        for name in ("low", "high", "by", "leads"))]:  # fmt: skip
        if isinstance(item, np.ndarray):
            item[...] = 1 - item if item.dtype != bool else ~item
        elif isinstance(item, list):
            item.reverse()
    assert _contents(problem) == before
    assert _contents(problem.replace()) == before
    sparse = sp.csr_matrix(np.ones((3, 2)))
    problem = AssignmentProblem.from_arrays(sparse, capacity=[1, 1])
    sparse.data[:] = 9.0
    assert problem.replace().value.tolist() == [1.0] * 6


@pytest.mark.parametrize(
    ("name", "new", "changes"),
    [
        ("capacity", [1.0, 5.0], {"capacity"}),
        ("nurture", 2.0, {"nurture"}),
        ("must_assign", True, {"must_assign"}),
        ("tier", [1, 1, 2], {"tier"}),
        ("equity", (), {"equity"}),
        ("limits", (), {"limits"}),
        ("opportunity", [3, 2, 1], {"opportunity"}),
        ("effort", None, set()),
        ("value", np.ones((3, 2)), {"value"}),
        ("rep_ids", ["p", "q"], {"rep_ids"}),
        ("eligible", np.array([[True, False]] * 3), {"start", "pair_rep", "value", "effort", "revenue"}),
    ],
)
def test_replace_changes_only_what_is_named(name: str, new: Any, changes: set[str]) -> None:
    """`replace` is what-if: one argument of `from_arrays` is another, and all else stays."""
    problem = _full()
    before, after = _contents(problem), _contents(problem.replace(**{name: new}))
    assert {key for key in before if before[key] != after[key]} == changes
    assert _contents(problem) == before


def test_replace_checks_again_and_knows_its_arguments() -> None:
    """A bad value is a ProblemError, an unknown name a TypeError that says it."""
    with pytest.raises(ProblemError, match="capacity"):
        _full().replace(capacity=[-1, 1])
    with pytest.raises(TypeError, match="capacities"):
        _full().replace(capacities=[1, 1])


def test_eligibility_can_be_widened_again() -> None:
    """What was not eligible keeps its value for a later what-if."""
    narrow = AssignmentProblem.from_arrays(**(GOOD | {"eligible": np.zeros((3, 2), bool)}))
    assert narrow.replace(eligible=None).value.tolist() == [1, 2, 3, 4, 5, 6]


def test_rule_names_are_unique_and_never_those_of_the_verdicts() -> None:
    """Prices and verdicts are looked up by name: no two are alike, whatever people call their rules."""
    limits = [Limit(name="a"), Limit(name="a (2)"), Limit(name="a"), Limit(name="a"), Limit(name="capacity"), Limit()]
    problem = AssignmentProblem.from_arrays(**GOOD, limits=limits, equity=[LeadShare(0.1), LeadShare(0.1)])
    names = [rule.name for rule in problem.rules]
    assert len(set(names)) == len(names)
    assert names[:2] == ["lead share", "lead share (2)"]
    assert "capacity" not in names


def test_groups_leave_out_negative_labels() -> None:
    """Labels need not be dense; reps labelled below zero are in no group."""
    problem = AssignmentProblem.from_arrays(np.ones((1, 4)), capacity=1, team=[7, -1, 3, 7])
    index, names = problem.groups("team")
    assert index.tolist() == [1, -1, 0, 1]
    assert names == ("team 3", "team 7")
    assert problem.groups(np.full(4, -1))[1] == ()
    assert problem.groups("all")[0].tolist() == [0, 0, 0, 0]
    assert AssignmentProblem.from_arrays(np.ones((1, 2)), capacity=0).fair_share.tolist() == [0, 0]
