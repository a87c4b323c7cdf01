"""The deliverer: takes a letter, hands it to its sink, and settles it. It may die at any moment.

A letter that was taken and not settled is due again when its lease is over, under the same key. Its number of tries is
the fence: what a deliverer says of a letter that another has taken since does not count.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from apportion.connectors import GiveUpError, Message, RetryLaterError, message_key
from apportion.service.outbox.messages import message_of, parts_of
from apportion.service.outbox.pauses import Pauses
from apportion.service.outbox.sinks import Route
from apportion.service.store import Letter, LostError, Store, Tx
from apportion_models.errors import ServiceError

LEASE_SECONDS = 300.0  # far above what the contract allows one try
MOST_SAID, MOST_REMEMBERED = 300, 1000


@dataclass(frozen=True)
class Delivered:
    """How many letters were received, are to be tried again, and are dead."""

    received: int = 0
    again: int = 0
    dead: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(self.received + other.received, self.again + other.again, self.dead + other.dead)


class Deliverer:
    """Delivers the letters of some sinks. Several may run at once, in threads, processes and machines."""

    def __init__(
        self,
        store: Store,
        routes: Mapping[str, Route],
        *,
        pauses: Pauses | None = None,
        lease_seconds: float = LEASE_SECONDS,
        told: Callable[[str, str, Letter], None] = lambda sink, end, letter: None,
    ) -> None:
        """told : called with the sink, the end (received, again, dead) and the letter, for logs and metrics."""
        self._store, self._routes, self._pauses = store, routes, pauses or Pauses()
        self._seconds, self._told = lease_seconds, told
        self._owner = f"deliverer:{uuid.uuid4().hex}"
        self._arrived: dict[int, set[str]] = {}  # the parts that are there, of letters that are to be tried again

    def all_due(self, *, stopped: Callable[[], bool] = lambda: False) -> Delivered:
        """Deliver what is due until nothing is, each sink in a thread of its own: a slow one holds up no other."""
        if not self._routes:
            return Delivered()
        with ThreadPoolExecutor(max_workers=len(self._routes), thread_name_prefix="deliver") as pool:
            parts = list(pool.map(lambda sink: self.due_of(sink, stopped=stopped), self._routes))
        return sum(parts, Delivered())

    def due_of(self, sink: str, *, stopped: Callable[[], bool] = lambda: False) -> Delivered:
        """Deliver what is due to one sink, one letter at a time."""
        done = Delivered()
        while not stopped():
            letter = self._store.attempt(lambda tx: self._take(tx, sink), actor=self._owner)
            if letter is None:
                return done
            done += self._one(letter)
        return done

    def _take(self, tx: Tx, sink: str) -> Letter | None:
        taken = tx.outbox.take(self._owner, seconds=self._seconds, limit=1, sink=sink)
        return taken[0] if taken else None

    def _one(self, letter: Letter) -> Delivered:
        """Hand over one letter, and settle it."""
        try:
            message = self._read(letter)
            if message is None:
                self._settle(lambda tx: tx.outbox.drop(letter, error="there is nothing to tell"))
                return Delivered()
            self._hand_over(letter, message)
        except RetryLaterError as error:
            return self._again(letter, str(error), error.after)
        except GiveUpError as error:
            return self._dead(letter, str(error))
        except LostError:
            return Delivered()  # another has the letter: what becomes of it is theirs to say
        except Exception as error:
            # A sink that breaks its contract must not stop the letters of others. Its words may hold cells: not kept.
            return self._again(letter, f"the sink failed with {type(error).__name__}", None)
        self._settle(lambda tx: tx.outbox.delivered(letter))
        self._told(letter.sink, "received", letter)
        return Delivered(received=1)

    def _read(self, letter: Letter) -> Message | None:
        """What it tells. A letter that cannot be read is given up: left waiting, it would hold up all behind it."""
        try:
            with self._store.read() as tx:
                return message_of(tx, letter)
        except ServiceError:
            raise RetryLaterError("The store could not be read.") from None
        except Exception as error:
            raise GiveUpError(f"The letter cannot be read ({type(error).__name__}).") from None

    def _hand_over(self, letter: Letter, message: Message) -> None:
        """All parts, the lease renewed before each but the first: however many there are, it covers the one on its way.

        A part that arrived is not sent again by this deliverer: of fifty, to a receiver that fails now and then, all
        would never arrive in one try. Raises LostError where another has taken the letter meanwhile.
        """
        route = self._routes[letter.sink]
        parts = list(parts_of(message, message_key(letter.sink, letter.key), route.most_rows))
        arrived = self._arrived.pop(letter.id, set[str]())
        for number, (part_key, part) in enumerate(parts):
            if part_key in arrived:
                continue
            if number:
                self._store.attempt(lambda tx: tx.outbox.keep(letter, seconds=self._seconds), actor=self._owner)
            try:
                route.sink.deliver(part, key=part_key)
            except RetryLaterError:
                self._remember(letter, arrived)
                raise
            arrived.add(part_key)

    def _remember(self, letter: Letter, arrived: set[str]) -> None:
        if len(self._arrived) >= MOST_REMEMBERED:
            self._arrived.clear()  # letters that others settled, mostly; what is sent again does no harm
        if arrived:
            self._arrived[letter.id] = arrived

    def _again(self, letter: Letter, why: str, asked: float | None) -> Delivered:
        pause = self._pauses.after(letter.attempts, asked=asked)
        if pause is None:
            return self._dead(letter, f"{why} Tried {letter.attempts} times.")
        wait = dt.timedelta(seconds=pause)
        self._settle(lambda tx: tx.outbox.again(letter, at=tx.now() + wait, error=why[:MOST_SAID]))
        self._told(letter.sink, "again", letter)
        return Delivered(again=1)

    def _dead(self, letter: Letter, why: str) -> Delivered:
        self._settle(lambda tx: tx.outbox.dead(letter, error=why[:MOST_SAID]))
        self._told(letter.sink, "dead", letter)
        return Delivered(dead=1)

    def _settle(self, say: Callable[[Tx], bool]) -> None:
        self._store.attempt(say, actor=self._owner)
