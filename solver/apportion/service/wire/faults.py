"""What an error looks like: RFC 9457, with each fault of the input."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Fault(BaseModel):
    """One thing at fault. field : where in the request, such as `leads.3.score`, or the column of a table."""

    field: str | None = None
    message: str
    table: str | None = None
    row: int | None = Field(None, description="1-based.")
    value: Any = None
    remedy: str | None = None


class Problem(BaseModel):
    """An error by RFC 9457. code : stable, for programs; errors : each fault of the input."""

    type: str = Field("about:blank", examples=["urn:apportion:bad_input"])
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault] = []
    plan_id: str | None = None
