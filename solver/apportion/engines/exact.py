"""Branch and bound by SCIP on the pairs that can still be in a better plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder

from apportion.engines.formulation import Formulation
from apportion.engines.rows import build_rows

Ints = NDArray[np.int64]

FEASIBILITY = 1e-9


@dataclass(frozen=True, eq=False)
class Searched:
    """chosen : (U,) options or None; bound : no plan over the given pairs is worth more; impossible : there is none at
    all."""

    chosen: Ints | None
    bound: float
    impossible: bool = False


def branch_and_bound(
    form: Formulation, pairs: Ints, *, gap: float, step: float, seconds: float, nodes: int | None, hint: Ints | None
) -> Searched:
    """Search over the given pairs (and every rest).

    gap : relative gap at which to stop. step : the objective is a multiple of it (0: of nothing known), so a bound
    closer than one step proves optimality. hint : (U,) options of a known plan. Deterministic unless `seconds` runs
    out.
    """
    rows = build_rows(form, pairs, penalty=None)
    scale = form.scale
    model = model_builder.Model()
    helper = model.helper
    helper.fill_model_from_sparse_data(
        rows.lower, rows.upper, rows.objective / scale, rows.row_lower, rows.row_upper, rows.matrix
    )
    for column in range(rows.n_integer):
        helper.set_var_integrality(column, True)
    helper.set_maximize(True)
    if hint is not None:
        for column in _columns(form, pairs, hint).tolist():
            helper.add_hint(column, 1.0)
    solver = model_builder.ModelSolver("scip")
    solver.set_time_limit_in_seconds(max(seconds, 0.01))
    solver.set_solver_specific_parameters(_parameters(gap, 0.9 * step / scale, nodes))
    status = solver.solve(model)
    if status == model_builder.SolveStatus.INFEASIBLE:
        return Searched(None, -np.inf, impossible=True)
    if status not in (model_builder.SolveStatus.OPTIMAL, model_builder.SolveStatus.FEASIBLE):
        return Searched(None, np.inf)
    values = np.asarray(solver._Solver__solve_helper.variable_values())
    bound = float(solver.best_objective_bound) * scale
    return Searched(_options(form, pairs, values[: len(pairs)]), bound)


def _parameters(gap: float, absolute: float, nodes: int | None) -> str:
    lines = [f"numerics/feastol = {FEASIBILITY}", f"limits/gap = {gap}", f"limits/absgap = {absolute}"]
    lines.append("misc/catchctrlc = FALSE")  # else SCIP keeps Ctrl-C to itself, and the run goes on
    if nodes is not None:
        lines.append(f"limits/nodes = {nodes}")
    return "\n".join(lines)


def _columns(form: Formulation, pairs: Ints, chosen: Ints) -> Ints:
    """The columns that are one in a plan."""
    taken = chosen[chosen < form.n_pairs]
    may_rest = np.flatnonzero(np.isfinite(form.rest))
    resting = chosen[chosen >= form.n_pairs] - form.n_pairs
    return np.concatenate([np.searchsorted(pairs, taken), len(pairs) + np.searchsorted(may_rest, resting)])


def _options(form: Formulation, pairs: Ints, share: NDArray[np.float64]) -> Ints:
    chosen = form.n_pairs + np.arange(form.n_units)
    taken = pairs[share > 0.5]
    chosen[form.unit[taken]] = taken
    return chosen
