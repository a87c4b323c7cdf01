"""What `POST /v1/scenarios` takes, and the comparison it gives: comparison.json of docs/whatif.md."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from apportion.service.wire.fields import AsWhole, Free, Gap, Kept, Moment, PolicyGiven, Seed
from apportion.service.wire.plans import TablesGiven

Scenarios = Annotated[list[Free], Field(min_length=1, max_length=20)]


class ScenariosAsk(TablesGiven):
    """The tables of a batch and the scenarios that are compared with it, as in docs/whatif.md."""

    scenarios: Scenarios
    policy: PolicyGiven | None = Field(None, description="Else the policy in use.")
    at: Moment | None = Field(None, description="Else the day of the newest lead.")
    gap: Gap | None = None
    draws: Annotated[int, Field(ge=20, le=5000), AsWhole] = 400
    seed: Seed | None = None


class Interval(BaseModel):
    """A difference and its interval."""

    value: float | None
    low: float | None
    high: float | None


class Outcome(Kept):
    """A plan of a scenario in numbers: totals, and groups of leads by rep, team, tier and territory."""

    status: str
    engine: str | None = None
    proof: str | None = None
    stopped_by: str | None = None
    totals: dict[str, float | None]
    groups: list[dict[str, Any]]
    equity: list[dict[str, Any]]
    prices: dict[str, Any]


class Difference(Kept):
    """How a scenario differs from the base, with intervals. words : whether that is more than noise."""

    revenue: Interval
    conversions: Interval
    worth: Interval
    solver: Interval
    moves: int
    verdict: str
    words: str


class Compared(Kept):
    """One scenario. difference : null where it has no plan."""

    name: str
    changes: dict[str, Any]
    outcome: Outcome
    difference: Difference | None = None


class Comparison(Kept):
    """The base and its scenarios; those that were not finished in time are named in `unfinished`."""

    at: str
    currency: str
    policy: str = Field(description="Its fingerprint.")
    base: Outcome
    scenarios: list[Compared]
    unfinished: list[str]
