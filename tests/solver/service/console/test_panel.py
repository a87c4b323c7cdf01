"""The what-if panel: fields to scenario and back."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apportion.service.console.panel import FREE, open_panel, read_panel, told
from apportion.service.console.today import Today
from apportion.whatif import Scenario, load_scenario
from apportion.whatif.scenarios import apply
from apportion_models.errors import InputError

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def fields(today: Today, scenario: Scenario | None = None, **turned: str) -> dict[str, str]:
    """What the form would send: every field at its shown value, then the turned ones; boxes only where ticked."""
    panel = open_panel(today.setting, today.report.batch, scenario)
    sent = {knob.name: knob.value for knob in panel.knobs() if knob.look != "check" or knob.value == "on"}
    sent |= {"name": panel.name, "description": panel.description, FREE: panel.further}
    sent |= {name.replace("__", "."): value for name, value in turned.items()}
    boxes = {knob.name for knob in panel.knobs() if knob.look == "check"}
    return {name: value for name, value in sent.items() if name not in boxes or value == "on"}


def read(today: Today, **turned: str) -> Scenario:
    return read_panel(today.setting, today.report.batch, fields(today, **turned))


def changes(scenario: Scenario) -> dict[str, object]:
    content = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {key: value for key, value in content.items() if key not in ("name", "description")}


def test_a_panel_that_nobody_touched_is_the_base(today: Today) -> None:
    """No knob turned: no change at all, so that the answer is no difference."""
    assert changes(read(today)) == {}


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        ({"rep__1__in": ""}, {"reps": {"leave": ["R02"]}}),
        ({"rep__0__capacity": "30.5"}, {"reps": {"change": {"R01": {"capacity": 30.5}}}}),
        ({"rep__2__start": "2026-02-20"}, {"reps": {"change": {"R03": {"start_date": "2026-02-20"}}}}),
        ({"cap__0__most": "5"}, {"policy": {"set": {"capacity.caps[at most nine].at_most": 5}}}),
        ({"cap__0__holds": ""}, {"policy": {"drop": ["capacity.caps[at most nine]"]}}),
        ({"equity__0__low": "70"}, {"policy": {"set": {"equity[fair offer].low": 0.7}}}),
        ({"equity__0__price": "hard"}, {"policy": {"set": {"equity[fair offer].price": "hard"}}}),
        ({"equity__1__high": "250"}, {"policy": {"set": {"equity[a share of leads].high": 2.5}}}),
        ({"nurture.value": "40"}, {"policy": {"set": {"nurture.value": 40}}}),
        ({"nurture.share": "12.5"}, {"policy": {"set": {"nurture.share": 0.125}}}),
        ({"territory__0__grow": "30"}, {"leads": {"grow": [{"territory": "north", "by": 0.3}]}}),
        ({"capacity__all": "80"}, {"policy": {"add": {"capacity.adjust": [
            {"name": "what if: everybody", "reps": True, "factor": 0.8}]}}}),
        ({"ramp__0__0__share": "60"}, {"policy": {"set": {"ramp[new rep].points": [
            {"day": 0, "share": 0.6}, {"day": 90, "share": 1.0}]}}}),
        ({"join__like": "R02", "join__start": "2026-03-02"}, {"reps": {"join": [
            {"rep_id": "R02~new", "like": "R02", "columns": {"start_date": "2026-03-02"}}]}}),
    ],
)  # fmt: skip
def test_each_knob_has_its_place_in_the_scenario_and_is_found_there(
    today: Today, turned: dict[str, str], expected: dict[str, object]
) -> None:
    """A turned knob is that change of the scenario and no other; the panel of that scenario shows it turned, and gives
    the same scenario again."""
    scenario = read(today, **turned)
    assert changes(scenario) == expected
    apply(scenario, today.setting)
    panel = open_panel(today.setting, today.report.batch, scenario)
    shown = {knob.name: knob.value for knob in panel.knobs() if knob.changed}
    assert shown == {name.replace("__", "."): value for name, value in turned.items()}
    assert panel.further == ""
    again = read_panel(today.setting, today.report.batch, fields(today, scenario))
    assert changes(again) == changes(scenario)


@SLOW
@given(data=st.data())
def test_any_set_of_turned_knobs_survives_the_way_there_and_back(today: Today, data: st.DataObject) -> None:
    """Whatever is turned together: the scenario opens as the panel that it came from."""
    panel = open_panel(today.setting, today.report.batch)
    knobs = [knob for knob in panel.knobs() if ".merge" not in knob.name and "join" not in knob.name]
    some = data.draw(st.lists(st.sampled_from(knobs), max_size=6, unique_by=lambda knob: knob.name))
    turned = {}
    for knob in some:
        if knob.look == "check":
            turned[knob.name] = ""
        elif knob.look == "date":
            turned[knob.name] = data.draw(st.dates()).isoformat()
        else:
            turned[knob.name] = str(data.draw(st.integers(0, 99)))
    sent = {name: value for name, value in (fields(today) | turned).items() if value or "." not in name}
    sent = {name: value for name, value in sent.items() if name not in turned or value}
    scenario = read_panel(today.setting, today.report.batch, sent)
    again = read_panel(today.setting, today.report.batch, fields(today, scenario))
    assert changes(again) == changes(scenario)
    assert load_scenario(yaml.safe_dump({"name": "x", **changes(scenario)})) is not None


def test_what_goes_takes_its_other_changes_along(today: Today) -> None:
    """A rep who leaves, or a rule that is dropped, needs no further change: it is no contradiction."""
    gone = read(today, rep__1__in="", rep__1__capacity="5", equity__0__holds="", equity__0__low="90")
    assert changes(gone) == {"reps": {"leave": ["R02"]}, "policy": {"drop": ["equity[fair offer]"]}}
    apply(gone, today.setting)


def test_a_merger_keeps_every_other_territory_and_both_crews(today: Today) -> None:
    """isles taken into north: north's leads are those of both, middle's stay, and who covered one covers both."""
    scenario = read(today, territory__2__merge="north")
    after = apply(scenario, today.setting)
    assert [item.name for item in after.policy.territories.cover] == ["north", "middle", "rest"]
    batch, merged = today.report.batch, today.compare([scenario]).scenarios[0].batch
    before = [batch.policy.territories.cover[k].name for k in batch.eligibility.territory]
    now = [merged.policy.territories.cover[k].name for k in merged.eligibility.territory]
    assert now == ["north" if name == "isles" else name for name in before]
    covers, both = batch.eligibility.covers, merged.eligibility.covers
    assert (both[0] == covers[[0, 2]].max(axis=0)).all()
    assert (both[1] == covers[1]).all()


def test_mergers_of_three_into_one_and_of_what_is_gone(today: Today) -> None:
    """Two territories may go into a third; into one that is merged away itself is refused with the knob's name."""
    three = read(today, territory__0__merge="rest", territory__2__merge="rest")
    assert [item.name for item in apply(three, today.setting).policy.territories.cover] == ["rest", "middle"]
    with pytest.raises(InputError) as caught:
        read(today, territory__0__merge="isles", territory__2__merge="north")
    assert caught.value.findings[0].column == "Merge"


def test_further_changes_come_beside_the_knobs(today: Today) -> None:
    """What no knob stands for is said as a scenario file says it; opened again, it is text again."""
    scenario = read(today, **{FREE: "reps:\n  away:\n    - {rep_id: R03, start: 2026-03-09, end: 2026-03-16}\n",
                              "nurture.value": "33"})  # fmt: skip
    assert changes(scenario)["policy"] == {"set": {"nurture.value": 33}}
    assert scenario.reps.away[0].rep_id == "R03"
    panel = open_panel(today.setting, today.report.batch, scenario)
    assert yaml.safe_load(panel.further)["reps"]["away"][0]["rep_id"] == "R03"
    assert "policy" not in yaml.safe_load(panel.further)


@pytest.mark.parametrize(
    ("turned", "column"),
    [
        ({"rep__0__capacity": "many"}, "Capacity"),
        ({"rep__0__capacity": "nan"}, "Capacity"),
        ({"cap__0__most": "1e300"}, "Leads"),
        ({"ramp__0__1__share": ""}, "Share"),
        ({"join__start": "2026-03-02"}, "Starts"),
        ({"territory__0__merge": "nowhere"}, "Merge"),
        ({FREE: "reps: {leave: [R02]}\nnonsense: 1\n"}, "nonsense"),
        ({FREE: "name: twice\n"}, None),
        ({FREE: "!!python/object/apply:os.system ['true']\n"}, None),
    ],
)
def test_wrong_fields_are_told_with_their_names(today: Today, turned: dict[str, str], column: str | None) -> None:
    """Every fault names the field, the value and what must be; nothing is guessed, nothing is run."""
    with pytest.raises(InputError) as caught:
        read(today, **turned)
    if column is not None:
        assert column in {finding.column for finding in caught.value.findings}


def test_all_faults_are_told_at_once(today: Today) -> None:
    """Three wrong fields, three findings, each with the value that was sent."""
    with pytest.raises(InputError) as caught:
        read(today, rep__0__capacity="x", cap__0__most="y", **{FREE: "reps: 3\n"})
    assert [finding.value for finding in caught.value.findings][:2] == ["x", "y"]
    assert len(caught.value.findings) == 3


def test_a_name_that_is_yaml_stays_a_name(today: Today) -> None:
    """A scenario's name is text, whatever it looks like, also beside further changes."""
    for name in ("yes", "a: b", "[1]", "'", "# no", "– €"):
        scenario = read(today, name=name, **{FREE: "reps: {leave: [R02]}\n"})
        assert scenario.name == name


def test_changes_are_told_in_words(today: Today) -> None:
    """One phrase a change; none for the base."""
    assert told(Scenario(name="x")) == ()
    words = told(read(today, rep__1__in="", territory__0__grow="30", equity__0__low="70", join__like="R03"))
    assert "R02 leaves" in words
    assert "30% more leads of north" in words
    assert "equity[fair offer].low is 0.7" in words
    assert "R03~new joins, like R03" in words
