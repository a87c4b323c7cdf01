"""A look at an experiment in plain words, the verdict first."""

from __future__ import annotations

from collections.abc import Iterator

from apportion_models.experiment.look import Comparison, Look, Reading
from apportion_models.experiment.rules import Rules

LOOKING = "The interval holds at every look at once: you may look every day, and stop when a rule says so."
NOUNS = {"conversion": "conversion of leads", "revenue": "revenue"}
ONCE = "The 90 % interval of the planned end holds for this one look, and only if nobody stopped the experiment before."


def sentences(look: Look, rules: Rules, *, control: str, currency: str = "") -> tuple[str, ...]:
    """What a person should read, in order."""
    return tuple(_told(look, rules, control, currency))


def _told(look: Look, rules: Rules, control: str, currency: str) -> Iterator[str]:
    if look.broken:
        yield "The experiment is broken and no result can be believed. Mend what follows, then start anew:"
        yield from (str(finding) for finding in look.findings if finding.severity == "error")
    for one in look.comparisons:
        verdict = _verdict(one, rules, control)
        yield f"(Not to be believed.) {verdict}" if look.broken else verdict
        for reading in (one.main, one.other):
            if reading is not None:
                yield _reading(reading, one.arm, control, rules, currency)
        yield from (kept.sentence for kept in one.guardrails)
    yield _progress(look, rules)
    yield LOOKING
    if any(one.main is not None and one.main.once is not None for one in look.comparisons):
        yield ONCE
    yield from (f"Note: {finding}" for finding in look.findings if finding.severity != "error")


def _verdict(one: Comparison, rules: Rules, control: str) -> str:
    after = f" (after block {one.decided_after})" if one.decided_after is not None else ""
    name, margin = NOUNS[rules.metric], _relative(rules.margin, rules)
    if one.state == "better":
        return f"{one.arm} is better than {control}: higher {name}{after}. Promote it."
    if one.state == "worse":
        return f"{one.arm} is worse than {control}: lower {name}{after}. Stop it, and keep {control}."
    if one.state == "no difference":
        return (
            f"No difference between {one.arm} and {control} that matters: {name} differs by less than {margin}{after}. "
            f"Keep {control}, or choose by cost and fairness."
        )
    if one.state == "not worth it":
        return (
            f"{one.arm} is not worth it: a gain of {_relative(rules.worth, rules)}, the least worth having, is ruled "
            f"out{after}. Keep {control}."
        )
    if one.state == "guardrail":
        broken = next(kept.sentence for kept in one.guardrails if kept.kept is False)
        return f"{one.arm} breaks a guardrail, whatever it gains: stop it. {broken}"
    if one.state == "undecided at the end":
        if one.main is None:
            return f"{one.arm}: the planned end is reached and there is nothing to compare. Keep {control}."
        return (
            f"{one.arm}: the planned end is reached, and the data do not tell whether it is better than {control}. "
            f"That is no proof of no difference. Keep {control}, or plan a longer experiment."
        )
    if one.state == "nothing to compare":
        return f"{one.arm}: nothing to compare with {control} yet: {_why_nothing(one)}. Keep running."
    return f"{one.arm}: not decided yet. Keep running."


def _why_nothing(one: Comparison) -> str:
    return "no block is complete with leads in both arms, or no lead has converted"


def _reading(reading: Reading, arm: str, control: str, rules: Rules, currency: str) -> str:
    base = rules.metrics[reading.metric].baseline
    role = "" if reading.metric == rules.metric else " (decides nothing)"
    means = " and ".join(
        f"{_amount(mean, reading.metric, currency)} in {name} ({count:,} leads)"
        for mean, name, count in zip(reading.mean, (arm, control), reading.leads, strict=True)
    )
    said = f"{reading.metric.capitalize()}{role}: {means}; difference {_share(reading.estimate, base)}"
    if abs(reading.low) == float("inf"):
        return f"{said}; with {reading.blocks} block there is no interval yet."
    said += f", between {_share(reading.low, base)} and {_share(reading.high, base)} of the past's mean"
    if reading.once is not None:
        said += f" (90 % interval for one look: {_share(reading.once[0], base)} to {_share(reading.once[1], base)})"
    return said + (", net of what was expected of the leads." if reading.adjusted else ".")


def _progress(look: Look, rules: Rules) -> str:
    return (
        f"{look.complete} of {look.horizon} blocks are complete; {look.waiting:,} leads are too young to count: "
        f"each has {rules.within_days:g} days. Young leads are not failures."
    )


def _relative(amount: float, rules: Rules) -> str:
    return f"{amount / rules.metrics[rules.metric].baseline:.0%}"


def _share(amount: float, base: float) -> str:
    return f"{amount / base:+.1%}"


def _amount(mean: float, metric: str, currency: str) -> str:
    return f"{mean:.2%}" if metric == "conversion" else f"{mean:,.0f} {currency}".strip()
