"""A problem of plain arrays, from a body to the solver and back to an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from apportion.engines import solve
from apportion.problem import (
    AssignmentProblem,
    LeadShare,
    Limit,
    MaxMin,
    OpportunityShare,
    Plan,
    RevenueShare,
    Status,
)
from apportion.problem.rules import with_unique_names
from apportion.service.wire.arrays import Arrays, ArraysTold, LimitRule, MaxMinRule, ShareRule
from apportion_models.errors import Finding, InfeasibleError, LimitError, ProblemError

SHARES = {"revenue": RevenueShare, "opportunity": OpportunityShare, "leads": LeadShare}
RULES, WIDE = ("equity", "limits"), ("value", "revenue", "eligible", "effort")
FIELD = "problem"  # of the body, in which all of this is


def problem_of(given: Arrays) -> AssignmentProblem:
    """The problem. Raises ProblemError with every fault, at the field of the body."""
    if faults := list(_ragged(given)):
        raise ProblemError(faults)
    named = with_unique_names([_rule(rule) for name in RULES for rule in getattr(given, name)])
    split = len(given.equity)
    rules = {"equity": named[:split], "limits": named[split:]}
    plain = {name: getattr(given, name) for name in type(given).model_fields if name not in ("value", *RULES)}
    try:
        return AssignmentProblem.from_arrays(given.value, **plain, **rules)
    except ProblemError as error:
        places = {f"{name}: {rule.name}": f"{name}.{n}" for name in RULES for n, rule in enumerate(rules[name])}
        raise ProblemError([_at_its_field(fault, places) for fault in error.findings]) from None


def solved(
    given: Arrays, *, gap: float | None, time_limit: float | None, seed: int | None, most: float
) -> dict[str, Any]:
    """The verified plan as a document. most : seconds that it may take at most. Raises ProblemError, InfeasibleError,
    LimitError."""
    problem = problem_of(given)
    options = {"gap": gap, "seed": seed}
    said: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    plan = solve(problem, time_limit=min(time_limit or most, most), **said)
    if plan.status is Status.INFEASIBLE:
        raise InfeasibleError("No plan keeps all hard rules. Loosen bounds, give a rule a price, or raise capacities.")
    if not plan.status.has_plan:
        raise LimitError("No plan was found within the time limit, and none was proved impossible.")
    return _told(problem, plan).model_dump(mode="json")


def _told(problem: AssignmentProblem, plan: Plan) -> ArraysTold:
    certificate, reps = plan.certificate, [*problem.rep_ids, None]
    assert certificate.verdict is not None
    rules = [
        {"rule": one.rule, "holds": bool(one.holds), "violation": float(one.violation)}
        for one in certificate.verdict.rules
    ]
    proved = {"verified": bool(certificate.verdict.ok), "proof": certificate.proof}
    return ArraysTold.model_validate(
        {
            "status": str(plan.status),
            "rep": plan.rep.tolist(),
            "mapping": {str(lead): reps[rep] for lead, rep in zip(problem.lead_ids, plan.rep.tolist(), strict=True)},
            "objective": float(plan.objective),
            "bound": _finite(plan.bound),
            "gap": _finite(plan.gap),
            "certificate": proved | {"stopped_by": certificate.stopped_by, "rules": rules},
            "prices": dict(zip(problem.rep_ids, (_finite(price) for price in plan.prices), strict=True)),
            "engine": certificate.engine,
        }
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _rule(rule: ShareRule | MaxMinRule | LimitRule) -> Any:
    given: dict[str, Any] = rule.model_dump(exclude={"measure", "tier"})
    if isinstance(rule, LimitRule):
        return Limit(measure=rule.measure, **given)
    if isinstance(rule, MaxMinRule):
        return MaxMin(**given)
    tier: dict[str, Any] = {"tier": rule.tier} if rule.measure == "leads" else {}
    return SHARES[rule.measure](**given, **tier)


def _at_its_field(fault: Finding, places: dict[str, str]) -> Finding:
    """Of a rule the solver knows the name, and maybe which part: `equity: revenue share weights`."""
    said = str(fault.column)
    rule, part = said, ""
    if rule not in places:
        rule, _, part = said.rpartition(" ")
    field = f"{places[rule]}.{part}".rstrip(".") if rule in places else said
    return replace(fault, column=f"{FIELD}.{field}")


def _ragged(given: Arrays) -> Iterator[Finding]:
    """Rows of unlike length: what numpy would refuse without saying where."""
    width = len(given.value[0])
    for name in WIDE:
        table = getattr(given, name)
        if not isinstance(table, list) or not table or not isinstance(table[0], list):
            continue
        row = next((place for place, line in enumerate(table) if len(line) != width), None)
        if row is not None:
            message, place = f"must have one cell for each rep, {width}.", f"{FIELD}.{name}"
            found = len(table[row])
            yield Finding(severity="error", table=FIELD, message=message, column=place, row=row + 1, value=found)
