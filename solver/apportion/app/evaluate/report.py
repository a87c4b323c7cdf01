"""What an evaluation found: in numbers for machines, and in sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from apportion_models import FitModel
from apportion_models.errors import Finding
from apportion_models.policy_value import Discount, Interval, PolicyValue
from apportion_models.validation.decision import AssignedCalibration, Claim, GainSources


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The plan against one router, scored alike. Amounts in currency.

    gain : plan − router. uplift : plan / router − 1; None where the router earns nothing. matching : the part of the
    gain that comes from who gets which lead; the rest comes from which leads are placed. sources : the gain by where it
    comes from. soft_price : what the policy charges the router for the soft rules that it breaks; the plan's own is
    `PlanValue.soft_price`.
    """

    name: str
    title: str
    placed: float
    cross_fitted: float
    gain: Interval
    uplift: Interval | None
    matching: Interval
    sources: GainSources
    soft_price: float
    broken_rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlanValue:
    """The worth of the plan: expected revenue, and what nurture is worth for leads without a rep. Amounts in currency.

    cross_fitted : planned with one half's model, whose advantages by the rep are scaled by what came true of them in
    the other half, both ways, averaged, by the deal values of the half that did not plan. stated : leads whose own deal
    value is believed half way. share : how much came true; None where to the models all reps are alike.
    discount : what a slice of leads dealt by a known chance says of that share. predicted : the same plans scored by
    the models that made them. optimism : predicted / cross_fitted − 1. units : leads that stay together count as one.
    drawn_by : what the halves were drawn by.
    """

    leads: int
    units: int
    placed: float
    drawn_by: str
    share: Interval | None
    discount: Discount | None
    cross_fitted: float
    soft_price: float
    stated: int
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


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What else is known of the claim. None: not applicable, or not asked for.

    claim : uplift over dealing blindly of the plan that rests on the whole history, by what came true on later leads.
    placebo : the uplift over round robin that the same procedure finds where reps were dealt at random. assigned :
    calibration of past leads whose rep seemed best for them. past : what plans of past leads would have earned.
    """

    claim: Claim | None = None
    placebo: Interval | None = None
    assigned: AssignedCalibration | None = None
    past: PolicyValue | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class EvaluateReport:
    """How good the fit is on later leads, and what the plan that it leads to is worth.

    value : None where the data cannot carry it; `not_applicable` then says why. batch : which leads were planned.
    told : what was found when the tables were read.
    """

    at: str | None
    batch: str | None
    currency: str
    seed: int
    model: FitModel
    value: PlanValue | None
    checks: Checks
    not_applicable: str | None
    told: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the data, and what was left out for it: by the tables, then by the fit."""
        return tuple(dict.fromkeys((*self.told, *self.model.findings_)))

    @property
    def out_of_time(self) -> Mapping[str, Any]:
        """The measures of the model in use on later leads; {} where nothing could be tested."""
        found: Mapping[str, Any] = self.model.card_["out_of_time"].get(self.model.level_, {})
        return found

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why no gain by who gets which lead may be claimed, though the plan's numbers may show one; () if it may."""
        from apportion.app.evaluate.words import doubts

        return doubts(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        value, checks = self.value, self.checks
        return {
            "at": self.at,
            "batch": self.batch,
            "currency": self.currency,
            "seed": self.seed,
            "fit": {
                "level": self.model.level_,
                "level_chosen_by": self.model.card_["level_chosen_by"],
                "boosted": self.model.scorer_.boosted is not None,
                "reps_differ": self.model.evidence_.reps_differ,
                "out_of_time": self.model.card_["out_of_time"],
                "evidence": self.model.evidence_.state(),
                "findings": [str(finding) for finding in self.model.findings_],
            },
            "value": None if value is None else {**asdict(value), "best_router": value.best.name},
            "checks": asdict(checks),
            "doubts": list(self.doubts),
            "not_applicable": self.not_applicable,
            "findings": [str(finding) for finding in self.findings],
            "sentences": list(self.sentences()),
        }

    def sentences(self) -> tuple[str, ...]:
        """The verdict first, then what it rests on, in plain words."""
        from apportion.app.evaluate.words import sentences

        return sentences(self)
