"""Random numbers that belong to names: the same name and salt give the same number, in whatever order one asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BITS = 53  # as many as a float holds, so that every draw is in [0, 1)


def uniform(salt: str, *name: object) -> float:
    """One number in [0, 1) for this salt and name; the parts of a name are kept apart."""
    text = "\0".join((salt, *map(str, name)))
    head = hashlib.sha256(text.encode()).digest()[:8]
    return float((int.from_bytes(head, "big") >> (64 - BITS)) / 2**BITS)


def uniforms(salt: str, kind: str, names: Iterable[object]) -> Floats:
    """(n,) one number in [0, 1) for each name."""
    return np.array([uniform(salt, kind, name) for name in names], dtype=np.float64)
