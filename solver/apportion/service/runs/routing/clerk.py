"""The router of single leads: those who ask at once are served together, in one look and one transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from apportion.service.runs.routing.asking import Ask, Routed
from apportion.service.runs.routing.looking import Looker
from apportion.service.runs.routing.reading import read_rows
from apportion.service.runs.routing.writing import Moved, Writing, store_rows
from apportion.service.store import Assignment, AwayError, Store
from apportion_models.errors import ApportionError, ServiceError

TRIES = 5  # before whoever asks is told to come again: each time something else was assigned meanwhile
PATIENCE = 5.0  # seconds that a write waits for a store that is busy, or for a batch that has the floor
MOST_AT_ONCE = 200
Order = tuple[Ask, "Future[Routed]"]


class LeadRouter:
    """Routes single leads of one store. Any number of processes may: what is left is counted in the store, in the
    transaction that gives a lead. Threads may share it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looker = Looker(store)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="route")
        self._lock, self._queue, self._working = threading.Lock(), deque[Order](), False

    def route(self, lead_id: str, *, actor: str) -> Assignment:
        """Give a lead that waits to a rep, or to nurture.

        Raises NotFoundError; ConflictError where it does not wait, or no model is in use; AwayError while a batch has
        the floor to itself, or others are always faster; ProblemError for hard rules that cannot be promised online.
        """
        assignment = self.ask(Ask(lead_id, actor)).result().assignment
        assert assignment is not None
        return assignment

    def ask(self, ask: Ask) -> Future[Routed]:
        """The same, as a future, which raises as above. Whoever asks while others are served is served next."""
        future: Future[Routed] = Future()
        with self._lock:
            self._queue.append((ask, future))
            if not self._working:
                self._working = True
                self._pool.submit(self._serve)
        return future

    def close(self) -> None:
        """Serve who has asked, and nobody more."""
        self._pool.shutdown()

    def _serve(self) -> None:
        while True:
            with self._lock:
                orders = [self._queue.popleft() for _ in range(min(len(self._queue), MOST_AT_ONCE))]
                self._working = bool(orders)
            if not orders:
                return
            try:
                self._together(_read([order for order in orders if order[1].set_running_or_notify_cancel()]))
            except Exception as error:  # a bug must not keep anybody waiting
                for _, future in orders:
                    if not future.done():
                        future.set_exception(error)

    def _together(self, orders: list[Order]) -> None:
        for waiting in _once_each(orders):
            while waiting:
                waiting = self._attempted(waiting)

    def _attempted(self, orders: list[Order]) -> list[Order]:
        """Serve some of them, and give those who are left."""
        try:
            return self._served(orders)
        except ServiceError as error:  # no fault of any of them
            self._refuse(orders, error)
        except Exception as error:
            if len(orders) == 1:
                self._refuse(orders, error)
                return []
            self._together_not(orders)
        return []

    def _together_not(self, orders: Sequence[Order]) -> None:
        """One of them cannot be served: the others shall be."""
        for order in orders:
            waiting = [order]
            while waiting:
                waiting = self._attempted(waiting)

    def _served(self, orders: list[Order]) -> list[Order]:
        for _ in range(TRIES):
            writing = Writing(self._looker.look([ask for ask, _ in orders]))
            try:
                told = self._store.attempt(writing.done, patience=PATIENCE)
            except Moved:
                continue
            self._looker.went_on(writing.standing)
            for ask, future in orders:
                if ask in told:
                    _tell(future, told[ask])
            return [order for order in orders if order[0] not in told]
        raise AwayError("Others were given the same room each time: ask again a little later.")

    def _refuse(self, orders: Sequence[Order], error: Exception) -> None:
        """Tell them all. A lead that came along is stored all the same: it waits for the next batch."""
        try:
            if isinstance(error, ApportionError):
                self._store.attempt(lambda tx: store_rows(tx, [ask for ask, _ in orders]), patience=PATIENCE)
        except ApportionError as worse:
            error = worse
        for _, future in orders:
            future.set_exception(error)


def _read(orders: Sequence[Order]) -> list[Order]:
    """Those whose rows, where they came with one, can be read; the others are told what is wrong with it."""
    rows = read_rows([ask.came for ask, _ in orders if ask.came is not None])
    read, found = [], iter(rows)
    for ask, future in orders:
        row = None if ask.came is None else next(found)
        if isinstance(row, ApportionError):
            future.set_exception(row)
        else:
            read.append((ask if row is None else replace(ask, row=row, lead_id=str(row["lead_id"])), future))
    return read


def _tell(future: Future[Routed], told: Routed | ApportionError) -> None:
    if isinstance(told, ApportionError):
        future.set_exception(told)
    else:
        future.set_result(told)


def _once_each(orders: Sequence[Order]) -> list[list[Order]]:
    """In parts in which no lead and no name of a request stands twice, in the order in which they were asked."""
    parts: list[tuple[list[Order], set[object]]] = []
    for order in orders:
        ask = order[0]
        marks = {ask.lead_id} | ({(ask.once.scope, ask.once.key)} if ask.once is not None else set())
        if not parts or marks & parts[-1][1]:
            parts.append(([], set()))
        parts[-1][0].append(order)
        parts[-1][1].update(marks)
    return [part for part, _ in parts]
