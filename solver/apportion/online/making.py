"""From rules, prices and a plan to the arrays that a router works on: validated by the problem's own checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.online.arrivals import Roster
from apportion.online.decision import Teller
from apportion.online.pace import pace_of
from apportion.online.promises import arrays, families, prices_of, refusals
from apportion.online.terms import BEHIND, FIXED, GUESS, HORIZON, PRIOR, ROOMY, SHARE, VALUE, Floats, Terms
from apportion.problem import AssignmentProblem, MaxMin, Plan, Prices, RulePrice
from apportion.problem.reorder import canonical_order, reorder
from apportion.problem.sums import measured
from apportion_models.errors import Finding, ProblemError, UsageError

LEADS_PER_PLACE = 1.5  # guessed to come for each place, where neither a horizon nor a plan is known


def empty_problem(problem: AssignmentProblem, capacity: Any) -> AssignmentProblem:
    """The reps and rules of a problem, without its leads."""
    given = dict(problem.given)
    nobody = np.zeros(0)
    for name in ("value", "effort", "eligible", "nurture", "must_assign", "opportunity", "revenue", "parcel", "tier"):
        given.pop(name)
    for name in ("equity", "limits"):
        given[name] = [_without_leads(rule) for rule in getattr(problem, name)]
    given |= {"lead_ids": None, "tier": nobody.astype(np.int64), "rep_ids": problem.rep_ids}
    if capacity is not None:
        given["capacity"] = capacity
    return AssignmentProblem.from_arrays(np.zeros((0, problem.n_reps)), **given)


def _without_leads(rule: Any) -> Any:
    if isinstance(rule, MaxMin) or rule.leads is None:
        return rule
    return replace(rule, leads=np.zeros(0, dtype=bool))


def bare_problem(
    capacity: Any, rep_ids: Sequence[Any] | None, limits: Sequence[Any], equity: Sequence[Any], team: Any
) -> AssignmentProblem:
    """The reps and rules as a problem without leads. `leads` of a rule only says that it counts some."""
    n_reps = len(rep_ids) if rep_ids is not None else int(np.size(capacity))
    rules = {
        name: [_without_leads(rule) if hasattr(rule, "by") else rule for rule in given]
        for name, given in (("limits", limits), ("equity", equity))
    }
    return AssignmentProblem.from_arrays(
        np.zeros((0, n_reps)), capacity=capacity, rep_ids=rep_ids, team=team, tier=np.zeros(0, dtype=np.int64), **rules
    )


class Made:
    """What a router consists of, before its first lead. judged : the plan's problem, with its leads."""

    def __init__(
        self, problem: AssignmentProblem, prices: Any, *, horizon: Any, known: Any, hard_shares: str,
        judged: AssignmentProblem | None = None, pace: Floats | None = None,
    ) -> None:  # fmt: skip
        if hard_shares not in ("refuse", "price"):
            raise UsageError(f"hard_shares must be 'refuse' or 'price'. Got {hard_shares!r}.")
        order = canonical_order(problem)[1]
        found = refusals(problem if judged is None else judged, hard_shares, prices is not None)
        if found:
            raise ProblemError(found)
        by_id = reorder(problem, np.zeros(0, dtype=np.int64), order)
        these = families(by_id, _by_id(problem, prices_of(problem, prices), order))
        scalars = {PRIOR: count("known", known), HORIZON: -1.0 if horizon is None else count("horizon", horizon)}
        scalars[ROOMY] = LEADS_PER_PLACE * float(problem.capacity.sum())
        if judged is not None:  # as many leads as the plan had, for as much capacity
            planned = float(judged.capacity.sum())
            scalars[GUESS] = judged.n_leads * (float(problem.capacity.sum()) / planned if planned > 0 else 1.0)
        self.terms, self.book = arrays(these, None if pace is None else pace[:, order], scalars)
        self.roster = Roster(
            problem.rep_ids, order, tuple(family.asked for family in these), tuple(family.measure for family in these)
        )
        self.teller = Teller(
            by_id.rep_ids, tuple(family.name for family in these), tuple(family.groups for family in these),
            self.terms.group,
        )  # fmt: skip


def _by_id(problem: AssignmentProblem, prices: Prices, order: NDArray[np.int64]) -> Prices:
    """Prices in the order of the reps' ids."""
    rules = dict(prices.rules)
    for rule in problem.rules:
        name = str(rule.name)
        if name in rules and isinstance(rule.by, str) and rule.by == "rep":
            rules[name] = RulePrice(np.asarray(rules[name].low)[order], np.asarray(rules[name].high)[order])
    return Prices(prices.capacity[order], prices.min_load[order], rules)


def count(name: str, given: Any) -> float:
    """A number of leads, at least 0. Raises UsageError."""
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or not 0 <= given <= 10**12:
        raise UsageError(f"{name} must be a whole number of leads, 0 or more. Got {given!r}.")
    return float(given)


def check_plan(plan: Plan, problem: AssignmentProblem) -> None:
    """Raise ProblemError where there is no plan, or it is of another problem."""
    fault = None
    if not plan.status.has_plan:
        fault = Finding(severity="error", table="plan", message="must have a plan to take prices of",
                        value=str(plan.status), remedy="Start with prices=None instead.")  # fmt: skip
    elif np.shape(plan.rep) != (problem.n_leads,) or len(plan.prices) != problem.n_reps:
        fault = Finding(severity="error", table="plan", message="must be a plan of the problem",
                        value=f"{len(plan.rep)} leads × {len(plan.prices)} reps")  # fmt: skip
    if fault is not None:
        raise ProblemError(fault)


def pace_from(plan: Plan, problem: AssignmentProblem) -> Floats:
    """(B, R) when the plan used its reps."""
    pair = problem.pairs.position(np.arange(problem.n_leads), plan.rep)
    effort = np.append(problem.effort, 0.0)[pair]
    return pace_of(np.asarray(plan.rep), effort, problem.n_reps)


def learn_sizes(made: Made, problem: AssignmentProblem) -> None:
    """Start the running means from the plan's leads: what the best pair of each is worth, and what it adds up."""
    pairs = problem.pairs
    if not pairs.n_pairs:
        return
    has = np.diff(pairs.start) > 0
    best_value = np.maximum.reduceat(problem.value, pairs.start[:-1][has])
    worth = np.maximum(best_value - problem.nurture[has], 0.0)
    full = np.full(problem.n_leads, np.inf)
    full[has] = best_value
    best = problem.value == full[pairs.lead]
    made.book.scalars[VALUE] = float(worth.mean())
    made.book.scalars[BEHIND] = float(has.sum())
    made.book.typical[0] = _mean_size(problem.effort[best])
    rules = {str(rule.name): rule for rule in problem.rules}
    for f, asked in enumerate(made.roster.asked):
        if f > 0:
            amounts = measured(problem, rules[asked.rule])[best]
            hard = bool(made.terms.hard[f])
            made.book.typical[f] = _mean_size(np.maximum(made.terms.sign[f] * amounts, 0.0) if hard else amounts)


def _mean_size(amounts: Floats) -> float:
    sizes = np.sort(np.abs(amounts[amounts != 0]))  # the order of rows must not touch the last digit
    return float(sizes.mean()) if len(sizes) else 0.0


def promises(terms: Terms, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is kept always, and what is priced in, in words."""
    kept, priced = ["eligibility"], []
    for f, name in enumerate(names):
        if terms.hard[f]:
            kept.append(name)
        else:
            how = {SHARE: "a share", FIXED: "at the plan's prices"}.get(int(terms.kind[f]), "soft")
            priced.append(f"{name} ({how})")
    return tuple(kept), tuple(priced)
