"""What is fixed before an experiment starts, so that nothing can be chosen after the outcomes are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Metric = Literal["conversion", "revenue"]
METRICS: tuple[Metric, ...] = ("conversion", "revenue")


@dataclass(frozen=True, kw_only=True)
class MetricRules:
    """One metric, a lead each: conversions within the time (0 or 1), or what was earned then, winsorised at `cap`.

    baseline : its mean in the past. block_sd : standard deviation that a block's effect was planned to have.
    """

    baseline: float
    block_sd: float
    cap: float | None = None


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """What a treatment must keep, whatever it gains.

    equity : each rep is offered at least `limit` of their fair share of opportunity. load : no rep gets more than
    `limit` times their capacity in the arm. metric : the other metric has not fallen by more than `limit` × baseline.
    """

    kind: Literal["equity", "load", "metric"]
    limit: float
    metric: Metric | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The stop rules of an experiment, in absolute numbers of the metric.

    worth : the least gain that is worth having. margin : a difference below it is none that matters. horizon : blocks
    after which it ends. planned_size, shock : of a block, for the weights. adjust : compare what is left of the
    outcomes after what was expected of each lead, whoever got it, where the log says so.
    """

    metric: Metric
    metrics: dict[Metric, MetricRules]
    within_days: float
    worth: float
    margin: float
    horizon: int
    planned_size: float
    shock: float = 0.0
    alpha: float = 0.05
    adjust: bool = True
    guardrails: tuple[Guardrail, ...] = ()
