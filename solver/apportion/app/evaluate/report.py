"""What an evaluation found: in numbers for machines, and in sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from apportion_models import FitModel


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number and its 90 % interval."""

    value: float
    low: float
    high: float

    @property
    def has_zero(self) -> bool:
        """Whether "no difference" lies in the interval."""
        return self.low <= 0.0 <= self.high


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The plan against one router, scored alike. Amounts in currency.

    gain : plan − router. uplift : plan / router − 1; None where the router earns nothing. matching : the part of the
    gain that comes from who gets which lead; the rest comes from which leads are placed. soft_price : what the policy
    charges the router for the soft rules that it breaks; the plan's own is `PlanValue.soft_price`.
    """

    name: str
    title: str
    placed: float
    cross_fitted: float
    gain: Interval
    uplift: Interval | None
    matching: Interval
    soft_price: float
    broken_rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlanValue:
    """The worth of the plan: expected revenue, and what nurture is worth for leads without a rep. Amounts in currency.

    cross_fitted : planned with one half's model, scored with the other's, both ways, averaged. predicted : the same
    plans scored by the models that made them. optimism : predicted / cross_fitted − 1. units : leads that stay
    together count as one. drawn_by : what the halves were drawn by.
    """

    leads: int
    units: int
    placed: float
    drawn_by: str
    levels: tuple[str, str]
    cross_fitted: float
    soft_price: float
    predicted: float
    optimism: float
    comparisons: tuple[Comparison, ...]

    @property
    def best(self) -> Comparison:
        """The best router, less its soft price, that keeps every hard rule; the best of all where none does."""
        lawful = [one for one in self.comparisons if not one.broken_rules]
        return max(lawful or self.comparisons, key=lambda one: one.cross_fitted - one.soft_price)

    def against(self, name: str) -> Comparison:
        """The comparison with the router of this name."""
        return next(one for one in self.comparisons if one.name == name)


@dataclass(frozen=True, eq=False, kw_only=True)
class EvaluateReport:
    """How good the fit is on later leads, and what the plan that it leads to is worth.

    value : None where the data cannot carry it; `not_applicable` then says why. batch : which leads were planned.
    """

    at: str | None
    batch: str | None
    currency: str
    seed: int
    model: FitModel
    value: PlanValue | None
    not_applicable: str | None

    @property
    def out_of_time(self) -> Mapping[str, Any]:
        """The measures of the model in use on later leads; {} where nothing could be tested."""
        found: Mapping[str, Any] = self.model.card_["out_of_time"].get(self.model.level_, {})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        value = self.value
        return {
            "at": self.at,
            "batch": self.batch,
            "currency": self.currency,
            "seed": self.seed,
            "fit": {
                "level": self.model.level_,
                "level_chosen_by": self.model.card_["level_chosen_by"],
                "out_of_time": self.model.card_["out_of_time"],
                "evidence": self.model.evidence_.state(),
                "findings": [str(finding) for finding in self.model.findings_],
            },
            "value": None if value is None else {**asdict(value), "best_router": value.best.name},
            "not_applicable": self.not_applicable,
            "sentences": list(self.sentences()),
        }

    def sentences(self) -> tuple[str, ...]:
        """The verdict first, then what it rests on, in plain words."""
        from apportion.app.evaluate.words import sentences

        return sentences(self)
