"""The policy as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, PrivateAttr, ValidationInfo, field_validator

from apportion.policy.predicates import Predicate
from apportion.policy.schema.caution import Audits, Protected, SwapSome
from apportion.policy.schema.common import Section, Text, Unique
from apportion.policy.schema.routing import Accounts, Overrides, Requirement, Rule, Screen, Territories, Tiers
from apportion.policy.schema.schedule import Schedule
from apportion.policy.schema.sharing import (
    OPPORTUNITY_FLOOR,
    Equity,
    Explore,
    Limit,
    Nurture,
    Reserve,
    Solve,
    Value,
    Weight,
)
from apportion.policy.schema.work import Availability, Capacity, RampProfile, Throttle, Window
from apportion_models.errors import Finding


def _currency(code: str) -> str:
    if len(code) != 3 or not code.isascii() or not code.isalpha() or not code.isupper():
        raise ValueError("must be a currency code of three capitals, such as EUR")
    return code


class Policy(Section):
    """Every rule of the assignment. An empty policy is valid: each section has defaults that stand alone.

    `fingerprint` is the SHA-256 of the canonical JSON with all defaults written out: equal rules, equal fingerprint.
    """

    version: Literal[1] = Field(1, description="Version of this format.")
    name: Text = Field("default", description="What this policy is called.")
    currency: Annotated[Text, AfterValidator(_currency)] = Field("EUR", description="Of all prices and values.")
    window: Window = Window()
    capacity: Capacity = Capacity()
    ramp: Annotated[tuple[RampProfile, ...], Unique] = Field((), description="Profiles of new reps.")
    throttle: Annotated[tuple[Throttle, ...], Unique] = Field((), description="Fewer leads above an open pipeline.")
    availability: Availability = Availability()
    territories: Territories = Territories()
    requirements: Annotated[tuple[Requirement, ...], Unique] = Field((), description="What a lead needs of a rep.")
    accounts: Accounts = Accounts()
    rules: Annotated[tuple[Rule, ...], Unique] = Field((), description="Rules of your own over leads and reps.")
    screening: Annotated[tuple[Screen, ...], Unique] = Field((), description="Leads that no rep should see.")
    tiers: Tiers = Tiers()
    equity: Annotated[tuple[Equity, ...], Unique] = Field((OPPORTUNITY_FLOOR,), description="How evenly to share.")
    limits: Annotated[tuple[Limit, ...], Unique] = Field((), description="Bounds in plain numbers.")
    reserve: Annotated[tuple[Reserve, ...], Unique] = Field((), description="Capacity held back.")
    explore: Annotated[tuple[Explore, ...], Unique] = Field((), description="A floor for new reps.")
    swaps: SwapSome | None = Field(None, description="Absent: no lead is swapped; the plan leaves as it was found.")
    weights: Annotated[tuple[Weight, ...], Unique] = Field((), description="Larger and smaller fair shares.")
    nurture: Nurture = Nurture()
    value: Value = Value()
    overrides: Overrides = Overrides()
    audits: Audits = Field((), description="Groups of reps whose offers are told apart with every plan.")
    protected: Protected = Protected()
    solve: Solve = Solve()
    schedule: Schedule = Schedule()

    @field_validator("swaps")
    @classmethod
    def _keeps_promises(cls, swaps: SwapSome | None, info: ValidationInfo) -> SwapSome | None:
        hard = [rule.name for rule in info.data.get("equity", ()) if rule.measure == "max_min" and rule.price == "hard"]
        if swaps is not None and hard:
            raise ValueError(
                f"must be left out beside the hard max_min '{hard[0]}', whose kept share of the best total a draw "
                "cannot promise; give that rule a price"
            )
        return swaps

    _source: str = PrivateAttr(default="policy")
    _lines: dict[str, int] = PrivateAttr(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def tier_names(self) -> Iterator[tuple[str, str]]:
        """(key path, tier) wherever a rule speaks of a tier by name."""
        for index, profile in enumerate(self.ramp):
            for tier in profile.tier_from:
                yield f"ramp[{index}].tier_from", tier
        for index, rule in enumerate(self.equity):
            if rule.tier is not None:
                yield f"equity[{index}].tier", rule.tier

    def predicates(self, *within: str) -> Iterator[tuple[str, Predicate]]:
        """(key path, predicate) of every predicate that was written, in the order of the schema. within : of the
        sections of these key paths alone, such as `capacity.adjust`."""
        wanted = {path.partition(".")[0] for path in within} or set(type(self).model_fields)
        for name in type(self).model_fields:
            if name in wanted:
                yield from ((path, one) for path, one in _predicates(getattr(self, name), name))

    def line(self, path: str) -> int | None:
        """The line of the file with this key, or with the nearest key above it; None if not from a file."""
        while path and path not in self._lines:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self._lines.get(path)

    def finding(
        self, severity: Literal["error", "notice"], path: str, message: str, *, value: Any = None, remedy: str = ""
    ) -> Finding:
        """Something to tell about the key at `path`, with its line."""
        message = message if message.endswith(".") else f"{message}."
        return Finding(
            severity=severity,
            table=self._source,
            row=self.line(path),
            column=path,
            message=message,
            value=value,
            remedy=remedy,
        )

    @property
    def source(self) -> str:
        """The file that it was read from, or `policy`."""
        return self._source

    @property
    def canonical(self) -> str:
        """The whole policy as JSON with sorted keys and all defaults, for hashing and for the run's record."""
        content: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of `canonical`, in hexadecimal."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()


def _predicates(value: object, path: str) -> Iterator[tuple[str, Predicate]]:
    if isinstance(value, Predicate):
        if value.text not in ("true", "false"):
            yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            key = field.alias or name
            yield from _predicates(getattr(value, name), f"{path}.{key}" if path else key)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _predicates(item, f"{path}[{index}]")
