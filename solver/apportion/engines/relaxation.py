"""The linear relaxation, exact, by column generation.

A linear program over the pairs that matter, solved by GLOP; its duals price all pairs in one pass; pairs that would
gain come in, until none does. The duals' bound is computed by us from the arrays, so it holds whatever the solver's
tolerances are. (The HiGHS that comes with OR-Tools 9.15 returns wrong duals for a maximisation through this interface:
GLOP it is.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder

from apportion.engines.formulation import Formulation, row_scales
from apportion.engines.lagrangian import Multipliers, PricedOut, legal, no_prices, price_out
from apportion.engines.rows import Rows, build_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEW_PAIRS_PER_UNIT = 4
FEASIBLE = 1e-7  # violation, in typical measures, below which the relaxation counts as feasible


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The relaxation's answer. pairs : indices in use; share : (their,) fraction of the unit that takes the pair."""

    priced: PricedOut
    pairs: Ints
    share: Floats
    objective: float
    feasible: bool  # False: proved that no plan, not even a fractional one, keeps the hard rules
    complete: bool  # False: stopped early; the bound still holds


def relax(
    form: Formulation, pairs: Ints, *, gap: float, left: Callable[[], float] = lambda: np.inf, max_rounds: int = 60
) -> Relaxed:
    """Solve the relaxation, starting from some pairs. Ends when no pair prices in, or bound and objective meet within
    `gap`, or no seconds are `left`."""
    penalty = 10.0 * _largest(form)
    for _ in range(4):
        answer, violation = _generate(form, pairs, penalty, gap, left, max_rounds)
        if violation <= FEASIBLE or not answer.complete:
            return answer
        least, pairs = _least_violation(form, answer.pairs, left, max_rounds)
        if least > FEASIBLE:
            return replace(answer, feasible=False)
        penalty *= 100.0
    return answer


def _largest(form: Formulation) -> float:
    finite = form.rest[np.isfinite(form.rest)]
    return float(max(np.abs(form.value).max(initial=0.0), np.abs(finite).max(initial=0.0), form.scale))


def _least_violation(form: Formulation, pairs: Ints, left: Callable[[], float], max_rounds: int) -> tuple[float, Ints]:
    """Phase one: the least violation of the hard rules, values aside, and the pairs that reach it."""
    flat = replace(
        form,
        value=np.zeros(form.n_pairs),
        rest=np.where(np.isfinite(form.rest), 0.0, form.rest),
        families=tuple(family for family in form.families if family.hard and family.coupling != "worst"),
    )
    answer, violation = _generate(flat, pairs, 1.0, 0.0, left, max_rounds)
    return (violation if answer.complete else 0.0), answer.pairs


def _generate(
    form: Formulation, pairs: Ints, penalty: float, gap: float, left: Callable[[], float], max_rounds: int
) -> tuple[Relaxed, float]:
    """Column generation at one price of violation. Gives the answer and the violation that is left, in typical
    measures."""
    best: PricedOut | None = None
    for round_ in range(max_rounds):
        rows = build_rows(form, pairs, penalty=penalty)
        solved = _solve(rows, form.scale, left())
        if solved is None:
            return Relaxed(best or _unpriced(form), pairs, np.zeros(len(pairs)), -np.inf, True, False), np.inf
        solution, duals = solved
        priced = price_out(form, _multipliers(form, rows, duals))
        best = priced if best is None or priced.bound < best.bound else best
        objective = float(rows.objective @ solution)
        violation = float(solution[rows.artificial].sum())
        new = _pricing_in(form, priced, pairs, rows, duals)
        close = violation <= FEASIBLE and best.bound - objective <= gap * abs(best.bound)
        if not len(new) or close or round_ == max_rounds - 1 or left() <= 0:
            done = not len(new) or close
            return Relaxed(best, pairs, solution[: len(pairs)], objective, True, done), violation
        pairs = np.union1d(pairs, new)
    raise AssertionError("unreachable")


def _unpriced(form: Formulation) -> PricedOut:
    """What holds without any linear program."""
    pairs = zip(form.families, no_prices(form), strict=True)
    return price_out(form, tuple(legal(family, prices.low, prices.high) for family, prices in pairs))


def _solve(rows: Rows, scale: float, seconds: float) -> tuple[Floats, Floats] | None:
    """Solution and duals; None where the time is up."""
    if seconds <= 0:
        return None
    model = model_builder.Model()
    model.helper.fill_model_from_sparse_data(
        rows.lower, rows.upper, rows.objective / scale, rows.row_lower, rows.row_upper, sp.csr_matrix(rows.matrix)
    )
    model.helper.set_maximize(True)
    solver = model_builder.ModelSolver("glop")
    if np.isfinite(seconds):
        solver.set_time_limit_in_seconds(seconds)
    status = solver.solve(model)
    if status in (model_builder.SolveStatus.NOT_SOLVED, model_builder.SolveStatus.FEASIBLE) and np.isfinite(seconds):
        return None
    if status != model_builder.SolveStatus.OPTIMAL:
        raise ArithmeticError(f"the linear relaxation ended {status.name}; it is always feasible and bounded")
    helper = solver._Solver__solve_helper  # vectorised access; the public one makes a pandas index of every row
    return np.asarray(helper.variable_values()), np.asarray(helper.dual_values()) * scale


def _multipliers(form: Formulation, rows: Rows, duals: Floats) -> Multipliers:
    multipliers = []
    for family, low_rows, high_rows in zip(form.families, rows.low_rows, rows.high_rows, strict=True):
        low, high = np.zeros(family.n_groups), np.zeros(family.n_groups)
        scales = row_scales(form, family)
        low[low_rows.group] = np.maximum(-duals[low_rows.row], 0.0) / scales[low_rows.group]
        high[high_rows.group] = np.maximum(duals[high_rows.row], 0.0) / scales[high_rows.group]
        multipliers.append(legal(family, low, high))
    return tuple(multipliers)


def _pricing_in(form: Formulation, priced: PricedOut, pairs: Ints, rows: Rows, duals: Floats) -> Ints:
    """The pairs that gain against the relaxation, the best few of each unit."""
    gain = priced.worth - duals[rows.unit_row][form.unit]
    gain[pairs] = -np.inf
    wanted = np.flatnonzero(gain > 1e-9 * form.scale)
    if not len(wanted):
        return wanted
    order = wanted[np.lexsort((-gain[wanted], form.unit[wanted]))]
    unit = form.unit[order]
    first = np.flatnonzero(np.append(True, unit[1:] != unit[:-1]))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return order[rank < NEW_PAIRS_PER_UNIT]
