"""What an engine answers, in the terms of the formulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines.lagrangian import PricedOut
from apportion.problem import Status
from apportion.problem.plan import Proof


@dataclass(frozen=True, eq=False)
class Outcome:
    """chosen : (U,) option of each unit, a pair or P + unit for rest; None without a plan. priced : the prices and what
    they prove."""

    status: Status
    chosen: NDArray[np.int64] | None
    bound: float
    priced: PricedOut | None
    proof: Proof
    resolution: float | None = None
    worst_off: float | None = None
    worst_off_bound: float | None = None

    @classmethod
    def infeasible(cls) -> Outcome:
        """Proved: no plan keeps all hard rules."""
        return cls(Status.INFEASIBLE, None, float("nan"), None, "none")

    @classmethod
    def out_of_time(cls, bound: float, priced: PricedOut | None) -> Outcome:
        """No plan was found in time."""
        return cls(Status.TIME_LIMIT, None, bound, priced, "none")
