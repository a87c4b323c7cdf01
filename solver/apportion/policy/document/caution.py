"""What is drawn to learn, whose offers are watched, and what the fit model must not know, in plain words."""

from __future__ import annotations

from apportion.policy.document.phrases import RuleText, SectionText, code, leads, money, reps, start
from apportion.policy.document.sentences import listed
from apportion.policy.schema import Policy


def swaps(policy: Policy) -> SectionText:
    """The chapter on the draw."""
    rule = policy.swaps
    if rule is None:
        return SectionText("swaps", "Learning by a draw", "No lead is swapped by a draw.")
    says = (
        f"Each lead is swapped with that of another rep with a chance of at most {rule.share:.3g}: "
        f"{leads(rule.leads)}, {reps(rule.reps)}. Every hard rule holds all the same, and the chance of each pair is "
        "logged."
    )
    if rule.loss_at_most is not None:
        says += f" A swap may give up {money(policy, rule.loss_at_most)} by the estimates, at most."
    said = code(rule.leads, rule.reps)
    return SectionText("swaps", "Learning by a draw", "", [RuleText("Swaps", start(says), "hard", said)])


def people(policy: Policy) -> SectionText:
    """The chapter on audits and protected attributes."""
    says = "Protected attributes of people, and columns that stand for them, are no features of the fit model."
    if policy.protected.columns:
        says += f" Besides those known by name these are: {listed(list(policy.protected.columns))}."
    rules = [
        RuleText(
            f"Audit by {audit.by.replace('_', ' ')}",
            f"What each group is offered is told with every plan; groups of fewer than {audit.at_least} together.",
        )
        for audit in policy.audits
    ]
    rules += [
        RuleText(
            f"Allowed: {item.column}",
            f"May be a feature all the same: {item.why} ({item.who}, {item.when.isoformat()}).",
        )
        for item in policy.protected.allow
    ]
    return SectionText("people", "People", says, rules)
