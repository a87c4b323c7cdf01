"""The experiment file: which arms, which design, which metric, which stop rules; all fixed before it starts."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from apportion.policy.schema.common import Flag, Name, Positive, Section, Text
from apportion.whatif import BASELINES

Fraction = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=1)]
Windows = Annotated[int, Field(strict=True, ge=1, le=366)]
Blocks = Annotated[int, Field(strict=True, ge=5, le=2000)]


def _router(name: str) -> str:
    known = [baseline.name for baseline in BASELINES]
    if name not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return name


def _plain(name: str) -> str:
    if not all(sign.isalnum() or sign in " -_" for sign in name):
        raise ValueError("must be letters, digits, spaces, - and _ alone: it names a folder")
    return name


class Arm(Section):
    """One way to assign: a policy, or a rule-based router under a policy's rules."""

    name: Annotated[Name, AfterValidator(_plain)] = Field(description="What this arm is called; names a folder.")
    policy: Text | None = Field(None, description="Policy file, beside this file; without it, the default policy.")
    router: Annotated[Text, AfterValidator(_router)] | None = Field(
        None, description="Assign by this rule-based router instead of the optimiser, under the policy's rules."
    )
    share: Fraction | None = Field(None, description="Share of leads and capacity (capacity_split); equal when absent.")


class DesignPart(Section):
    """How leads and capacity are divided among the arms."""

    kind: Literal["capacity_split", "switchback", "by_team"] = Field(
        "capacity_split",
        description="capacity_split: leads drawn, capacity split; switchback: one arm at a time; by_team: teams swap.",
    )
    window_days: Positive | None = Field(None, description="Length of a window; the plan chooses when absent.")
    windows_per_block: Windows = Field(1, description="Windows that make a block (capacity_split alone).")
    unit: Literal["account", "lead"] = Field(
        "account", description="What is drawn: an account's leads together, or each."
    )


class MetricPart(Section):
    """What decides."""

    name: Literal["conversion", "revenue"] = Field("conversion", description="Conversions, or revenue, a lead.")
    within_days: Positive | None = Field(
        None, description="Time that each lead has; when absent, that in which 90 % of the past's wins came."
    )
    winsorise: Fraction = Field(0.99, description="Deal values above this quantile of the past count as the quantile.")


class EffectPart(Section):
    """Which differences matter, relative to the metric's mean in the past."""

    worth: Fraction = Field(0.1, description="The least gain worth having; the plan is made to see it.")
    no_difference: Fraction = Field(0.05, description="Differences smaller than this do not matter.")

    @model_validator(mode="after")
    def _in_order(self) -> EffectPart:
        if self.no_difference > self.worth:
            raise ValueError("no_difference must be at most worth: a gain worth having cannot be none")
        return self


class GuardrailPart(Section):
    """What a treatment must keep."""

    kind: Literal["equity", "load", "metric"] = Field(
        description="equity: the worst-off rep's offer; load: leads against capacity; metric: the other metric."
    )
    limit: Positive = Field(
        description="equity: least share of the fair offer; load: most load by capacity; metric: most fall, relative."
    )


class Experiment(Section):
    """An experiment. The first arm is the control."""

    version: Literal[1] = Field(1, description="Version of this format.")
    name: Name = Field("experiment", description="What this experiment is called.")
    arms: Annotated[tuple[Arm, ...], Field(min_length=2, max_length=4)] = Field(description="Control first.")
    design: DesignPart = DesignPart()
    metric: MetricPart = MetricPart()
    effect: EffectPart = EffectPart()
    horizon_blocks: Blocks | None = Field(None, description="Blocks after which it ends; the plan says when absent.")
    alpha: Fraction = Field(0.05, description="Chance that a rule fires by mistake, over all looks together.")
    power: Fraction = Field(0.8, description="Chance to see the gain worth having, for the plan.")
    guardrails: tuple[GuardrailPart, ...] = Field((), description="What each treatment must keep.")
    adjust: Flag = Field(True, description="Compare outcomes net of what was expected of each lead, whoever got it.")
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(0, description="Seed of every draw.")

    @model_validator(mode="after")
    def _whole(self) -> Experiment:
        names = [arm.name for arm in self.arms]
        if len({name.lower() for name in names}) < len(names):
            raise ValueError(f"arms must have distinct names. Got {', '.join(names)}")
        given = [arm.share for arm in self.arms if arm.share is not None]
        if given and (len(given) < len(self.arms) or abs(sum(given) - 1.0) > 1e-9):
            raise ValueError("share must be given for all arms, 1 together, or for none")
        if given and self.design.kind != "capacity_split" and max(given) - min(given) > 1e-9:
            raise ValueError("only capacity_split takes unequal shares")
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The arms' shares, 1 together."""
        return tuple(arm.share or 1.0 / len(self.arms) for arm in self.arms)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON with all defaults."""
        content: dict[str, Any] = self.model_dump(mode="json")
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def experiment_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the experiment file."""
    schema = Experiment.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Apportion experiment"}
