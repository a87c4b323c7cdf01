"""A router as a document and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apportion.online.arrivals import Roster
from apportion.online.decision import Teller
from apportion.online.saving import Arrays, refuse
from apportion.online.terms import N_SCALARS, Asked, Book, Terms


@dataclass(frozen=True, eq=False)
class Restored:
    """The parts of a saved router. entries : rep, value, nurture and amounts of each lead."""

    roster: Roster
    teller: Teller
    terms: Terms
    book: Book
    entries: dict[str, tuple[int, float, float, list[float]]]


def state(
    roster: Roster, teller: Teller, terms: Terms, book: Book, entries: Mapping[str, Any]
) -> tuple[dict[str, Any], Arrays]:
    """The document and the arrays; copies."""
    rows = list(entries.values())
    document = {
        "rep_ids": list(roster.rep_ids),
        "order": roster.order.tolist(),
        "asked": [[one.rule, one.tier, one.flagged] for one in roster.asked],
        "families": list(teller.families),
        "groups": [list(names) for names in teller.groups],
        "leads": list(entries),
    }
    arrays: Arrays = {f"terms_{name}": array.copy() for name, array in terms._asdict().items()}
    arrays |= {f"book_{name}": array.copy() for name, array in book._asdict().items()}
    arrays["entry_rep"] = np.array([row.rep for row in rows], dtype=np.int64)
    arrays["entry_value"] = np.array([row.value for row in rows], dtype=np.float64)
    arrays["entry_nurture"] = np.array([row.nurture for row in rows], dtype=np.float64)
    amounts = [row.amounts for row in rows]
    arrays["entry_amounts"] = np.array(amounts, dtype=np.float64).reshape(len(rows), len(terms.kind))
    return document, arrays


def made(document: Mapping[str, Any], arrays: Mapping[str, Any]) -> Restored:
    """Put the parts together again. Raises InputError where they do not fit."""
    try:
        terms = Terms(*(_owned(arrays[f"terms_{name}"]) for name in Terms._fields))
        book = Book(*(_owned(arrays[f"book_{name}"]) for name in Book._fields))
        rep_ids = tuple(str(rep) for rep in document["rep_ids"])
        asked = tuple(Asked(str(rule), tier, bool(flagged)) for rule, tier, flagged in document["asked"])
        order = np.array(document["order"], dtype=np.int64)
        _check(terms, book, len(rep_ids), order, len(asked))
        roster = Roster(rep_ids, order, asked, tuple(terms.measure.tolist()))
        groups = tuple(tuple(str(name) for name in names) for names in document["groups"])
        teller = Teller(roster.by_id, tuple(map(str, document["families"])), groups, terms.group)
        columns = [arrays[f"entry_{name}"] for name in ("rep", "value", "nurture")]
        amounts = _owned(arrays["entry_amounts"])
        rows = zip(*(column.tolist() for column in columns), amounts.tolist(), strict=True)
        entries = dict(zip(map(str, document["leads"]), rows, strict=True))
        if amounts.shape[1] != len(asked) or len(entries) != len(amounts):
            raise ValueError("the leads do not fit the rules")
        if columns[0].size and not (columns[0].min() >= -2 and columns[0].max() < len(rep_ids)):
            raise ValueError("a lead has a rep that is not there")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise refuse(f"the parts of a saved router must fit together ({error}).") from None
    return Restored(roster, teller, terms, book, entries)


def _owned(array: Any) -> Any:
    return np.array(array, order="C")


def _check(terms: Terms, book: Book, n_reps: int, order: Any, n_families: int) -> None:
    """Raise ValueError where a shape or an index is off."""
    n_slots = book.high.shape[1]
    if not np.array_equal(np.sort(order), np.arange(n_reps)):
        raise ValueError("the order of reps is none")
    if terms.group.shape != (n_families, n_reps) or terms.group.min() < 0 or terms.group.max() >= n_slots:
        raise ValueError("a rep is in a group that is not there")
    tables = {
        name: getattr(terms, name).shape for name in ("has_low", "has_high", "fair", "low_multiple", "high_multiple")
    }
    tables |= {name: getattr(book, name).shape for name in ("low", "high", "limit", "low_price", "high_price", "sums")}
    wrong = sorted(name for name, shape in tables.items() if shape != (n_families, n_slots))
    rows = [terms.measure, terms.kind, terms.sign, terms.hard, terms.ceiling, terms.any_low, terms.any_high]
    rows += [terms.by_capacity, book.total, book.typical]
    if wrong or any(row.shape != (n_families,) for row in rows):
        raise ValueError(f"arrays have other shapes: {', '.join(wrong) or 'of the rules'}")
    if terms.pace.shape != terms.after.shape or terms.pace.ndim != 2 or terms.pace.shape[1] != n_slots:
        raise ValueError("the pace has another shape")
    if book.open.shape != (n_reps,) or book.scalars.shape != (N_SCALARS,) or book.low_price.dtype != np.float64:
        raise ValueError("arrays have other shapes")
