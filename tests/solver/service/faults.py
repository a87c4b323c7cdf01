"""What the tests of faults share: processes to kill, a way to the database that can be cut, what must hold after."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from apportion.service.store import Store
from apportion.service.store.schema import assignments, claims

CASES = 100 if os.environ.get("APPORTION_TEST_SIZE") == "full" else 4


def started(child: Callable[[], None]) -> int:
    """A process that does `child` and ends. Its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        child()
        code = 0
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a process: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_at(child: Callable[[], None], seconds: float) -> int:
    """Start a process and kill it after a while, in the middle of whatever it does."""
    pid = started(child)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return ended(pid)


def moments(seed: int, longest: float, count: int = CASES) -> Iterator[float]:
    """Seeded moments at which to kill."""
    rng = random.Random(seed)
    return (rng.uniform(0.0, longest) for _ in range(count))


def nothing_lost_or_doubled(store: Store, *, lead_ids: set[str], run_ids: set[str]) -> None:
    """Every run is done, every lead placed by one of them, once; every run has one letter a sink; the trail holds."""
    with store.read() as tx:
        there = {run.run_id: run for run in tx.runs.page(limit=1000)}
        assert set(there) == run_ids
        assert {run.state for run in there.values()} == {"done"}, [run.error for run in there.values()]
        placed = [one.lead_id for one in tx.assignments.page(limit=10_000)]
        assert len(placed) == len(set(placed))
        assert set(placed) == lead_ids
        assert set(tx.leads.counts()) <= {"assigned", "nurture", "reject"}
        open_claims = sa.select(sa.func.count()).select_from(claims).where(claims.c.is_open)
        assert tx.connection.execute(open_claims).scalar_one() == 0
        twice = sa.select(assignments.c.lead_key).group_by(assignments.c.lead_key).having(sa.func.count() > 1)
        assert tx.connection.execute(twice).all() == []
        letters = [(letter.sink, letter.key) for letter in tx.outbox.page(limit=10_000)]
        assert sorted(letters) == sorted(("hook", run_id) for run_id in run_ids)
        assert tx.audit.verify().ok
        done = [entry.about["run"] for entry in tx.audit.page(limit=10_000) if entry.action == "run.done"]
        assert sorted(done) == sorted(run_ids)


def fill_the_disk(store: Store) -> None:
    """Let the store have no more room: a limit of pages in SQLite, the server's own error in PostgreSQL."""
    with store.write() as tx:
        if store.embedded:
            pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            sa.event.listen(store.engine, "checkout", lambda raw, *_: raw.execute(f"PRAGMA max_page_count={pages + 2}"))
            return
        tx.connection.exec_driver_sql(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        for table in ("assignments", "leads"):
            tx.connection.exec_driver_sql(f"CREATE TRIGGER no_room BEFORE INSERT ON {table} EXECUTE FUNCTION no_room()")


def make_room(store: Store) -> None:
    """The disk has room again."""
    if store.embedded:
        sa.event.listen(store.engine, "checkout", lambda raw, *_: raw.execute("PRAGMA max_page_count=1000000"))
        return
    with store.write() as tx:
        for table in ("assignments", "leads"):
            tx.connection.exec_driver_sql(f"DROP TRIGGER no_room ON {table}")


class Way:
    """A TCP port through which a server is reached, until it is cut; then it is gone until it is mended."""

    def __init__(self, target: sa.URL) -> None:
        host = str(target.query.get("host") or target.host or "localhost")
        port = target.port or 5432
        self._target: tuple[int, object] = (socket.AF_INET, (host, port))
        if host.startswith("/"):
            self._target = (socket.AF_UNIX, f"{host}/.s.PGSQL.{port}")
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])
        self.url = target.set(host="127.0.0.1", port=self.port, query={}).render_as_string(hide_password=False)

    def cut(self) -> None:
        """Nobody answers any more, and who was connected is cut off."""
        self._shut(self._listener)
        for end in self._open:
            self._shut(end)
        self._open.clear()

    def mend(self) -> None:
        """The server is there again."""
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(self._target[0])  # type: ignore[arg-type]
                far.connect(self._target[1])  # type: ignore[arg-type]
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            self._shut(end)

    @staticmethod
    def _shut(end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            end.close()


@contextmanager
def way_to(target: sa.URL) -> Iterator[Way]:
    """A way that is cut at the end."""
    way = Way(target)
    try:
        yield way
    finally:
        way.cut()
