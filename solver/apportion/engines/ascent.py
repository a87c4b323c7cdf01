"""Good prices by a smoothed dual and L-BFGS: cheap passes over the pairs, no solver.

The best of each unit is smoothed by a softmax of temperature tau, which gives the dual a gradient: bound minus (soft)
sum, per bound. The temperature falls in steps; each step starts from the last prices. The prices are then legal, and
their bound is exact whatever tau was. Nesterov, "Smooth minimization of non-smooth functions", 2005.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from apportion.engines.formulation import Family, Formulation
from apportion.engines.lagrangian import Multipliers, PricedOut, charged_value, legal, no_prices, price_out

Floats = NDArray[np.float64]

TEMPERATURES = (0.3, 0.1, 0.03, 0.01)  # of a typical value
STEPS_PER_TEMPERATURE = 40


def ascend(form: Formulation, start: Multipliers | None = None, stop: Callable[[], bool] = lambda: False) -> PricedOut:
    """Look for prices with a low bound; `stop` is asked between temperatures. Deterministic."""
    layout = _Layout(form)
    point = layout.pack(no_prices(form) if start is None else start)
    best = price_out(form, layout.unpack(point))
    for temperature in TEMPERATURES:
        if not layout.size or stop():
            break
        answer = minimize(
            _smoothed,
            point,
            args=(form, layout, temperature * form.scale),
            jac=True,
            method="L-BFGS-B",
            bounds=layout.limits,
            options={"maxiter": STEPS_PER_TEMPERATURE, "maxfun": 2 * STEPS_PER_TEMPERATURE},
        )
        point = answer.x
        found = price_out(form, layout.unpack(point))
        if found.bound < best.bound:
            best = found
    return best


class _Layout:
    """Where each price stands in one flat vector, in units of value scale per measure scale."""

    def __init__(self, form: Formulation) -> None:
        self.form = form
        self.unit = [form.scale / family.scale for family in form.families]
        self.low = [np.flatnonzero(np.isfinite(f.low) & (f.coupling != "worst")) for f in form.families]
        self.high = [np.flatnonzero(np.isfinite(f.high)) for f in form.families]
        self.size = sum(map(len, self.low)) + sum(map(len, self.high))
        self.limits = [
            (0.0, None if family.hard else family.price / unit)
            for family, unit, low, high in zip(form.families, self.unit, self.low, self.high, strict=True)
            for _ in range(len(low) + len(high))
        ]

    def pack(self, multipliers: Multipliers) -> Floats:
        parts = []
        for prices, unit, low, high in zip(multipliers, self.unit, self.low, self.high, strict=True):
            parts += [prices.low[low] / unit, prices.high[high] / unit]
        return np.concatenate(parts) if parts else np.zeros(0)

    def unpack(self, point: Floats) -> Multipliers:
        multipliers, at = [], 0
        for family, unit, low, high in zip(self.form.families, self.unit, self.low, self.high, strict=True):
            low_price, high_price = np.zeros(family.n_groups), np.zeros(family.n_groups)
            low_price[low] = point[at : at + len(low)] * unit
            at += len(low)
            high_price[high] = point[at : at + len(high)] * unit
            at += len(high)
            multipliers.append(legal(family, low_price, high_price))
        return tuple(multipliers)


def _smoothed(point: Floats, form: Formulation, layout: _Layout, tau: float) -> tuple[float, Floats]:
    """The smoothed dual and its gradient, both per unit of value scale."""
    multipliers = layout.unpack(point)
    worth = charged_value(form, multipliers)
    best = form.best_of_unit(worth)
    finite = np.where(np.isfinite(best), best, 0.0)
    weight = np.exp((worth - finite[form.unit]) / tau)
    rest = np.where(np.isfinite(form.rest), np.exp((form.rest - finite) / tau), 0.0)
    total = np.maximum(rest + np.bincount(form.unit, weights=weight, minlength=form.n_units), np.finfo(float).tiny)
    chosen = weight / total[form.unit]
    objective = float(np.sum(finite + tau * np.log(total)))
    gradient = []
    for family, prices, unit, low, high in zip(
        form.families, multipliers, layout.unit, layout.low, layout.high, strict=True
    ):
        objective += float(prices.high[high] @ family.high[high] - prices.low[low] @ family.low[low])
        low_slack, high_slack = _slacks(form, family, chosen)
        gradient += [low_slack[low] * unit, high_slack[high] * unit]
    return objective / form.scale, np.concatenate(gradient) / form.scale


def _slacks(form: Formulation, family: Family, chosen: Floats) -> tuple[Floats, Floats]:
    """How far the soft sums are above the lower and below the upper bounds: the gradient of the dual in their
    prices."""
    measured = chosen * family.measure
    group = family.group[form.rep]
    sums = np.bincount(group + 1, weights=measured, minlength=family.n_groups + 1)[1:]
    total = measured.sum() if family.coupling == "total" else 0.0
    with np.errstate(invalid="ignore"):
        return sums - family.low_share * total - family.low, family.high + family.high_share * total - sums
