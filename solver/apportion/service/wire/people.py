"""Leads, reps and outcomes: what is stored, and where each stands."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from apportion.service.wire.fields import Moment, Name, Row, Rows, Strict

Ids = Annotated[list[Name], Field(min_length=1, max_length=100_000)]
State = Literal["waiting", "claimed", "assigned", "nurture", "reject", "closed", "outside", "forgotten"]
Content = dict[str, Any]


class LeadsGiven(Strict):
    """Rows of the leads table."""

    leads: Rows


class RepsGiven(Strict):
    """Rows of the reps table."""

    reps: Rows


class OutcomeGiven(Strict):
    """What became of a lead. deal_value : what was earned, in currency."""

    lead_id: Name
    outcome: Literal["won", "lost", "open"]
    closed_at: Moment | None = None
    deal_value: Annotated[float, Field(ge=0)] | None = None


class OutcomesGiven(Strict):
    """Outcomes of leads of the store."""

    outcomes: Annotated[list[OutcomeGiven], Field(min_length=1, max_length=200_000)]


class LeadIds(Strict):
    """Leads by id."""

    lead_ids: Ids


class RepIds(Strict):
    """Reps by id."""

    rep_ids: Ids


class Stored(BaseModel):
    """How many rows were new, changed, or as they were."""

    new: int
    changed: int
    same: int


class Counted(BaseModel):
    """How many it met."""

    count: int


class Held(BaseModel):
    """Which rep has a lead, since when, and why. plan_id : null for a lead that was routed alone. Amounts in
    currency."""

    plan_id: str | None
    lead_id: str
    rep_id: str | None
    assigned_at: dt.datetime
    origin: Literal["batch", "given", "route", "person"]
    fit: float | None
    expected_revenue: float | None
    propensity: float | None
    tier: str | None
    reason: str | None


class OutcomeTold(BaseModel):
    """What became of a lead."""

    outcome: Literal["won", "lost", "open"]
    closed_at: dt.datetime | None
    deal_value: float | None


class LeadShort(BaseModel):
    """A lead. content : its row, by the names of the leads table."""

    lead_id: str
    state: State
    created_at: dt.datetime
    waiting_since: dt.datetime | None
    changed_at: dt.datetime
    content: Content


class LeadTold(LeadShort):
    """And which rep has it, and what became of it."""

    assignment: Held | None
    outcome: OutcomeTold | None


class LeadPage(BaseModel):
    """Some leads. next : the cursor of the next page; null on the last."""

    leads: list[LeadShort]
    next: str | None


class RepShort(BaseModel):
    """A rep. content : the row, by the names of the reps table. active : whether they may get leads."""

    rep_id: str
    active: bool
    changed_at: dt.datetime
    content: Content


class RepTold(RepShort):
    """And the leads that they have now (the first thousand)."""

    assignments: list[Held]


class RepPage(BaseModel):
    """Some reps. next : the cursor of the next page; null on the last."""

    reps: list[RepShort]
    next: str | None


def _one_of_two(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["lead_id"]}, {"required": ["lead"]}]
    for field in schema["properties"].values():
        del field["default"]


class RouteAsk(Strict):
    """A lead that waits, by its id; or a row of the leads table, which is stored first."""

    model_config = ConfigDict(json_schema_extra=_one_of_two)

    lead_id: Name | SkipJsonSchema[None] = None
    lead: Row | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _one(self) -> RouteAsk:
        if len(self.model_fields_set) != 1 or (self.lead_id is None) == (self.lead is None):
            raise ValueError("must have lead_id, or lead")
        return self


class Routed(BaseModel):
    """Who has the lead now, and why. rep_id : null for nurture. Amounts in currency."""

    lead_id: str
    rep_id: str | None
    outcome: Literal["assigned", "nurture", "reject"]
    reason: str | None
    fit: float | None
    deal_value: float | None
    expected_revenue: float | None
    assigned_at: dt.datetime
