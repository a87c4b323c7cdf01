"""The problem in which some elements may be broken at a price: one for each typical unit of what they count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from apportion.engines import solve
from apportion.problem import AssignmentProblem, Limit, Rule, Status
from apportion.reasons.diagnose.elements import Bools, Element, Floats, Ints, Universe
from apportion.reasons.diagnose.subproblem import Held, hold
from apportion.reasons.diagnose.sums import Count, Counts

BY_A_PERSON = 2.0  # what a lock or a ban counts for: a person's word about one lead outweighs a rule about many
PERSONAL = ("ban:",)
GAP = 0.02  # relative: a relaxation is told in round numbers
OVERLOAD, AVERSION = 1.25, 0.01  # of ways that cost the same, take one that raises no capacity by more than a quarter


def least_broken(
    universe: Universe, counts: Counts, soft: Bools, *, dropped: Bools, seconds: float
) -> tuple[Ints, bool] | None:
    """Give (L,) reps of a plan that breaks only soft elements, and as little as possible; and whether that is proved.

    soft : (E,) elements with a price; parcels have none, so that they are kept or `dropped`. None where no plan
    was found.
    """
    held = elastic(universe, counts, soft, dropped)
    if not held.problem.n_leads:
        return np.full(universe.wide.n_leads, -1, dtype=np.int64), True
    if not held.problem.pairs.n_pairs:
        return np.full(universe.wide.n_leads, -1, dtype=np.int64), True
    plan = solve(held.problem, gap=GAP, time_limit=seconds)
    if plan.status is Status.INFEASIBLE:  # the network engine refuses soft floors above all that there is
        plan = solve(held.problem, gap=GAP, time_limit=seconds, engine="core")
    if not plan.status.has_plan:
        return None
    return held.everywhere(plan.rep, universe.wide.n_leads), plan.status is Status.OPTIMAL


def unit_price(universe: Universe, element: Element) -> float:
    """What one lead, or one pair, costs that goes against an element without a sum."""
    return BY_A_PERSON if element.kind == "lock" or element.rule.startswith(PERSONAL) else 1.0


def elastic(universe: Universe, counts: Counts, soft: Bools, dropped: Bools) -> Held:
    """Put prices on the soft elements; all others but the dropped ones stay hard."""
    active = ~dropped
    held = hold(universe, active, counts, opened=soft)
    problem = held.problem
    must = np.zeros(problem.n_leads, dtype=bool)
    nurture = np.zeros(problem.n_leads)
    for kind in ("must_assign", "lock"):
        on, soft_on = universe.on(active, kind)[held.leads], universe.on(active & soft, kind)[held.leads]
        must |= on & ~soft_on
        nurture[soft_on] = -(BY_A_PERSON if kind == "lock" else 1.0)
    easy = universe.on(soft & active, "capacity")
    lazy = universe.on(soft & active, "min_load")
    return replace(
        held,
        problem=replace(
            problem,
            value=_pair_prices(universe, held, soft & active),
            nurture=nurture,
            must_assign=must,
            capacity=np.where(easy, problem.effort.sum() + problem.capacity.sum() + 1.0, problem.capacity),
            min_load=np.where(lazy, 0.0, problem.min_load),
            equity=tuple(_priced(rule, universe, counts, soft) for rule in problem.equity),
            limits=(
                *(_priced(rule, universe, counts, soft) for rule in problem.limits),
                *_effort_limits(problem, counts.effort, easy, lazy),
                *_overloads(problem, counts.effort, easy),
            ),
        ),
    )


def _pair_prices(universe: Universe, held: Held, soft: Bools) -> Floats:
    """(P,) minus what it costs to allow a pair that is forbidden."""
    problem, wide = held.problem, universe.wide
    lead = held.leads[problem.pairs.lead]
    code = universe.block[wide.pairs.position(lead, problem.pairs.rep)]
    ids = np.append(universe.at["eligibility", "", ""], -1)[code]
    value = np.zeros(problem.pairs.n_pairs)
    for element in np.unique(ids[ids >= 0]):
        if soft[element]:
            value[ids == element] = -unit_price(universe, universe.elements[element])
    astray = universe.on(soft, "lock")[lead] & (universe.lock[lead] != problem.pairs.rep)
    value[astray] -= BY_A_PERSON
    return value


def _priced(rule: Rule, universe: Universe, counts: Counts, soft: Bools) -> Rule:
    name = str(rule.name)
    count = next(count for count in counts.rules if count.name == name)
    price = 1.0 / count.scale
    yields = any(universe.on(soft, "rule", name, side).any() for side in ("low", "high"))
    return replace(rule, price=price) if yields else rule


def _effort_limits(problem: AssignmentProblem, count: Count, easy: Bools, lazy: Bools) -> Iterator[Limit]:
    for which, name, low, high in (
        (easy, "capacity", -np.inf, problem.capacity),
        (lazy, "minimum load", problem.min_load, np.inf),
    ):
        if which.any():
            yield Limit(
                measure="effort",
                low=np.where(which, low, -np.inf),
                high=np.where(which, high, np.inf),
                price=1.0 / count.scale,
                name=f"\x00{name}",
            )


def _overloads(problem: AssignmentProblem, count: Count, easy: Bools) -> Iterator[Limit]:
    """A little more for what goes far beyond a capacity, so that it is shared."""
    if easy.any():
        most = np.where(easy, OVERLOAD * problem.capacity, np.inf)
        yield Limit(measure="effort", low=-np.inf, high=most, price=AVERSION / count.scale, name="\x00overload")
