"""Random draws that stay the same, bit for bit, from one numpy release to the next.

numpy promises a stable stream of raw bits (PCG64), but not stable distributions. Every draw here is therefore an
inverse transform of the raw bits. Each purpose has a stream of its own name, so that one more draw here moves nothing
there.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Stream:
    """A named stream of draws: the same `seed` and `name` give the same draws in the same order."""

    def __init__(self, seed: int, name: str) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))

    def uniform(self, *shape: int) -> Floats:
        """Draws from the open interval (0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape)))
        return (((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)

    def normal(self, *shape: int) -> Floats:
        """Standard normal draws."""
        return np.asarray(ndtri(self.uniform(*shape)), dtype=np.float64)

    def exponential(self, *shape: int) -> Floats:
        """Exponential draws with mean 1."""
        return -np.log1p(-self.uniform(*shape))

    def gamma(self, shape: float, n: int) -> Floats:
        """Gamma draws with the given shape and mean 1."""
        return np.asarray(gammaincinv(shape, self.uniform(n)), dtype=np.float64) / shape

    def integers(self, high: int, n: int) -> Ints:
        """Integers 0 .. high - 1, all equally likely."""
        return (self.uniform(n) * high).astype(np.int64)

    def choice(self, weights: npt.ArrayLike, n: int) -> Ints:
        """Positions 0 .. len(weights) - 1, drawn with these weights."""
        cumulated = np.cumsum(np.asarray(weights, dtype=np.float64))
        drawn = np.searchsorted(cumulated, self.uniform(n) * cumulated[-1], side="right")
        return np.asarray(np.minimum(drawn, len(cumulated) - 1), dtype=np.int64)

    def permutation(self, n: int) -> Ints:
        """The numbers 0 .. n - 1 in random order."""
        return np.argsort(self.uniform(n), kind="stable").astype(np.int64)
