"""When leads close that in truth were given to another rep: drawn, with the same luck for a lead on every track."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.fit.history import read_cases
from apportion_models.fit.labels import Delay

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Delays:
    """How long wins and losses take to close, as the history knew at a moment."""

    wins: Delay
    losses: Delay

    @classmethod
    def learn(cls, known: pd.DataFrame, at: pd.Timestamp) -> Delays:
        """Learn from what was known at `at`, young leads allowed for (`Delay`).

        Where the history does not tell how losses close, they close as wins do.
        """
        cases, _ = read_cases(known, until=at)
        wins = Delay.of_wins(cases)
        losses = Delay.of_losses(cases, wins)
        return cls(wins, losses if losses.total > 0 else wins)

    def days(self, won: Bools, luck: Floats) -> Floats:
        """(n,) days from assignment to the end, given luck in (0, 1); inf for losses that are never closed."""
        return np.where(won, _quantile(self.wins, luck), _quantile(self.losses, luck))


def _quantile(delay: Delay, luck: Floats) -> Floats:
    place = np.searchsorted(delay.share, luck - 1e-12)
    return np.append(delay.days, np.inf)[place]


def luck_of(lead_ids: Iterable[str], *, seed: int, of: str) -> Floats:
    """(n,) numbers in (0, 1) that depend on seed, purpose and lead alone: all tracks, in any order, draw alike."""
    drawn = [
        int.from_bytes(hashlib.blake2b(f"{seed}\0{of}\0{lead}".encode(), digest_size=8).digest(), "big")
        for lead in lead_ids
    ]
    return np.asarray((np.array(drawn, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
