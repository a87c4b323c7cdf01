"""Which rules a router keeps, which it prices, and which it refuses because it cannot promise them.

Kept: eligibility, capacity, and the hard upper bounds of limits (and floors at zero or below). All of these can be kept
without knowing what comes: not taking a lead always keeps them, and giving one back never breaks them. A floor above
zero needs leads that may never come, and a share is a bound against a total that nobody knows before the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from apportion.online.terms import (
    ABSOLUTE,
    EFFORT,
    FIXED,
    MEASURES,
    N_SCALARS,
    OPPORTUNITY,
    REVENUE,
    SHARE,
    Asked,
    Book,
    Floats,
    Ints,
    Terms,
    with_room,
)
from apportion.problem import AssignmentProblem, LeadShare, Limit, MaxMin, Prices, Rule
from apportion.problem.rules import Share
from apportion.problem.sums import fair_shares
from apportion_models.errors import Finding, ProblemError

ASK_A_SHARE = (
    "Give the rule a `price`, or route with hard_shares='price', which prices it in and promises nothing; what must "
    "not be exceeded for certain is a Limit on the group."
)


@dataclass(frozen=True, eq=False)
class Family:
    """One rule, or one side of it, in the form of `Terms` and `Book`; arrays have one entry a group."""

    name: str
    asked: Asked
    groups: tuple[str, ...]
    group: Ints
    measure: int
    kind: int
    hard: bool
    low: Floats
    high: Floats
    low_price: Floats
    high_price: Floats
    ceiling: float = np.inf
    sign: float = 1.0
    fair: Floats = field(default_factory=lambda: np.zeros(0))
    earlier: Floats = field(default_factory=lambda: np.zeros(0))
    by_capacity: bool = False


def refusals(problem: AssignmentProblem, hard_shares: str, priced: bool) -> list[Finding]:
    """Every hard rule that cannot be promised, with what to do instead. priced : whether there are a plan's prices."""
    found = []

    def refuse(column: str, message: str, remedy: str) -> None:
        found.append(Finding(severity="error", table="router", column=column, message=message, remedy=remedy))

    if (problem.min_load > 0).any():
        refuse("min_load", "a minimum load cannot be promised: too few leads may come.",
               "State it as a Limit on effort with a `price`.")  # fmt: skip
    if problem.must_assign.any():
        refuse("must_assign", "that a lead gets a rep cannot be promised: there may be no room when it comes.",
               "Give such leads a nurture value as far below zero as leaving them costs.")  # fmt: skip
    if problem.parcel is not None:
        refuse("parcel", "that leads stay together cannot be promised: the rep may be full when the next one comes.",
               "Route a parcel as one lead, with the sums of its values and efforts.")  # fmt: skip
    for rule in problem.rules:
        name = str(rule.name)
        if isinstance(rule, MaxMin):
            if not priced:
                refuse(name, "MaxMin is priced by a plan's prices alone, and there are none.", "Give `prices`.")
            if rule.price is None and hard_shares == "refuse":
                refuse(name, "what the worst-off will have is known only at the end.", ASK_A_SHARE)
        elif isinstance(rule, Share):
            if rule.price is None and hard_shares == "refuse":
                refuse(name, "a hard share cannot be promised: its total is known only at the end.", ASK_A_SHARE)
        elif rule.price is None and rule.high is not None and (np.asarray(rule.high, dtype=float) < 0).any():
            refuse(name, "a hard bound below zero is broken before the first lead comes.", "Give the limit a `price`.")
        elif rule.price is None and (np.asarray(rule.low, dtype=float) > 0).any():
            refuse(name, "a hard floor cannot be promised: too few leads may come.", "Give the limit a `price`.")
    return found


def families(problem: AssignmentProblem, prices: Prices) -> list[Family]:
    """Capacity, then each rule. The problem's reps stand by id; its leads do not matter."""
    none = np.zeros(problem.n_reps)
    capacity = Family(
        "capacity", Asked("capacity"), problem.rep_ids, np.arange(problem.n_reps), EFFORT, ABSOLUTE, True,
        np.full(problem.n_reps, -np.inf), problem.capacity, none, prices.capacity,
    )  # fmt: skip
    return [capacity, *(family for rule in problem.rules for family in _of_rule(problem, rule, prices))]


def _of_rule(problem: AssignmentProblem, rule: Rule, prices: Prices) -> Iterator[Family]:
    group, names = problem.groups(rule.by)
    name, n_groups = str(rule.name), len(names)
    tier = rule.tier if isinstance(rule, LeadShare) else None
    flagged = not isinstance(rule, MaxMin) and rule.leads is not None
    given = prices.rules.get(name)
    low_price = np.zeros(n_groups) if given is None else np.asarray(given.low, dtype=float)
    high_price = np.zeros(n_groups) if given is None else np.asarray(given.high, dtype=float)
    measure = REVENUE if isinstance(rule, MaxMin) else MEASURES.index(rule.measure)
    hard = isinstance(rule, Limit) and rule.price is None
    low, high = _sides(rule, n_groups)
    shared: dict[str, Any] = {
        "asked": Asked(name, tier, flagged), "groups": names, "group": group, "measure": measure, "hard": hard,
        "ceiling": np.inf if rule.price is None else rule.price,
    }  # fmt: skip
    if isinstance(rule, MaxMin):
        yield Family(name, kind=FIXED, low=np.zeros(n_groups), high=high, low_price=low_price,
                     high_price=np.zeros(n_groups), **shared)  # fmt: skip
    elif isinstance(rule, Share):
        earlier = np.zeros(n_groups) if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
        yield Family(
            name, kind=SHARE, low=low, high=high, low_price=low_price, high_price=high_price, earlier=earlier,
            fair=fair_shares(problem, rule, group, n_groups), by_capacity=rule.weights is None, **shared,
        )  # fmt: skip
    elif not hard:
        yield Family(name, kind=ABSOLUTE, low=low, high=high, low_price=low_price, high_price=high_price, **shared)
    else:
        none = np.full(n_groups, -np.inf)
        yield Family(name, kind=ABSOLUTE, low=none, high=high, low_price=0 * low_price, high_price=high_price, **shared)
        if measure in (REVENUE, OPPORTUNITY) and np.isfinite(low).any():
            floor = np.where(np.isfinite(low), -low, np.inf)  # what may be taken away from nothing
            yield Family(f"{name} (floor)", kind=ABSOLUTE, low=none, high=floor, low_price=0 * low_price,
                         high_price=low_price, sign=-1.0, **shared)  # fmt: skip


def _sides(rule: Rule, n_groups: int) -> tuple[Floats, Floats]:
    low, high = getattr(rule, "low", None), getattr(rule, "high", None)
    return (
        np.broadcast_to(-np.inf if low is None else np.asarray(low, dtype=float), (n_groups,)),
        np.broadcast_to(np.inf if high is None else np.asarray(high, dtype=float), (n_groups,)),
    )


def prices_of(problem: AssignmentProblem, given: Any) -> Prices:
    """Read prices: None, (R,) capacity prices, or Prices whose rules are the problem's. Reps as in the problem."""
    if given is None:
        return Prices.none(problem.n_reps)
    prices = given if isinstance(given, Prices) else Prices(given, np.zeros(problem.n_reps))
    sizes = {str(rule.name): len(problem.groups(rule.by)[1]) for rule in problem.rules}
    wanted: list[tuple[str, Any, int]] = [("prices", prices.capacity, problem.n_reps)]
    for name, price in prices.rules.items():
        wanted += [(f"prices of {name}", side, sizes.get(name, -1)) for side in (price.low, price.high)]
    found = []
    for column, array, size in wanted:
        numbers = _numbers(array)
        message = None
        if size < 0:
            message = "must be of a rule of the router"
        elif numbers is None or numbers.shape != (size,) or not (np.abs(numbers) <= 1e15).all():
            message = f"must be {size} finite numbers"
        if message is not None:
            found.append(Finding(severity="error", table="router", column=column, message=message, value=_brief(array)))
    if found:
        raise ProblemError(found)
    rules: Mapping[str, Any] = prices.rules
    return Prices(np.array(prices.capacity, dtype=float), np.zeros(problem.n_reps), rules)


def _numbers(array: Any) -> Floats | None:
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _brief(array: Any) -> str:
    shown = repr(array)
    return shown if len(shown) < 80 else f"{shown[:77]}..."


def arrays(these: list[Family], pace: Floats | None, scalars: Mapping[int, float]) -> tuple[Terms, Book]:
    """Lay the families out as arrays. pace : (B, R) or None."""
    n_reps, n_slots = len(these[0].group), max(len(family.groups) for family in these) + 1
    size = (len(these), n_slots)

    def table(rows: list[Floats], fill: float = 0.0) -> Floats:
        filled = np.full(size, fill)
        for f, row in enumerate(rows):
            filled[f, : len(row)] = row
        return filled

    low, high = (table([getattr(family, side) for family in these], np.nan) for side in ("low", "high"))
    fixed = np.array([family.kind == FIXED for family in these])
    has_low, has_high = np.isfinite(low).astype(float), np.isfinite(high).astype(float)
    low, high = np.where(has_low > 0, low, 0.0), np.where(has_high > 0, high, 0.0)
    shares = np.array([family.kind == SHARE for family in these])[:, None]
    fair = table([family.fair for family in these])
    ceiling = np.array([float(family.ceiling) for family in these])
    hard = np.array([family.hard for family in these])
    parts = np.ones((1, n_slots))
    if pace is not None:
        parts = np.full((len(pace), n_slots), 1.0 / len(pace))
        parts[:, :n_reps] = pace
    low_price, high_price = (
        np.minimum(np.maximum(table([getattr(family, name) for family in these]), 0.0), ceiling[:, None]) * there
        for name, there in (("low_price", has_low), ("high_price", has_high))
    )
    earlier = table([family.earlier for family in these])
    terms = Terms(
        group=np.array([np.where(family.group < 0, n_slots - 1, family.group) for family in these], dtype=np.int64),
        measure=np.array([family.measure for family in these], dtype=np.int64),
        kind=np.array([family.kind for family in these], dtype=np.int64),
        sign=np.array([family.sign for family in these]),
        hard=hard,
        ceiling=ceiling,
        has_low=has_low,
        has_high=has_high,
        any_low=np.array([bool((row > 0).any()) for row in has_low]),
        any_high=np.array([bool((row > 0).any()) for row in has_high]) & ~fixed,
        fair=fair,
        low_multiple=np.where(shares, low, 0.0),
        high_multiple=np.where(shares, high, 0.0),
        by_capacity=np.array([family.by_capacity for family in these]),
        pace=parts,
        after=np.cumsum(parts[::-1], axis=0)[::-1] - parts,
    )
    book = Book(
        low=np.where(shares, low * fair, low),
        high=np.where(shares, high * fair, high),
        limit=np.where(hard[:, None], with_room(high, has_high), np.inf),
        low_price=low_price,
        high_price=high_price,
        sums=earlier,
        total=earlier.sum(axis=1),
        typical=np.zeros(len(these)),
        open=np.ones(n_reps, dtype=bool),
        scalars=np.array([scalars.get(at, 0.0) for at in range(N_SCALARS)]),
    )
    whole: list[Any] = [np.ascontiguousarray(array) for array in terms]
    held: list[Any] = [np.ascontiguousarray(array) for array in book]
    return Terms(*whole), Book(*held)
