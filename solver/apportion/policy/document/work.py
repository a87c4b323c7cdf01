"""How much a rep can take, in plain words."""

from __future__ import annotations

from apportion.policy.document.phrases import RuleText, SectionText, code, force, leads, many, money, reps, start
from apportion.policy.document.sentences import listed
from apportion.policy.schema import Policy


def capacity(policy: Policy) -> SectionText:
    """The chapter on capacity."""
    rule = policy.capacity
    levels = "".join(f", {amount:g} for level {level}" for level, amount in rule.by_level.items())
    days = f"{policy.window.days:g} working day{'' if policy.window.days == 1 else 's'}"
    says = (
        f"A batch plans for {days}. A rep takes what the table of reps says, else {rule.default:g} effort "
        f"units{levels}. A lead costs what its column {rule.effort.column} says, else {rule.effort.default:g}."
    )
    rules = [
        RuleText(item.name, f"{start(leads(item.when))} cost {item.effort:g} effort units.", "", code(item.when))
        for item in rule.effort.rules
    ]
    for cap in rule.caps:
        per = "open at once" if cap.per == "open" else f"per {cap.per}"
        says_cap = f"{start(reps(cap.reps))}: at most {many(cap.at_most, 'lead')} {per}."
        rules.append(RuleText(cap.name, says_cap, force(policy, cap.price, " a lead more"), code(cap.reps)))
    if rule.backlog.effort_each:
        most = f"together at most {rule.backlog.at_most:.0%} of the capacity"
        text = f"Each open lead takes {rule.backlog.effort_each:g} effort units, {most}."
        rules.append(RuleText("Backlog", text))
    for item in rule.adjust:
        rules.append(RuleText(item.name, f"Capacity × {item.factor:g} for {reps(item.reps)}.", "", code(item.reps)))
    for throttle in policy.throttle:
        steps = listed([f"× {step.factor:g} above {step.above:,.0f}" for step in throttle.steps])
        text = f"For {reps(throttle.reps)}, by {throttle.column.replace('_', ' ')}: {steps}."
        rules.append(RuleText(throttle.name, text, "", code(throttle.reps)))
    if rule.overtime is not None:
        text = f"Up to {rule.overtime.share:.0%} above the capacity."
        rules.append(RuleText("Overtime", text, f"soft: {money(policy, rule.overtime.price)} a unit"))
    for held in policy.reserve:
        text = f"{held.share:.0%} of the capacity of {reps(held.reps)} is held back for {leads(held.leads)}."
        rules.append(RuleText(held.name, text, force(policy, held.price, " a unit"), code(held.leads, held.reps)))
    return SectionText("capacity", "Capacity", says, rules)


def ramp(policy: Policy) -> SectionText:
    """The chapter on ramp."""
    rules = []
    for profile in policy.ramp:
        points = listed([f"{point.share:.0%} from day {point.day}" for point in profile.points])
        how = "" if profile.shape == "steps" else ", rising evenly in between"
        says = f"{start(reps(profile.reps))}: {points}{how}."
        if profile.tier_from:
            says += f" Tiers: {listed([f'{tier} from day {day}' for tier, day in profile.tier_from.items()])}."
        firm = force(policy, profile.price, " a lead too early") if profile.tier_from else ""
        rules.append(RuleText(profile.name, says, firm, code(profile.reps)))
    for floor in policy.explore:
        whom = [f"in their first {floor.first_days} days"] if floor.first_days is not None else []
        whom += [f"with fewer than {floor.fewer_than} past leads"] if floor.fewer_than is not None else []
        says = f"Reps {listed(whom, 'or')} get at least {many(floor.minimum, 'lead')}, as far as they have room."
        rules.append(RuleText(floor.name, says, force(policy, floor.price, " a missing lead"), code(floor.reps)))
    return SectionText("ramp", "New reps", "" if rules else "New reps have their full capacity at once.", rules)


def availability(policy: Policy) -> SectionText:
    """The chapter on availability."""
    rule = policy.availability
    says = (
        f"Reps work {rule.week} in their own time zone, else {rule.time_zone}; leave and pauses come from the tables. "
    )
    home = f"; of reps without a country, those of {rule.holidays.default}" if rule.holidays.default else ""
    says += f"Public holidays are kept by the rep's {rule.holidays.column}{home}."
    rules = [
        RuleText(item.name, f"{start(reps(item.reps))} work {item.week}.", "", code(item.reps)) for item in rule.hours
    ]
    if rule.gradual_return is not None:
        back = rule.gradual_return
        points = listed([f"{point.share:.0%} from working day {point.day + 1}" for point in back.points])
        rules.append(RuleText("Return", f"After {back.after_days:g} working days away or more: {points}."))
    return SectionText("availability", "Availability", says, rules)
