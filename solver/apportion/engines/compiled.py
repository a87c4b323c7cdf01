"""Compilation of the search's inner loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb


def compiled(function: Callable[..., Any]) -> Any:
    """Compile on first use, and keep the machine code beside the source or in the user's cache.

    Where neither can be written (a read-only installation without a home), it is compiled anew in each process.
    """
    try:
        return nb.njit(cache=True)(function)
    except RuntimeError:  # numba found no place for its cache
        return nb.njit(function)
