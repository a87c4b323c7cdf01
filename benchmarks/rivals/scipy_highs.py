"""scipy: `scipy_highs:linprog` is the fractional relaxation, `scipy_highs:milp` the whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.rivals.linear import Programme, programme
from benchmarks.rivals.sums import cannot_state


def _milp(form: Programme, ask: Ask) -> Answer:
    whole = (np.arange(len(form.cost)) < len(form.pairs.lead)).astype(int)
    found: Any = milp(
        form.cost,
        integrality=whole,
        bounds=Bounds(form.low, form.high),
        constraints=LinearConstraint(form.rows, form.row_low, form.row_high),
        options={"time_limit": ask.time_limit, "mip_rel_gap": ask.gap},
    )
    if found.x is None:
        return Answer(None, found.message)
    known = found.mip_dual_bound
    bound = None if known is None or not np.isfinite(known) else form.constant - known
    return form.answer(found.x, "optimal" if found.status == 0 else "stopped", bound, relaxed=False)


def _linprog(form: Programme, ask: Ask) -> Answer:
    equal = form.row_low == form.row_high
    above = np.flatnonzero(~equal & np.isfinite(form.row_high))
    below = np.flatnonzero(~equal & np.isfinite(form.row_low))
    rules: dict[str, Any] = {
        "A_ub": sp.vstack([form.rows[above], -form.rows[below]]),
        "b_ub": np.concatenate([form.row_high[above], -form.row_low[below]]),
        "A_eq": form.rows[equal] if equal.any() else None,
        "b_eq": form.row_low[equal] if equal.any() else None,
        "bounds": np.column_stack([form.low, form.high]),
    }
    found: Any = linprog(form.cost, method="highs", options={"time_limit": ask.time_limit}, **rules)
    if found.x is None or found.status != 0:
        return Answer(None, found.message)
    return form.answer(found.x, "optimal", form.constant - found.fun, relaxed=True)


def contender(option: str) -> Contender:
    """`linprog` or `milp`."""
    return Contender(f"scipy {option}", programme, {"linprog": _linprog, "milp": _milp}[option], cannot_state)
