"""Who gets how much, and what it is worth, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from apportion.policy.document.phrases import RuleText, SectionText, code, force, leads, money, reps
from apportion.policy.document.sentences import listed, said
from apportion.policy.schema import Policy
from apportion.policy.schema.common import EVERY_LEAD, EVERY_PAIR
from apportion.policy.schema.sharing import Cost, Equity, Limit

MEASURES = {
    "leads": "leads",
    "opportunity": "opportunity (what is offered)",
    "revenue": "expected revenue",
    "effort": "effort",
}


def _equity_says(rule: Equity) -> str:
    who = "Each rep" if rule.by == "rep" else f"Each {rule.by.replace('_', ' ')}"
    if rule.measure == "max_min":
        least = f"The {rule.by.replace('_', ' ')} with the least expected revenue for the fair share"
        if rule.keep is not None:
            return f"{least} gets as much as can be, keeping {rule.keep:.0%} of the best total."
        return f"{least} gets more where that is worth it."
    bounds = [f"at least {rule.low:.0%}"] if rule.low is not None else []
    bounds += [f"at most {rule.high:.0%}"] if rule.high is not None else []
    says = f"{who} gets {listed(bounds)} of the fair share of {MEASURES[rule.measure]}"
    if rule.tier is not None:
        says += " in each tier" if rule.tier == "each" else f" in tier {rule.tier}"
    says += "" if rule.window == "batch" else f", counted over the last {rule.window:g} days"
    return f"{says}." + (f" Not for {reps(rule.except_reps)}." if rule.except_reps is not None else "")


def _equity_force(policy: Policy, rule: Equity) -> str:
    if rule.measure == "max_min":
        return force(policy, rule.price, f" for each {policy.currency} of revenue over fair share that it has more")
    return force(policy, rule.price, " a missing unit")


def equity(policy: Policy) -> SectionText:
    """The chapter on equity."""
    rules = [
        RuleText(rule.name, _equity_says(rule), _equity_force(policy, rule), code(rule.except_reps))
        for rule in policy.equity
    ]
    for weight in policy.weights:
        rules.append(
            RuleText(weight.name, f"Fair share × {weight.weight:g} for {reps(weight.reps)}.", "", code(weight.reps))
        )
    says = "A fair share is a rep's part of the capacity at hand." if rules else "No rule on sharing."
    return SectionText("equity", "Equity", says, rules)


def limits(policy: Policy) -> SectionText:
    """The chapter on limits."""
    rules = [
        RuleText(rule.name, _limit_says(rule), force(policy, rule.price, " a unit beyond"), code(rule.leads, rule.reps))
        for rule in policy.limits
    ]
    return SectionText("limits", "Limits", "In plain numbers." if rules else "There are none.", rules)


UNITS = {
    "leads": "leads",
    "effort": "effort units",
    "revenue": "in expected revenue",
    "opportunity": "in opportunity",
}


def _limit_says(rule: Limit) -> str:
    bounds = [f"at least {rule.low:g}"] if rule.low is not None else []
    bounds += [f"at most {rule.high:g}"] if rule.high is not None else []
    group = "All together" if rule.by == "all" else f"Each {rule.by.replace('_', ' ')}"
    each = f", for each {rule.each.replace('_', ' ')}" if rule.each else ""
    counted = f"counting {leads(rule.leads)} and {reps(rule.reps)}"
    return f"{group} gets {listed(bounds)} {UNITS[rule.measure]}{each}, {counted}."


def value(policy: Policy) -> SectionText:
    """The chapter on value."""
    rules = [RuleText(item.name, _cost_says(policy, item), "", code(item.when)) for item in policy.value.costs]
    return SectionText("value", "What is maximised", " ".join(_value_says(policy)), rules)


def _cost_says(policy: Policy, item: Cost) -> str:
    parts = [f"{money(policy, item.per_lead)} a lead"] if item.per_lead else []
    parts += [f"{money(policy, item.per_effort)} an effort unit"] if item.per_effort else []
    parts += [f"{item.of_revenue:.3g} of the expected revenue"] if item.of_revenue else []
    parts += [f"what the lead's {item.column.replace('_', ' ')} says"] if item.column else []
    whom = "Every pair" if item.when == EVERY_PAIR else f"A pair where {said(item.when)}"
    return f"{whom} costs {listed(parts)}."


def _value_says(policy: Policy) -> Iterator[str]:
    rule = policy.value
    yield "The sum of expected revenue: the chance that this rep converts this lead, times the deal value."
    if rule.estimate == "lower":
        yield f"Estimates are taken {rule.caution:g} standard errors below the mean, out of caution."
    if rule.cost_per_lead:
        yield f"Each lead costs {money(policy, rule.cost_per_lead)}."
    if rule.cost_per_effort or rule.cost_column:
        own = f", or what the rep's {rule.cost_column.replace('_', ' ')} says" if rule.cost_column else ""
        yield f"Each effort unit costs {money(policy, rule.cost_per_effort)}{own}."
    if rule.decay is not None:
        floor = f"down to {rule.decay.floor:.0%}"
        yield f"A waiting lead loses half of its worth every {rule.decay.half_life_hours:g} hours, {floor}."
    solve = policy.solve
    yield f"The search stops at a proved gap of {solve.gap:.2%}, or after {solve.time_limit:g} seconds."


def nurture(policy: Policy) -> SectionText:
    """The chapter on nurture."""
    rule = policy.nurture

    def worth(value: float, share: float) -> str:
        return money(policy, value) + (f" plus {share:.0%} of its opportunity" if share else "")

    rules = [
        RuleText(
            item.name, f"Leads where {said(item.when)} are worth {worth(item.value, item.share)}.", "", code(item.when)
        )
        for item in rule.rules
    ]
    if rule.must_assign is not None:
        whom = "Every lead needs" if rule.must_assign == EVERY_LEAD else f"Leads where {said(rule.must_assign)} need"
        firm = force(policy, rule.must_assign_price, " a lead in nurture")
        rules.append(RuleText("Must be assigned", f"{whom} a rep.", firm, code(rule.must_assign)))
    value = worth(rule.value, rule.share)
    says = f"A lead that no rep should get goes to the automated sequence, where it is worth {value}."
    return SectionText("nurture", "Nurture", says, rules)
