"""Good prices without a linear program: the smoothed dual, followed down to its minimum by Newton's method.

The best of each unit is smoothed by a softmax, and no price may reach zero or its limit, by a logarithmic barrier: so
the dual has a gradient and a curvature, and its minimum moves little when temperature and barrier fall together. A
unit's temperature is in proportion to what is at stake for it, so that small leads are decided like large ones. The
prices are then legal, and their bound is exact whatever the temperature was.
Nesterov, "Smooth minimization of non-smooth functions", 2005; Bertsekas, "Nonlinear Programming", section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from apportion.engines.formulation import Formulation
from apportion.engines.lagrangian import Multipliers, PricedOut, legal, no_prices
from apportion.engines.layout import Curvature, Layout
from apportion.engines.one_thread import one_thread
from apportion.engines.partitions import Partitions, Whole

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOTTEST, COOLING, COLDEST = 0.5, 0.35, 1e-5  # temperatures, of what is at stake for a unit
LUKEWARM = 0.015  # hotter, a sample of the units is enough
HOT = 0.1  # hotter, a small one
TEPID = 0.01  # where known prices are taken up
SAMPLE, SAMPLE_PER_REP = 2_000, 20
ENOUGH = 0.003  # of the gap: what the next temperature must promise to gain
BARRIER = 0.02  # of the temperature, of a typical plan's value, shared among the prices
FIRST_PRICE, FIRST_SHARE_PRICE, LEAST_PRICE = 0.5, 0.01, 1e-4  # per typical measure, of a typical value
STEPS = 25
SHORTER, SHORTENINGS, DESCENT = 0.4, 10, 1e-4  # the line search
NEAR = 1e-2  # of the temperature: what a step must still promise
STEEP = 100.0  # a price whose barrier bends so much more than the rest moves by itself
BOUNDARY = 0.95  # of the way to the end of a price's range
LEAP = 1_000.0  # times a price, or a typical one: how far a step may raise it
HIGHEST = 1e12  # typical prices: rules that ask for more cannot be kept, and no height of a price will do


def ascend(
    form: Formulation,
    start: Multipliers | None = None,
    *,
    gap: float = 1e-3,
    stop: Callable[[], bool] = lambda: False,
    pairs: Partitions | None = None,
) -> PricedOut:
    """Look for prices with a low bound, until a lower temperature would gain less than a part of `gap`.

    start : prices of a similar problem. `stop` is asked between temperatures. pairs : where the pairs are, if not in
    the formulation itself. Deterministic.
    """
    pairs = Whole(form) if pairs is None else pairs
    best = pairs.priced(legal_all(form, no_prices(form) if start is None else start))
    if not form.families or np.isneginf(best.bound):  # a unit that can be nowhere is so at any prices
        return best
    layout = Layout(form)
    if not layout.size:
        return best
    dual = _Dual(form, layout, pairs)
    point = dual.first() if start is None else dual.near(start)
    last = np.inf
    for temperature in _temperatures(HOTTEST if start is None else TEPID):
        if stop():
            break
        point = dual.settle(point, temperature)
        if temperature > LUKEWARM:
            continue
        found = pairs.priced(legal_all(form, layout.unpack(point)))
        if -np.inf < found.bound < best.bound:  # prices that run away to infinity prove nothing
            best = found
        if COOLING * (last - found.bound) <= ENOUGH * gap * abs(found.bound):  # gains fall like temperatures
            break
        last = found.bound
    return best


def legal_all(form: Formulation, multipliers: Multipliers) -> Multipliers:
    """Mend the prices of every family."""
    return tuple(legal(family, p.low, p.high) for family, p in zip(form.families, multipliers, strict=True))


def _temperatures(first: float) -> Iterator[float]:
    temperature = first
    while temperature > COLDEST:
        yield temperature
        temperature *= COOLING


@dataclass(frozen=True, eq=False)
class _Point:
    """The smoothed dual with its barrier somewhere: value, gradient, bending (curvature of the barrier, diagonal), and
    the rest of the curvature."""

    value: float
    gradient: Floats
    bending: Floats
    curvature: Curvature


class _Dual:
    """The smoothed dual of a formulation."""

    def __init__(self, form: Formulation, layout: Layout, pairs: Partitions) -> None:
        self.form, self.layout, self.pairs = form, layout, pairs
        self.typical = form.scale * form.n_units
        self.everyone = np.arange(form.n_units)
        self.sample = _sample(form, SAMPLE, SAMPLE_PER_REP)
        self.small_sample = _sample(form, SAMPLE // 4, SAMPLE_PER_REP // 8)

    def first(self) -> Floats:
        """Prices to start from, where nothing is known."""
        coupled = self.layout.of_coupled
        return np.minimum(np.where(coupled, FIRST_SHARE_PRICE, FIRST_PRICE), 0.5 * self.layout.limit)

    def near(self, known: Multipliers) -> Floats:
        """Known prices, a little off the ends of their ranges."""
        point = np.maximum(self.layout.pack(known), LEAST_PRICE)
        return np.minimum(point, np.maximum(self.layout.limit - LEAST_PRICE, 0.5 * self.layout.limit))

    def settle(self, point: Floats, temperature: float) -> Floats:
        """Newton's method to the minimum at one temperature."""
        with one_thread:
            return self._descended(point, temperature)

    def _descended(self, point: Floats, temperature: float) -> Floats:
        now = self._at(point, temperature)
        for _ in range(STEPS):
            if point.max() > HIGHEST:
                break
            step = _newton_step(now)
            promised = -float(now.gradient @ step)
            if not promised > NEAR * temperature * self.typical:
                break
            length = _longest(point, step, self.layout.limit)
            for _ in range(SHORTENINGS):
                then = self._at(point + length * step, temperature)
                if then.value <= now.value - DESCENT * length * promised:
                    break
                length *= SHORTER
            else:
                break
            point, now = point + length * step, then
        return point

    def _at(self, point: Floats, temperature: float) -> _Point:
        form, layout = self.form, self.layout
        units = self.small_sample if temperature > HOT else self.sample if temperature > LUKEWARM else self.everyone
        grown = form.n_units / max(len(units), 1)
        soft = self.pairs.smoothed(units, layout.cell, layout.n_cells, layout.charge(point), temperature)
        barrier = BARRIER * temperature * self.typical / layout.size
        value = grown * soft.total + float(layout.bound @ point) - barrier * float(np.log(point).sum())
        gradient = layout.bound - grown * layout.by_price(soft.sums) - barrier / point
        bending = barrier / point**2
        limited = np.isfinite(layout.limit)
        room = layout.limit[limited] - point[limited]
        value -= barrier * float(np.log(room).sum())
        gradient[limited] += barrier / room
        bending[limited] += barrier / room**2
        for more, slope in (self._worst_off(point, temperature, *one) for one in layout.worst_off):
            value += more
            gradient += slope
        return _Point(value, gradient, bending, layout.curvature(grown * soft.curvature))

    def _worst_off(
        self, point: Floats, temperature: float, cost: Floats, reward: float, most: float
    ) -> tuple[float, Floats]:
        """What a worst-off value is worth, a smoothed choice between nothing and all that there could be, and its
        gradient. (Its curvature is left out: the barrier's is enough, and steps are only shorter.)"""
        warm = temperature * max(reward * most, np.finfo(float).tiny)
        gain = (reward - float(cost @ point)) * most
        chosen = 1.0 / (1.0 + np.exp(-np.clip(gain / warm, -500.0, 500.0)))
        return warm * float(np.logaddexp(0.0, gain / warm)), -chosen * most * cost


def _sample(form: Formulation, least: int, per_rep: int) -> Ints:
    """Units that stand for all, spread by a scatter of their numbers."""
    size = max(least, per_rep * form.n_reps)
    if form.n_units <= 2 * size:
        return np.arange(form.n_units)
    scatter = (np.arange(form.n_units) * 2_654_435_761) % 4_294_967_296
    return np.sort(np.argsort(scatter, kind="stable")[:size])


def _newton_step(now: _Point) -> Floats:
    """Downhill by gradient and curvature, which is made safely positive.

    Prices at the end of their range bend by their barrier alone: they need no equations of their own.
    """
    plain = now.curvature.diagonal()
    step = -now.gradient / (plain + now.bending)
    joint = np.flatnonzero(now.bending <= STEEP * plain)
    for safety in (1e-10, 1e-6, 1e-2):
        together = now.curvature.among(joint)
        together[np.diag_indices(len(joint))] += now.bending[joint] + safety * plain[joint]
        try:
            factor = cho_factor(together, overwrite_a=True, check_finite=False)
        except LinAlgError:
            continue
        step[joint] = -cho_solve(factor, now.gradient[joint], check_finite=False)
        break
    return step


def _longest(point: Floats, step: Floats, limit: Floats) -> float:
    """How much of a step keeps every price inside its range, and near enough to where it was."""
    longest = 1.0
    down = step < 0
    if down.any():
        longest = min(longest, BOUNDARY * float(np.min(point[down] / -step[down])))
    up = step > 0
    if up.any():
        room = np.minimum(BOUNDARY * (limit[up] - point[up]), LEAP * (1.0 + point[up]))
        longest = min(longest, float(np.min(room / step[up])))
    return longest
