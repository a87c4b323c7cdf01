"""Plans in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apportion.app.experiment.plan import PlanReport

DESIGNS = {
    "capacity_split": "Leads are drawn into arms, and each rep's capacity is split by the same shares",
    "switchback": "One arm at a time has all leads and all capacity; the order is drawn anew in each block",
    "by_team": "Teams work for one arm in a window and for another in the next; leads are drawn by the arms' capacity",
}
LIMITS = {
    "capacity_split": "Each arm plans with half of each rep: a little of what joint planning gains is lost in both.",
    "switchback": "What is waiting at a switch carries over into the next arm's window and blurs the difference.",
    "by_team": "Each arm has some of the teams only: fit across teams is not used: expect to see less than there is.",
}


def plan_sentences(plan: PlanReport) -> tuple[str, ...]:
    """The duration first, then what it rests on."""
    return tuple(_told(plan))


def _told(plan: PlanReport) -> Iterator[str]:
    experiment, seen, rules = plan.experiment, plan.forecast, plan.rules
    main = plan.past[experiment.metric.name]
    gain = f"a gain of {experiment.effect.worth:.0%} in {experiment.metric.name}"
    if seen.blocks is None:
        yield (
            f"This experiment cannot see {gain} in any sensible time. Ask for a larger effect.worth, or another design "
            "or metric."
        )
    else:
        assert seen.days is not None and seen.leads is not None
        yield (
            f"Run it for {seen.blocks} blocks: about {seen.leads:,} leads, {seen.days:,.0f} days with the time that "
            f"the last leads need. It then sees {gain} with a chance of {seen.power:.0%}, looking every day"
            + (
                "."
                if seen.typical is None
                else f"; half of such experiments have decided after {seen.typical:.0f} blocks."
            )
        )
        yield (
            f"One single look at the end would need {seen.one_look} blocks: the difference is the price of being "
            "allowed to look, and to stop early, at any time."
        )
    kind = experiment.design.kind
    yield f"Design: {DESIGNS[kind]}. A window is {plan.window_days:g} days. {LIMITS[kind]}"
    mean = f"{main.mean:.2%}" if experiment.metric.name == "conversion" else f"{main.mean:,.2f} a lead"
    yield (
        f"The past: {experiment.metric.name} {mean} within {rules.within_days:g} days ({main.in_time:.0%} of the wins "
        f"seen so far come in that time), {main.leads_per_day:,.1f} leads a day."
    )
    if main.cap is not None:
        yield f"Revenue a lead is winsorised at {main.cap:,.0f}: few deals must not decide."
    if main.unit_inflation > 1.01:
        yield f"Leads of one account resemble each other: the variance is {main.unit_inflation:.2f} times as large."
    if kind != "capacity_split" and main.shock > 0:
        yield f"Leads of one window have {main.shock:.1%} of their variance in common, which more leads do not lessen."
    yield (
        f"It stops early where {experiment.metric.name} is surely better or worse, where the difference is surely "
        f"below {experiment.effect.no_difference:.0%}, where {experiment.effect.worth:.0%} is ruled out, or where a "
        "guardrail is broken."
    )
