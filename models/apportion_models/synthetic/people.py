"""Who works in a world: names, homes, and the roster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from apportion_models.synthetic import market
from apportion_models.synthetic.draws import Floats, Ints, Stream
from apportion_models.synthetic.past import DAY, to_times

LEVELS = ("junior", "mid", "senior")
NEW_DAYS = 90
FULL_TIME = 24.0

_FIRST = """
    Amina Björn Chiara Dmitri Elif Femi Greta Hassan Ingrid Jamal Keiko Lars Mei Nadia Oskar Priya Quentin Rosa
    Samuel Tove Umar Vera Wanjiru Xavier Yusuf Zofia Aiko Bruno Carmen Daniel Esther Farid Giulia Henrik Isabel
    Jonas Kwame Leila Marek Noor
""".split()  # noqa: SIM905 - forty quoted words are harder to read
_LAST = """
    Abebe Berg Costa Demir Eriksson Fischer Garcia Haddad Ivanova Jansen Kowalski Lindholm Mensah Nguyen Okafor
    Patel Quinn Rossi Schmidt Tanaka Ueda Virtanen Walsh Xu Yilmaz Zimmer Andersen Bianchi Chen Dubois Evans Ferrari
    Gupta Hansen Idris Johnson Kim Laurent Murphy Novak Osei
""".split()  # noqa: SIM905


class Home(NamedTuple):
    """What a market gives the reps who sit in it."""

    country: str
    time_zone: str
    languages: tuple[str, ...]


HOMES = {
    "nordics": Home("SE", "Europe/Stockholm", ("en", "sv")),
    "uk_ireland": Home("GB", "Europe/London", ("en",)),
    "dach": Home("DE", "Europe/Berlin", ("en", "de")),
    "france_benelux": Home("FR", "Europe/Paris", ("en", "fr")),
    "south_europe": Home("ES", "Europe/Madrid", ("en", "es")),
    "us_east": Home("US", "America/New_York", ("en",)),
    "us_west": Home("US", "America/Los_Angeles", ("en",)),
}


def person(number: int) -> str:
    """A made-up name; the first 1,640 numbers give different names."""
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]}"


@dataclass(frozen=True, kw_only=True)
class Roster:
    """The reps of a world, arrays (R,): level -1, 0, 1; positions of specialism and home; start in seconds."""

    rep_ids: tuple[str, ...]
    level: Ints
    specialism: Ints
    home: Ints
    start: Floats

    def frame(self) -> pd.DataFrame:
        """The roster as a table of reps, in order of rep_id."""
        homes = [HOMES[market.MARKETS[home]] for home in self.home]
        numbers = range(len(self.rep_ids))
        return pd.DataFrame(
            {
                "rep_id": list(self.rep_ids),
                "name": [person(number) for number in numbers],
                "team_id": [f"T{home + 1}" for home in self.home],
                "manager_id": [f"M{home + 1}" for home in self.home],
                "start_date": to_times(self.start),
                "level": [LEVELS[level + 1] for level in self.level],
                "specialism": [market.INDUSTRIES[number] for number in self.specialism],
                "capacity": FULL_TIME,
                "territories": [(market.MARKETS[home],) for home in self.home],
                "skills": [market.PRODUCTS for _ in numbers],
                "languages": [home.languages for home in homes],
                "country": [home.country for home in homes],
                "time_zone": [home.time_zone for home in homes],
                "paused": False,
            }
        )


def draw_roster(stream: Stream, *, n_reps: int, n_new: int, n_unseen: int, midnight: float, days: int) -> Roster:
    """Draw a roster: `n_new` juniors of the last 90 days, `n_unseen` of them starting at `midnight`; half the others
    were there `days` days before, when the history begins."""
    order = stream.permutation(n_reps)
    new, tenured = order[:n_new], order[n_new:]
    level = stream.integers(len(LEVELS), n_reps) - 1
    level[new] = -1
    before = np.floor(100 + 500 * stream.exponential(n_reps))
    before[tenured[: (len(tenured) + 1) // 2]] += days
    before[new] = 5 + np.floor(stream.uniform(n_new) * (NEW_DAYS - 5))
    before[new[:n_unseen]] = 0
    digits = max(2, len(str(n_reps)))
    return Roster(
        rep_ids=tuple(f"R{number + 1:0{digits}d}" for number in range(n_reps)),
        level=level,
        specialism=stream.integers(len(market.INDUSTRIES), n_reps),
        home=stream.permutation(n_reps) % len(market.MARKETS),
        start=midnight - before * DAY,
    )
