"""Sections on learning and on people: swaps drawn at random, audits by group, protected attributes."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from apportion.policy.schema.common import (
    EVERY_LEAD,
    EVERY_REP,
    Amount,
    Count,
    LeadPredicate,
    Positive,
    RepPredicate,
    Section,
    Text,
)


class SwapSome(Section):
    """A few leads change reps by a draw, within every hard rule, so that the history teaches what no optimum tries."""

    share: Annotated[Positive, Field(le=0.5)] = Field(
        0.05, description="The chance with which a lead is swapped, at most."
    )
    leads: LeadPredicate = Field(EVERY_LEAD, description="The leads that may be swapped.")
    reps: RepPredicate = Field(EVERY_REP, description="The reps whose leads may be swapped.")
    loss_at_most: Amount | None = Field(
        None, description="Currency that one swap may give up by the estimates; absent: any amount."
    )


class Audit(Section):
    """What groups of reps are offered, told with every plan, with intervals and a test."""

    by: Text = Field(description="team, or a column of the reps; a protected attribute may be audited.")
    at_least: Annotated[Count, Field(ge=1)] = Field(
        3, description="Groups of fewer reps are told together, so that nobody is told alone."
    )


class Allowed(Section):
    """A person's word that a column of the reps or leads may be a feature all the same, on record."""

    column: Text = Field(description="The protected attribute, or the column that stands for one.")
    who: Text = Field(description="Who decided it.")
    when: dt.date = Field(description="When.")
    why: Text = Field(description="Why.")


def _each_once(key: str) -> AfterValidator:
    """Refuse a list that names a column twice under this key."""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        columns = [getattr(item, key) for item in items]
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise ValueError(f"must name each column once. Got twice: {', '.join(twice)}")
        return items

    return AfterValidator(check)


class Protected(Section):
    """Attributes of people that are no features of the fit model."""

    columns: tuple[Text, ...] = Field(
        (), description="Columns that hold a protected attribute besides those whose name says so."
    )
    allow: Annotated[tuple[Allowed, ...], _each_once("column")] = Field(
        (), description="Columns that may be features all the same, each on record."
    )


Audits = Annotated[tuple[Audit, ...], _each_once("by")]
