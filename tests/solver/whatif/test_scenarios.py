"""Scenarios: what they change, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from apportion.whatif import Scenario, load_scenario, load_scenarios
from apportion.whatif.scenarios import apply, scenario_json_schema
from apportion_models.errors import InputError
from tests.solver.whatif.settings import reps_of, same_tables, small

ROOT = Path(__file__).parents[3]


def refused(content: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        apply(load_scenario({"name": "wrong", **content}), small())
    return str(caught.value)


def applied(content: dict[str, Any]) -> Any:
    return apply(load_scenario({"name": "right", **content}), small())


def test_a_scenario_without_changes_is_the_base() -> None:
    """Nothing is copied where nothing changes."""
    made = applied({})
    assert made.tables is small().tables
    assert made.policy is small().policy


def test_the_schema_in_docs_is_what_the_code_says() -> None:
    """Write it anew with `apportion whatif --schema > docs/scenario.schema.json`."""
    assert json.loads((ROOT / "docs" / "scenario.schema.json").read_text()) == scenario_json_schema()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "examples" / "scenarios").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_examples_are_read(path: Path) -> None:
    """Each shipped example keeps the schema and says why it is looked at."""
    assert load_scenario(path).description


def test_a_rep_leaves_every_table() -> None:
    """Who leaves is not in the roster any more; everybody else is as before."""
    first, *others = reps_of(small())
    assert reps_of(applied({"reps": {"leave": [first]}})) == others


def test_a_rep_joins_like_another() -> None:
    """The new row is the other's, but for the columns that are given."""
    like = reps_of(small())[2]
    made = applied({"reps": {"join": [{"rep_id": "R99", "like": like, "columns": {"capacity": 3}}]}})
    rows = made.tables.reps.set_index("rep_id")
    assert rows.loc["R99", "capacity"] == 3
    assert rows.loc["R99", "team_id"] == rows.loc[like, "team_id"]
    pd.testing.assert_series_equal(made.tables.reps.dtypes, small().tables.reps.dtypes)


def test_a_rep_on_leave_is_in_the_calendar() -> None:
    """The batch sees an absence as a row of the calendar; the base's is not touched."""
    rep = reps_of(small())[0]
    made = applied({"reps": {"away": [{"rep_id": rep, "start": "2026-03-01", "end": "2026-03-20"}]}})
    assert made.tables.calendar["rep_id"].tolist() == [rep]
    assert small().tables.calendar is None


def test_leads_grow_in_one_territory_under_new_ids() -> None:
    """30 % more of the territory's leads, none of another, each id once, and the same every time."""
    change = {"leads": {"grow": [{"territory": "dach", "by": 0.5}]}}
    made, again = applied(change), applied(change)
    old = small().tables.leads
    dach = old["country"].isin(["DE", "AT", "CH"])
    new = made.tables.leads[~made.tables.leads["lead_id"].isin(old["lead_id"])]
    assert len(new) == round(0.5 * dach.sum())
    assert new["country"].isin(["DE", "AT", "CH"]).all()
    assert made.tables.leads["lead_id"].is_unique
    assert same_tables(made.tables, again.tables)


def test_leads_can_shrink_and_more_than_double() -> None:
    """Fewer takes leads away; +200 % draws each of them twice."""
    n = len(small().tables.leads)
    assert len(applied({"leads": {"grow": [{"when": "true", "by": -0.5}]}}).tables.leads) == n - round(0.5 * n)
    assert len(applied({"leads": {"grow": [{"when": "true", "by": 2.0}]}}).tables.leads) == 3 * n


def test_swaps_costs_and_audits_are_edited_like_any_rule() -> None:
    """The sections on learning, costs and people are set, added to and dropped by a scenario."""
    made = applied(
        {
            "policy": {
                "set": {"swaps": {"share": 0.1}, "protected.columns": ["group_b"]},
                "add": {"audits": [{"by": "team"}], "value.costs": [{"name": "travel", "per_lead": 5}]},
            }
        }
    )
    assert made.policy.swaps is not None and made.policy.swaps.share == 0.1
    assert [cost.name for cost in made.policy.value.costs] == ["travel"]
    assert made.policy.audits[0].by == "team" and made.policy.protected.columns == ("group_b",)


def test_policy_edits_by_name_and_drop_and_add() -> None:
    """A rule is found by its name; dropped rules are gone, added ones there; the base's policy stays."""
    made = applied(
        {
            "policy": {
                "set": {"equity[fair offer].low": 0.9, "nurture.value": 7, "capacity.by_level.senior": 3},
                "drop": ["not too many"],
                "add": {"equity": [{"name": "teams", "measure": "leads", "by": "team", "low": 0.1}]},
            }
        }
    ).policy
    assert [(rule.name, rule.low) for rule in made.equity] == [("fair offer", 0.9), ("teams", 0.1)]
    assert made.nurture.value == 7
    assert made.capacity.by_level == {"senior": 3}
    assert made.limits == ()
    assert small().policy.equity[0].low == 0.7


WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"reps": {"leave": ["R999"]}}, ("reps.leave[0]", "R999", "must be a rep")),
    ({"reps": {"change": {"R999": {"capacity": 1}}}}, ("reps.change.R999", "must be a rep")),
    ({"reps": {"join": [{"rep_id": "N", "like": "R999"}]}}, ("reps.join[0].like", "R999")),
    ({"reps": {"away": [{"rep_id": "R999", "start": "2026-03-01", "end": "2026-03-02"}]}}, ("reps.away[0]", "R999")),
    ({"leads": {"grow": [{"territory": "atlantis", "by": 0.3}]}}, ("leads.grow[0]", "atlantis", "dach, rest")),
    ({"leads": {"grow": [{"when": "country == 'XX'", "by": 0.3}]}}, ("leads.grow[0]", "it has none")),
    ({"leads": {"grow": [{"when": "contry == 'DE'", "by": 0.3}]}}, ("leads.grow[0].when", "country")),
    ({"policy": {"set": {"equty[fair offer].low": 1}}}, ("policy.set.equty", "Did you mean equity?")),
    ({"policy": {"set": {"equity[fair ofer].low": 1}}}, ("policy.set.equity[fair ofer].low", "[fair offer]")),
    ({"policy": {"set": {"nurture.valu": 1}}}, ("policy.set.nurture.valu", "Did you mean value?")),
    ({"policy": {"set": {"equity[fair offer].low": "much"}}}, ("policy.set.equity[fair offer].low", "'much'")),
    ({"policy": {"set": {"equity[fair offer].low": 1, "equity[0].low": 2}}}, ("must be set once",)),
    ({"policy": {"drop": ["fair ofer"]}}, ("policy.drop[0]", "Did you mean fair offer?")),
    ({"policy": {"drop": ["fair offer"], "set": {"equity[fair offer].low": 1}}}, ("that the scenario drops",)),
    ({"policy": {"add": {"screening": [{"name": "x", "when": "true"}]}}}, ("policy.add.screening", "order counts")),
    ({"policy": {"add": {"limits": [{"name": "x"}]}}}, ("policy.add.limits[0]", "low or high")),
    ({"fit": {"model": "no/such/folder"}}, ("fit.model",)),
]


@pytest.mark.parametrize(("content", "told"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_told_with_its_key(content: dict[str, Any], told: tuple[str, ...]) -> None:
    """The error names the scenario, the key, the value, and what would be right."""
    message = refused(content)
    assert message.startswith("scenario wrong")
    assert all(part in message for part in told), message


def test_all_faults_are_told_at_once_with_file_and_line(tmp_path: Path) -> None:
    """One run shows every fault, each with the file and the line of its key."""
    path = tmp_path / "two.yaml"
    path.write_text("name: two\nreps:\n  leave: [R999]\npolicy:\n  set:\n    nurture.valu: 3\n")
    with pytest.raises(InputError) as caught:
        apply(load_scenario(path), small())
    found = {(finding.table, finding.row, finding.column) for finding in caught.value.findings}
    assert found == {("two.yaml", 3, "reps.leave[0]"), ("two.yaml", 6, "policy.set.nurture.valu")}


def test_a_file_that_is_no_mapping_is_told_of_as_a_scenario() -> None:
    """Whoever writes a scenario is not told of policies."""
    with pytest.raises(InputError, match="A scenario must be a mapping of sections") as caught:
        load_scenario("- a\n- b\n")
    assert "policy" not in str(caught.value)


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    """It is named, with what would be right."""
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InputError, match=r"folder\.yaml.*Is a directory.*Name a YAML file"):
        load_scenario(tmp_path / "folder.yaml")


def test_unknown_keys_of_the_file_are_refused() -> None:
    """A misspelt key is no silent nothing."""
    with pytest.raises(InputError, match=r"reps\.leaves.*Did you mean leave"):
        load_scenario("name: x\nreps:\n  leaves: [R1]\n")
    with pytest.raises(InputError, match=r"name.*must be given"):
        load_scenario("version: 1\nreps: {}\n")


def test_two_scenarios_of_one_name_are_refused() -> None:
    """Results are told by name."""
    with pytest.raises(InputError, match="a name of its own"):
        load_scenarios([Scenario(name="a"), Scenario(name="a", description="other")])
