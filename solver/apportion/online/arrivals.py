"""Reading leads as they arrive: every fault of a call is told at once, before anything has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion.online.terms import OPPORTUNITY, REVENUE, Asked, Floats, Leads
from apportion_models.errors import Finding, InputError

LARGEST = 1e15  # of a value or an amount: sums and prices stay within what float64 tells apart


@dataclass(frozen=True, eq=False)
class Roster:
    """Who a router knows. rep_ids : as the caller orders them; order : (R,) their positions by id; in_order : whether
    that changes nothing. asked : of each family; measures : (F,)."""

    rep_ids: tuple[str, ...]
    order: NDArray[np.int64]
    asked: tuple[Asked, ...]
    measures: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", tuple(self.rep_ids[j] for j in self.order))
        object.__setattr__(self, "place", {rep: at for at, rep in enumerate(self.by_id)})
        object.__setattr__(self, "in_order", bool((self.order == np.arange(len(self.order))).all()))
        object.__setattr__(self, "asks", any(one.tier is not None or one.flagged for one in self.asked))
        object.__setattr__(self, "offers", OPPORTUNITY in self.measures)

    by_id: tuple[str, ...] = ()
    place: Mapping[str, int] = None  # type: ignore[assignment]
    in_order: bool = True
    asks: bool = False
    offers: bool = False


def quick(roster: Roster, value: Any, effort: Any, nurture: Any, eligible: Any, ones: Floats) -> Leads | None:
    """One lead whose numbers are plain and right; None where only `read` can tell."""
    if roster.asks or roster.offers or not _is_row(value, np.floating, roster):
        return None
    plain = value.astype(np.float64, copy=False)
    if not float(np.add.reduce(np.abs(plain))) <= LARGEST or type(nurture) not in (int, float):
        return None
    if effort is None:
        efforts = ones[0, : len(plain)]
    elif type(effort) in (int, float) and 0 <= effort <= LARGEST:
        efforts = np.full(len(plain), float(effort))
    else:
        return None
    if not -LARGEST <= nurture <= LARGEST:
        return None
    revenue = plain
    if eligible is not None:
        if not _is_row(eligible, np.bool_, roster):
            return None
        plain = np.where(eligible, plain, -np.inf)
    if not roster.in_order:
        plain, efforts, revenue = plain[roster.order], efforts[roster.order], revenue[roster.order]
    return Leads(
        plain.reshape(1, -1), efforts.reshape(1, -1), revenue.reshape(1, -1), ones[0, :1], np.array([float(nurture)]),
        ones[:, : len(roster.asked)],
    )  # fmt: skip


def _is_row(given: Any, kind: type, roster: Roster) -> bool:
    return (
        isinstance(given, np.ndarray) and given.shape == (len(roster.order),) and bool(np.issubdtype(given.dtype, kind))
    )


class Reader:
    """Reads the arrays of N leads against a roster and collects the faults."""

    def __init__(self, roster: Roster, n_leads: int, table: str) -> None:
        self.roster, self.n, self.table = roster, n_leads, table
        self.faults: list[Finding] = []

    def fault(
        self, column: str, message: str, value: Any, remedy: str = "", row: int | None = None, count: int = 1
    ) -> None:
        """Note one fault."""
        shown = value.item() if isinstance(value, np.generic) else value
        self.faults.append(
            Finding(severity="error", table=self.table, column=column, message=message, value=shown, remedy=remedy,
                    row=row, count=count)
        )  # fmt: skip

    def read(
        self, *, value: Any, effort: Any = None, eligible: Any = None, nurture: Any = 0.0, revenue: Any = None,
        opportunity: Any = None, tier: Any = None, counts: Mapping[str, Any] | None = None,
    ) -> Leads:  # fmt: skip
        """Read, or raise InputError with every fault."""
        shape = (self.n, len(self.roster.order))
        values, stored = self._values(value, shape)
        allowed = stored if eligible is None else stored & self._mask("eligible", eligible, shape)
        values = self._pairs("value", values, allowed, -np.inf)
        efforts = self._pairs("effort", 1.0 if effort is None else effort, allowed, 0.0, least=0.0)
        if revenue is not None or REVENUE in self.roster.measures or self.roster.offers:
            same = np.where(allowed, values, 0.0) if revenue is None else revenue
            revenues = self._pairs("revenue", same, allowed, 0.0)
        else:
            revenues = values  # nothing counts it
        nurtured = self._numbers("nurture", nurture)
        counted = self._counts(tier, {} if counts is None else counts)
        if opportunity is not None:
            offered = self._numbers("opportunity", opportunity)
        elif self.roster.offers:
            offered = np.array([_mean(row, there) for row, there in zip(revenues, allowed, strict=True)])
        else:
            offered = np.zeros(self.n)
        if self.faults:
            raise InputError(self.faults)
        place = slice(None) if self.roster.in_order else self.roster.order
        laid = [np.ascontiguousarray(pairs[:, place]) for pairs in (values, efforts, revenues)]
        return Leads(laid[0], laid[1], laid[2], offered, nurtured, counted)

    def _values(self, value: Any, shape: tuple[int, int]) -> tuple[Any, NDArray[np.bool_]]:
        """Values as given and which pairs are there: all of an array, the stored ones of a sparse matrix, the named
        ones of a mapping."""
        everywhere = np.ones(shape, dtype=bool)
        if bool(sp.issparse(value)):
            coo = sp.coo_matrix(value)
            if coo.shape != shape:
                return value.toarray(), everywhere  # told by `_pairs`
            dense, there = np.zeros(shape), np.zeros(shape, dtype=bool)
            dense[coo.row, coo.col], there[coo.row, coo.col] = coo.data, True
            return dense, there
        if not isinstance(value, Mapping):
            return value, everywhere
        dense, there = np.zeros(shape), np.zeros(shape, dtype=bool)
        column = {rep: at for at, rep in enumerate(self.roster.rep_ids)}
        for rep, number in value.items():
            if rep not in column:
                self.fault("value", "must name reps of the router", rep, "Route only to reps that it was made with.")
                continue
            there[0, column[rep]] = True
            try:
                dense[0, column[rep]] = number
            except (TypeError, ValueError):
                dense[0, column[rep]] = np.nan
        return dense, there

    def _array(self, column: str, given: Any) -> Floats | None:
        try:
            if np.iscomplexobj(given):
                raise TypeError
            return np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            self.fault(column, "must be numbers", type(given).__name__)
            return None

    def _pairs(
        self, column: str, given: Any, allowed: NDArray[np.bool_], fill: float, least: float = -LARGEST
    ) -> Floats:
        """(N, R) numbers, `fill` where a pair is not allowed; a number, or one a lead, stands for all of its pairs."""
        blank = np.full(allowed.shape, fill)
        array = self._array(column, given)
        if array is None:
            return blank
        if array.shape == (self.n,) and (column != "value") and self.table == "leads":
            array = array[:, None]
        if array.shape == allowed.shape[1:] and self.table == "lead":
            array = array[None, :]
        if array.shape not in (allowed.shape, (self.n, 1)) and not (array.ndim == 0 and column != "value"):
            wanted = allowed.shape if self.table == "leads" else allowed.shape[1:]
            self.fault(column, f"must have shape {wanted}", array.shape)
            return blank
        array = np.broadcast_to(array, allowed.shape)
        wrong = allowed & ~((array >= least) & (array <= LARGEST))
        if wrong.any():
            row, at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
            must = f"must be finite, {'>= 0' if least == 0 else 'at least -1e15'} and at most 1e15"
            rep = self.roster.rep_ids[at]
            line = int(row) + 1 if self.table == "leads" else None
            self.fault(
                column,
                f"{must}; that of rep {rep} is not",
                array[row, at],
                row=line,
                count=int(wrong.any(axis=1).sum()),
            )
        return np.where(allowed, array, fill)

    def _mask(self, column: str, given: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        array = given.toarray() if bool(sp.issparse(given)) else np.asarray(given)
        if array.shape == shape[1:] and self.table == "lead":
            array = array[None, :]
        if array.dtype != np.bool_ or array.shape != shape:
            self.fault(column, f"must be bool of shape {shape if self.table == 'leads' else shape[1:]}",
                       f"{array.dtype} of shape {array.shape}")  # fmt: skip
            return np.zeros(shape, dtype=bool)
        return array

    def _numbers(self, column: str, given: Any) -> Floats:
        """(N,) finite numbers."""
        array = self._array(column, given)
        if array is None:
            return np.zeros(self.n)
        if array.shape not in ((), (self.n,)):
            self.fault(column, f"must be a number{'' if self.n == 1 else ', or one a lead'}", array.shape)
            return np.zeros(self.n)
        array = np.array(np.broadcast_to(array, (self.n,)))
        wrong = ~(np.abs(array) <= LARGEST)
        if wrong.any():
            at = int(np.argmax(wrong))
            self.fault(column, "must be finite and at most 1e15 in size", array[at],
                       row=at + 1 if self.table == "leads" else None, count=int(wrong.sum()))  # fmt: skip
        return array

    def _counts(self, tier: Any, counts: Mapping[str, Any]) -> Floats:
        """(N, F) which families count which leads: a hard rule must not be slipped by saying nothing."""
        table = np.ones((self.n, len(self.roster.asked)))
        known = {one.rule for one in self.roster.asked if one.flagged}
        for name in counts:
            if name not in known:
                self.fault("counts", "must name rules that count some leads only", name, f"Those are: {sorted(known)}.")
        tiers = None
        if any(one.tier is not None for one in self.roster.asked):
            tiers = self._tiers(tier)
        for f, one in enumerate(self.roster.asked):
            if one.tier is not None and tiers is not None:
                table[:, f] *= tiers == one.tier
            if one.flagged and one.rule not in counts:
                self.fault("counts", "must say whether the lead counts under each rule that counts some leads only",
                           None, f"Add '{one.rule}': True or False.")  # fmt: skip
            elif one.flagged:
                flags = np.asarray(counts[one.rule])
                if flags.dtype != np.bool_ or flags.shape not in ((), (self.n,)):
                    self.fault(
                        "counts", f"'{one.rule}' must be True or False, for each lead", repr(counts[one.rule])[:60]
                    )
                else:
                    table[:, f] *= flags
        return table

    def _tiers(self, tier: Any) -> NDArray[Any] | None:
        labels = np.asarray(tier) if tier is not None else None
        if labels is None or not np.issubdtype(labels.dtype, np.integer) or labels.shape not in ((), (self.n,)):
            self.fault(
                "tier",
                "must be the lead's integer tier: a rule bounds a tier",
                None if tier is None else repr(tier)[:60],
            )
            return None
        return labels


def _mean(revenue: Floats, there: NDArray[np.bool_]) -> float:
    kept = np.sort(revenue[there])  # the order of reps must not touch the last digit
    return float(kept.sum()) / max(len(kept), 1)


def check_ids(lead_ids: Sequence[Any], known: Mapping[str, Any], n_leads: int) -> list[str]:
    """The names of N new leads as text. Raises InputError where one stands twice, was routed before, or is missing."""
    if isinstance(lead_ids, str) or len(lead_ids) != n_leads:
        size = lead_ids if isinstance(lead_ids, str) else len(lead_ids)
        raise InputError(
            Finding(severity="error", table="leads", column="lead_id", message=f"must be {n_leads} names", value=size)
        )
    names = [str(lead) for lead in lead_ids]
    seen: set[str] = set()
    found = []
    for row, name in enumerate(names):
        if name in known or name in seen:
            found.append(routed_twice(name, row + 1))
        seen.add(name)
    if found:
        raise InputError(found)
    return names


def routed_twice(name: str, row: int | None = None) -> Finding:
    """A lead that the router has routed already."""
    return Finding(
        severity="error", table="lead" if row is None else "leads", row=row, column="lead_id", value=name,
        message="must be routed once in a window; it was routed before",
        remedy="If its rep gave it back, release it first.",
    )  # fmt: skip
