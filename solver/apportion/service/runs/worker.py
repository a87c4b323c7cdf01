"""A worker: takes a run, solves it, keeps its plan. It may die at any moment; then another takes the run over."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from apportion.service.runs.heart import Heart
from apportion.service.runs.keeping import keep
from apportion.service.runs.solving import inputs, solve
from apportion.service.runs.starting import Begun, begin, renew
from apportion.service.store import LostError, Run, Store, Tx
from apportion_models.errors import ApportionError, ConflictError, LimitError, ServiceError

T = TypeVar("T")
LEASE_SECONDS = 60.0
TRIES_BESIDE_OTHERS = 2  # plans that were overtaken by single leads before the batch has the floor to itself
MOST_TRIES = 20


def work(store: Store, *, owner: str, seconds: float = LEASE_SECONDS, run_id: str | None = None) -> Run | None:
    """Take one run and do it to its end; None where none is to be done. owner : unlike any other worker's.

    What is wrong with the run itself (its tables, its policy, no plan) ends it as failed, with the error, and its leads
    wait again. Raises LostError where another took it over meanwhile; ServiceError where the store fails or stays away,
    and then the run is taken up again when the lease has lapsed; and whatever is a bug.
    """
    try:
        begun = store.attempt(lambda tx: begin(tx, owner, seconds, run_id=run_id), actor=owner)
    except ConflictError:
        return None  # another began a batch at the same moment
    if begun is None or begun.run.is_over:
        return None if begun is None else begun.run
    with Heart(store, begun.lease, seconds) as heart:
        return _Work(store, begun, heart, owner).through()


class _Work:
    """One run in one worker's hands."""

    def __init__(self, store: Store, begun: Begun, heart: Heart, owner: str) -> None:
        self._store, self._heart, self._owner = store, heart, owner
        self._run, self._lease = begun.run, begun.lease

    def through(self) -> Run:
        """To the end: kept, called off, or failed."""
        try:
            return self._planned()
        except (LostError, ServiceError):
            raise  # another has the run, or will have it when the store is there again
        except ApportionError as error:
            return self._stopped() if self._heart.cancelled else self._failed(error)
        except Exception:
            self._failed(ApportionError("A bug in Apportion ended this run: see the worker's log."))
            raise

    def _planned(self) -> Run:
        for tries in range(1, MOST_TRIES + 1):
            ended = self._once()
            if ended is not None:
                return ended
            alone = tries >= TRIES_BESIDE_OTHERS
            self._run = self._write(partial(self._renewed, alone=alone))
        raise LimitError(f"{MOST_TRIES} plans were overtaken by what was assigned meanwhile.")

    def _once(self) -> Run | None:
        """A plan of what the store keeps now; None where it was overtaken."""
        with self._store.read() as tx:
            made_from = inputs(tx, self._run)
        heart = self._heart
        report = solve(made_from, step=heart.step, on_progress=heart.solving, cancelled=heart.stopped)
        if heart.cancelled:
            return self._stopped()
        document = report.document()
        return self._write(lambda tx: keep(tx, self._run, self._lease, report, document))

    def _renewed(self, tx: Tx, *, alone: bool) -> Run:
        return renew(tx, self._run, self._lease, exclusive=alone)

    def _stopped(self) -> Run:
        return self._write(lambda tx: tx.runs.stop(self._run, self._lease))

    def _failed(self, error: ApportionError) -> Run:
        return self._write(lambda tx: tx.runs.fail(self._run, self._lease, error))

    def _write(self, change: Callable[[Tx], T]) -> T:
        return self._store.attempt(change, actor=self._owner)
