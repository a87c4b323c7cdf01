"""Everything that happens by itself, in one place: run what is due, raise alarms, deliver, sweep. Once, or for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from apportion.service.feed import Feed, Feeder
from apportion.service.outbox import Delivered, Deliverer, Route, hearers
from apportion.service.outbox.deliver import LEASE_SECONDS as LETTER_SECONDS
from apportion.service.schedule import Runner, Ticked
from apportion.service.store import AwayError, Letter, Store
from apportion.service.store.outbox import ALERT, PLAN_DONE
from apportion.service.watching import Metrics, raise_alarms
from apportion.service.watching.alarms import Raised

LEASE_SECONDS, LOOK_SECONDS = 60.0, 60.0
SEND_SECONDS = 50.0  # in one round: who is called each minute must not pile up behind a receiver that hangs
SWEEP_SECONDS = 600.0  # from one look for answers that need to be kept no longer to the next


@dataclass(frozen=True)
class Round:
    """What one round led to. swept : answers to Idempotency-Keys that were kept long enough."""

    ticked: Ticked = field(default_factory=Ticked)
    raised: tuple[Raised, ...] = ()
    sent: Delivered = field(default_factory=Delivered)
    swept: int = 0


class Clockwork:
    """One store, its sinks, and what is to be done. Any number may be up: the store sees to it that each slot is run
    once and no letter is in two hands.

    feed : the tables that are read by themselves. metrics, log : where to tell of it; nowhere where they are not given.
    """

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        *,
        lease_seconds: float = LEASE_SECONDS,
        letter_seconds: float = LETTER_SECONDS,
        feed: Feed | None = None,
        metrics: Metrics | None = None,
        log: Any = None,
    ) -> None:
        self._feeder = None if feed is None else Feeder(store, feed)
        self._store, self._routes, self._metrics, self._log = store, routes, metrics, log
        self._next_look, self._next_sweep = 0.0, 0.0
        self._alarmed = hearers(routes, ALERT)
        self._runner = Runner(store, sinks=hearers(routes, PLAN_DONE), lease_seconds=lease_seconds)
        self._deliverer = Deliverer(store, routes, told=self._delivered, lease_seconds=letter_seconds)

    def once(
        self,
        *,
        deliver: bool = True,
        step: Callable[[str], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Round:
        """One round. Raises AwayError where the database stays away; the next round finds what this one left.

        deliver : also what is due to the sinks, for SEND_SECONDS; the rest is for the next round. stopped : begin
        nothing new.
        """
        step("Reading what the sources have")
        fed = self._feeder is None or self._feeder.feed()
        step("Running what is due")
        ticked = self._runner.tick(asks=fed, stopped=stopped)
        step("Looking for what is not as it should be")
        raised = self._look(ticked)
        step("Delivering")
        end = time.monotonic() + SEND_SECONDS
        sent = self._deliverer.all_due(stopped=lambda: time.monotonic() >= end) if deliver else Delivered()
        swept = self._sweep()
        self._tell(ticked, raised)
        return Round(ticked, raised, sent, swept)

    def close(self) -> None:
        """Let go of what the sinks hold open."""
        for route in self._routes.values():
            route.close()

    def _look(self, ticked: Ticked) -> tuple[Raised, ...]:
        """Look when something happened, else once a minute: silence is no news after five seconds."""
        if not ticked.ended and not ticked.learnt and time.monotonic() < self._next_look:
            return ()
        self._next_look = time.monotonic() + LOOK_SECONDS
        return raise_alarms(self._store, self._alarmed)

    def _sweep(self) -> int:
        """Answers that were kept for requests that might be sent again; they may hold personal data."""
        if time.monotonic() < self._next_sweep:
            return 0
        self._next_sweep = time.monotonic() + SWEEP_SECONDS
        return self._store.attempt(lambda tx: tx.idempotency.sweep(), actor="clockwork")

    def forever(self, stop: threading.Event, *, seconds: float = 5.0) -> None:
        """Round after round until `stop` is set; then the sinks are let go of. Each sink is delivered to in a thread of
        its own, while a batch is solved, and while another sink hangs.

        A database that is away is waited for; what is a bug is logged, and does not end it: the next slot is another.
        """
        deliver = partial(self._deliverer.due_of, stopped=stop.is_set)
        senders = [
            threading.Thread(target=self._again, args=(stop, seconds, partial(deliver, sink)), daemon=True)
            for sink in self._routes
        ]
        for sender in senders:
            sender.start()
        self._again(stop, seconds, lambda: self.once(deliver=False, stopped=stop.is_set))
        end = time.monotonic() + seconds
        for sender in senders:
            sender.join(timeout=max(0.0, end - time.monotonic()))
        self.close()

    def _again(self, stop: threading.Event, seconds: float, work: Callable[[], object]) -> None:
        while not stop.is_set():
            try:
                work()
            except AwayError:
                self._say("warning", "store away")
            except Exception:
                self._say("error", "round failed", exc_info=True)
            stop.wait(seconds)

    def _tell(self, ticked: Ticked, raised: tuple[Raised, ...]) -> None:
        if self._metrics is not None:
            self._metrics.ticked(ticked)
            for one in raised:
                self._metrics.alarms.labels(one.kind).inc()
        for run in ticked.asked:
            self._say("info", "run asked", run=run.run_id, schedule=run.schedule, slot=run.slot)
        for run in ticked.ended:
            self._say("info", "run ended", run=run.run_id, state=run.state, code=(run.error or {}).get("code"))
        for learnt in ticked.learnt:
            self._say("info", "model learnt", slot=learnt.slot, version=learnt.version, outcome=learnt.live)
        for one in raised:
            self._say("warning", "alarm", kind=one.kind)

    def _delivered(self, sink: str, end: str, letter: Letter) -> None:
        if self._metrics is not None:
            self._metrics.delivered(sink, end, letter)
        level = "info" if end == "received" else "warning"
        self._say(level, f"letter {end}", sink=sink, letter=letter.id, tries=letter.attempts)

    def _say(self, level: str, event: str, **about: Any) -> None:
        if self._log is not None:
            getattr(self._log, level)(event, **about)
