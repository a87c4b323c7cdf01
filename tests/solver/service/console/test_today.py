"""Today's plan, and what is held of it for the questions that follow."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

from apportion.engines import Progress
from apportion.service.console.today import QUICK_GAP, QUICK_PART, Today
from apportion.whatif import compare, load_scenario
from apportion.whatif.compare import lay_ground


def test_what_is_held_changes_no_byte(today: Today) -> None:
    """A question on the ground that is held has the answer that a comparison from nothing has; a second time too."""
    scenarios = [
        load_scenario({"name": "gone", "reps": {"leave": ["R02"]}}),
        load_scenario({"name": "more", "leads": {"grow": [{"territory": "rest", "by": 0.5}]}}),
        load_scenario({"name": "dearer", "policy": {"set": {"nurture.value": 60}}}),
    ]
    how = replace(today.how, gap=0.5, time_limit=60.0, store=None)  # no solve that ends by the clock
    ground = lay_ground(today.setting, how)
    fresh = compare(today.setting, scenarios, how)
    held = [compare(today.setting, scenarios, how, ground=ground) for _ in range(2)]
    told = [json.dumps(one.document(), sort_keys=True) for one in (fresh, *held)]
    assert told == [told[0]] * 3
    assert held[1].base is ground.outcome


def test_a_quick_answer_is_proved_as_far_as_it_says(today: Today) -> None:
    """Never further than the plan itself was asked to be; exactly, as far as that; nothing turned is no difference."""
    leaves = load_scenario({"name": "gone", "reps": {"leave": ["R02"]}})
    strict = replace(today, how=replace(today.how, gap=1e-6, store=None))
    assert strict.quick.gap == max(QUICK_GAP, QUICK_PART * today.report.plan.gap) and strict.quick.time_limit <= 3
    assert replace(today, how=replace(today.how, gap=0.4)).quick.gap == 0.4
    quick, exact = strict.compare([leaves], quick=True), strict.compare([leaves])
    assert (quick.effort.gap, exact.effort.gap) == (strict.quick.gap, 1e-6)
    assert quick.scenarios[0].plan.gap <= strict.quick.gap
    same = strict.compare([load_scenario({"name": "same"})], quick=True)
    assert same.moves.empty and same.scenarios[0].plan.rep.tolist() == today.report.plan.rep.tolist()


def test_bound_and_gap_are_heard_as_it_goes(today: Today) -> None:
    """Whoever waits is told; a bound never rises, and the last gap is what the answer has."""
    heard: list[Progress] = []
    fresh = replace(today, how=replace(today.how, store=None))
    answer = fresh.compare([load_scenario({"name": "gone", "reps": {"leave": ["R04"]}})], on_progress=heard.append)
    assert heard and all(a.bound >= b.bound for a, b in pairwise(heard))
    assert heard[-1].gap >= answer.scenarios[0].plan.gap - 1e-12


def test_a_question_leaves_the_plan_as_it_is(today: Today) -> None:
    """Asking changes nothing: neither the plan nor the tables that it was made from."""

    def state() -> tuple[object, ...]:
        setting = today.setting
        return today.report.plan.rep.tolist(), setting.tables.reps.to_csv(), setting.policy.fingerprint

    before = state()
    today.compare([load_scenario({"name": "x", "reps": {"leave": ["R01"], "change": {"R03": {"capacity": 1}}}})])
    assert state() == before
