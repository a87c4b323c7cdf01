"""Compilation of the inner loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb


def compiled(function: Callable[..., Any]) -> Any:
    """Compile on first use, and keep the machine code beside the source or in the user's cache.

    Where neither can be written (a read-only installation without a home), it is compiled anew in each process.
    """
    return _compile(function)


def compiled_without_lock(function: Callable[..., Any]) -> Any:
    """The same, for loops that run in several threads at once: the interpreter's lock is let go."""
    return _compile(function, nogil=True)


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    try:
        return nb.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no place for its cache
        return nb.njit(**options)(function)
