"""Comparison: no difference is none, parts add up, noise is said to be noise, a sweep goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apportion.connectors import csv_bytes, json_bytes
from apportion.problem import verify
from apportion.whatif import Comparison, How, Scenario, compare, load_scenario, sweep
from apportion.whatif.compare import PARTS, Done
from apportion_models.errors import InputError
from tests.solver.whatif.settings import QUICK, reps_of, small


@pytest.fixture(scope="module")
def told() -> Comparison:
    first, second = reps_of(small())[:2]
    return compare(
        small(),
        [
            Scenario(name="same"),
            load_scenario({"name": "also same", "policy": {"set": {"equity[fair offer].low": 0.7}}}),
            load_scenario({"name": "leaves", "reps": {"leave": [first]}}),
            load_scenario({"name": "free", "policy": {"drop": ["fair offer"]}}),
            load_scenario({"name": "joins", "reps": {"join": [{"rep_id": "R99", "like": second}]}}),
            load_scenario({"name": "grows", "leads": {"grow": [{"territory": "dach", "by": 1.0}]}}),
            load_scenario({"name": "alike", "fit": {"shrink": 1.0}}),
            load_scenario({"name": "never", "policy": {"add": {"limits": [{"name": "all", "by": "all", "low": 900}]}}}),
        ],
        How(draws=100, workers=2),
    )


@pytest.mark.parametrize("name", ["same", "also same"])
def test_a_scenario_equal_to_the_base_is_the_base_to_the_byte(told: Comparison, name: str) -> None:
    """Its outcome has the base's bytes, no lead moves, and every difference is exactly nothing."""
    one = next(one for one in told.scenarios if one.name == name)
    assert json_bytes(one.document()) == json_bytes(told.base.document())
    between = told.differences[name]
    for interval in (between.revenue, between.conversions, between.worth, between.solver):
        assert (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)
    assert between.moves == 0
    assert between.verdict == "none"
    assert not (told.moves["scenario"] == name).any()
    tidy = told.tidy.set_index("scenario").drop(columns=["base", "difference", "low", "high"])
    assert csv_bytes(tidy.loc[name].reset_index(drop=True)) == csv_bytes(tidy.loc["base"].reset_index(drop=True))


def test_every_plan_is_verified(told: Comparison) -> None:
    """No plan is told of that the independent checker does not approve."""
    for one in (told.base, *told.scenarios):
        assert not one.has_plan or verify(one.solved.problem, one.plan)


def test_groups_add_up_to_the_totals(told: Comparison) -> None:
    """Reps, teams, tiers and territories each hold every placed lead, once, and all the revenue."""
    for one in (one for one in (told.base, *told.scenarios) if one.has_plan):
        sums = one.groups.groupby("by")[["leads", "revenue", "conversions"]].sum()
        assert (sums["leads"] == one.totals["placed"]).all()
        np.testing.assert_allclose(sums["revenue"], one.totals["revenue"])
        assert one.totals["placed"] + one.totals["nurture"] + one.totals["rejected"] == one.totals["leads"]


def test_moves_take_the_base_plan_to_the_scenarios(told: Comparison) -> None:
    """The base's owners, changed by the moves, are the scenario's owners."""
    for one in (one for one in told.scenarios if one.has_plan):
        owners = told.base.owners
        for row in told.moves[told.moves["scenario"] == one.name].to_dict(orient="records"):
            assert owners.get(row["lead_id"], "not in the base") == row["from"]
            owners[row["lead_id"]] = row["to"]
        assert {lead: rep for lead, rep in owners.items() if rep != "not in the scenario"} == one.owners


def test_sources_add_up_to_the_difference(told: Comparison) -> None:
    """The parts sum to the whole difference of worth, and a change of rules alone is all rules."""
    for name, between in told.differences.items():
        assert between.sources is not None
        assert tuple(between.sources.parts) == PARTS
        total = sum(part.amount for part in between.sources.parts.values())
        assert total == pytest.approx(between.worth.value, abs=1e-6), name
    free = told.differences["free"].sources
    assert free is not None
    assert free.parts["rules"].amount == pytest.approx(told.differences["free"].worth.value)
    alike = told.differences["alike"].sources
    assert alike is not None
    assert alike.parts["values"].amount == pytest.approx(told.differences["alike"].worth.value)
    assert told.over_router is not None
    assert not told.over_router[1].missing


def test_a_relaxation_never_loses(told: Comparison) -> None:
    """With a rule less, the base's plan is still there to be taken."""
    assert told.differences["free"].worth.value >= 0
    assert told.differences["free"].solver.high >= told.differences["free"].worth.value


def test_intervals_hold_their_value_and_the_solver_is_told_beside(told: Comparison) -> None:
    """low <= value <= high, of the model and of the solver alike."""
    for between in told.differences.values():
        for interval in (between.revenue, between.conversions, between.worth, between.solver):
            assert interval.low <= interval.value <= interval.high


def test_a_scenario_without_a_plan_is_an_answer(told: Comparison) -> None:
    """It is told of as infeasible, and hides no other."""
    never = next(one for one in told.scenarios if one.name == "never")
    assert not never.has_plan
    assert "never" not in told.differences
    assert told.document()["scenarios"][-1]["outcome"]["status"] == "INFEASIBLE"
    assert "no plan" in told._repr_html_()


def test_the_document_is_plain_json(told: Comparison) -> None:
    """No NaN, no numpy, and the routers stand beside every scenario that has a plan."""
    document = json.loads(json.dumps(told.document(), allow_nan=False))
    assert all(one["outcome"]["routers"] for one in document["scenarios"] if one["outcome"]["status"] != "INFEASIBLE")


def test_the_number_of_workers_changes_no_byte() -> None:
    """One thread or three: the same document."""
    points = sweep({"nurture.value": [0, 50, 5000], "equity[fair offer].low": [0.2, 0.9]})
    documents = [json_bytes(compare(small(), points, replace(QUICK, workers=n)).document()) for n in (1, 3)]
    assert documents[0] == documents[1]


def test_a_sweep_is_cancelled_and_goes_on(tmp_path: Path) -> None:
    """What was finished before the stop is given, and is not solved again; in the end all is as if never stopped."""
    points = sweep({"equity[fair offer].low": [0.1, 0.3, 0.5, 0.8]})
    how = replace(QUICK, store=tmp_path)
    seen: list[Done] = []
    part = compare(small(), points, how, cancelled=lambda: len(seen) >= 2, on_done=seen.append)
    assert part.unfinished
    assert 2 <= len(part.scenarios) < len(points)
    again: list[Done] = []
    whole = compare(small(), points, how, on_done=again.append)
    assert not whole.unfinished
    reused = {done.name for done in again if done.reused}
    assert {one.name for one in part.scenarios} <= reused
    assert json_bytes(whole.document()) == json_bytes(compare(small(), points, QUICK).document())


def test_ctrl_c_leaves_what_is_finished() -> None:
    """An interrupt while scenarios run ends them; those that are done are given back."""
    points = sweep({"equity[fair offer].low": [0.1, 0.3, 0.5, 0.8]})

    def stop(done: Done) -> None:
        raise KeyboardInterrupt

    part = compare(small(), points, QUICK, on_done=stop)
    assert part.scenarios
    assert len(part.scenarios) + len(part.unfinished) == len(points)


def test_a_damaged_store_is_solved_anew(tmp_path: Path) -> None:
    """A stored plan that is not whole, or breaks a rule, is never an answer."""
    how, points = replace(QUICK, store=tmp_path), sweep({"nurture.value": [40]})
    fresh = json_bytes(compare(small(), points, how).document())
    for path in tmp_path.glob("*.json"):
        held = json.loads(path.read_text())
        held["rep"] = [0] * len(held["rep"])
        path.write_text(json.dumps(held))
    assert json_bytes(compare(small(), points, how).document()) == fresh
    for path in tmp_path.glob("*.json"):
        path.write_text("{")
    assert json_bytes(compare(small(), points, how).document()) == fresh


def test_faults_of_all_scenarios_are_told_before_anything_is_solved() -> None:
    """Two wrong files, one error with both."""
    wrong = [load_scenario({"name": n, "reps": {"leave": [f"R9{n}"]}}) for n in "ab"]
    with pytest.raises(InputError) as caught:
        compare(small(), wrong, QUICK)
    assert len(caught.value.findings) == 2


def test_the_name_of_the_base_is_taken() -> None:
    """A scenario may not pass for the base."""
    with pytest.raises(InputError, match="a name of its own"):
        compare(small(), [Scenario(name="base")], QUICK)


def test_frames_and_figures_hold_what_the_document_holds(told: Comparison) -> None:
    """Groups and sources as tidy frames, differences and sources as figures: every scenario that has them, once."""
    assert told.groups.groupby("scenario")["d_revenue"].sum()["same"] == 0.0
    free = told.groups[(told.groups["scenario"] == "free") & (told.groups["by"] == "rep")]
    change = told.differences["free"].revenue.value
    assert free["d_revenue"].sum() == pytest.approx(change, abs=1e-6)
    assert list(told.sources["part"].unique()) == list(PARTS)
    figure = told.difference_figure()
    assert figure is not None
    (points,) = figure.data
    assert list(points.y) == list(told.differences)
    assert list(points.x) == [one.revenue.value for one in told.differences.values()]
    sources = told.source_figure()
    assert sources is not None
    assert next(bar.name for bar in sources.data) == "values restated"
    assert compare(small(), [], QUICK).difference_figure() is None


def test_a_change_that_does_not_bind_moves_no_lead() -> None:
    """Another cap that nobody comes near is another problem, and the base's plan is proved as good in it: kept whole,
    with a gap no larger."""
    roomy = load_scenario({"name": "roomy", "policy": {"set": {"limits[not too many].high": 39}}})
    found = compare(small(), [roomy], QUICK)
    one, base = found.scenarios[0], found.base
    assert one.solved.fingerprint != base.solved.fingerprint
    assert one.owners == base.owners
    assert one.plan.gap <= base.plan.gap * 1.001
    assert found.differences["roomy"].moves == 0
    assert verify(one.solved.problem, one.plan)
