"""What the studies share: the same thing asked of many, on some threads, answered in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")


def in_order(ask: Callable[[T], A], of: Sequence[T], workers: int) -> list[A]:
    """ask(one) for each, in order."""
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        return list(pool.map(ask, of))
