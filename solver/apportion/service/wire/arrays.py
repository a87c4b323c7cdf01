"""The plain form of a batch: arrays of values, capacities and rules, and the optimal mapping of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from apportion.service.wire.fields import Name, Strict, Whole

MOST = 1_000_000
Number = float
Numbers = Annotated[list[Number], Field(max_length=MOST)]
Labels = Annotated[list[Whole], Field(max_length=MOST)]
Flags = Annotated[list[bool], Field(max_length=MOST)]
Table = Annotated[list[Numbers], Field(min_length=1, max_length=MOST)]
PerGroup = float | Numbers
NotBelowZero = Annotated[float, Field(ge=0)]
Weights = Annotated[list[NotBelowZero], Field(max_length=MOST)]
Price = Annotated[float, Field(ge=0, description="Makes it soft: currency for each unit of violation. Else hard.")]
By = Annotated[
    Literal["rep", "team", "all"] | Labels,
    Field(description="Each rep alone, by team, all together, or an integer label a rep (-1 leaves one out)."),
]
Some = Annotated[Flags, Field(description="One a lead: whether it counts. Else all do.")]


class LimitRule(Strict):
    """low <= sum of the measure over each group <= high, in units of the measure."""

    measure: Literal["leads", "effort", "revenue", "opportunity"] = "leads"
    low: PerGroup = 0.0
    high: PerGroup | None = None
    by: By = "rep"
    leads: Some | None = None
    price: Price | None = None
    name: Name | None = None


class ShareRule(Strict):
    """Equity: each group's share of a measure, as multiples of its fair share: its part of capacity, or of weights."""

    measure: Literal["revenue", "opportunity", "leads"]
    low: PerGroup | None = None
    high: PerGroup | None = None
    by: By = "rep"
    tier: Whole | None = Field(None, description="For the measure leads: of this tier alone.")
    leads: Some | None = None
    weights: Weights | None = Field(None, description="One a rep; else capacity.")
    earlier: Numbers | None = Field(None, description="What each group got in earlier batches.")
    price: Price | None = None
    name: Name | None = None


class MaxMinRule(Strict):
    """Equity: the worst-off group's revenue as large as it can be, keeping so much of the best objective."""

    measure: Literal["max_min"]
    keep: Annotated[float, Field(ge=0, le=1)] = 0.98
    by: By = "rep"
    weights: Weights | None = Field(None, description="One a rep; else capacity.")
    price: Price | None = None
    name: Name | None = None


EquityRule = Annotated[ShareRule | MaxMinRule, Field(discriminator="measure")]


class Arrays(Strict):
    """The arguments of `AssignmentProblem.from_arrays`. value : leads × reps, in currency."""

    value: Table
    capacity: Weights = Field(description="Of each rep, in effort units.")
    effort: NotBelowZero | Numbers | Table | None = Field(None, description="One, one a lead, or leads × reps. Else 1.")
    eligible: Annotated[list[Flags], Field(max_length=MOST)] | None = Field(None, description="leads × reps. Else all.")
    nurture: PerGroup | None = Field(None, description="What a lead is worth that nobody gets, in currency. Else 0.")
    must_assign: bool | Flags = Field(False, description="Whether leads need a rep: all, or one a lead.")
    min_load: Weights | None = Field(None, description="Of each rep, in effort units.")
    tier: Labels | None = Field(None, description="One a lead.")
    team: Labels | None = Field(None, description="One a rep.")
    parcel: Labels | None = Field(None, description="One a lead: leads of one parcel go to one rep.")
    opportunity: Numbers | None = Field(None, description="Rep-neutral value of each lead, in currency.")
    revenue: Table | None = Field(None, description="leads × reps: what equity counts as revenue. Else value.")
    equity: list[EquityRule] = Field(default_factory=list, max_length=100)
    limits: list[LimitRule] = Field(default_factory=list, max_length=100)
    lead_ids: Annotated[list[Name], Field(max_length=MOST)] | None = None
    rep_ids: Annotated[list[Name], Field(max_length=MOST)] | None = None


class RuleTold(BaseModel):
    """One rule, as the independent check found it."""

    rule: str
    holds: bool
    violation: float


class ArraysCertificate(BaseModel):
    """What was proved of a mapping."""

    verified: bool
    proof: str | None
    stopped_by: str | None
    rules: list[RuleTold]


class ArraysTold(BaseModel):
    """The optimal mapping of a problem of plain arrays, verified. rep : index of each lead's rep, -1 for nurture."""

    status: Literal["OPTIMAL", "FEASIBLE"]
    rep: list[int]
    mapping: dict[str, str | None] = Field(description="lead id -> rep id, or null for nurture.")
    objective: float
    bound: float | None
    gap: float | None
    certificate: ArraysCertificate
    prices: dict[str, float | None] = Field(description="rep id -> worth of one more effort unit, in currency.")
    engine: str
