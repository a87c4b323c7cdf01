"""Store: one database, read and written in whole transactions."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from apportion.service.store.engine import BEGIN, BUSY_SECONDS, ONLY_MINE, exists, make_engine, read_url
from apportion.service.store.errors import AwayError, shown, translated
from apportion.service.store.migrate import migrate, newest_revision, present_revision
from apportion.service.store.transaction import Tx
from apportion_models.errors import ServiceError

T = TypeVar("T")
Clock = Callable[[], dt.datetime]
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0


def open_store(url: str, *, clock: Clock | None = None) -> Store:
    """The store at `url`: `sqlite:///file.db` or `postgresql://user:password@host/name`. Connects at first use.

    clock : what time it is, aware; the database server's own clock, or this machine's, where it is not given. Raises
    UsageError for an address that is none.
    """
    return Store(read_url(url), clock=clock)


class Store:
    """One database. Threads may share a store; a process that forks opens its own.

    `read()` and `write()` give a `Tx`, through which everything is asked and said.
    """

    def __init__(self, url: sa.URL, *, clock: Clock | None = None) -> None:
        self.url = url
        self.engine = make_engine(url)
        self._clock = clock
        self._told: Mapping[str, Sequence[str]] = {}
        # SQLite lets waiting writers try again and again; a lock of our own lets those of one process queue instead.
        self._turn = threading.Lock() if self.embedded else None

    @property
    def embedded(self) -> bool:
        """Whether it is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        return shown(self.url)

    def __repr__(self) -> str:
        return f"Store({shown(self.url)!r})"

    def tells(self, told: Mapping[str, Sequence[str]]) -> None:
        """From now on, what this process writes is told to these sinks, by topic (`plan.done`, `plan.report`,
        `lead.assigned`), in the transaction that makes it true, whoever asks for it."""
        self._told = told

    def migrate(self) -> str:
        """Bring the schema to the newest revision, and give it; many may call it at once. Raises ServiceError."""
        if self.embedded:
            with suppress(OSError):  # SQLite says better what is wrong
                Path(str(self.url.database)).touch(mode=ONLY_MINE)
        with translated(self.url):
            return migrate(self.engine)

    def revision(self) -> str | None:
        """The revision of the schema; None where there is none. Raises AwayError, ServiceError."""
        if not exists(self.url):
            return None
        with translated(self.url):
            return present_revision(self.engine)

    def check(self) -> None:
        """Raise ServiceError where the database is away, or its schema is not this version's."""
        there = self.revision()
        if there != newest_revision():
            what = "is not set up" if there is None else f"has the schema {there}, not {newest_revision()}"
            raise ServiceError(f"The store at {self} {what}: run `apportion store migrate`.")

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One state of the store, whatever others write meanwhile."""
        with translated(self.url), self.engine.connect() as connection:
            if self.embedded:
                connection = connection.execution_options(**{BEGIN: "BEGIN"})
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield Tx(connection, self._clock, told=self._told)

    @contextmanager
    def write(self, *, actor: str = "system") -> Iterator[Tx]:
        """All or nothing: what is said is in the store when the block ends, or none of it is when it raises.

        actor : who is noted in the audit trail: `key:<id>`, `schedule:<name>`, `cli`. Raises AwayError where the
        database is busy or away; ConflictError where it refuses; ServiceError where it fails.
        """
        with translated(self.url), self._in_turn(), self.engine.connect() as connection:
            connection = connection.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                tx = Tx(connection, self._clock, actor=actor, told=self._told)
                yield tx
                tx.seal()

    def attempt(self, work: Callable[[Tx], T], *, actor: str = "system", patience: float = 30.0) -> T:
        """Do `work` in one write transaction; again, for `patience` seconds, while the database is busy or away.

        `work` may be done twice where the database went away just as it committed: what it writes must have a name of
        its own (a slot, a key, a lease), so that the second time finds the first.
        """
        return self._patiently(lambda: self._once(work, actor), patience)

    def _once(self, work: Callable[[Tx], T], actor: str) -> T:
        with self.write(actor=actor) as tx:
            return work(tx)

    def _patiently(self, work: Callable[[], T], patience: float) -> T:
        end, pause = time.monotonic() + patience, FIRST_PAUSE
        while True:
            try:
                return work()
            except AwayError:
                if time.monotonic() + pause > end:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE)

    def compact(self) -> bool:
        """Let nothing that was erased stay on disk: SQLite's log is emptied, PostgreSQL's dead rows are removed.

        False where somebody is still reading the old state: then again later.
        """
        with translated(self.url), self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("COMMIT")
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
                connection.exec_driver_sql("BEGIN")
                return not busy
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
            return True

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _in_turn(self) -> AbstractContextManager[object]:
        return nullcontext() if self._turn is None else self._waited(self._turn)

    @contextmanager
    def _waited(self, turn: threading.Lock) -> Iterator[None]:
        if not turn.acquire(timeout=BUSY_SECONDS):
            raise AwayError(f"The store at {self} is busy: another thread has been writing for {BUSY_SECONDS:g} s.")
        try:
            yield
        finally:
            turn.release()
