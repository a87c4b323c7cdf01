"""The service's console behind its door: who is in, which plans are open, and whose questions are whose."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from apportion.service.console.console import Console, Opened
from apportion.service.console.jobs import Jobs
from apportion.service.console.kept.runs import KeptRun, latest
from apportion.service.console.kept.sessions import READ_SCOPE, Session, Sessions
from apportion.service.console.kept.shelf import StoreShelf
from apportion.service.store import Store, Tx
from apportion_models.errors import NotFoundError, UsageError

WORKERS = 2  # questions that are answered at the same time
MOST_OPEN = 4  # plans that are held in memory
MOST_OF_ONE = 3  # plans that one session looks at
KEPT_ANSWERS = 6  # of one session on one plan

Take = Callable[[str], None]


class NotAllowedError(UsageError):
    """Whoever asks may not."""

    code = "forbidden"
    http_status = 403


class WrongKeyError(UsageError):
    """No key, or none that is good."""

    code = "unauthorized"
    http_status = 401


class Front:
    """All consoles of one process. try_in : takes one try to sign in of an address; take : one request of a key; both
    raise where there were too many."""

    def __init__(self, store: Store, *, try_in: Take, take: Take, sessions: Sessions | None = None) -> None:
        self.store, self.sessions = store, sessions or Sessions()
        self._try_in, self._take, self._lock = try_in, take, threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="console")
        self._reading = Jobs(self._pool, mark="plan-")
        self._opened: OrderedDict[str, Opened] = OrderedDict()

    def sign_in(self, secret: str, address: str) -> str:
        """The token of a new session. Raises WrongKeyError, NotAllowedError, TooManyError, ServiceError."""
        self._try_in(address)
        with self.store.read() as tx:
            key = tx.keys.check(secret.strip())
        if key is None:
            raise WrongKeyError("This key is not good: it was mistyped, revoked, or has expired.")
        if not key.may(READ_SCOPE):
            raise NotAllowedError(f"This key may not read plans: it needs the scope {READ_SCOPE}.")
        token, session = self.sessions.begin(key)
        self.store.attempt(lambda tx: tx.audit.note("console.sign_in", key=key.key_id), actor=session.actor)
        return token

    def session(self, token: str) -> Session | None:
        """The session of a token, while it lasts and its key is good. Raises TooManyError, ServiceError."""
        found = self.sessions.find(token)
        if found is None:
            return None
        with self.store.read() as tx:
            good = self._still_good(tx, found)
        if not good:
            self.sessions.end(token)
            return None
        self._take(f"key {found.key.key_id}")
        return found

    @staticmethod
    def _still_good(tx: Tx, session: Session) -> bool:
        try:
            return session.holds(tx.keys.get(session.key.key_id), tx.now())
        except NotFoundError:  # of a store that was restored to before the key
            return False

    def latest(self) -> str | None:
        """The run of the newest batch that has a plan."""
        with self.store.read() as tx:
            run = latest(tx)
        return None if run is None else run.run_id

    def console(self, session: Session, run_id: str) -> Console:
        """The console of a session on a run's plan. Raises NotFoundError."""
        with self._lock:
            found = session.consoles.get(run_id)
            if found is None:
                found = self._made(session, run_id)
            session.consoles.move_to_end(run_id)
            self._opened.move_to_end(run_id)
            return found

    def _made(self, session: Session, run_id: str) -> Console:
        opened = self._opened.get(run_id)
        if opened is None:
            with self.store.read() as tx:
                tx.runs.get(run_id)
            opened = self._opened[run_id] = Opened(KeptRun(self.store, run_id), self._reading, kind=run_id)
        jobs = Jobs(self._pool, kept=KEPT_ANSWERS)
        session.consoles[run_id] = Console(opened, StoreShelf(self.store, session.actor), jobs)
        for _ in range(len(session.consoles) - MOST_OF_ONE):
            session.consoles.popitem(last=False)[1].jobs.close()
        for _ in range(len(self._opened) - MOST_OPEN):
            gone, plan = self._opened.popitem(last=False)
            self.sessions.let_go(gone)
            plan.close()
        return session.consoles[run_id]

    def close(self) -> None:
        """Sign everybody out and stop all work."""
        self.sessions.close()
        self._reading.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for opened in self._opened.values():
            opened.close()
