"""Overrides and policies: what people decide about the plans to come."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from apportion.service.wire.fields import Name, PolicyGiven, Strict


class OverrideGiven(Strict):
    """A lock: this lead, this rep. A ban: this lead, not this rep."""

    lead_id: Name
    rep_id: Name
    kind: Literal["lock", "ban"]
    said_by: Name | None = None
    reason: Annotated[str, Field(max_length=2000)] | None = None


class OverrideTold(BaseModel):
    """A lock or ban. lifted_at : null while it holds."""

    id: int
    lead_id: str
    rep_id: str
    kind: Literal["lock", "ban"]
    said_by: str | None
    reason: str | None
    set_at: dt.datetime
    lifted_at: dt.datetime | None


class OverridePage(BaseModel):
    """Some overrides. next : the cursor of the next page; null on the last."""

    overrides: list[OverrideTold]
    next: str | None


class PolicyAsk(Strict):
    """A policy, as JSON or as the text of a YAML file."""

    policy: PolicyGiven


class PolicyChecked(BaseModel):
    """What a policy would be known by."""

    name: str
    fingerprint: str


class PolicyAdded(PolicyChecked):
    """The version under which it is kept; equal rules have one."""

    version: int


class PolicyShort(PolicyAdded):
    """One version. in_use : whether batches are planned by it now."""

    added_at: dt.datetime
    added_by: str
    in_use: bool


class PolicyTold(PolicyShort):
    """And the policy, whole, with all defaults. source : the file as it was written, if it was given as one."""

    policy: dict[str, Any]
    source: str | None


class PolicyPage(BaseModel):
    """Some versions. next : the cursor of the next page; null on the last."""

    policies: list[PolicyShort]
    next: str | None


class InUse(BaseModel):
    """The policy in use."""

    version: int
