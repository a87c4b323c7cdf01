"""Why did this rep not get that lead? A true answer for every pair of a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from apportion.build.batch import Batch
from apportion.problem import Plan, verify
from apportion.reasons.facts import Facts
from apportion.reasons.words import count, listed, money, number, percent, quoted
from apportion_models.errors import UsageError

Kind = Literal[
    "assigned",  # the rep has it
    "screened",  # the policy's screening kept the lead from all reps
    "locked",  # a person locked the lead to another rep
    "not_eligible",  # a rule forbids the pair
    "together",  # the rep may not take every lead that must stay together
    "too_large",  # more effort than the rep's whole capacity
    "swapped",  # a draw moved the lead to another rep, to learn
    "worth_less",  # it earns more where it is
    "slot",  # it would earn more with the rep, but the rep's slot earns more with other leads
    "rule",  # it would break a rule, or cost too much under one
    "full",  # no room left, and prices do not tell more
    "tie",  # nothing to choose between; ids decide
    "gap",  # a better plan may exist, within the certified gap
]

_CLAIMS = ("objective is what the plan earns", "bound is not below the objective", "bound is proved by the prices")


@dataclass(frozen=True)
class Answer:
    """One answer. `sentence` is for the rep who asks.

    rule : the rule in question, in the policy's words. components, instead : the parts of the priced value with the
        rep who asks, and where the lead is, in currency (over all leads that stay together); empty when the pair is
        not eligible. gain : change of the plan's objective if only this lead (and those that stay with it) went to
        the rep who asks, NaN when not eligible.
    breaks : hard rules that this move would break.
    """

    kind: Kind
    sentence: str
    rule: str | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    instead: Mapping[str, float] = field(default_factory=dict)
    gain: float = math.nan
    breaks: tuple[str, ...] = ()


def why_not(batch: Batch, plan: Plan, lead: str, rep: str, *, facts: Facts | None = None) -> Answer:
    """Answer for a lead id and a rep id. UsageError when either is unknown, or there is no plan.

    `facts` of an earlier answer on the same batch and plan saves time.
    """
    problem = batch.problem
    facts = facts or Facts.gather(batch, plan)
    if rep not in problem.rep_ids:
        raise UsageError(f"rep must be one of the batch's {problem.n_reps} rep ids. Got {rep!r}.")
    if lead not in problem.lead_ids:
        return _screened(batch, lead)
    return _Question(facts, problem.lead_ids.index(lead), problem.rep_ids.index(rep)).answer()


def _screened(batch: Batch, lead: str) -> Answer:
    found = np.flatnonzero(batch.leads["lead_id"].astype(str).to_numpy() == lead)
    if not len(found):
        raise UsageError(f"lead must be a lead id of this batch. Got {lead!r}.")
    row = batch.screened.iloc[int(found[0])]
    where = "was rejected" if row["outcome"] == "reject" else "went to nurture"
    return Answer(
        "screened", f"{lead} {where} before any rep was considered: {row['reason']}.", rule=str(row["reason"])
    )


class _Question:
    """One pair, and where the lead is now."""

    def __init__(self, facts: Facts, lead: int, rep: int) -> None:
        self.facts, self.lead, self.rep = facts, lead, rep
        units = facts.units
        self.unit = int(units.of_lead[lead])
        self.asked = units.entry(self.unit, rep)
        self.held = int(units.chosen[self.unit])
        self.holder = int(facts.plan.rep[lead])
        self.name = facts.batch.problem.lead_ids[lead]
        self.who = "nurture" if self.holder < 0 else facts.people[self.holder]

    def answer(self) -> Answer:
        if self.holder == self.rep:
            return Answer("assigned", f"{self.name} is yours.", components=self._components(self.asked))
        return self._not_allowed() or self._too_large() or self._weighed()

    def _not_allowed(self) -> Answer | None:
        facts = self.facts
        if facts.batch.problem.pairs.position(self.lead, self.rep) < 0:
            rule = facts.blocking(self.lead, self.rep)
            locked = facts.locked_to(self.lead)
            if locked not in (-1, self.rep):
                return Answer("locked", f"{self.name} was locked to {facts.people[locked]} by hand.", rule=rule)
            why = f"the rule {quoted(rule)} keeps it from you" if rule else "you are not eligible for it"
            return Answer("not_eligible", f"{self.name}: {why}.", rule=rule)
        if self.asked >= 0:
            return None
        mates = np.flatnonzero(facts.units.of_lead == self.unit)
        closed = mates[facts.batch.problem.pairs.position(mates, np.full(len(mates), self.rep)) < 0]
        rule = facts.blocking(int(closed[0]), self.rep)
        names = listed([facts.batch.problem.lead_ids[mate] for mate in closed])
        by = f" (rule {quoted(rule)})" if rule else ""
        return Answer("together", f"{self.name} must stay with {names}, which you may not take{by}.", rule=rule)

    def _too_large(self) -> Answer | None:
        units, problem = self.facts.units, self.facts.batch.problem
        if units.fits[self.asked]:
            return None
        need, most = number(float(units.effort[self.asked])), number(float(problem.capacity[self.rep]))
        sentence = f"{self.name} needs {need} effort units, and your whole capacity in this window is {most}."
        return Answer("too_large", sentence, components=self._components(self.asked))

    def _weighed(self) -> Answer:
        gain, breaks = self._move()
        kind, rule, sentence = self._drawn() or self._reason(gain, breaks)
        return Answer(
            kind,
            f"{self.name} {sentence}",
            rule=rule,
            components=self._components(self.asked),
            instead=self._components(self.held),
            gain=gain,
            breaks=breaks,
        )

    def _move(self) -> tuple[float, tuple[str, ...]]:
        """What the objective would gain if this unit alone went to the rep, and which hard rules it would break."""
        facts, problem = self.facts, self.facts.batch.problem
        moved = np.where(facts.units.of_lead == self.unit, self.rep, facts.plan.rep)
        before, after = (verify(problem, facts.plan.replace(rep=rep)) for rep in (facts.plan.rep, moved))
        known = {rule.rule for rule in before.broken}.union(_CLAIMS)
        return after.objective - before.objective, tuple(r.rule for r in after.broken if r.rule not in known)

    def _drawn(self) -> tuple[Kind, str | None, str] | None:
        facts = self.facts
        if not facts.swapped[self.lead]:
            return None
        planned = int(facts.planned[self.lead])
        whose = "you" if planned == self.rep else facts.people[planned]
        chance = percent(float(facts.plan.propensity[self.lead]))
        return "swapped", None, f"was planned for {whose}; to learn, a draw gave it to {self.who} (chance {chance})."

    def _reason(self, gain: float, breaks: tuple[str, ...]) -> tuple[Kind, str | None, str]:
        facts, units = self.facts, self.facts.units
        here = float(units.nurture[self.unit]) if self.held < 0 else float(units.value[self.held])
        less = here - float(units.value[self.asked])
        tolerance = 10 * facts.tolerance
        if not breaks and gain > tolerance:
            left = money(facts.remaining_gap(), facts.currency)
            more = money(gain, facts.currency)
            sentence = f"could have gone to you for {more} more: the plan is proved only to within {left} of the best."
            return "gap", None, sentence
        if not breaks and abs(gain) <= tolerance and abs(less) <= tolerance:
            sentence = f"is worth the same with {self.who} and with you; between equals the ids decide, nothing else."
            return "tie", None, sentence
        if less > tolerance:
            return "worth_less", None, self._worth_less(less)
        return self._worth_more(-less, breaks)

    def _worth_less(self, less: float) -> str:
        facts, problem = self.facts, self.facts.batch.problem
        amount = money(less, facts.currency)
        if self.held < 0:
            return f"is worth {amount} more in nurture than with you."
        asked = int(problem.pairs.position(self.lead, self.rep))
        held = int(facts.pair[self.lead])
        mine, theirs = facts.fit[asked], facts.fit[held]
        fits = f"converting about {percent(float(theirs))} of leads like this against {percent(float(mine))}"
        if facts.mates(self.lead):
            mates = count(facts.mates(self.lead), "lead")
            return f"and {mates} that must stay with it: worth {amount} more with {self.who} than with you."
        if theirs > mine:
            return f"is worth {amount} more with {self.who} than with you ({fits})."
        why = f"by the policy's preferences ({self._preferences()})"
        return f"is worth {amount} more with {self.who} than with you, {why}."

    def _preferences(self) -> str:
        book, amounts = self.facts.book, self.facts.units.amounts
        rows = book.parts("effect") + book.parts("cost") + book.parts("other")
        moved = [(float(amounts[row, self.held] - amounts[row, self.asked]), book.names[row]) for row in rows]
        named = [f"{quoted(name)} {money(amount, self.facts.currency)}" for amount, name in sorted(moved, reverse=True)]
        return listed(named) if named else "no single one"

    def _worth_more(self, more: float, breaks: tuple[str, ...]) -> tuple[Kind, str | None, str]:
        """On this lead alone the rep who asks is as good or better: prices, rules or room decide."""
        facts, units, book = self.facts, self.facts.units, self.facts.book
        alone = "would be worth as much with you"
        if more > 10 * facts.tolerance:
            alone = f"alone would be worth {money(more, facts.currency)} more with you than with {self.who}"
        held = units.amounts[:, self.held] if self.held >= 0 else np.zeros(len(book.names))
        against = held - units.amounts[:, self.asked]
        paid = [row for row, kind in enumerate(book.kinds) if kind in ("capacity", "min_load", "rule")]
        row = max(paid, key=lambda row: (float(against[row]), -row))
        if against[row] > facts.tolerance and book.kinds[row] == "capacity":
            price = money(float(-units.amounts[row, self.asked]), facts.currency)
            theirs = f" ({self.who}'s {money(float(-held[row]), facts.currency)})" if self.held >= 0 else ""
            return "slot", None, f"{alone}, but your time for it is worth {price} on other leads{theirs}."
        if against[row] > facts.tolerance:
            cost = money(float(against[row]), facts.currency)
            rule = book.names[row]
            return "rule", rule, f"{alone}, but moving it would cost about {cost} under {quoted(rule)}."
        if "capacity" in breaks:
            return (
                "full",
                None,
                f"{alone}, but you have no room left for it, and no exchange was found that earns more.",
            )
        if breaks:
            return "rule", breaks[0], f"{alone}, but moving it to you would break {quoted(breaks[0])}."
        return "rule", None, f"{alone}, but moving it costs more under the rules with a price than it brings."

    def _components(self, entry: int) -> dict[str, float]:
        if entry < 0:
            return {"nurture": float(self.facts.units.nurture[self.unit])}
        return {
            name: float(amount)
            for name, amount in zip(self.facts.book.names, self.facts.units.amounts[:, entry], strict=True)
        }
