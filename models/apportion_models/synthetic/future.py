"""What comes after the batch time: leads that arrive, the luck that each will have, and how open ones end.

A lead's luck is its own, whoever works it: the same draw decides whether it is won at any chance, and how long it takes
either way. So ways of assigning are compared on the same leads with the same luck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammainc, gammaincinv

from apportion_models.synthetic import market, past
from apportion_models.synthetic.draws import Floats, Stream
from apportion_models.synthetic.past import Bools
from apportion_models.synthetic.world import World


@dataclass(frozen=True, kw_only=True)
class Coming:
    """Leads that are to come, in order of arrival. Arrays are (L,): `luck` in (0, 1), days, and currency if won."""

    leads: pd.DataFrame
    luck: Floats
    win_days: Floats
    loss_days: Floats
    earned: Floats

    def won(self, lead: np.ndarray, chance: Floats) -> Bools:
        """(n,) whether leads (positions) convert at these chances."""
        return np.asarray(self.luck[lead] < chance, dtype=bool)

    def days(self, lead: np.ndarray, won: Bools) -> Floats:
        """(n,) days from assignment until these leads are closed."""
        return np.asarray(np.where(won, self.win_days[lead], self.loss_days[lead]), dtype=np.float64)


def coming(world: World, n: int, *, days: float, draw: int = 0) -> Coming:
    """n leads that arrive evenly over the `days` days from the batch day of the world; another `draw`, other leads."""
    stream = Stream(world.seed, f"future {draw}")
    leads = market.draw_inquiries(stream, market.draw_companies(stream, n))
    until = world.midnight + days * past.DAY
    created = past.arrival_times(stream, n, since=world.midnight, until=until, growth=0.0)
    leads.insert(0, "lead_id", pd.Series([f"F{draw}-{number + 1:06d}" for number in range(n)], dtype="str"))
    leads.insert(1, "created_at", past.to_times(created))
    leads = world.estimated(world.scored(leads, stream), stream)
    codes = market.encode(leads)
    noise = past.value_noise(stream, n, lognormal=world.misspecified)
    return Coming(
        leads=leads,
        luck=stream.uniform(n),
        win_days=stream.gamma(past.WIN_SHAPE, n) * past.mean_days(codes, won=True),
        loss_days=stream.gamma(past.LOSS_SHAPE, n) * past.mean_days(codes, won=False),
        earned=np.maximum(np.round(world.true_deal_value(leads) * noise), 1.0),
    )


def ended(world: World, logged: past.Logged) -> pd.DataFrame:
    """The history as it will read once all of it is closed: its open leads end as the truth has it, and when.

    Their days are drawn from the law of all leads, given that they are still open at the batch time.
    """
    frame = logged.frame.copy()
    is_open = (frame["outcome"] == "open").to_numpy()
    rows = frame[is_open]
    stream, n = Stream(world.seed, "open leads"), int(is_open.sum())
    codes, won = market.encode(rows), logged.won[is_open]
    assigned = past.to_seconds(rows["assigned_at"])
    age = (world.at.timestamp() - assigned) / past.DAY
    shape = np.where(won, past.WIN_SHAPE, past.LOSS_SHAPE)
    scale = np.where(won, past.mean_days(codes, won=True), past.mean_days(codes, won=False)) / shape
    gone = gammainc(shape, np.maximum(age, 0.0) / scale)
    days = gammaincinv(shape, np.minimum(gone + stream.uniform(n) * (1.0 - gone), 1.0 - 1e-12)) * scale
    closed = np.maximum(np.ceil((assigned + days * past.DAY) / 60) * 60, np.floor(world.at.timestamp() / 60) * 60 + 60)
    earned = np.round(world.true_deal_value(rows) * past.value_noise(stream, n, lognormal=world.misspecified))
    frame.loc[is_open, "outcome"] = np.where(won, "won", "lost")
    frame.loc[is_open, "closed_at"] = past.to_times(closed)
    frame.loc[is_open, "deal_value"] = np.where(won, np.maximum(earned, 1.0), np.nan)
    return frame
