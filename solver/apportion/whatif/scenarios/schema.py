"""The scenario file, section by section. A scenario is a set of changes without an order, so that any two combine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from apportion.policy.schema.common import LeadPredicate, Section, Share, Text
from apportion_models.errors import Finding

Cell = str | int | float | bool | dt.datetime | dt.date | tuple[str, ...] | None


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"must name each once. Got twice: {', '.join(twice)}")
    return names


Names = Annotated[tuple[Text, ...], AfterValidator(_distinct)]


class Join(Section):
    """A rep who joins: the row of another rep, changed in some columns."""

    rep_id: Text = Field(description="The new rep's id.")
    like: Text = Field(description="The rep whose row, territories and rules the new one takes over.")
    columns: dict[Text, Cell] = Field({}, description="Columns of the reps that differ, such as start_date.")


class Away(Section):
    """A rep who is away for a while, as a row of the calendar."""

    rep_id: Text = Field(description="The rep.")
    start: dt.date = Field(description="First day away.")
    end: dt.date = Field(description="First day back.")
    capacity: Share = Field(0.0, description="Share of the capacity that remains meanwhile.")

    @model_validator(mode="after")
    def _forward(self) -> Away:
        if self.end <= self.start:
            raise ValueError(f"end must be after start. Got {self.start} and {self.end}")
        return self


class Reps(Section):
    """Changes to the roster."""

    leave: Names = Field((), description="Reps who are gone.")
    join: tuple[Join, ...] = Field((), description="Reps who are new.")
    away: tuple[Away, ...] = Field((), description="Reps on leave.")
    change: dict[Text, dict[Text, Cell]] = Field({}, description="By rep: columns of the reps table and their value.")


class Growth(Section):
    """More, or fewer, leads of a kind: drawn again from those of the batch, under ids of their own."""

    territory: Text | None = Field(None, description="A territory of the policy.")
    when: LeadPredicate | None = Field(None, description="Or a predicate over leads.")
    by: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1, le=100)] = Field(
        description="0.3: 30 % more; -0.2: 20 % fewer."
    )
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(0, description="Of the draw.")

    @model_validator(mode="after")
    def _one_kind(self) -> Growth:
        if (self.territory is None) == (self.when is None):
            raise ValueError("must have a territory or when, and not both")
        return self

    @property
    def kind(self) -> str:
        """The leads that grow, as a name."""
        return self.territory if self.territory is not None else str(self.when)


class Leads(Section):
    """Changes to the batch of leads."""

    grow: tuple[Growth, ...] = Field((), description="By territory or predicate.")


class PolicyEdits(Section):
    """Changes to the policy, by key path: equity[fair offer].low, nurture.value, capacity.by_level.senior."""

    set: dict[Text, Any] = Field({}, description="Key path: the new value.")
    drop: Names = Field((), description="Rules that go, by name or by key path.")
    add: dict[Text, tuple[dict[str, Any], ...]] = Field({}, description="List of the policy: rules that are added.")


class Fit(Section):
    """What is believed."""

    model: Text | None = Field(None, description="Folder of another saved model; relative to the scenario's file.")
    shrink: Share = Field(0.0, description="Part of what tells reps apart that is taken away; 1: all reps alike.")


class Scenario(Section):
    """A named change to policy, roster, leads or model. Without any change it is the base itself."""

    version: Literal[1] = Field(1, description="Version of this format.")
    name: Text = Field(description="What this scenario is called.")
    description: str = Field("", max_length=2000, description="Why it is looked at.")
    reps: Reps = Reps()
    leads: Leads = Leads()
    policy: PolicyEdits = PolicyEdits()
    fit: Fit = Fit()

    _source: str = PrivateAttr(default="")
    _lines: dict[str, int] = PrivateAttr(default_factory=dict)
    _folder: str = PrivateAttr(default="")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.model_dump(mode="json") == other.model_dump(mode="json")

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @property
    def source(self) -> str:
        """The file that it was read from, or its name."""
        return self._source or f"scenario {self.name}"

    @property
    def model_folder(self) -> str | None:
        """The folder of the model that is believed instead, seen from the working folder; None: the base's."""
        return None if self.fit.model is None else str(Path(self._folder) / self.fit.model)

    def fault(self, path: str, message: str, *, value: Any = None, remedy: str = "") -> Finding:
        """Something wrong at a key path, with its line in the file."""
        near = path
        while near and near not in self._lines:
            cut = max(near.rfind("."), near.rfind("["))
            near = near[:cut] if cut > 0 else ""
        return Finding(
            severity="error",
            table=self.source,
            row=self._lines.get(near),
            column=path,
            message=message if message.endswith(".") else f"{message}.",
            value=value,
            remedy=remedy,
        )
