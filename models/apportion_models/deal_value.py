"""What a lead is worth if it converts: E[value | lead, converted].

A Gamma regression with a log link models the mean itself, so that no smearing is needed (a regression on log values
would be 10 to 30 % off in total). It is used when it beats the plain mean on later deals; else the plain mean is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import GammaRegressor

from apportion_models.features.columns import numbers
from apportion_models.features.leads import LeadEncoder
from apportion_models.features.wiggle import Wiggle

Floats = NDArray[np.float64]

FEWEST_TO_DOUBT = 20  # won deals that a regression can be drawn from, though it is not used
FEWEST_WON = 50  # won deals with a value below which the plain mean is used
PENALTIES = (0.001, 0.01, 0.1)
TEST_SHARE = 0.3
MARGIN = 1.0  # standard errors by which the regression must beat the mean
UNSAID = 0.25  # what the regression's form leaves out, as a share of how deals vary about their mean: on record
DOUBTED = "doubted_"  # begins the names of its arrays
VALUE_STREAM = 0xDEA1  # apart from the stream of the chances
FARTHEST = 3.0  # a prediction stays within this factor beyond the values seen


@dataclass(frozen=True, kw_only=True)
class DealValue:
    """Expected deal value. Build it with `DealValue.learn`."""

    source: str  # regression | mean | estimates | none
    sentence: str
    encoder: LeadEncoder
    intercept: float
    weights: Floats  # (p,)
    mean: float  # of won deals, in currency; NaN when the history has no value at all
    low: float
    high: float
    measures: Mapping[str, float]  # out of time
    unsure: Floats  # (1 + p, 1 + p) covariance of intercept and weights; of a constant: the variance of its log
    doubted: DealValue | None = None  # of a mean: the regression that it was preferred to, for draws of what may be

    @classmethod
    def learn(cls, frame: pd.DataFrame, columns: Sequence[str], value: Floats, estimate: Floats) -> DealValue:
        """Learn from cases in order of time: `value` (n,) earned on won deals, else NaN; `estimate` (n,) else known."""
        usable = np.isfinite(value) & (value >= 0.0)
        earned = value[usable]
        if earned.size == 0 or not (earned > 0).any():
            return cls._without_wins(estimate)
        positive = np.flatnonzero(usable & (value > 0))
        paid = positive.size / earned.size  # deals won for nothing lower the mean of all that follow
        rows, seen = frame.iloc[positive], value[positive]
        mean = float(earned.mean())
        penalty, measures = (None, {}) if positive.size < FEWEST_WON else _trial(rows, columns, seen)
        found = cls._regression(rows, columns, seen, PENALTIES[-1] if penalty is None else penalty, paid, mean)
        if penalty is not None and found is not None:
            return replace(found, measures={**measures, **found.measures})
        sentence = (
            f"{positive.size} won deals with a value are too few for a regression; the mean, {mean:,.0f}, is used."
            if positive.size < FEWEST_WON
            else f"The leads' attributes did not predict deal values on later deals; the mean, {mean:,.0f}, is used."
        )
        return replace(cls._constant("mean", sentence, mean, measures, earned), doubted=found)

    @classmethod
    def _regression(
        cls, rows: pd.DataFrame, columns: Sequence[str], seen: Floats, penalty: float, paid: float, mean: float
    ) -> DealValue | None:
        """The regression on deals won for something, `paid` of all; None where there is nothing to regress on."""
        if seen.size < FEWEST_TO_DOUBT or not LeadEncoder.learn(rows, columns)[0].coders:
            return None
        encoder, intercept, weights = _regress(rows, columns, seen, penalty)
        unsure, dispersion = _uncertainty(encoder.lead_part(rows).matrix, intercept, weights, seen, penalty)
        return cls(
            source="regression",
            sentence=f"Deal value follows from the leads' attributes (Gamma regression, {seen.size:,} won deals).",
            encoder=encoder,
            intercept=intercept + float(np.log(paid)),
            weights=weights,
            mean=mean,
            low=float(seen.min()) / FARTHEST,
            high=float(seen.max()) * FARTHEST,
            measures={"dispersion": dispersion},
            unsure=unsure,
        )

    @classmethod
    def _without_wins(cls, estimate: Floats) -> DealValue:
        known = estimate[np.isfinite(estimate) & (estimate > 0)]
        if known.size:
            mean = float(np.mean(np.sort(known)))
            sentence = f"No won deal has a value; the mean of the estimates on other leads, {mean:,.0f}, is used."
            return cls._constant("estimates", sentence, mean, {})
        sentence = "The history has no deal value; leads without an estimate get the batch's mean estimate, or 1 each."
        return cls._constant("none", sentence, float("nan"), {})

    @classmethod
    def _constant(
        cls, source: str, sentence: str, mean: float, measures: Mapping[str, float], earned: Floats | None = None
    ) -> DealValue:
        known = earned is not None and earned.size > 1 and mean > 0
        relative = float(np.var(earned, ddof=1) / earned.size / mean**2) if known and earned is not None else 0.0
        intercept = float(np.log(mean)) if mean > 0 else float("nan")
        return cls(
            source=source,
            sentence=sentence,
            encoder=LeadEncoder(coders=()),
            intercept=intercept,
            weights=np.zeros(0),
            mean=mean,
            low=0.0,
            high=float("inf"),
            measures=dict(measures),
            unsure=np.array([[relative]]),
        )

    def predict_spread(self, leads: pd.DataFrame) -> Floats:
        """(L,) standard error of `predict` in currency, from what won deals leave open; 0 for a value that is given.

        It is of the mean of such deals, not of a single one, which varies by `measures["dispersion"]` as well.
        """
        given = numbers(leads, "deal_value")
        if self.source == "regression":
            x = np.column_stack([np.ones(len(leads)), self.encoder.lead_part(leads).matrix])
            relative = np.sqrt(np.maximum(((x @ self.unsure) * x).sum(axis=1), 0.0))
        else:
            relative = np.full(len(leads), float(np.sqrt(self.unsure[0, 0])))
        stated = np.isfinite(given) & (given > 0.0)
        return np.where(stated | (self.source in ("none", "estimates")), 0.0, self.predict(leads) * relative)

    def draw(self, leads: pd.DataFrame, *, draws: int, seed: int) -> Floats:
        """(S, L) draws of what each lead may be worth, in currency; a value that is given is the same in all.

        Where a plain mean is used, the draws are of the regression that it was preferred to: that it did no better on
        later deals does not say that all leads are worth the same. Without won deals nothing is drawn.
        """
        if self.doubted is not None:
            return self.doubted.draw(leads, draws=draws, seed=seed)
        random = np.random.default_rng([seed, VALUE_STREAM])
        away = random.multivariate_normal(np.zeros(len(self.unsure)), self.unsure, size=draws, method="eigh")
        if self.source == "regression":
            part = self.encoder.lead_part(leads)
            waves = Wiggle(part.groups).columns(part.matrix)
            weights = random.standard_normal((draws, waves.shape[1]))
            power = away[:, :1] + away[:, 1:] @ part.matrix.T
            power += UNSAID * np.sqrt(self.measures["dispersion"]) * weights @ waves.T
        else:
            power = np.repeat(away[:, :1], len(leads), axis=1)
        given = numbers(leads, "deal_value")
        sure = (np.isfinite(given) & (given > 0.0)) | (self.source in ("none", "estimates"))
        factor = np.exp(np.clip(power, -FARTHEST, FARTHEST))
        return np.asarray(self.predict(leads) * np.where(sure, 1.0, factor), dtype=np.float64)

    def predict(self, leads: pd.DataFrame) -> Floats:
        """(L,) currency, > 0. A lead's own `deal_value` counts as given when it is above 0; else it is estimated."""
        given = numbers(leads, "deal_value")
        stated = np.isfinite(given) & (given > 0.0)
        if self.source == "none":
            rest = np.full(len(leads), float(np.mean(np.sort(given[stated]))) if stated.any() else 1.0)
        elif self.source == "regression":
            rest = self._expected(leads)
        else:
            rest = np.full(len(leads), self.mean)
        return np.where(stated, given, rest)

    def _expected(self, leads: pd.DataFrame) -> Floats:
        power = self.intercept + (self.encoder.lead_part(leads).matrix * self.weights).sum(axis=1)
        return np.asarray(np.clip(np.exp(np.minimum(power, 700.0)), self.low, self.high), dtype=np.float64)

    def state(self) -> tuple[dict[str, Any], dict[str, Floats]]:
        """The JSON form and the arrays."""
        fields = {key: value for key, value in self.__dict__.items() if key not in _APART}
        plain = {key: _plain(value) for key, value in fields.items()}
        doubted, beside = (None, {}) if self.doubted is None else self.doubted.state()
        return {**plain, "encoder": self.encoder.state(), "measures": dict(self.measures), "doubted": doubted}, {
            "weights": self.weights,
            "unsure": self.unsure,
            **{f"{DOUBTED}{name}": array for name, array in beside.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, Floats]) -> DealValue:
        """The model that `state` and `arrays` describe."""
        return cls(
            source=str(state["source"]),
            sentence=str(state["sentence"]),
            encoder=LeadEncoder.from_state(state["encoder"]),
            intercept=float(state["intercept"]),
            weights=arrays["weights"],
            unsure=arrays["unsure"],
            mean=float(state["mean"]),
            low=float(state["low"]),
            high=float(state["high"]),
            measures=dict(state["measures"]),
            doubted=None
            if state["doubted"] is None
            else cls.from_state(
                state["doubted"],
                {name.removeprefix(DOUBTED): one for name, one in arrays.items() if name.startswith(DOUBTED)},
            ),
        )


_APART = ("encoder", "weights", "unsure", "doubted")  # fields that are not plain values


def _plain(value: Any) -> Any:
    """JSON has no infinity and no NaN; they travel as text."""
    return repr(value) if isinstance(value, float) and not np.isfinite(value) else value


def _regress(
    rows: pd.DataFrame, columns: Sequence[str], value: Floats, penalty: float
) -> tuple[LeadEncoder, float, Floats]:
    """Encoder, intercept and weights; the total over the rows is met exactly."""
    encoder, _ = LeadEncoder.learn(rows, columns)
    matrix = encoder.lead_part(rows).matrix
    scale = float(value.mean())
    model = GammaRegressor(alpha=penalty, solver="newton-cholesky", max_iter=200, tol=1e-6).fit(matrix, value / scale)
    expected = np.exp(model.intercept_ + matrix @ model.coef_)
    total = float(np.log((value / scale).sum() / expected.sum()))
    return encoder, float(model.intercept_) + float(np.log(scale)) + total, np.asarray(model.coef_, dtype=np.float64)


def _uncertainty(
    matrix: Floats, intercept: float, weights: Floats, value: Floats, penalty: float
) -> tuple[Floats, float]:
    """Covariance of intercept and weights, and the dispersion (Pearson), whose root is how deals vary about their mean.

    With the log link every deal weighs the same (McCullagh and Nelder 1989, 8.3); the ridge of `_regress` is in it.
    """
    x = np.column_stack([np.ones(value.size), matrix])
    ratio = value / np.exp(intercept + matrix @ weights)
    information = x.T @ x
    ridge = np.diag(np.concatenate([[0.0], np.full(weights.size, penalty * value.size)])) + 1e-9 * np.eye(len(x[0]))
    freedom = float(np.trace(np.linalg.solve(information + ridge, information)))
    dispersion = float(((ratio - 1.0) ** 2).sum() / max(value.size - freedom, 1.0))
    return np.asarray(dispersion * np.linalg.inv(information + ridge), dtype=np.float64), dispersion


def _later_fifths(value: Floats, expected: Floats) -> dict[str, float]:
    """Observed over expected total of later deals, by fifths of the expected value."""
    order = np.argsort(expected, kind="stable")
    return {
        f"observed_over_expected_fifth_{place}": float(value[part].sum() / expected[part].sum())
        for place, part in enumerate(np.array_split(order, 5), start=1)
        if part.size
    }


def _trial(rows: pd.DataFrame, columns: Sequence[str], value: Floats) -> tuple[float | None, dict[str, float]]:
    """The penalty that did best on later deals, None when no one beats the mean; and the measures."""
    cut = round((1.0 - TEST_SHARE) * value.size)
    later = value[cut:]
    plain = _deviances(later, np.full(later.size, value[:cut].mean()))
    best: tuple[float, float] | None = None
    measures: dict[str, float] = {"rows": float(later.size), "deviance_of_mean": float(plain.mean())}
    for penalty in PENALTIES if columns else ():
        encoder, intercept, weights = _regress(rows.iloc[:cut], columns, value[:cut], penalty)
        if not encoder.coders:
            break
        power = intercept + encoder.lead_part(rows.iloc[cut:]).matrix @ weights
        expected = np.clip(np.exp(np.minimum(power, 700.0)), value[:cut].min() / FARTHEST, value[:cut].max() * FARTHEST)
        gain = plain - _deviances(later, expected)
        worth = float(gain.mean()) - MARGIN * float(gain.std(ddof=1)) / np.sqrt(gain.size)
        if worth > 0 and (best is None or gain.mean() > best[0]):
            best = (float(gain.mean()), penalty)
            measures.update(
                {
                    "deviance": float(plain.mean() - gain.mean()),
                    "total_bias": float(expected.sum() / later.sum() - 1.0),
                    "penalty": penalty,
                    **_later_fifths(later, expected),
                }
            )
    return (None if best is None else best[1]), measures


def _deviances(value: Floats, expected: Floats) -> Floats:
    """(n,) Gamma deviance of each deal."""
    ratio = value / expected
    return np.asarray(2.0 * (ratio - 1.0 - np.log(ratio)), dtype=np.float64)
