"""A plan from prices that are not yet the best, for when the clock runs out: whoever loses least moves on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.market import Market
from apportion.engines.transport.passes import Small, survey_held

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def repaired(market: Market, rep: Small, value: Floats, price: Floats) -> Ints | None:
    """(L,) rep of each lead, R for nurture, within all bounds; None where this simple way finds no such plan.

    rep, value : (L, W) options. price : (R + 1,). Each lead asks for the best option where there is room; of those who
    ask, a rep takes the ones that would lose most elsewhere.
    """
    n, width = market.n_reps, rep.shape[1]
    seen = survey_held(rep.reshape(-1), value.reshape(-1), width, price)
    holder, room = np.full(len(rep), -1, dtype=np.int64), np.append(market.most, np.inf)
    waiting, asked, urgency = np.arange(len(rep)), seen.first.astype(np.int64), seen.margin
    while True:
        order = np.lexsort((waiting, -urgency, asked))
        turn = np.arange(len(order)) - np.searchsorted(asked[order], asked[order])
        fits = turn < room[asked[order]]
        taken = order[fits]
        holder[waiting[taken]] = asked[taken]
        room -= np.bincount(asked[taken], minlength=n + 1)
        waiting = waiting[np.sort(order[~fits])]
        if not len(waiting):
            break
        asked, urgency = _next(rep[waiting], value[waiting], price, room)
        if (asked < 0).any():
            return None
    must = ~np.isfinite(market.nurture)
    short = np.bincount(holder, minlength=n + 1)[:n] < market.least
    return None if short.any() or (must & (holder == n)).any() else holder


def _next(rep: Small, value: Floats, price: Floats, room: Floats) -> tuple[Ints, Floats]:
    """(n,) the best option with room, -1 for none, and what is lost with the one after it."""
    open_ = (rep >= 0) & (room[rep] > 0)
    worth = np.where(open_, value - price[rep], -np.inf)
    best = worth.argmax(axis=1)
    row = np.arange(len(rep))
    most = worth[row, best]
    worth[row, best] = -np.inf
    after = worth.max(axis=1)
    urgency = np.where(np.isfinite(after), most - np.where(np.isfinite(after), after, 0.0), np.inf)
    return np.where(np.isfinite(most), rep[row, best], -1).astype(np.int64), urgency
