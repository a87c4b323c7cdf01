"""Sections on which rep may get which lead: territories, requirements, accounts, rules, screening, tiers, overrides."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from apportion.policy.schema.common import (
    EVERY_LEAD,
    Amount,
    Away,
    Flag,
    Keep,
    LeadPredicate,
    Name,
    Number,
    PairPredicate,
    Price,
    RepPredicate,
    Section,
    Share,
    Text,
    Unique,
    Unmatched,
)


class Territory(Section):
    """A named set of leads, and who covers it."""

    name: Name
    when: LeadPredicate = Field(description="The leads that belong to it; the first territory that holds counts.")
    primary: RepPredicate | None = Field(
        None, description="Who covers it; absent: by the reps' territories column or table."
    )
    overflow: RepPredicate | None = Field(None, description="Who helps out.")
    price: Price = Field("hard", description="hard: nobody else; a price: what a lead costs with anybody else.")
    overflow_price: Amount = Field(0.0, description="What a lead costs with a rep who only helps out; 0: nothing.")


class Territories(Section):
    """Who covers which leads."""

    cover: Annotated[tuple[Territory, ...], Unique] = ()
    unmatched: Unmatched = Field(
        "any",
        description="A lead of no territory goes to any rep, to nurture, is rejected, or costs this with any rep.",
    )


class Requirement(Section):
    """A lead's attribute that must be in a list of the rep: a product among skills, a language among languages."""

    name: Name
    lead: Text = Field(description="Column of the leads; a lead without a value needs nothing.")
    rep: Text = Field(description="List column of the reps; a rep without a list has nothing.")
    when: LeadPredicate = Field(EVERY_LEAD, description="The leads that it holds for.")
    price: Price = Field("hard", description="hard, or what a lead costs with a rep who lacks it.")


class Accounts(Section):
    """Leads of one account."""

    owner: Keep = Field(
        "off", description="Leads of an account with an owner go to that rep: hard, off, or at a price."
    )
    if_owner_away: Away = Field(
        "release",
        description="Owner paused, gone or away for the whole window: any rep, nurture, or what any rep costs.",
    )
    together: Keep = Field(
        "hard", description="Leads of one account in a batch go to one rep: hard, off, or what a lead elsewhere costs."
    )
    subsidiaries: Flag = Field(True, description="Subsidiaries follow the parent's owner, and stay together with it.")


class Rule(Section):
    """A rule of your own over leads and reps."""

    name: Name
    effect: Literal["allow", "forbid", "prefer", "avoid"] = Field(
        description="forbid: not these pairs; allow: `leads` only with these; prefer, avoid: a bonus, a malus."
    )
    when: PairPredicate = Field(description="The pairs; a bare column is the lead's, rep.column the rep's.")
    leads: LeadPredicate = Field(EVERY_LEAD, description="For allow: the leads that are restricted.")
    amount: Amount | None = Field(None, description="For prefer and avoid: the currency added or taken.")
    price: Price = Field("hard", description="For allow and forbid: hard, or what a pair against the rule costs.")

    @model_validator(mode="after")
    def _fits_effect(self) -> Rule:
        soft = self.effect in ("prefer", "avoid")
        if soft and self.amount is None:
            raise ValueError(f"amount must be given for effect {self.effect}: the currency of the bonus or malus")
        if not soft and self.amount is not None:
            raise ValueError(f"amount is for prefer and avoid; a soft {self.effect} has a price")
        if soft and self.price != "hard":
            raise ValueError(f"price is for allow and forbid; {self.effect} has an amount")
        if self.effect != "allow" and self.leads != EVERY_LEAD:
            raise ValueError(f"leads is for allow; in a rule to {self.effect}, write it into when")
        return self


class Screen(Section):
    """Leads that no rep should see."""

    name: Name
    when: LeadPredicate = Field(description="The leads; the first rule that holds counts.")
    outcome: Literal["nurture", "reject"] = Field("nurture", description="The automated sequence, or nothing at all.")
    reason: Text | None = Field(None, description="The sentence that is told; absent: the rule's name.")
    price: Price = Field("hard", description="hard, or what a lead costs that a rep works instead of nurture.")

    @model_validator(mode="after")
    def _softly_to_nurture(self) -> Screen:
        if self.price != "hard" and self.outcome == "reject":
            raise ValueError("a rejected lead cannot be worked at a price; give it the outcome nurture, or no price")
        if self.price != "hard" and self.reason is not None:
            raise ValueError("reason is for hard screening; of a soft rule the plan's reasons tell name and price")
        return self


class Band(Section):
    """One tier."""

    name: Name
    at_least: Number | None = Field(None, description="From this value of the measure on.")
    top: Annotated[Share, Field(gt=0)] | None = Field(
        None, description="This best share of the batch, counted from the top."
    )
    when: LeadPredicate | None = Field(None, description="By predicate instead.")

    @model_validator(mode="after")
    def _one_way(self) -> Band:
        if sum(way is not None for way in (self.at_least, self.top, self.when)) > 1:
            raise ValueError("must have one of at_least, top and when, and no more")
        return self

    @property
    def catches_all(self) -> bool:
        """The last tier: whatever is left."""
        return self.at_least is None and self.top is None and self.when is None


def _bands(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    if any(band.catches_all for band in bands[:-1]) or (bands and not bands[-1].catches_all):
        raise ValueError(
            "must be in order, best first; the last, and only the last, has no threshold: it takes the rest"
        )
    levels = [band.at_least for band in bands if band.at_least is not None]
    shares = [band.top for band in bands if band.top is not None]
    if levels != sorted(set(levels), reverse=True) or shares != sorted(set(shares)):
        raise ValueError("must be in order, best first: at_least falling, top rising, each once")
    return bands


class Tiers(Section):
    """Bands of leads, best first."""

    by: Text = Field("score", description="A number column of the leads, or expected: the expected revenue.")
    bands: Annotated[tuple[Band, ...], Unique, AfterValidator(_bands)] = ()


class Overrides(Section):
    """What a person decided: locks (this lead, this rep) and bans (not this one)."""

    locks: Flag = Field(True, description="Locks are kept.")
    bans: Flag = Field(True, description="Bans are kept.")
    locks_break_eligibility: Flag = Field(True, description="A lock goes before territory, requirement and rule.")
    locks_break_capacity: Flag = Field(False, description="A lock is kept even above capacity and caps.")
