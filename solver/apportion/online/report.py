"""What a router has brought, and what it could have brought had it known every lead beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.engines import solve
from apportion.problem import AssignmentProblem, Certificate, Plan, Prices, Status, verify
from apportion_models.errors import Finding, InputError


@dataclass(frozen=True)
class Hindsight:
    """The online value against the plan of all arrivals as one batch. Amounts in currency, soft rules paid.

    value : of the online decisions. optimum : of the best plan found in hindsight, NaN without one. bound : proved; no
    plan is worth more. broken : rules of the problem that the online decisions break: none of those that the router
    promised.
    """

    value: float
    optimum: float
    bound: float
    broken: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Competitive ratio against the proved bound: at least this part of the optimum was reached. NaN unless the
        bound is positive."""
        return self.value / self.bound if self.bound > 0 else math.nan


@dataclass(frozen=True, eq=False)
class Report:
    """What a router has done in this window.

    arrivals, placed, released : leads. value : currency, of the pairs that hold and of nurture. load, capacity : (R,)
    effort units, as the router's rep_ids. prices : (R,) capacity prices, currency per effort unit. assigned : rep (None
    for nurture) of each lead, by id.
    """

    arrivals: int
    placed: int
    released: int
    value: float
    rep_ids: tuple[str, ...]
    load: NDArray[np.float64]
    capacity: NDArray[np.float64]
    prices: NDArray[np.float64]
    assigned: Mapping[str, str | None]

    def hindsight(
        self, problem: AssignmentProblem, *, gap: float = 1e-3, time_limit: float = 60.0, seed: int = 0
    ) -> Hindsight:
        """Solve all arrivals as one batch and compare. problem : the leads that were routed, with the rules that held;
        a lead that was given back and not routed again counts as left to nurture.

        Raises InputError where the problem's leads are not those that were routed, or its reps are others.
        """
        rep = self._placed_in(problem)
        plan = solve(problem, gap=gap, time_limit=time_limit, seed=seed)
        online = Plan(
            rep, Status.FEASIBLE, math.nan, math.inf, Prices.none(problem.n_reps),
            Certificate(math.nan, math.inf, math.nan, "none", "online", "", math.inf),
        )  # fmt: skip
        verdict = verify(problem, online)
        claims = {"objective is what the plan earns", "bound is not below the objective", "bound is a number"}
        broken = tuple(rule.rule for rule in verdict.broken if rule.rule not in claims)
        return Hindsight(verdict.objective, plan.objective, plan.bound, broken)

    def _placed_in(self, problem: AssignmentProblem) -> NDArray[np.int64]:
        asked, known = set(problem.lead_ids), set(self.assigned)
        faults = []
        for word, names in (("was not routed", asked - known), ("is missing", known - asked)):
            if names:
                faults.append(
                    Finding(
                        severity="error", table="problem", column="lead_ids", value=min(names), count=len(names),
                        message=f"must be the leads that were routed; one {word}",
                    )
                )  # fmt: skip
        if set(problem.rep_ids) != set(self.rep_ids):
            other = min(set(problem.rep_ids) ^ set(self.rep_ids))
            faults.append(
                Finding(
                    severity="error", table="problem", column="rep_ids", message="must be the router's", value=other
                )
            )
        if faults:
            raise InputError(faults)
        place: dict[str | None, int] = {name: at for at, name in enumerate(problem.rep_ids)}
        place[None] = -1
        return np.array([place[self.assigned[lead]] for lead in problem.lead_ids], dtype=np.int64)
