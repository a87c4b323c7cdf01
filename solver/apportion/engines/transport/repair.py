"""A plan from prices that are not yet the best, for when the clock runs out: whoever loses least moves on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apportion.engines.transport.market import Market
from apportion.engines.transport.passes import Small, near_options, survey_held

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AT_ONCE = 4_000  # leads whose pairs are all looked at


def repaired(market: Market, rep: Small, value: Floats, price: Floats) -> Ints | None:
    """(L,) rep of each lead, R for nurture, within all bounds; None where this simple way finds no such plan.

    rep, value : (L, W) options. price : (R + 1,). Each lead asks for the best option where there is room; of those who
    ask, a rep takes the ones that would lose most elsewhere, those that need a rep first. Then leads that
    still need one, and reps that still need leads, are given them where that can be.
    """
    n, width = market.n_reps, rep.shape[1]
    seen = survey_held(rep.reshape(-1), value.reshape(-1), width, price)
    holder, room = np.full(len(rep), -1, dtype=np.int64), np.append(market.most, np.inf)
    must = ~np.isfinite(market.nurture)
    waiting, asked, urgency = np.arange(len(rep)), seen.first.astype(np.int64), np.where(must, np.inf, seen.margin)
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
        urgency[must[waiting]] = np.inf
        if (asked < 0).any():
            return None
    _place(market, holder, np.flatnonzero(must & (holder == n)), price)
    _fill(market, holder, rep, value)
    short = np.bincount(holder, minlength=n + 1)[:n] < market.least
    return None if short.any() or (must & (holder == n)).any() else holder


def _place(market: Market, holder: Ints, leads: Ints, price: Floats) -> None:
    """Give leads that need a rep the best of all their pairs: where there is room, or where one leaves who can rest."""
    n = market.n_reps
    count, may_rest = np.bincount(holder, minlength=n + 1), np.isfinite(market.nurture)
    for first in range(0, len(leads), AT_ONCE):
        some = leads[first : first + AT_ONCE]
        rep, value = near_options(market.part(some), price[:-1], 1 + n)
        for row, lead in enumerate(some.tolist()):
            own = np.flatnonzero((rep[row] >= 0) & (rep[row] < n))
            own = own[np.argsort(-(value[row, own] - price[rep[row, own]]), kind="stable")]
            for r in rep[row, own].tolist():
                if count[r] >= market.most[r]:
                    resting = np.flatnonzero((holder == r) & may_rest)
                    if not len(resting):
                        continue
                    holder[resting[0]] = n
                    count[r] -= 1
                holder[lead] = r
                count[r] += 1
                break


def _fill(market: Market, holder: Ints, rep: Small, value: Floats) -> None:
    """Bring reps up to their least number of leads: from nurture and from reps who have more than theirs, whoever loses
    least."""
    n = market.n_reps
    least, count = np.append(market.least, -np.inf), np.bincount(holder, minlength=n + 1)
    for r in np.flatnonzero(count[:n] < market.least).tolist():
        leads, option = np.nonzero(rep == r)
        now = np.where(rep[leads] == holder[leads][:, None], value[leads], -np.inf).max(axis=1)
        loss = np.where(np.isfinite(now), now, 0.0) - value[leads, option]
        for lead in leads[np.lexsort((leads, loss))].tolist():
            giver = holder[lead]
            if count[r] >= least[r]:
                break
            if giver != r and count[giver] > least[giver]:
                holder[lead], count[r], count[giver] = r, count[r] + 1, count[giver] - 1


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
