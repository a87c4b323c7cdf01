"""What `POST /v1/plans` takes, and what is told of a plan."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from apportion.service.wire.arrays import Arrays
from apportion.service.wire.fields import AsWhole, Gap, Kept, Moment, PolicyGiven, Rows, Seed, Strict

TABLES = ("leads", "reps", "accounts", "teams", "territories", "calendar", "overrides", "assignments")


class TablesGiven(Strict):
    """The tables of a batch, as in docs/data-dictionary.md. assignments : what earlier batches gave."""

    leads: Rows
    reps: Rows
    accounts: Rows | None = None
    teams: Rows | None = None
    territories: Rows | None = None
    calendar: Rows | None = None
    overrides: Rows | None = None
    assignments: Rows | None = None

    @property
    def tables(self) -> dict[str, Rows]:
        """Those that were given, by name."""
        return {name: rows for name in TABLES if (rows := getattr(self, name)) is not None}


class Solving(Strict):
    """How to solve it."""

    seed: Seed | None = None
    gap: Gap | None = None
    time_limit: Annotated[float, Field(gt=0, le=3600)] | None = Field(None, description="Seconds.")


class Believing(Solving):
    """And by which rules, which beliefs, and of which moment."""

    policy: PolicyGiven | None = Field(None, description="Of this plan alone; else the policy in use.")
    model_version: Annotated[int, Field(ge=1, lt=2**31), AsWhole] | None = Field(
        None, description="Else the one in use."
    )
    at: Moment | None = Field(None, description="The moment it is of; else now.")

    @property
    def options(self) -> dict[str, Any]:
        """Those of the run."""
        told = {"gap": self.gap, "time_limit": self.time_limit, "limit": getattr(self, "limit", None)}
        return {name: value for name, value in told.items() if value is not None}


class ArraysAsk(Solving):
    """A problem of plain arrays. It is answered at once and not kept."""

    problem: Arrays


class TablesAsk(TablesGiven, Believing):
    """A batch of its own tables, which change nothing in the store."""


class StoreAsk(Believing):
    """The leads that wait in the store, who are then assigned."""

    from_store: Literal[True]
    limit: Annotated[int, Field(ge=1, le=10_000_000), AsWhole] | None = Field(None, description="Most leads.")


class PlanError(BaseModel):
    """Why there is no plan."""

    code: str
    message: str


class Progress(Kept):
    """How far a plan is. objective, bound in currency, as soon as there are any."""

    step: str = ""
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None


class Summary(Kept):
    """A plan in numbers: leads by what became of them, amounts in currency, effort units."""

    leads: int
    assigned: int
    nurture: int
    reject: int
    reps: int
    expected_revenue: float | None = None
    opportunity: float | None = None
    effort: float | None = None
    capacity: float | None = None


class Certificate(Kept):
    """What was proved, how, and by which engine. words : the same for people."""

    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    proof: str | None = None
    engine: str | None = None
    stopped_by: str | None = None
    verified: bool
    words: list[str] = Field(default_factory=list)


class RepTold(Kept):
    """One rep in a plan: load, capacity and room in effort units, amounts and the price of a slot in currency."""

    rep_id: str
    leads: int | None = None
    load: float | None = None
    capacity: float | None = None
    room: float | None = None
    expected_revenue: float | None = None
    opportunity: float | None = None
    fair_share: float | None = None
    slot_price: float | None = None
    binding: str | None = None
    why: str | None = None


class PlanShort(BaseModel):
    """A plan and how far it is. objective, bound in currency; gap = (bound - objective) / |bound|."""

    plan_id: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    kind: Literal["batch", "given"]
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    at: dt.datetime | None
    seed: int | None
    policy_version: int | None
    model_version: int | None
    progress: Progress | None = Field(description="While it runs.")
    error: PlanError | None
    objective: float | None
    bound: float | None
    gap: float | None
    summary: Summary | None
    assignments: str | None = Field(description="Where its assignments are, once it is done.")

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.status not in ("queued", "running")


class PlanTold(PlanShort):
    """And its certificate, and each rep."""

    certificate: Certificate | None
    reps: list[RepTold] | None = Field(description="Of each rep: load, capacity, price, and why.")


class PlanPage(BaseModel):
    """Some plans. next : the cursor of the next page; null on the last."""

    plans: list[PlanShort]
    next: str | None


class AssignmentTold(Kept):
    """Who got a lead, and why, as in plan.json. Amounts in currency."""

    lead_id: str
    outcome: Literal["assigned", "nurture", "reject"]
    rep_id: str | None = None
    reason: str | None = None
    fit: float | None = None
    deal_value: float | None = None
    expected_revenue: float | None = None
    opportunity: float | None = None
    tier: str | None = None
    propensity: float | None = None
    runner_up_rep_id: str | None = None
    runner_up_cost: float | None = None


class AssignmentPage(BaseModel):
    """Some of a plan's assignments. next : the cursor of the next page; null on the last."""

    assignments: list[AssignmentTold]
    next: str | None
