"""The router: one lead at a time, within what is left, by prices that follow the arrivals."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from apportion.online import restore
from apportion.online.arrivals import Reader, Roster, check_ids, quick, routed_twice
from apportion.online.changes import begin_anew, capacities_changed, read_capacities, read_capacity
from apportion.online.decision import Decision, Decisions, Teller, values
from apportion.online.kernel import compiled_take_all
from apportion.online.making import (
    Made,
    bare_problem,
    check_plan,
    count,
    empty_problem,
    learn_sizes,
    pace_from,
    promises,
)
from apportion.online.report import Report
from apportion.online.saving import Arrays, read_state, write_state
from apportion.online.step import give_back, judge, take
from apportion.online.terms import HORIZON, SEEN, Answers, Book, Floats, Leads, Terms
from apportion.problem import AssignmentProblem, Plan, Prices
from apportion_models.errors import Finding, InputError, UsageError

NURTURE, RELEASED = -1, -2  # in place of a rep
WORTH_COMPILING = 10_000  # leads of one call


class Entry(NamedTuple):
    """What was done with a lead. rep : by id, NURTURE or RELEASED. amounts : (F,) what is booked for it."""

    rep: int
    value: float
    nurture: float
    amounts: list[float]


class Router:
    """Routes leads one at a time. It never breaks what `promises` names; what `priced` names is priced in.

    Safe to be called by many threads: each call is done before the next begins. The same calls in the same order give
    the same decisions; ties go to the smaller rep id.

    capacity : (R,) effort units of this window.
    rep_ids : (R,) unique names; default row numbers.
    prices : to begin with: `Plan.prices`, (R,) capacity prices in currency per effort unit, or None: learned from the
        first leads on.
    limits, equity, team : rules as of AssignmentProblem. `leads` of a rule only says that it counts some leads: each
        lead says whether it is one (`counts`).
    horizon : leads that will come in this window, as well as it is known; None: unknown.
    known : leads behind the prices: the more, the smaller the first steps.
    hard_shares : "refuse", or "price": hard shares and MaxMin are priced in, without a promise.

    Raises ProblemError with every fault, and every hard rule that cannot be promised.
    """

    def __init__(
        self, *, capacity: Any, rep_ids: Sequence[Any] | None = None, prices: Prices | Any = None,
        limits: Sequence[Any] = (), equity: Sequence[Any] = (), team: Any = None, horizon: int | None = None,
        known: int = 0, hard_shares: Literal["refuse", "price"] = "refuse",
    ) -> None:  # fmt: skip
        problem = bare_problem(capacity, rep_ids, limits, equity, team)
        self._start(Made(problem, prices, horizon=horizon, known=known, hard_shares=hard_shares))

    @classmethod
    def from_plan(
        cls, plan: Plan, problem: AssignmentProblem, *, capacity: Any = None, horizon: int | None = None,
        in_order: bool = False, hard_shares: Literal["refuse", "price"] = "refuse",
    ) -> Router:  # fmt: skip
        """Route by the prices of a plan, under the rules of its problem.

        capacity : (R,) effort units of the window to come, reps as in the problem; default the plan's. horizon : leads
        to come. in_order : the problem's leads stand in the order they arrived, and the window to come is expected to
        run alike: then each rep's capacity is kept for when the plan used it (needs a horizon).

        Raises ProblemError where there is no plan, and for hard rules that cannot be promised.
        """
        check_plan(plan, problem)
        if in_order and horizon is None:
            raise UsageError("in_order needs a horizon: without it nobody knows how far the window has come.")
        made = Made(
            empty_problem(problem, capacity), plan.prices, horizon=horizon, known=problem.n_leads,
            hard_shares=hard_shares, judged=problem, pace=pace_from(plan, problem) if in_order else None,
        )  # fmt: skip
        learn_sizes(made, problem)
        router = cls.__new__(cls)
        router._start(made)
        return router

    def _start(self, made: Any) -> None:
        self._roster: Roster = made.roster
        self._teller: Teller = made.teller
        self._terms: Terms = made.terms
        self._book: Book = made.book
        self._entries: dict[str, Entry] = {}
        self._lock = threading.RLock()
        self._answers, self._none = Answers.empty(1, len(self._terms.kind)), [0.0] * len(self._terms.kind)
        self._ones = np.ones((1, max(self._terms.group.shape)))
        self.rep_ids: tuple[str, ...] = self._roster.rep_ids
        self.promises, self.priced = promises(self._terms, self._teller.families)

    # ---- leads

    def route(
        self, lead_id: Any, *, value: Any, effort: Any = None, nurture: float = 0.0, eligible: Any = None,
        revenue: Any = None, opportunity: Any = None, tier: int | None = None, counts: Mapping[str, bool] | None = None,
    ) -> Decision:  # fmt: skip
        """Decide on one lead, book it, and let the prices learn.

        value : (R,) currency, as `rep_ids`; or {rep_id: value} of the eligible reps alone.
        effort : effort units, a number or (R,); default 1. nurture : currency.
        eligible : (R,) bool; default all (that are named).
        revenue : (R,) what equity counts; default `value`. opportunity : default the mean revenue over eligible pairs.
        tier : needed where a rule bounds a tier. counts : {rule: bool}, for each rule that counts some leads only.

        Raises InputError with every fault; then nothing has changed.
        """
        name = str(lead_id)
        with self._lock:
            if name in self._entries and self._entries[name].rep != RELEASED:
                raise InputError(routed_twice(name))
            leads = self._read(value, effort, nurture, eligible, revenue, opportunity, tier, counts)
            answers = self._answers
            rep, nurtured = take(self._terms, self._book, leads, 0, answers), float(leads.nurture[0])
            brought = float(leads.value[0, rep]) if rep >= 0 else nurtured
            self._entries[name] = Entry(rep, brought, nurtured, answers.amounts[0].tolist() if rep >= 0 else self._none)
            return self._teller.one(name, answers, 0, brought, nurtured)

    def judge(
        self, lead_id: Any, *, value: Any, effort: Any = None, nurture: float = 0.0, eligible: Any = None,
        revenue: Any = None, opportunity: Any = None, tier: int | None = None, counts: Mapping[str, bool] | None = None,
    ) -> Decision:  # fmt: skip
        """What `route` would decide now. Nothing is booked and no price moves. Raises InputError with every fault."""
        with self._lock:
            leads = self._read(value, effort, nurture, eligible, revenue, opportunity, tier, counts)
            rep, nurtured = judge(self._terms, self._book, leads, 0, self._answers)[0], float(leads.nurture[0])
            brought = float(leads.value[0, rep]) if rep >= 0 else nurtured
            return self._teller.one(str(lead_id), self._answers, 0, brought, nurtured)

    def _read(
        self, value: Any, effort: Any, nurture: float, eligible: Any, revenue: Any, opportunity: Any, tier: int | None,
        counts: Mapping[str, bool] | None,
    ) -> Leads:  # fmt: skip
        leads = None
        if revenue is None and opportunity is None and tier is None and not counts:
            leads = quick(self._roster, value, effort, nurture, eligible, self._ones)
        if leads is None:
            leads = Reader(self._roster, 1, "lead").read(
                value=value, effort=effort, eligible=eligible, nurture=nurture, revenue=revenue,
                opportunity=opportunity, tier=tier, counts=counts,
            )  # fmt: skip
        return leads

    def route_many(
        self, lead_ids: Sequence[Any], *, value: Any, effort: Any = None, nurture: Any = 0.0, eligible: Any = None,
        revenue: Any = None, opportunity: Any = None, tier: Any = None, counts: Mapping[str, Any] | None = None,
        compiled: bool | None = None,
    ) -> Decisions:  # fmt: skip
        """Decide on N leads in their order: the same decisions as `route` one after the other.

        value : (N, R) currency, or scipy.sparse whose stored entries are the eligible pairs. effort : number, (N,) or
        (N, R). nurture, opportunity : number or (N,). eligible : (N, R) bool. revenue : (N, R). tier : (N,) integers.
        counts : {rule: (N,) bool}. compiled : None compiles for 10,000 leads and more (the first call on a machine
        takes some seconds for it), True or False always or never.

        Raises InputError with every fault; then nothing has changed.
        """
        with self._lock:
            held = {name: entry for name, entry in self._entries.items() if entry.rep != RELEASED}
            names = check_ids(lead_ids, held, _n_rows(value))
            n_leads = len(names)
            leads = Reader(self._roster, n_leads, "leads").read(
                value=value, effort=effort, eligible=eligible, nurture=nurture, revenue=revenue,
                opportunity=opportunity, tier=tier, counts=counts,
            )  # fmt: skip
            answers = Answers.empty(n_leads, len(self._terms.kind))
            if compiled or (compiled is None and n_leads >= WORTH_COMPILING):
                compiled_take_all()(self._terms, self._book, leads, answers)
            else:
                for row in range(n_leads):
                    take(self._terms, self._book, leads, row, answers)
            brought = values(leads, answers)
            rows = zip(
                answers.rep.tolist(), brought.tolist(), leads.nurture.tolist(), answers.amounts.tolist(), strict=True
            )
            self._entries |= {name: Entry(*row) for name, row in zip(names, rows, strict=True)}
        return Decisions(
            tuple(names), np.append(self._roster.order, -1)[answers.rep], brought, self._teller, answers, leads.nurture
        )

    def release(self, lead_id: Any) -> None:
        """Take a lead back (its rep declined, it was a duplicate): the room is free again, and the lead may be routed
        again. Raises InputError where the lead was not routed, or was released before."""
        name = str(lead_id)
        with self._lock:
            entry = self._entries.get(name)
            if entry is None or entry.rep == RELEASED:
                message = "must be a lead that was routed in this window" if entry is None else "was released before"
                raise InputError(
                    Finding(severity="error", table="lead", column="lead_id", message=message, value=name,
                            remedy="Release each lead once, after it was routed.")
                )  # fmt: skip
            if entry.rep >= 0:
                give_back(self._terms, self._book, entry.rep, entry.amounts)
            self._book.scalars[SEEN] -= 1.0
            self._entries[name] = Entry(RELEASED, entry.nurture, entry.nurture, self._none)

    # ---- what else changes

    def set_capacity(self, rep_id: Any, capacity: float) -> None:
        """Change a rep's capacity of this window, in effort units. What is placed stays; who is above gets no more."""
        with self._lock:
            at = self._place(rep_id)
            self._book.high[0, at] = read_capacity(capacity)
            capacities_changed(self._terms, self._book)

    def pause(self, rep_id: Any) -> None:
        """No more leads for this rep, until `resume`."""
        with self._lock:
            self._book.open[self._place(rep_id)] = False

    def resume(self, rep_id: Any) -> None:
        """Leads again for this rep."""
        with self._lock:
            self._book.open[self._place(rep_id)] = True

    def expect(self, arrivals: int) -> None:
        """Say how many leads are still to come in this window."""
        with self._lock:
            self._book.scalars[HORIZON] = self._book.scalars[SEEN] + count("arrivals", arrivals)

    def new_window(self, *, capacity: Any = None, horizon: int | None = None, keep_shares: bool = False) -> None:
        """Begin the next window: loads and limits start at zero, prices stay, leads of the last window are forgotten.

        capacity : (R,) effort units, default as before. keep_shares : what shares counted so far counts on.
        """
        with self._lock:
            n_reps, book = len(self.rep_ids), self._book
            fresh = None if capacity is None else read_capacities(capacity, n_reps)
            ahead = -1.0 if horizon is None else count("horizon", horizon)
            if fresh is not None:
                book.high[0, :n_reps] = fresh[self._roster.order]
                capacities_changed(self._terms, self._book)
            begin_anew(self._terms, book, ahead, keep_shares)
            self._entries = {}

    def _place(self, rep_id: Any) -> int:
        place: int | None = self._roster.place.get(str(rep_id))
        if place is None:
            raise InputError(
                Finding(severity="error", table="rep", column="rep_id", message="must be a rep of the router",
                        value=str(rep_id), remedy="Make the router anew where reps join.")
            )  # fmt: skip
        return place

    # ---- what there is to see

    @property
    def prices(self) -> Floats:
        """(R,) capacity prices now, currency per effort unit, as `rep_ids`."""
        return self._as_given(self._book.high_price[0])

    def _as_given(self, by_id: Floats) -> Floats:
        given = np.empty(len(self.rep_ids))
        given[self._roster.order] = by_id[: len(self.rep_ids)]
        return given

    def report(self) -> Report:
        """What was done in this window so far."""
        with self._lock:
            entries = self._entries
            names = (*self._teller.reps, None, None)  # positions -1 and -2
            return Report(
                arrivals=len(entries),
                placed=sum(entry.rep >= 0 for entry in entries.values()),
                released=sum(entry.rep == RELEASED for entry in entries.values()),
                value=float(np.sum(np.sort([entry.value for entry in entries.values()]))),
                rep_ids=self.rep_ids,
                load=self._as_given(self._book.sums[0]),
                capacity=self._as_given(self._book.high[0]),
                prices=self.prices,
                assigned={lead: names[entry.rep] for lead, entry in entries.items()},
            )

    # ---- state

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the state as JSON and arrays; a router that is loaded from it decides as this one would."""
        return write_state(Path(folder), *self.state())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Router:
        """The router that was saved. Raises InputError, naming the file, where it is missing, damaged or not ours."""
        return cls.from_state(*read_state(Path(folder)))

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Everything as a JSON document and arrays, to be kept in a store of one's own."""
        with self._lock:
            return restore.state(self._roster, self._teller, self._terms, self._book, self._entries)

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, Any]) -> Router:
        """The router whose `state` this is. Raises InputError where the parts do not fit together."""
        made = restore.made(document, arrays)
        router = cls.__new__(cls)
        router._start(made)
        router._entries = {name: Entry(*row) for name, row in made.entries.items()}
        return router

    def __repr__(self) -> str:
        seen, horizon = int(self._book.scalars[SEEN]), int(self._book.scalars[HORIZON])
        ahead = "unknown" if horizon < 0 else f"{horizon:,}"
        return f"Router({len(self.rep_ids)} reps, {seen:,} leads seen of {ahead}, keeps: {', '.join(self.promises)})"


def _n_rows(value: Any) -> int:
    shape = np.shape(value) if not hasattr(value, "shape") else value.shape
    if len(shape) != 2:
        raise InputError(
            Finding(severity="error", table="leads", column="value", message="must be an (N, R) array", value=shape)
        )
    return int(shape[0])
