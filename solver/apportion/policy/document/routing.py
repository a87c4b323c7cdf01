"""Which rep may get which lead, in plain words."""

from __future__ import annotations

from apportion.policy.document.phrases import RuleText, SectionText, code, force, leads, money, reps, start
from apportion.policy.document.sentences import said
from apportion.policy.schema import Policy


def screening(policy: Policy) -> SectionText:
    """The chapter on screening."""
    rules = [
        RuleText(
            rule.name,
            f"Leads where {said(rule.when)} {'go to nurture' if rule.outcome == 'nurture' else 'are rejected'}."
            + (f" Reason given: {rule.reason}" if rule.reason else ""),
            force(policy, rule.price, " a lead with any rep"),
            code(rule.when),
        )
        for rule in policy.screening
    ]
    says = "The first rule that holds decides." if rules else "No lead is screened out."
    return SectionText("screening", "Screening", says, rules)


def tiers(policy: Policy) -> SectionText:
    """The chapter on tiers."""
    rules = []
    for band in policy.tiers.bands:
        if band.when is not None:
            says = f"Leads where {said(band.when)}."
        elif band.at_least is not None:
            says = f"{start(policy.tiers.by.replace('_', ' '))} of at least {band.at_least:g}."
        elif band.top is not None:
            says = f"The best {band.top:.0%} of the batch by {policy.tiers.by.replace('_', ' ')}."
        else:
            says = "All other leads, and those whose measure is missing."
        rules.append(RuleText(band.name, says, "", code(band.when)))
    return SectionText("tiers", "Tiers", "Best first." if rules else "Leads are not divided into tiers.", rules)


def territories(policy: Policy) -> SectionText:
    """The chapter on territories."""
    rules = []
    for territory in policy.territories.cover:
        who = "those whose territories list it" if territory.primary is None else reps(territory.primary)
        says = f"Leads where {said(territory.when)} are covered by {who}."
        if territory.overflow is not None:
            extra = f", at {money(policy, territory.overflow_price)} a lead" if territory.overflow_price else ""
            says += f" {start(reps(territory.overflow))} help out{extra}."
        firm = force(policy, territory.price, " a lead with anybody else")
        rules.append(RuleText(territory.name, says, firm, code(territory.when, territory.primary, territory.overflow)))
    unmatched = policy.territories.unmatched
    rest = {"any": "may go to any rep", "nurture": "go to nurture", "reject": "are rejected"}
    says = "There are no territories: place does not matter."
    if rules:
        at_a_price = f"cost {money(policy, unmatched)} with any rep" if isinstance(unmatched, float) else ""
        says = f"The first territory that holds counts. Leads of none {at_a_price or rest[str(unmatched)]}."
    return SectionText("territories", "Territories", says, rules)


def requirements(policy: Policy) -> SectionText:
    """The chapter on requirements."""
    rules = [
        RuleText(
            rule.name,
            f"For {leads(rule.when)}, the lead's {rule.lead.replace('_', ' ')} must be among the rep's {rule.rep}.",
            force(policy, rule.price, " a lead"),
            code(rule.when),
        )
        for rule in policy.requirements
    ]
    says = "What a lead needs of its rep." if rules else "No lead needs a particular skill or language."
    return SectionText("requirements", "Requirements", says, rules)


def accounts(policy: Policy) -> SectionText:
    """The chapter on accounts."""
    rule, rules = policy.accounts, []
    if rule.together != "off":
        wide = ", with those of its subsidiaries," if rule.subsidiaries else ""
        home = ": its owner, else who may have most of them and makes most of them" if rule.together != "hard" else ""
        firm = force(policy, rule.together, " a lead with another rep")
        rules.append(RuleText("Together", f"The leads of one account{wide} go to one rep{home}.", firm))
    if rule.owner != "off":
        whose = "Its owner, or the parent's," if rule.subsidiaries else "Its owner"
        away = "any rep may have it" if rule.if_owner_away == "release" else "it waits in nurture"
        if isinstance(rule.if_owner_away, float):
            away = f"any rep may have it for {money(policy, rule.if_owner_away)} a lead"
        says = f"{whose} gets the leads of an account. While the owner is away, {away}."
        rules.append(RuleText("Owner", says, force(policy, rule.owner, " a lead with anybody else")))
    says = "One company, one rep." if rules else "Leads of one account may go to different reps."
    return SectionText("accounts", "Accounts", says, rules)


def rules(policy: Policy) -> SectionText:
    """The chapter on rules."""
    rules = []
    for rule in policy.rules:
        clause = said(rule.when)
        if rule.effect in ("prefer", "avoid"):
            sign = "+" if rule.effect == "prefer" else "−"
            verb = "are preferred" if rule.effect == "prefer" else "are avoided"
            firm = f"{sign} {money(policy, rule.amount or 0.0)}"
            rules.append(RuleText(rule.name, f"Pairs where {clause} {verb}.", firm, code(rule.when)))
            continue
        says = f"Pairs where {clause} are forbidden."
        if rule.effect == "allow":
            says = f"{start(leads(rule.leads))} may only go where {clause}."
        firm = force(policy, rule.price, " a lead against it")
        rules.append(RuleText(rule.name, says, firm, code(rule.leads, rule.when)))
    return SectionText("rules", "Own rules", "Over lead and rep." if rules else "There are none.", rules)


def overrides(policy: Policy) -> SectionText:
    """The chapter on overrides."""
    rule = policy.overrides
    locks = "Locks of a lead to a rep are kept" if rule.locks else "Locks are not regarded"
    if rule.locks:
        kept = "go" if rule.locks_break_eligibility else "do not go"
        room = "may" if rule.locks_break_capacity else "do not"
        locks += f"; they {kept} before territory, requirement and rule, and {room} exceed capacity"
    bans = "Bans are kept." if rule.bans else "Bans are not regarded."
    return SectionText("overrides", "Decisions of persons", f"{locks}. {bans}")
