"""When batches run, in plain words."""

from __future__ import annotations

from apportion.policy.cron import cron_words
from apportion.policy.document.phrases import RuleText, SectionText, many
from apportion.policy.document.sentences import listed
from apportion.policy.schema import Policy

MISSED = {
    "latest": "Of times that were missed, the latest is made up for",
    "all": "Times that were missed are all made up for",
    "skip": "Times that were missed are left out",
}


def schedule(policy: Policy) -> SectionText:
    """The chapter on the schedule."""
    rule = policy.schedule
    rules = [RuleText(one.name, f"{cron_words(one.cron)}, {rule.zone(one)}.", "", (one.cron,)) for one in rule.times]
    if rule.waiting is not None:
        wait = rule.waiting
        when = [] if wait.leads is None else [f"{many(wait.leads, 'lead')} wait{'s' if wait.leads == 1 else ''}"]
        when += [] if wait.minutes is None else [f"a lead has waited {wait.minutes:g} minutes"]
        says = f"As soon as {listed(when, 'or')}, but not more often than every {wait.pause_minutes:g} minutes."
        rules.append(RuleText(wait.name, says))
    if not rules:
        says = "Batches are started by hand."
    else:
        says = f"{MISSED[rule.missed]}, if not older than {rule.catch_up_hours:g} hours." if rule.times else ""
    if rule.retrain is not None:
        when_learnt = f"{cron_words(rule.retrain.cron)}, {rule.zone(rule.retrain)}"
        text = f"The fit is learnt anew: {when_learnt}. It goes live only if it is not worse out of time."
        rules.append(RuleText(rule.retrain.name, text, "", (rule.retrain.cron,)))
    return SectionText("schedule", "When it runs", says, rules)
