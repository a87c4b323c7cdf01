"""How long to wait before a letter is tried again, and when to stop trying."""

from __future__ import annotations

import random
from dataclasses import dataclass

from apportion.connectors.contract import LONGEST_WAIT


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """Each pause is twice the one before, up to the longest, and somewhat shorter by chance, so that many letters that
    failed together do not come back together. With the defaults the last try is about three days after the first.

    first, longest : seconds. most_tries : the letter is dead after so many. jitter : the share of a pause that chance
    may take away.
    """

    first: float = 5.0
    longest: float = 3600.0
    most_tries: int = 80
    jitter: float = 0.5

    def after(self, tries: int, *, asked: float | None = None, chance: float | None = None) -> float | None:
        """Seconds to wait after the try of this number; None where it was the last.

        asked : what the other end asked for, up to a day; it is never called sooner. chance : 0 to 1, for tests.
        """
        if tries >= self.most_tries:
            return None
        whole = min(self.longest, self.first * 2.0 ** min(tries - 1, 60))
        drawn = random.random() if chance is None else chance
        return max(whole * (1.0 - self.jitter * drawn), min(asked or 0.0, LONGEST_WAIT))
