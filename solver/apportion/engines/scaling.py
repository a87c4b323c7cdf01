"""Values as whole multiples of a resolution: how exact engines compute with money."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def fine_scale(largest: float, bits: int) -> float:
    """A power of two, so that scaling itself rounds nothing: as fine as it can be while `largest` fits in the bits."""
    return float(2.0 ** np.clip(np.floor(bits - np.log2(max(largest, np.finfo(float).tiny))), -1000, 1000))


def whole(amount: Floats, scale: float) -> Floats:
    """The amounts as whole multiples of 1 / scale. One that is not zero never becomes zero: no score vanishes."""
    units = np.rint(amount * scale)
    return np.where((units == 0) & (amount != 0), np.sign(amount), units)
