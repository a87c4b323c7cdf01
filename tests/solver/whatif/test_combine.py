"""Combining scenarios, and sweeping."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.whatif import Scenario, combine, load_scenario, sweep
from apportion.whatif.scenarios import apply
from apportion_models.errors import InputError, UsageError
from tests.solver.whatif.settings import reps_of, same_tables, small

REPS = ("R01", "R02", "R03", "R04", "R05", "R06")


@st.composite
def changes(draw: st.DrawFn, name: str) -> Scenario:
    """A few changes, each of its own kind."""
    content: dict[str, object] = {"name": name}
    reps = sorted(REPS)
    kinds = draw(st.sets(st.sampled_from(["leave", "join", "change", "grow", "set", "drop", "add", "shrink"])))
    roster: dict[str, object] = {}
    if "leave" in kinds:
        roster["leave"] = [draw(st.sampled_from(reps[:2]))]
    if "join" in kinds:
        roster["join"] = [{"rep_id": f"N{draw(st.integers(0, 2))}", "like": reps[5]}]
    if "change" in kinds:
        roster["change"] = {draw(st.sampled_from(reps[2:4])): {"capacity": draw(st.sampled_from([5, 9]))}}
    content["reps"] = roster
    if "grow" in kinds:
        territory = draw(st.sampled_from(["dach", "rest"]))
        content["leads"] = {"grow": [{"territory": territory, "by": draw(st.sampled_from([0.2, -0.2]))}]}
    edits: dict[str, object] = {}
    if "set" in kinds:
        path = draw(st.sampled_from(["nurture.value", "equity[fair offer].low"]))
        edits["set"] = {path: draw(st.sampled_from([0.5, 0.6]))}
    if "drop" in kinds:
        edits["drop"] = ["not too many"]
    if "add" in kinds:
        name_of = draw(st.sampled_from(["p", "q"]))
        edits["add"] = {"limits": [{"name": name_of, "high": draw(st.sampled_from([8, 9]))}]}
    content["policy"] = edits
    if "shrink" in kinds:
        content["fit"] = {"shrink": draw(st.sampled_from([0.3, 0.6]))}
    return load_scenario(content)


@settings(max_examples=60, deadline=None)
@given(changes("a"), changes("b"))
def test_the_order_of_a_combination_changes_nothing(a: Scenario, b: Scenario) -> None:
    """Either both orders give the same scenario and the same setting, or both refuse with the same words."""
    try:
        one = combine(a, b)
    except InputError as error:
        assert "a and " in str(error) or "scenario a" in str(error)
        with pytest.raises(InputError) as other:
            combine(b, a)
        assert str(other.value) == str(error)
        return
    two = combine(b, a)
    assert one == two
    first, second = apply(one, small()), apply(two, small())
    assert first.policy == second.policy
    assert same_tables(first.tables, second.tables)


def test_combining_is_doing_one_after_the_other() -> None:
    """A combination of changes to different things is what both do, one upon the other, in either order."""
    rep = reps_of(small())[0]
    a = load_scenario({"name": "a", "reps": {"leave": [rep]}})
    b = load_scenario(
        {"name": "b", "policy": {"set": {"nurture.value": 5}}, "leads": {"grow": [{"when": "true", "by": 0.5}]}}
    )
    both = apply(combine(a, b), small())
    for first, second in ((a, b), (b, a)):
        after = apply(second, apply(first, small()))
        assert after.policy == both.policy
        assert same_tables(after.tables, both.tables)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"reps": {"leave": ["R01"]}}, {"reps": {"change": {"R01": {"capacity": 1}}}}),
        ({"policy": {"set": {"nurture.value": 1}}}, {"policy": {"set": {"nurture.value": 2}}}),
        ({"policy": {"set": {"nurture": {"value": 1}}}}, {"policy": {"set": {"nurture.value": 2}}}),
        ({"policy": {"drop": ["fair offer"]}}, {"policy": {"set": {"equity[fair offer].low": 0.1}}}),
        (
            {"leads": {"grow": [{"territory": "dach", "by": 0.1}]}},
            {"leads": {"grow": [{"territory": "dach", "by": 0.2}]}},
        ),
        ({"fit": {"shrink": 0.1}}, {"fit": {"shrink": 0.2}}),
        ({"fit": {"model": "x"}}, {"fit": {"model": "y"}}),
    ],
)
def test_a_conflict_names_both(one: dict[str, object], other: dict[str, object]) -> None:
    """Two that change the same thing differently are refused, with both names."""
    with pytest.raises(InputError, match="first and second both change"):
        combine(load_scenario({"name": "first", **one}), load_scenario({"name": "second", **other}))


def test_the_same_change_twice_is_no_conflict() -> None:
    """A scenario with itself is itself."""
    one = load_scenario({"name": "a", "reps": {"leave": ["R01"]}, "policy": {"set": {"nurture.value": 1}}})
    assert combine(one, one) == one


def test_a_sweep_has_a_scenario_for_each_point() -> None:
    """The last path moves fastest; names tell the points apart; a base change is in every point."""
    points = sweep({"nurture.value": [0, 10], "equity[fair offer].low": [0.5, 0.7]})
    assert [one.policy.set for one in points][1] == {"nurture.value": 0, "equity[fair offer].low": 0.7}
    assert len({one.name for one in points}) == 4
    upon = sweep({"nurture.value": [1]}, base=load_scenario({"name": "gone", "reps": {"leave": ["R01"]}}))
    assert upon[0].reps.leave == ("R01",)
    with pytest.raises(UsageError):
        sweep({"nurture.value": []})
    with pytest.raises(UsageError, match=r"2,000 points at most. Got 10,000: 100 of a x 100 of b"):
        sweep({"a": range(100), "b": range(100)})
