"""What a router keeps and what it prices, as flat arrays that one lead at a time and the compiled way both read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEADS, EFFORT, REVENUE, OPPORTUNITY = range(4)  # what a family adds up
MEASURES = ("leads", "effort", "revenue", "opportunity")
ABSOLUTE, SHARE, FIXED = range(3)  # bounds in units; bounds that follow the total; prices that stay

# the scalars of `Book`
VALUE, PRIOR, SEEN, HORIZON, GUESS, BEHIND, ROOMY = range(7)
N_SCALARS = 7


@dataclass(frozen=True)
class Asked:
    """Which leads a family counts. rule : the rule's name. tier : only leads of this tier. flagged : each lead must
    say under this name whether it counts."""

    rule: str
    tier: int | None = None
    flagged: bool = False


class Terms(NamedTuple):
    """What does not change while leads arrive. F families (the first is capacity), R reps by id, G groups.

    group : (F, R), G for a rep in no group. measure, kind : (F,) of the constants above. sign : (F,) of what a hard
    family counts: 1 what is added, -1 what is taken away. hard : (F,) whether no lead is taken beyond `limit`.
    ceiling : (F,) the price of a violation, inf for none. has_low, has_high : (F, G + 1) 1 where the bound exists.
    any_low, any_high : (F,). fair : (F, G + 1) fair shares, of shares alone; low_multiple, high_multiple : (F, G + 1)
    their bounds; by_capacity : (F,) whether fair shares follow capacity. pace : (B, G + 1) part of a rep's capacity
    that each part of the horizon is expected to use, and after : (B, G + 1) all later parts; one row: evenly.
    """

    group: Ints
    measure: Ints
    kind: Ints
    sign: Floats
    hard: Bools
    ceiling: Floats
    has_low: Floats
    has_high: Floats
    any_low: Bools
    any_high: Bools
    fair: Floats
    low_multiple: Floats
    high_multiple: Floats
    by_capacity: Bools
    pace: Floats
    after: Floats


class Book(NamedTuple):
    """What changes with each lead; all arrays are changed in place.

    low, high : (F, G + 1) bounds, 0 where there is none; of shares, as parts of the total. limit : (F, G + 1) `high`
    with room for rounding, inf where there is none. low_price, high_price, sums : (F, G + 1). total : (F,) over all
    groups. typical : (F,) running mean amount of a lead. open : (R,) whether the rep takes leads. scalars : running
    mean of the best value, leads behind the first prices, leads seen, horizon (-1 unknown), leads guessed where it is
    (0: no guess), leads behind the running means, and the effort units that reps are thought to be there for.
    """

    low: Floats
    high: Floats
    limit: Floats
    low_price: Floats
    high_price: Floats
    sums: Floats
    total: Floats
    typical: Floats
    open: Bools
    scalars: Floats


class Leads(NamedTuple):
    """N leads, reps by id. value : (N, R), -inf where not eligible. effort, revenue : (N, R). opportunity, nurture :
    (N,). counts : (N, F) 1 where the lead counts in the family."""

    value: Floats
    effort: Floats
    revenue: Floats
    opportunity: Floats
    nurture: Floats
    counts: Floats


class Answers(NamedTuple):
    """What was decided. rep, second, blocked : (N,) reps, -1 for none. worth, second_worth, blocked_worth : (N,) values
    less every charge. blocked_by : (N,) family that had no room, F for a pause. amounts : (N, F) what was booked.
    charges : (N, F) what the chosen pair was charged; where none was, the best pair with room.
    """

    rep: Ints
    second: Ints
    blocked: Ints
    blocked_by: Ints
    worth: Floats
    second_worth: Floats
    blocked_worth: Floats
    amounts: Floats
    charges: Floats

    @classmethod
    def empty(cls, n_leads: int, n_families: int) -> Answers:
        """Nothing decided yet."""
        reps: list[Any] = [np.full(n_leads, -1, dtype=np.int64) for _ in range(4)]
        worth: list[Any] = [np.full(n_leads, -np.inf) for _ in range(3)]
        tables: list[Any] = [np.zeros((n_leads, n_families)) for _ in range(2)]
        return cls(*(reps + worth + tables))


def with_room(high: Floats, has_high: Floats) -> Floats:
    """The bounds with room for the rounding of sums, inf where there is none."""
    return np.where(has_high > 0, high + 1e-9 * np.abs(high), np.inf)
