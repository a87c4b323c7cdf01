"""What a lead's columns may do, alone and together, that the form of the lead part does not say.

A smooth function of one, two or three columns at a time, as a sum of cosines of random projections of them (random
Fourier features of an additive Gaussian kernel: Rahimi and Recht 2007). How large it is, the history says: its weights
have a variance of their own. It is in no prediction, only in the doubt about them: a lead part whose form is wrong is
never as sure as its own errors say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32] | NDArray[np.float64]

WAVES = 120
TOGETHER = 3  # columns in one wave, at most
PITCH = 1.5  # radians a standard deviation of a number, or between two levels of a category
SEED = 0x3A7E


@dataclass(frozen=True)
class Wiggle:
    """`groups`: of each column of the lead part, as `lead_columns` names them."""

    groups: tuple[str, ...]

    @property
    def width(self) -> int:
        """Columns that it gives: none where leads have none."""
        return WAVES if self._inputs else 0

    @cached_property
    def _inputs(self) -> list[NDArray[np.intp]]:
        """Where each column of the leads stands; bends and products of numbers are left to the waves."""
        names = np.array(self.groups, dtype=object)
        kept = [name for name in dict.fromkeys(self.groups) if ":" not in name and name not in ("products", "boosted")]
        return [np.flatnonzero(names == name) for name in kept]

    @cached_property
    def _waves(self) -> tuple[Floats, Floats]:
        random = np.random.default_rng(SEED)
        direction = np.zeros((len(self.groups), self.width))
        for wave in range(self.width):
            several = min(1 + wave % TOGETHER, len(self._inputs))
            for one in random.choice(len(self._inputs), several, replace=False):
                columns = self._inputs[one]
                direction[columns, wave] = PITCH * random.standard_normal(columns.size)
        return direction, random.uniform(0.0, 2.0 * np.pi, self.width)

    def columns(self, lead_columns: Matrix) -> NDArray[np.float32]:
        """(n, width), the squares of a row adding up to 1 on average."""
        direction, phase = self._waves
        angle = lead_columns @ direction.astype(lead_columns.dtype) + phase.astype(lead_columns.dtype)
        return np.asarray(np.sqrt(2.0 / max(self.width, 1)) * np.cos(angle), dtype=np.float32)
