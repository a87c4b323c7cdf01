"""Compilation of this engine's inner loops: they run without Python's lock, so that threads can share the leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb

# no numbers that are not numbers, and no sign of zero; nothing is reordered, so that integers stay exact
EXACT = {"nnan", "nsz"}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile on first use, and keep the machine code beside the source or in the user's cache.

    Where neither can be written (a read-only installation without a home), it is compiled anew in each process.
    """
    try:
        return nb.njit(cache=True, nogil=True, fastmath=EXACT)(function)
    except RuntimeError:  # numba found no place for its cache
        return nb.njit(nogil=True, fastmath=EXACT)(function)
