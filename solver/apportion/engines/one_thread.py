"""Numeric libraries held to one thread: more would add up in another order, and give other last digits."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


@cache
def _libraries() -> ThreadpoolController:
    """The process's numeric libraries: looked for once, for that takes milliseconds."""
    return ThreadpoolController()


class OneThread:
    """Holds them for as long as anybody is inside.

    The number of threads is the whole process's: of several solves at once, the first to leave must not give the others
    theirs back.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._held = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._held.enter_context(_libraries().limit(limits=1, user_api="blas"))
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._held.close()


one_thread = OneThread()
