"""What `POST /v1/plans` takes, and what is told of a plan."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from apportion.service.api.matrix import Matrix
from apportion.service.api.strict import Moment, Strict
from apportion.service.api.tables import Rows

TABLES = ("leads", "reps", "accounts", "territories", "calendar", "overrides")


class PlanAsk(Strict):
    """A batch: `problem` (plain arrays), or `leads` and `reps` (tables of its own, which change nothing in the store),
    or `from_store: true` (the leads that wait, who are then assigned)."""

    problem: Matrix | None = None
    leads: Rows | None = None
    reps: Rows | None = None
    accounts: Rows | None = None
    territories: Rows | None = None
    calendar: Rows | None = None
    overrides: Rows | None = None
    from_store: bool = False
    limit: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(None, description="Most leads from the store.")
    policy: dict[str, Any] | Annotated[str, Field(min_length=1, max_length=200_000)] | None = Field(
        None, description="Of this plan alone, as JSON or as the text of a YAML file; else the policy in use."
    )
    model_version: Annotated[int, Field(ge=1)] | None = Field(None, description="Else the fit model in use.")
    at: Moment | None = Field(None, description="The moment it is of; else now.")
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    gap: Annotated[float, Field(ge=0, lt=1)] | None = Field(None, description="Relative gap at which to stop.")
    time_limit: Annotated[float, Field(gt=0, le=3600)] | None = Field(None, description="Seconds.")

    @model_validator(mode="after")
    def _one_source(self) -> PlanAsk:
        tables = [name for name in TABLES if getattr(self, name) is not None]
        if (self.problem is not None) + bool(tables) + self.from_store != 1:
            raise ValueError("give one of: problem; leads and reps; from_store: true")
        if tables and (self.leads is None or self.reps is None):
            raise ValueError("leads and reps go together, and other tables beside them")
        if self.limit is not None and not self.from_store:
            raise ValueError("limit is for from_store alone")
        if self.problem is not None and (self.policy is not None or self.model_version or self.at):
            raise ValueError("policy, model_version and at are not for a problem of plain arrays")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """Those of the run."""
        told = {"gap": self.gap, "time_limit": self.time_limit, "limit": self.limit}
        return {name: value for name, value in told.items() if value is not None}


class PlanError(BaseModel):
    """Why there is no plan."""

    code: str
    message: str


class PlanTold(BaseModel):
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
    progress: dict[str, Any] | None
    error: PlanError | None
    objective: float | None
    bound: float | None
    gap: float | None
    summary: dict[str, Any] | None
    certificate: dict[str, Any] | None
    reps: list[dict[str, Any]] | None = Field(None, description="Of each rep: load, capacity, price, and why.")
    assignments: str | None = Field(None, description="Where its assignments are, once it is done.")


class MatrixTold(BaseModel):
    """The optimal mapping of a problem of plain arrays, verified. rep : index of each lead's rep, -1 for nurture."""

    status: Literal["OPTIMAL", "FEASIBLE"]
    rep: list[int]
    mapping: dict[str, str | None] = Field(description="lead id -> rep id, or null for nurture.")
    objective: float
    bound: float
    gap: float
    certificate: dict[str, Any]
    prices: dict[str, float] = Field(description="rep id -> worth of one more effort unit, in currency.")
    engine: str


class AssignmentPage(BaseModel):
    """Some of a plan's assignments, as in plan.json. next : the cursor of the next page; null on the last."""

    assignments: list[dict[str, Any]]
    next: str | None
