"""The plain form of a batch: arrays of values, capacities and rules in, the optimal mapping out."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from apportion.engines import solve
from apportion.problem import AssignmentProblem, LeadShare, MaxMin, OpportunityShare, Plan, RevenueShare, Status
from apportion.service.api.strict import Name, Strict
from apportion_models.errors import Finding, InfeasibleError, LimitError, ProblemError

Numbers = Annotated[list[float], Field(max_length=1_000_000)]
Labels = Annotated[list[int], Field(max_length=1_000_000)]
Table = Annotated[list[Numbers], Field(max_length=1_000_000)]
SHARES = {"revenue": RevenueShare, "opportunity": OpportunityShare, "leads": LeadShare}


class ShareRule(Strict):
    """Equity: each group's share of a measure, as multiples of its fair share. price : makes it soft, in currency a
    unit."""

    measure: Literal["revenue", "opportunity", "leads"]
    low: Annotated[float, Field(ge=0)] | None = None
    high: Annotated[float, Field(ge=0)] | None = None
    by: Literal["rep", "team", "all"] = "rep"
    tier: int | None = Field(None, description="For leads: of this tier alone.")
    price: Annotated[float, Field(ge=0)] | None = None
    name: Name | None = None


class MaxMinRule(Strict):
    """Equity: the worst-off group's revenue as large as it can be, keeping so much of the best objective."""

    measure: Literal["max_min"]
    keep: Annotated[float, Field(gt=0, le=1)] = 0.98
    by: Literal["rep", "team"] = "rep"
    name: Name | None = None


class Matrix(Strict):
    """The arguments of `AssignmentProblem.from_arrays`. value : leads × reps, in currency."""

    value: Annotated[Table, Field(min_length=1)]
    capacity: Numbers
    effort: float | Numbers | Table | None = None
    eligible: list[list[bool]] | None = None
    nurture: float | Numbers | None = None
    must_assign: bool | list[bool] = False
    min_load: Numbers | None = None
    tier: Labels | None = None
    team: Labels | None = None
    parcel: Labels | None = None
    opportunity: Numbers | None = None
    equity: list[ShareRule | MaxMinRule] = Field(default_factory=list, max_length=100)
    lead_ids: list[Name] | None = None
    rep_ids: list[Name] | None = None

    def problem(self) -> AssignmentProblem:
        """The problem. Raises ProblemError with every fault."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name not in ("equity", "value")}
        _check_rectangles(self)
        return AssignmentProblem.from_arrays(self.value, equity=[_rule(rule) for rule in self.equity], **given)


def solved(
    ask: Matrix, *, gap: float | None, time_limit: float | None, seed: int | None, most: float
) -> dict[str, Any]:
    """The verified plan as a document. most : seconds that it may take at most. Raises ProblemError, InfeasibleError,
    LimitError."""
    problem = ask.problem()
    options = {"gap": gap, "seed": seed}
    said: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    plan = solve(problem, time_limit=min(time_limit or most, most), **said)
    if plan.status is Status.INFEASIBLE:
        raise InfeasibleError("No plan keeps all hard rules. Loosen bounds, give a rule a price, or raise capacities.")
    if not plan.status.has_plan:
        raise LimitError("No plan was found within the time limit, and none was proved impossible.")
    return _document(problem, plan)


def _document(problem: AssignmentProblem, plan: Plan) -> dict[str, Any]:
    certificate, reps = plan.certificate, [*problem.rep_ids, None]
    assert certificate.verdict is not None
    rules = [
        {"rule": one.rule, "holds": bool(one.holds), "violation": float(one.violation)}
        for one in certificate.verdict.rules
    ]
    return {
        "status": str(plan.status),
        "rep": plan.rep.tolist(),
        "mapping": {str(lead): reps[rep] for lead, rep in zip(problem.lead_ids, plan.rep.tolist(), strict=True)},
        "objective": _finite(plan.objective),
        "bound": _finite(plan.bound),
        "gap": _finite(plan.gap),
        "certificate": {
            "verified": bool(certificate.verdict.ok),
            "proof": certificate.proof,
            "stopped_by": certificate.stopped_by,
            "rules": rules,
        },
        "prices": dict(zip(problem.rep_ids, (_finite(price) for price in plan.prices), strict=True)),
        "engine": certificate.engine,
    }


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else math.copysign(1e300, value)


def _rule(rule: ShareRule | MaxMinRule) -> Any:
    if isinstance(rule, MaxMinRule):
        return MaxMin(keep=rule.keep, by=rule.by, name=rule.name)
    more: dict[str, Any] = {"tier": rule.tier} if rule.measure == "leads" else {}
    return SHARES[rule.measure](low=rule.low, high=rule.high, by=rule.by, price=rule.price, name=rule.name, **more)


def _check_rectangles(ask: Matrix) -> None:
    """Rows of one length: what numpy would refuse without saying where."""
    width, faults = len(ask.value[0]), []
    for name in ("value", "eligible", "effort"):
        table = getattr(ask, name)
        if not isinstance(table, list) or not table or not isinstance(table[0], list):
            continue
        row = next((place for place, line in enumerate(table) if len(line) != width), None)
        if row is not None:
            faults.append(
                Finding(severity="error", table="problem", column=name, row=row + 1, value=len(table[row]),
                        message=f"must have one number for each rep, {width}.")
            )  # fmt: skip
    if faults:
        raise ProblemError(faults)
