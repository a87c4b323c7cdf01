"""What changes a router's book other than a lead: capacities, a new window."""

from __future__ import annotations

from typing import Any

import numpy as np

from apportion.online.making import LEADS_PER_PLACE
from apportion.online.terms import GUESS, HORIZON, PRIOR, ROOMY, SEEN, SHARE, Book, Floats, Terms, with_room
from apportion_models.errors import Finding, InputError

LARGEST = 1e15


def capacities_changed(terms: Terms, book: Book) -> None:
    """Let limits with room for rounding, and fair shares by capacity, follow the capacities."""
    n_reps = terms.group.shape[1]
    capacity = book.high[0, :n_reps]
    total = float(capacity.sum())
    book.scalars[ROOMY] = LEADS_PER_PLACE * total
    book.limit[0] = with_room(book.high[0], terms.has_high[0])
    shares = capacity / total if total > 0 else np.zeros(n_reps)
    for f in np.flatnonzero(terms.by_capacity):
        fair = np.bincount(terms.group[f], weights=shares, minlength=terms.fair.shape[1])
        fair[-1] = 0.0  # those in no group
        terms.fair[f] = fair
        book.low[f], book.high[f] = terms.low_multiple[f] * fair, terms.high_multiple[f] * fair


def begin_anew(terms: Terms, book: Book, horizon: float, keep_shares: bool) -> None:
    """Begin a window: sums at zero, prices as they are."""
    over = terms.kind != SHARE if keep_shares else np.ones(len(terms.kind), dtype=bool)
    book.sums[over], book.total[over] = 0.0, 0.0
    seen = float(book.scalars[SEEN])
    book.scalars[PRIOR] += seen
    if seen > 0:
        book.scalars[GUESS] = seen  # the next window is thought to be like this one
    book.scalars[SEEN], book.scalars[HORIZON] = 0.0, horizon


def read_capacity(given: Any) -> float:
    """One rep's capacity in effort units. Raises InputError."""
    plain = isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool)
    if not plain or not 0 <= given <= LARGEST:
        message = "must be finite, >= 0 and at most 1e15 effort units"
        raise InputError(Finding(severity="error", table="rep", column="capacity", value=given, message=message))
    return float(given)


def read_capacities(given: Any, n_reps: int) -> Floats:
    """(R,) capacities. Raises InputError."""
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.shape != (n_reps,) or not ((array >= 0) & (array <= LARGEST)).all():
        message = f"must be {n_reps} finite numbers of effort units, >= 0"
        raise InputError(Finding(severity="error", table="rep", column="capacity", message=message))
    return array
