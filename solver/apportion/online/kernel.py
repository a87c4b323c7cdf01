"""The compiled way: `step.take` for many leads in a row, operation by operation, so that every bit is the same.

Compiled when a batch is large enough to pay for it; the machine code is kept on disk. Until then these are plain
functions, so that importing them writes and loads nothing. Inner loops are handed plain arrays: a tuple of many arrays
costs more to pass than a lead costs to decide.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from apportion.online.step import AGAIN, MEMORY, SMALLEST, STEEPEST, STEP, TAIL
from apportion.online.terms import (
    BEHIND,
    EFFORT,
    FIXED,
    GUESS,
    HORIZON,
    LEADS,
    PRIOR,
    REVENUE,
    ROOMY,
    SEEN,
    SHARE,
    VALUE,
)


def _amounts(
    out: Any, measure: Any, sign: Any, hard: Any, effort: Any, revenue: Any, opportunity: Any, counts: Any
) -> Any:
    """(F, R) what the lead would add to each family at each rep."""
    for f in range(out.shape[0]):
        for rep in range(out.shape[1]):
            if measure[f] == EFFORT:
                amount = effort[rep]
            elif measure[f] == REVENUE:
                amount = revenue[rep]
            elif measure[f] == LEADS:
                amount = 1.0
            else:
                amount = opportunity
            if f > 0:
                amount = counts[f] * amount
                if hard[f]:
                    amount = max(sign[f] * amount, 0.0)
            out[f, rep] = amount


def _net(out: Any, kind: Any, low: Any, high: Any, low_price: Any, high_price: Any) -> Any:
    """(F, G + 1) what a group is charged for each unit of the family's measure."""
    for f in range(out.shape[0]):
        for g in range(out.shape[1]):
            out[f, g] = high_price[f, g] - low_price[f, g]
        if kind[f] == SHARE:
            pays = 0.0
            for g in range(out.shape[1]):
                pays += high_price[f, g] * high[f, g] - low_price[f, g] * low[f, g]
            for g in range(out.shape[1]):
                out[f, g] = out[f, g] - pays


def _full(group: Any, hard: Any, open_: Any, sums: Any, limit: Any, amounts: Any, rep: Any) -> Any:
    """The first hard family without room for the pair, F where the rep is paused, -1 for none."""
    if not open_[rep]:
        return group.shape[0]
    for f in range(group.shape[0]):
        if hard[f]:
            at = group[f, rep]
            if sums[f, at] + amounts[f, rep] > limit[f, at]:
                return f
    return -1


def _decide(
    value: Any,
    amounts: Any,
    net: Any,
    group: Any,
    hard: Any,
    open_: Any,
    sums: Any,
    limit: Any,
    score: Any,
    nurture: Any,
) -> Any:
    """The best rep of all and by what they are full, then the best two with room; -1 for none."""
    ahead = -1
    for rep in range(value.shape[0]):
        worth = value[rep]
        for f in range(group.shape[0]):
            worth -= net[f, group[f, rep]] * amounts[f, rep]
        score[rep] = worth
        if worth > -np.inf and (ahead < 0 or worth > score[ahead]):
            ahead = rep
    by = -1
    if ahead >= 0 and score[ahead] > nurture:
        by = _full(group, hard, open_, sums, limit, amounts, ahead)
    best, second = -1, -1
    for rep in range(value.shape[0]):
        worth = score[rep]
        if worth == -np.inf or (second >= 0 and worth <= score[second]):
            continue
        if _full(group, hard, open_, sums, limit, amounts, rep) >= 0:
            continue
        if best < 0 or worth > score[best]:
            second = best
            best = rep
        else:
            second = rep
    return ahead, by, best, second


def _left(scalars: Any, effort: Any) -> Any:
    seen = scalars[SEEN]
    if scalars[HORIZON] >= 0:
        return max(scalars[HORIZON] - seen, TAIL)
    guess = scalars[GUESS]
    if guess == 0.0:
        guess = scalars[ROOMY] / max(effort, SMALLEST)
    return max(max(guess - seen, AGAIN * seen), TAIL)


def _rate(out: Any, f: Any, pace: Any, after: Any, scalars: Any, left: Any) -> Any:
    parts = pace.shape[0]
    seen, horizon = scalars[SEEN], scalars[HORIZON]
    if f > 0 or parts == 1 or horizon < 0 or seen >= horizon:
        out[:] = 1.0 / left
        return
    at = seen / horizon * parts
    part = min(int(at), parts - 1)
    for g in range(out.shape[0]):
        now = pace[part, g]
        rest = now * (part + 1.0 - at) + after[part, g]
        out[g] = min(now / rest * (parts / horizon), 1.0 / TAIL)


def _side(
    sign: Any,
    at: Any,
    amount: Any,
    unit: Any,
    entries: Any,
    rate: Any,
    ceiling: Any,
    hard: Any,
    share: Any,
    bound: Any,
    price: Any,
    there: Any,
    fair: Any,
    sums: Any,
    total: Any,
) -> Any:
    for g in range(price.shape[0]):
        size = fair[g] if share else abs(bound[g])
        step = unit / np.sqrt(1.0 + entries * size) * sign
        if share:
            new = price[g] - step * ((bound[g] * total - sums[g]) * rate[g] + bound[g] * amount)
        else:
            new = price[g] - step * (max(bound[g] - sums[g], 0.0) * rate[g])
        if g == at:
            new += step * amount
        new = min(max(new, 0.0), ceiling) * there[g]
        if not share and not hard and sums[g] >= bound[g]:
            if sign < 0:
                new = 0.0
            elif there[g] > 0:
                new = ceiling
        price[g] = new


def _means(value: Any, amounts: Any, nurture: Any, scalars: Any, typical: Any) -> Any:
    best = 0
    for rep in range(1, value.shape[0]):
        if value[rep] > value[best]:
            best = rep
    if value[best] == -np.inf:
        return
    known = min(scalars[BEHIND] + 1.0, MEMORY)
    scalars[BEHIND] += 1.0
    scalars[VALUE] += (max(value[best] - nurture, 0.0) - scalars[VALUE]) / known
    for f in range(typical.shape[0]):
        size = abs(amounts[f, best])
        if size > 0.0:
            typical[f] = size if typical[f] == 0.0 else typical[f] + (size - typical[f]) / known


def _learn(terms: Any, book: Any, rep: Any, amounts: Any, rate: Any) -> Any:
    scalars = book.scalars
    scalars[SEEN] += 1.0
    left = _left(scalars, book.typical[0])
    done = min((scalars[PRIOR] + scalars[SEEN]) / (scalars[SEEN] + left), 1.0)
    for f in range(terms.kind.shape[0]):
        if terms.kind[f] == FIXED or book.typical[f] == 0.0:
            continue
        at, amount = -1, 0.0
        if rep >= 0:
            at, amount = terms.group[f, rep], amounts[f, rep]
        typical = max(book.typical[f], SMALLEST)
        unit = STEP * scalars[VALUE] / typical / typical
        share = terms.kind[f] == SHARE
        ceiling = terms.ceiling[f]
        if share and ceiling == np.inf:
            ceiling = STEEPEST * scalars[VALUE] / typical
        _rate(rate, f, terms.pace, terms.after, scalars, left)
        entries = done * (scalars[SEEN] + left) if share else done / typical
        if terms.any_high[f]:
            _side(
                1.0, at, amount, unit, entries, rate, ceiling, terms.hard[f], share, book.high[f],
                book.high_price[f], terms.has_high[f], terms.fair[f], book.sums[f], book.total[f],
            )  # fmt: skip
        if terms.any_low[f]:
            _side(
                -1.0, at, amount, unit, entries, rate, ceiling, terms.hard[f], share, book.low[f],
                book.low_price[f], terms.has_low[f], terms.fair[f], book.sums[f], book.total[f],
            )  # fmt: skip


def _write(
    answers: Any,
    row: Any,
    ahead: Any,
    by: Any,
    best: Any,
    second: Any,
    score: Any,
    nurture: Any,
    net: Any,
    group: Any,
    amounts: Any,
) -> Any:
    """Write the answer for one lead; gives its rep."""
    if by >= 0:
        answers.blocked[row], answers.blocked_worth[row], answers.blocked_by[row] = ahead, score[ahead], by
    if best < 0:
        return -1
    for f in range(group.shape[0]):
        answers.charges[row, f] = net[f, group[f, best]] * amounts[f, best]
    chosen = -1
    if score[best] > nurture:
        answers.rep[row], answers.worth[row] = best, score[best]
        chosen, best = best, second
        for f in range(group.shape[0]):
            answers.amounts[row, f] = amounts[f, chosen]
    if best >= 0:
        answers.second[row], answers.second_worth[row] = best, score[best]
    return chosen


def take_all(terms: Any, book: Any, leads: Any, answers: Any) -> Any:
    """Decide on each lead in its order."""
    n_families, n_reps = terms.group.shape
    n_slots = book.sums.shape[1]
    amounts, score = np.zeros((n_families, n_reps)), np.zeros(n_reps)
    net, rate = np.zeros((n_families, n_slots)), np.zeros(n_slots)
    for row in range(leads.value.shape[0]):
        value, nurture = leads.value[row], leads.nurture[row]
        _amounts(
            amounts, terms.measure, terms.sign, terms.hard, leads.effort[row], leads.revenue[row],
            leads.opportunity[row], leads.counts[row],
        )  # fmt: skip
        _net(net, terms.kind, book.low, book.high, book.low_price, book.high_price)
        ahead, by, best, second = _decide(
            value, amounts, net, terms.group, terms.hard, book.open, book.sums, book.limit, score, nurture
        )
        rep = _write(answers, row, ahead, by, best, second, score, nurture, net, terms.group, amounts)
        if rep >= 0:
            for f in range(n_families):
                book.sums[f, terms.group[f, rep]] += amounts[f, rep]
                book.total[f] += amounts[f, rep]
        _means(value, amounts, nurture, book.scalars, book.typical)
        _learn(terms, book, rep, amounts, rate)


_PARTS = ("_amounts", "_net", "_full", "_decide", "_left", "_rate", "_side", "_means", "_learn", "_write", "take_all")
_LOCK = threading.Lock()
_READY: list[Any] = []


def compiled_take_all() -> Any:
    """`take_all`, compiled: the functions above are replaced by their compiled selves, once."""
    with _LOCK:
        if not _READY:
            from apportion.engines.compiled import compiled  # numba is loaded only here

            for name in _PARTS:
                globals()[name] = compiled(globals()[name])
            _READY.append(globals()["take_all"])
    return _READY[0]
