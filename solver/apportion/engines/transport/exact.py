"""From good prices to the optimum: paths over the options that matter, then the rest is priced out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from apportion.engines.clock import Clock
from apportion.engines.transport.market import Market
from apportion.engines.transport.options import State, excess_of, link_all, settle_flow, shortest_paths
from apportion.engines.transport.passes import Small, highest_pairs, near_options, survey_held

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Ended = Literal["optimal", "time", "far"]

PATHS_AT_ONCE = 2_000  # between two looks at the clock
MORE_OPTIONS = 4  # that a lead gets at once where a pair prices in


def dual_value(market: Market, highest: Floats, price: Floats) -> float:
    """What the prices prove: no assignment is worth more, in whole values.

    highest : (L,) the most that any pair of the lead is worth at these prices.
    """
    bounds = float(np.maximum(price, 0) @ market.most + np.minimum(price, 0) @ market.least)
    return float(np.maximum(highest, market.rest).sum()) + bounds


class Assignment:
    """Options of each lead, (L · W,), and who holds whom at which prices."""

    def __init__(self, market: Market, rep: Small, value: Floats, price: Floats) -> None:
        self.market, self.width = market, rep.shape[1]
        self.rep, self.value = rep.reshape(-1), value.reshape(-1)
        self.price = np.append(price, 0.0)

    def optimise(
        self,
        clock: Clock,
        most_added: float = np.inf,
        report: Callable[[float, float], None] = lambda bound, objective: None,
    ) -> Ended:
        """Move leads until no pair prices in: "optimal". Before, "time" where the clock runs out, and "far" where pairs
        of more than `most_added` leads price in at once, or so many are too many with their reps: then the options are
        not those that matter. report : told the bound and the objective, in currency, after each look at all pairs."""
        self._enter(survey_held(self.rep, self.value, self.width, self.price).now)
        if excess_of(self.state).clip(min=0).sum() > most_added:
            return "far"
        while True:
            if not self._balance(clock):
                return "time"
            worth = self.value[self.state.now] - self.price[self.rep[self.state.now]]
            highest = highest_pairs(self.market, self.price[:-1])
            better = np.flatnonzero(highest > worth)
            self._tell(highest, report)
            if not len(better):
                return "optimal"
            if clock.is_over():
                return "time"
            if len(better) > most_added:
                return "far"
            self._add(better)

    @property
    def holder(self) -> Ints:
        """(L,) rep of each lead, R for nurture."""
        return self.rep[self.state.now].astype(np.int64)

    @property
    def worth(self) -> Floats:
        """(L,) what each lead is worth where it is."""
        return self.value[self.state.now]

    def _tell(self, highest: Floats, report: Callable[[float, float], None]) -> None:
        """The bound that the prices prove, and the plan's objective where it keeps to the bounds of all reps."""
        market, worth = self.market, self.worth
        missing = bool((self.state.held[:-1] < market.least).any()) or bool((worth <= -market.big).any() and market.big)
        bound = dual_value(market, highest, self.price[:-1]) / market.table.scale
        report(bound, -np.inf if missing else float(worth.sum()) / market.table.scale)

    def _enter(self, now: Small) -> None:
        """Give each lead the option that is said, and chain the others."""
        market, n = self.market, self.market.n_reps + 1
        self.state = State(
            rep=self.rep,
            value=self.value,
            now=now,
            after=np.empty(len(self.rep), dtype=np.int32),
            before=np.empty(len(self.rep), dtype=np.int32),
            head=np.empty((n, n), dtype=np.int32),
            cost=np.empty((n, n)),
            option=np.empty((n, n), dtype=np.int32),
            price=self.price,
            held=np.zeros(n, dtype=np.int64),
            flow=np.zeros(n - 1, dtype=np.int64),
            least=market.least.astype(np.int64),
            most=market.most.astype(np.int64),
            big=market.big,
        )
        link_all(self.state)
        settle_flow(self.state)

    def _balance(self, clock: Clock) -> bool:
        excess = excess_of(self.state)
        while shortest_paths(self.state, excess, PATHS_AT_ONCE) == PATHS_AT_ONCE:
            if clock.is_over():
                return False
        return True

    def _add(self, leads: Ints) -> None:
        """Give some leads their best pairs at the prices as further options, and the best of them at once."""
        rep, value = near_options(self.market.part(leads), self.price[:-1], MORE_OPTIONS + 1)
        held = self.rep.reshape(-1, self.width)
        rep, value = rep[:, 1:], value[:, 1:]
        rep = np.where((rep[:, :, None] == held[leads][:, None, :]).any(axis=2), np.int32(-1), rep)
        free = (held[leads] < 0).sum(axis=1)
        now = self.state.now - np.arange(len(self.state.now), dtype=np.int32) * np.int32(self.width)
        wanted = int(((rep >= 0).sum(axis=1) - free).max(initial=0))
        if wanted > 0:
            self._widen(wanted)
        held, values = self.rep.reshape(-1, self.width), self.value.reshape(-1, self.width)
        for lead, new, worth in zip(leads.tolist(), rep, value, strict=True):
            keep = new >= 0
            places = np.flatnonzero(held[lead] < 0)[: keep.sum()]
            held[lead, places], values[lead, places] = new[keep], worth[keep]
            now[lead] = places[0]  # the best of all pairs, and no option before
        self._enter(now + np.arange(len(now), dtype=np.int32) * np.int32(self.width))

    def _widen(self, more: int) -> None:
        size = (len(self.rep) // self.width, self.width + more)
        rep, value = np.full(size, -1, dtype=np.int32), np.full(size, -np.inf)
        rep[:, : self.width] = self.rep.reshape(-1, self.width)
        value[:, : self.width] = self.value.reshape(-1, self.width)
        self.rep, self.value, self.width = rep.reshape(-1), value.reshape(-1), size[1]
