"""One lead: decide by the charged values, then let the prices learn. `kernel` is the same arithmetic, compiled.

Prices are the dual variables of the bounds, moved by dual mirror descent with a weighted Euclidean reference function:
a bound's price falls by step × what is left for each lead still to come, and rises by step × what a lead takes
(Balseiro, Lu and Mirrokni, "The best of many worlds: dual mirror descent for online allocation problems", Operations
Research 2023). What is left is divided anew at each lead, which makes up for earlier noise. The step of each bound is

    step = STEP · value / amount² / √(1 + entries),

value and amount running means of a lead's best value and of its amount, entries the leads that the bound is expected
to have counted by now: the order that the regret bound asks for, where each coordinate has its own scale (as AdaGrad).

Every sum here is elementwise or runs from left to right, so that the compiled way gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from apportion.online.terms import (
    BEHIND,
    EFFORT,
    FIXED,
    GUESS,
    HORIZON,
    LEADS,
    OPPORTUNITY,
    PRIOR,
    REVENUE,
    ROOMY,
    SEEN,
    SHARE,
    VALUE,
    Answers,
    Book,
    Floats,
    Leads,
    Terms,
)

STEP = 0.2  # measured: see docs/decisions/014
MEMORY = 10_000.0  # leads after which a running mean forgets
TAIL = 10.0  # leads that are always expected still to come
AGAIN = 0.25  # of the leads seen: so many are expected still to come where no horizon is known
SMALLEST = 1e-9  # typical amount
STEEPEST = 10.0  # the price of a share without a price of its own, in values of a typical amount


class Pull(NamedTuple):
    """How strongly a lead moves a family's prices. unit, entries : of the step; ceiling : of the prices."""

    unit: float
    entries: float
    ceiling: float


def take(terms: Terms, book: Book, leads: Leads, row: int, answers: Answers) -> int:
    """Decide on one lead, book it and move the prices. Gives the rep, -1 for nurture."""
    rep, amounts = judge(terms, book, leads, row, answers)
    booked = [0.0] * len(amounts)
    if rep >= 0:
        for f, amount in enumerate(amounts):
            booked[f] = added = amount if isinstance(amount, float) else float(amount[rep])
            answers.amounts[row, f] = added
            book.sums[f, terms.group[f, rep]] += added
            book.total[f] += added
    learn(terms, book, leads, row, amounts, rep, booked)
    return rep


def judge(terms: Terms, book: Book, leads: Leads, row: int, answers: Answers) -> tuple[int, list[Any]]:
    """Decide on one lead, and change nothing. Gives the rep, -1 for nurture, and what the lead adds to each family."""
    amounts = [_amounts(terms, leads, row, f) for f in range(len(terms.kind))]
    return decide(terms, book, leads, row, amounts, answers), amounts


def _amounts(terms: Terms, leads: Leads, row: int, f: int) -> Any:
    """(R,) or one number: what the lead would add to the family at each rep."""
    measure, counts = terms.measure[f], float(leads.counts[row, f])
    amount: Any
    if measure == EFFORT:
        amount = leads.effort[row]
    elif measure == REVENUE:
        amount = leads.revenue[row]
    else:
        amount = 1.0 if measure == LEADS else float(leads.opportunity[row])
    if f == 0:
        return amount
    amount = counts * amount
    if not terms.hard[f]:
        return amount
    amount = terms.sign[f] * amount
    return max(float(amount), 0.0) if measure in (LEADS, OPPORTUNITY) else np.maximum(amount, 0.0)


def decide(terms: Terms, book: Book, leads: Leads, row: int, amounts: list[Any], answers: Answers) -> int:
    """Write the answer for one lead, and give its rep; nothing else changes."""
    n_reps, nurture = terms.group.shape[1], float(leads.nurture[row])
    price = net_price(terms, book, 0)
    charges = [price[:n_reps] * amounts[0]]
    score = leads.value[row] - charges[0]
    full = (book.sums[0, :n_reps] + amounts[0] > book.limit[0, :n_reps]) | ~book.open
    for f in range(1, len(amounts)):
        group = terms.group[f]
        charge = net_price(terms, book, f)[group] * amounts[f]
        charges.append(charge)
        score -= charge
        if terms.hard[f]:
            full |= book.sums[f][group] + amounts[f] > book.limit[f][group]
    best = int(score.argmax())
    worth = float(score[best])
    answers.rep[row] = answers.second[row] = answers.blocked[row] = -1
    if full[best]:
        if worth > nurture:
            answers.blocked[row], answers.blocked_worth[row] = best, worth
            answers.blocked_by[row] = _first_full(terms, book, amounts, best)
        np.putmask(score, full, -math.inf)
        best = int(score.argmax())
        worth = float(score[best])
    else:
        np.putmask(score, full, -math.inf)
    if worth == -math.inf:
        return -1
    for f, charge in enumerate(charges):
        answers.charges[row, f] = charge[best]
    rep = -1
    if worth > nurture:
        rep = best
        answers.rep[row], answers.worth[row] = rep, worth
        score[rep] = -math.inf
        best = int(score.argmax())
        worth = float(score[best])
    if worth > -math.inf:
        answers.second[row], answers.second_worth[row] = best, worth
    return rep


def net_price(terms: Terms, book: Book, f: int) -> Floats:
    """(G + 1,) what a group is charged for each unit of the family's measure; a share also for the total's growth."""
    price: Floats = book.high_price[f] - book.low_price[f] if terms.any_low[f] else book.high_price[f]
    if terms.kind[f] != SHARE:
        return price
    pays = book.high_price[f] * book.high[f] - book.low_price[f] * book.low[f]
    charged: Floats = price - np.cumsum(pays)[-1]  # from left to right, as compiled
    return charged


def _first_full(terms: Terms, book: Book, amounts: list[Any], rep: int) -> int:
    """The first hard family without room for the pair; F where the rep is paused."""
    if not book.open[rep]:
        return len(amounts)
    for f, amount in enumerate(amounts):
        added = amount if isinstance(amount, float) else amount[rep]
        at = terms.group[f, rep]
        if terms.hard[f] and book.sums[f, at] + added > book.limit[f, at]:
            return f
    raise AssertionError("a rep without room is full by some family")


def learn(terms: Terms, book: Book, leads: Leads, row: int, amounts: list[Any], rep: int, booked: list[float]) -> None:
    """Move the running means and the prices after one lead."""
    scalars, value = book.scalars, leads.value[row]
    best = int(value.argmax())
    highest = float(value[best])
    if highest > -math.inf:
        _means(book, [amount if isinstance(amount, float) else float(amount[best]) for amount in amounts],
               max(highest - float(leads.nurture[row]), 0.0))  # fmt: skip
    scalars[SEEN] += 1.0
    prior, seen = float(scalars[PRIOR]), float(scalars[SEEN])
    left = expected(scalars, float(book.typical[0]))
    done = min((prior + seen) / (seen + left), 1.0)
    for f in range(len(amounts)):
        if terms.kind[f] != FIXED and book.typical[f] != 0.0:
            _move(terms, book, f, -1 if rep < 0 else int(terms.group[f, rep]), booked[f], left, done)


def _means(book: Book, sizes: list[float], worth: float) -> None:
    """Let the running means take in a lead's best value and its amounts."""
    scalars = book.scalars
    known = min(float(scalars[BEHIND]) + 1.0, MEMORY)
    scalars[BEHIND] += 1.0
    scalars[VALUE] += (worth - scalars[VALUE]) / known
    for f, amount in enumerate(sizes):
        size = abs(amount)
        if size > 0.0:
            typical = float(book.typical[f])
            book.typical[f] = size if typical == 0.0 else typical + (size - typical) / known


def expected(scalars: Floats, effort: float) -> float:
    """How many leads are still to come, as far as is known; never less than TAIL. effort : of a typical lead."""
    seen = float(scalars[SEEN])
    if scalars[HORIZON] >= 0:
        return max(float(scalars[HORIZON]) - seen, TAIL)
    guess = float(scalars[GUESS])
    if guess == 0.0:
        guess = float(scalars[ROOMY]) / max(effort, SMALLEST)
    return max(guess - seen, AGAIN * seen, TAIL)


def _move(terms: Terms, book: Book, f: int, at: int, amount: float, left: float, done: float) -> None:
    """Move one family's prices. at : group of the rep that got the lead, -1 for nurture."""
    pull = _pull(terms, book, f, left, done)
    rate = rates(terms, book, left) if f == 0 else 1.0 / left
    for sign, any_bound in ((1.0, terms.any_high[f]), (-1.0, terms.any_low[f])):
        if any_bound:
            _move_side(terms, book, f, at, amount, sign, pull, rate)


def _pull(terms: Terms, book: Book, f: int, left: float, done: float) -> Pull:
    """How strongly a lead moves the family's prices now."""
    typical = max(float(book.typical[f]), SMALLEST)
    unit = STEP * float(book.scalars[VALUE]) / typical / typical
    share = bool(terms.kind[f] == SHARE)
    ceiling = float(terms.ceiling[f])
    if share and ceiling == math.inf:
        ceiling = STEEPEST * float(book.scalars[VALUE]) / typical
    return Pull(unit, done * (float(book.scalars[SEEN]) + left) if share else done / typical, ceiling)


def _steps(terms: Terms, book: Book, f: int, sign: float, pull: Pull) -> Floats:
    """(G + 1,) the step of each bound: upper bounds (sign 1) or floors (-1)."""
    size = terms.fair[f] if terms.kind[f] == SHARE else np.abs(book.high[f] if sign > 0 else book.low[f])
    step: Floats = pull.entries * size
    step += 1.0
    np.sqrt(step, out=step)
    np.divide(pull.unit, step, out=step)
    if sign < 0:
        step *= sign
    return step


def _move_side(terms: Terms, book: Book, f: int, at: int, amount: float, sign: float, pull: Pull, rate: Any) -> None:
    """Move the prices of the upper bounds (sign 1) or of the floors (-1)."""
    high, share = sign > 0, bool(terms.kind[f] == SHARE)
    bound = book.high[f] if high else book.low[f]
    price = book.high_price[f] if high else book.low_price[f]
    step = _steps(terms, book, f, sign, pull)
    if share:
        price -= step * ((bound * book.total[f] - book.sums[f]) * rate + bound * amount)
    else:
        room = bound - book.sums[f]
        np.maximum(room, 0.0, out=room)
        room *= rate
        room *= step
        price -= room
    if at >= 0:
        price[at] += step[at] * amount
    _hold(terms, book, f, sign, pull.ceiling)


def _hold(terms: Terms, book: Book, f: int, sign: float, ceiling: float) -> None:
    """Keep prices where they can be: not negative, not above what a violation costs, none where there is no bound."""
    high = sign > 0
    price = book.high_price[f] if high else book.low_price[f]
    np.maximum(price, 0.0, out=price)
    if ceiling < math.inf:
        np.minimum(price, ceiling, out=price)
    if f > 0:
        np.multiply(price, terms.has_high[f] if high else terms.has_low[f], out=price)
    if terms.kind[f] == SHARE or terms.hard[f]:
        return
    reached = book.sums[f] >= (book.high[f] if high else book.low[f])
    if high:  # beyond a soft bound each unit costs its whole price
        price[reached & (terms.has_high[f] > 0)] = ceiling
    else:  # a floor that is reached helps nobody any more
        price[reached] = 0.0


def give_back(terms: Terms, book: Book, rep: int, amounts: Sequence[float]) -> None:
    """Undo what booking a lead did to sums and prices; a lead that came to nothing has not come.

    Nothing left is exactly nothing: rounding must not take room for ever.
    """
    left = expected(book.scalars, float(book.typical[0]))
    done = min(float(book.scalars[PRIOR] + book.scalars[SEEN]) / (float(book.scalars[SEEN]) + left), 1.0)
    for f, amount in enumerate(amounts):
        at = int(terms.group[f, rep])
        book.sums[f, at] -= amount
        book.total[f] -= amount
        if terms.hard[f] and abs(book.sums[f, at]) <= 1e-9 * book.high[f, at]:
            book.sums[f, at] = 0.0
        if terms.kind[f] == FIXED or book.typical[f] == 0.0:
            continue
        pull = _pull(terms, book, f, left, done)
        for sign, any_bound in ((1.0, terms.any_high[f]), (-1.0, terms.any_low[f])):
            if any_bound:
                step = _steps(terms, book, f, sign, pull)
                price = book.high_price[f] if sign > 0 else book.low_price[f]
                if terms.kind[f] == SHARE:
                    price += step * ((book.high[f] if sign > 0 else book.low[f]) * amount)
                price[at] -= step[at] * amount
                _hold(terms, book, f, sign, pull.ceiling)


def rates(terms: Terms, book: Book, left: float) -> Any:
    """What part of the room that is left each lead may use on average: even, or (G + 1,) by the pace of the plan."""
    parts, seen, horizon = terms.pace.shape[0], float(book.scalars[SEEN]), float(book.scalars[HORIZON])
    if parts == 1 or horizon < 0 or seen >= horizon:
        return 1.0 / left
    at = seen / horizon * parts
    part = min(int(at), parts - 1)
    now = terms.pace[part]
    rest = now * (part + 1.0 - at) + terms.after[part]
    return np.minimum(now / rest * (parts / horizon), 1.0 / TAIL)
