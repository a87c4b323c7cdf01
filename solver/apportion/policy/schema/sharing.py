"""Sections on who gets how much, and what it is worth: equity, limits, reserve, explore, weights, nurture, value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from apportion.policy.schema.common import (
    EVERY_LEAD,
    EVERY_PAIR,
    EVERY_REP,
    Amount,
    Count,
    LeadPredicate,
    Name,
    Number,
    PairPredicate,
    Positive,
    Price,
    RepPredicate,
    Section,
    Share,
    Text,
    Unique,
)


def _days(value: object) -> object:
    if value == "batch":
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 3660:
        raise ValueError("must be batch, or a number of days that earlier batches count for")
    return float(value)


WINDOW_SCHEMA = {"anyOf": [{"const": "batch"}, {"type": "number", "exclusiveMinimum": 0, "maximum": 3660}]}
EquityWindow = Annotated[float | Literal["batch"], BeforeValidator(_days), WithJsonSchema(WINDOW_SCHEMA)]


class Equity(Section):
    """How evenly something is shared among reps or groups; bounds are multiples of the fair share."""

    name: Name
    measure: Literal["leads", "opportunity", "revenue", "max_min"] = Field(
        description="Leads; opportunity (what is offered); expected revenue; max_min: the poorest as rich as can be."
    )
    by: Text = Field("rep", description="rep, team, or a column of the reps: each value is a group.")
    low: Amount | None = Field(None, description="At least this multiple of the fair share.")
    high: Amount | None = Field(None, description="At most this multiple of the fair share.")
    keep: Annotated[Share, Field(gt=0)] | None = Field(
        None, description="For a hard max_min: the share of the best attainable total that must be kept."
    )
    tier: Text | None = Field(None, description="A tier, or each: the bound holds in it alone.")
    window: EquityWindow = Field("batch", description="batch, or the days before it that count too.")
    except_reps: RepPredicate | None = Field(None, alias="except", description="Reps who stand outside.")
    price: Price = Field(
        "hard",
        description="hard, or the currency that each missing unit of the measure costs; for max_min what each unit of "
        "currency is worth that the worst-off has more, as revenue over fair share.",
    )

    @model_validator(mode="after")
    def _fits_measure(self) -> Equity:
        if self.measure == "max_min":
            if self.low is not None or self.high is not None:
                raise ValueError("max_min must have neither low nor high")
            if self.price == "hard" and self.keep is None:
                raise ValueError("max_min must have keep (such as 0.98), or a price")
            if self.price != "hard" and self.keep is not None:
                raise ValueError("keep is for a hard max_min; with a price the total may give what the price is worth")
            if self.window != "batch" or self.tier is not None:
                raise ValueError("max_min looks at the whole batch: it has no window and no tier")
            return self
        if self.keep is not None:
            raise ValueError("keep is for max_min")
        if self.low is None and self.high is None:
            raise ValueError("must have low or high, as multiples of the fair share")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not be above high. Got {self.low:g} and {self.high:g}")
        return self


class Limit(Section):
    """At least or at most so much, in plain numbers, for each rep or group."""

    name: Name
    measure: Literal["leads", "effort", "revenue", "opportunity"] = Field("leads", description="What is counted.")
    by: Text = Field("rep", description="rep, team, all, or a column of the reps: each value is a group.")
    each: Text | None = Field(
        None, description="tier, territory, or a column of the leads: the bound holds for each value."
    )
    leads: LeadPredicate = Field(EVERY_LEAD, description="The leads that count.")
    reps: RepPredicate = Field(EVERY_REP, description="The reps that count.")
    low: Amount | None = Field(None, description="At least, for each group.")
    high: Amount | None = Field(None, description="At most, for each group.")
    price: Price = Field("hard", description="hard, or the currency that each unit beyond the bound costs.")

    @model_validator(mode="after")
    def _ordered(self) -> Limit:
        if self.low is None and self.high is None:
            raise ValueError("must have low or high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not be above high. Got {self.low:g} and {self.high:g}")
        return self


class Reserve(Section):
    """A share of each rep's capacity held back for some leads."""

    name: Name
    leads: LeadPredicate = Field(description="The leads that it is held back for.")
    share: Share = Field(description="Share of the capacity.")
    reps: RepPredicate = Field(EVERY_REP, description="The reps whose capacity is held back.")
    price: Price = Field("hard", description="hard, or what each effort unit of other leads in the reserve costs.")


class Explore(Section):
    """New reps get some leads in any case, so that it can be learnt what they are good at."""

    name: Name = "explore"
    minimum: Count = Field(description="Leads in a batch, as far as capacity and caps allow.")
    first_days: Count | None = Field(None, description="For reps in their first days.")
    fewer_than: Count | None = Field(None, description="For reps with fewer past leads.")
    reps: RepPredicate = Field(EVERY_REP, description="The reps that it holds for.")
    price: Price = Field("hard", description="hard, or what each missing lead costs.")

    @model_validator(mode="after")
    def _someone(self) -> Explore:
        if self.first_days is None and self.fewer_than is None:
            raise ValueError("must have first_days or fewer_than: whom it holds for")
        return self


class Weight(Section):
    """A larger or smaller fair share for some reps."""

    name: Name
    reps: RepPredicate = Field(description="The reps that it holds for.")
    weight: Positive = Field(description="The fair share is multiplied by this.")


class NurtureRule(Section):
    """What nurture is worth for some leads."""

    name: Name
    when: LeadPredicate = Field(description="The leads; the first rule that holds counts.")
    value: Number = Field(0.0, description="Currency.")
    share: Share = Field(0.0, description="Plus this share of the lead's opportunity.")


class Nurture(Section):
    """What it is worth to leave a lead to the automated sequence, and which leads must not be left to it."""

    value: Number = Field(0.0, description="Currency, for every lead.")
    share: Share = Field(0.0, description="Plus this share of the lead's opportunity.")
    rules: Annotated[tuple[NurtureRule, ...], Unique] = Field(
        (), description="By predicate; go before value and share."
    )
    must_assign: LeadPredicate | None = Field(None, description="true, or a predicate: these leads need a rep.")
    must_assign_price: Price = Field("hard", description="hard, or what each of these leads costs in nurture.")


class Decay(Section):
    """Leads lose worth while they wait."""

    half_life_hours: Positive = Field(description="Hours in which a waiting lead loses half of its worth.")
    floor: Share = Field(0.0, description="The share that is never lost.")


class Cost(Section):
    """What it costs when some reps work some leads; all costs that hold are added up."""

    name: Name
    when: PairPredicate = Field(EVERY_PAIR, description="The pairs; a bare column is the lead's, rep.column the rep's.")
    per_lead: Amount = Field(0.0, description="Currency for each such lead.")
    per_effort: Amount = Field(0.0, description="Currency for each effort unit.")
    of_revenue: Share = Field(0.0, description="Share of the expected revenue, such as a commission.")
    column: Text | None = Field(None, description="Plus the currency in this number column of the leads.")

    @model_validator(mode="after")
    def _costs_something(self) -> Cost:
        if not (self.per_lead or self.per_effort or self.of_revenue or self.column):
            raise ValueError("must have per_lead, per_effort, of_revenue or column: what it costs")
        return self


class Value(Section):
    """What a pair is worth to the plan."""

    estimate: Literal["mean", "lower"] = Field("mean", description="The expected revenue, or with caution less.")
    caution: Amount = Field(1.0, description="For lower: so many standard errors below the mean.")
    cost_per_lead: Amount = Field(0.0, description="Currency for each lead that a rep works.")
    cost_per_effort: Amount = Field(0.0, description="Currency for each effort unit.")
    cost_column: Text | None = Field(None, description="Column of the reps with their own cost per effort unit.")
    costs: Annotated[tuple[Cost, ...], Unique] = Field((), description="Costs by predicate, on top of those above.")
    decay: Decay | None = Field(None, description="Absent: waiting costs nothing.")


class Solve(Section):
    """How long and how exactly to search."""

    gap: Annotated[Amount, Field(lt=1)] = Field(
        1e-3, description="Stop when the plan is this close to the proved bound."
    )
    time_limit: Positive = Field(60.0, description="Seconds.")
    seed: Count = Field(0, description="The same seed gives the same plan.")


OPPORTUNITY_FLOOR = Equity(name="fair offer", measure="opportunity", low=0.7, price=2.0)
