"""HiGHS through OR-Tools' model_builder: `highs:lp` is the fractional relaxation, `highs:mip` the whole numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ortools.linear_solver.python import model_builder

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.rivals.linear import Programme, programme
from benchmarks.rivals.sums import cannot_state


def _solve(whole: bool) -> Callable[[Programme, Ask], Answer]:
    def run(form: Programme, ask: Ask) -> Answer:
        """Solve the programme; no bound where HiGHS has none."""
        model = model_builder.Model()
        model.helper.fill_model_from_sparse_data(form.low, form.high, form.cost, form.row_low, form.row_high, form.rows)
        if whole:
            for pair in range(len(form.pairs.lead)):
                model.helper.set_var_integrality(pair, True)
        solver = model_builder.Solver("HIGHS" if whole else "HIGHS_LP")
        solver.set_time_limit_in_seconds(ask.time_limit)
        if whole:
            solver.set_solver_specific_parameters(f"mip_rel_gap={ask.gap}")
        status = solver.solve(model)
        helper = (
            solver._Solver__solve_helper
        )  # `solver.values` wants pandas Series of Python objects; this is one array
        if not helper.has_solution():
            return Answer(None, status.name)
        x = np.array(helper.variable_values())
        optimal = status == model_builder.SolveStatus.OPTIMAL
        known = solver.best_objective_bound if whole else solver.objective_value if optimal else -np.inf
        bound = form.constant - known if np.isfinite(known) else None
        return form.answer(x, status.name, bound, relaxed=optimal and not whole)

    return run


def contender(option: str) -> Contender:
    """The relaxation (`lp`) or the integer programme (`mip`)."""
    whole = {"lp": False, "mip": True}[option]
    return Contender(f"HiGHS {option.upper()} (OR-Tools)", programme, _solve(whole), cannot_state)
