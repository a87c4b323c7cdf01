"""Compiled passes shared out over threads. Each lead's answer is its own, so their number changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.market import Market
from apportion.engines.transport.options import survey_options
from apportion.engines.transport.rows import cheapest_moves, highest_rows, near_rows, survey_rows
from apportion.problem.blocks import workers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Small = NDArray[np.int32]

THREADED = 2_000_000  # pairs from which threads pay
PARTS = 8  # of each thread, so that none waits long for another


def shared(size: int, pairs: int, run: Callable[[int, int], Any]) -> None:
    """Call run(first, last) over 0..size, by threads where there is much to do."""
    threads = workers()
    if threads == 1 or pairs < THREADED:
        run(0, size)
        return
    cuts = np.linspace(0, size, threads * PARTS + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, cuts[:-1].tolist(), cuts[1:].tolist()))


@dataclass(frozen=True, eq=False)
class Survey:
    """What each lead does at some prices: (n,) the best it gets, its first and second choice (R: nurture, -1: none),
    and what lies between them; `now` is the option that is first."""

    best: Floats
    first: Small
    second: Small
    margin: Floats
    now: Small

    @classmethod
    def empty(cls, size: int) -> Survey:
        """Room for so many leads."""
        whole, small = np.empty((2, size)), np.empty((3, size), dtype=np.int32)
        return cls(whole[0], small[0], small[1], whole[1], small[2])


def survey_pairs(market: Market, price: Floats) -> Survey:
    """One pass over all pairs."""
    table, rest = market.table, market.rest
    seen, charge = Survey.empty(len(rest)), market.charge(price)

    def run(first: int, last: int) -> None:
        survey_rows(first, last, table, charge, rest, seen.best, seen.first, seen.second, seen.margin)

    shared(len(rest), len(rest) * market.n_reps, run)
    return seen


def near_options(market: Market, price: Floats, width: int, distance: float = np.inf) -> tuple[Small, Floats]:
    """(n, W) nurture and each lead's best pairs at these prices, as far as they lose no more than `distance` against
    the best: reps, and whole values."""
    table, rest = market.table, market.rest
    rep, value = np.empty((len(rest), width), dtype=np.int32), np.empty((len(rest), width))
    charge = market.charge(price)

    def run(first: int, last: int) -> None:
        near_rows(first, last, table, charge, rest, distance, rep, value)

    shared(len(rest), len(rest) * market.n_reps, run)
    return rep, value


def highest_pairs(market: Market, price: Floats) -> Floats:
    """(L,) the most that any pair of the lead is worth at these prices."""
    highest, charge = np.empty(market.n_leads), market.charge(price)
    shared(
        market.n_leads,
        market.n_leads * market.n_reps,
        lambda first, last: highest_rows(first, last, market.table, charge, highest),
    )
    return highest


def survey_held(rep: Small, value: Floats, width: int, price: Floats) -> Survey:
    """One pass over the options. price : (R + 1,)."""
    size = len(rep) // width
    seen = Survey.empty(size)

    def run(first: int, last: int) -> None:
        survey_options(first, last, rep, value, width, price, seen.best, seen.first, seen.second, seen.margin, seen.now)

    shared(size, len(rep), run)
    return seen


def moving_costs(market: Market, holder: Ints, worth: Floats) -> Floats:
    """(R + 1, R + 1) the least that is lost when one of u's leads goes to s, over all pairs, in currency; inf where
    none can.

    holder : (L,) rep of each lead, R for nurture; worth : (L,) currency, what it is worth there.
    """
    table = market.table._replace(scale=1.0, halfway=0.0)
    n = market.n_reps
    cost = np.full((n + 1, n + 1), np.inf)
    leads = np.argsort(holder, kind="stable")
    ends = np.searchsorted(holder[leads], np.arange(n + 2))

    def run(first: int, last: int) -> None:  # whole reps, so that no two threads write to one row
        cheapest_moves(ends[first], ends[last], table, leads, holder, worth, cost)

    shared(n + 1, market.n_leads * n, run)
    by_rank = np.full_like(cost, np.inf)
    by_rank[:, market.table.rank] = cost[:, :n]
    np.minimum.at(by_rank[:, n], holder, worth - market.nurture)
    np.fill_diagonal(by_rank, 0.0)
    return by_rank
