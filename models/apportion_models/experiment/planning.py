"""How long an experiment must run, said beforehand: from the past's rate, variance and clusters, by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from apportion_models.errors import Finding, InputError
from apportion_models.experiment.draws import Floats
from apportion_models.experiment.sequence import confidence_sequence, first_time

PATHS = 2000
LONGEST = 2000  # blocks beyond which no experiment is planned
FEWEST_BLOCKS = 5  # before this many blocks nothing is decided: their effects need not look normal yet


@dataclass(frozen=True, kw_only=True)
class Past:
    """What the history says of the metric, a lead each.

    mean, sd : of the outcome within the time. leads_per_day : that were assigned. unit_inflation : 1 + what leads of
    one unit have in common adds to the variance. shock : variance between windows that leads of one window share, in
    units of a lead's variance. cap : where revenue is winsorised; None for conversions. in_time : share of the wins
    of mature leads that came within the time.
    """

    mean: float
    sd: float
    leads_per_day: float
    unit_inflation: float = 1.0
    shock: float = 0.0
    cap: float | None = None
    in_time: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How an experiment is expected to go. days : until the last lead has had its time. None: not in LONGEST blocks.

    block_sd : standard deviation of a block's effect. one_look : blocks that one look at the end would need.
    typical : blocks after which half of the experiments with the worthwhile effect have decided.
    """

    blocks: int | None
    days: float | None
    leads: int | None
    block_sd: float
    one_look: int
    typical: float | None
    power: float


def past_of(
    outcome: Floats,
    assigned: Floats,
    unit: NDArray[np.int64],
    *,
    window_days: float,
    cap: float | None = None,
    in_time: float = 1.0,
) -> Past:
    """Measure the past. outcome (n,) within the time, of mature leads; assigned (n,) days; unit (n,) codes.

    Raises InputError below 20 leads, and where no lead or every lead converted: no plan follows from those.
    """
    faults: list[tuple[str, float]] = []
    if outcome.size < 20:
        faults.append(("must hold at least 20 leads that are old enough to count.", int(outcome.size)))
    elif float(outcome.std()) == 0.0:
        what = "no lead has converted" if float(outcome.max()) == 0.0 else "all leads have the same outcome"
        faults.append((f"must show some spread of the metric; {what}.", float(outcome[0])))
    if faults:
        raise InputError(
            Finding(
                severity="error",
                table="history",
                message=message,
                value=value,
                remedy="Give a longer history, a shorter metric.within_days, or plan with stated numbers.",
            )
            for message, value in faults
        )
    variance = float(outcome.var())
    _, unit_code = np.unique(unit, return_inverse=True)
    window = np.floor((assigned - assigned.min()) / window_days).astype(np.int64)
    _, window_code = np.unique(window, return_inverse=True)
    size = np.bincount(unit_code)
    inflation = 1.0 + (float((size**2).sum() / size.sum()) - 1.0) * shared(outcome, unit_code)
    span = max(float(assigned.max() - assigned.min()), window_days)
    return Past(
        mean=float(outcome.mean()),
        sd=float(np.sqrt(variance)),
        leads_per_day=outcome.size / span,
        unit_inflation=max(1.0, inflation),
        shock=shared(outcome, window_code),
        cap=cap,
        in_time=in_time,
    )


def shared(outcome: Floats, group: NDArray[np.int64]) -> float:
    """Intraclass correlation of the groups by analysis of variance (Donner 1986), 0 where it is negative or unknown."""
    size = np.bincount(group).astype(np.float64)
    count, n = size.size, outcome.size
    if count < 2 or n <= count:
        return 0.0
    mean = np.bincount(group, weights=outcome) / size
    between = float((size * (mean - outcome.mean()) ** 2).sum()) / (count - 1)
    within = float(((outcome - mean[group]) ** 2).sum()) / (n - count)
    typical = (n - float((size**2).sum()) / n) / (count - 1)
    spread = (between - within) / typical
    return float(np.clip(spread / (spread + within), 0.0, 1.0)) if spread + within > 0 else 0.0


def block_size(kind: str, leads_per_window: float, windows: int, share: float, control: float) -> float:
    """n1·n0/(n1+n0) that a block is expected to have, with these shares of the leads. By design, see `Design`."""
    if kind == "switchback":
        return leads_per_window / 2.0
    return leads_per_window * windows * share * control / (share + control)


def shock_of(kind: str, past: Past, teams: int, arms: int) -> float:
    """Variance of a block's effect that more leads do not lessen, in units of a lead's variance.

    Arms that run at the same time share the day's shock, and it cancels. In a switchback each arm has a window of its
    own: twice the shock. By team, each arm has teams/arms teams in each of `arms` windows, and what is taken to be
    shared by a team's leads in a window is what the leads of a window share.
    """
    if kind == "capacity_split":
        return 0.0
    return 2.0 * past.shock / (1.0 if kind == "switchback" else max(teams, arms))


def forecast(
    past: Past,
    *,
    effect: float,
    size: float,
    shock: float,
    block_days: float,
    within_days: float,
    alpha: float = 0.05,
    power: float = 0.8,
    blocks: int | None = None,
) -> Forecast:
    """Blocks that are needed to see `effect` (of the metric, absolute) with this power while looking after each block.

    With `blocks` given, the power that so many have.
    """
    if not effect > 0:
        raise InputError(
            Finding(
                severity="error", table="experiment", column="effect.worth", message="must be above 0.", value=effect
            )
        )
    block_sd = past.sd * np.sqrt(past.unit_inflation / size + shock)
    signal = effect / block_sd
    one_look = int(np.ceil(((norm.ppf(1 - alpha / 2) + norm.ppf(power)) / signal) ** 2))
    needed = _blocks_for(signal, alpha, power, one_look) if blocks is None else blocks
    if needed is None:
        return Forecast(
            blocks=None, days=None, leads=None, block_sd=float(block_sd), one_look=one_look, typical=None, power=0.0
        )
    decided = _decided_at(signal, needed, alpha)
    found = np.isfinite(decided)
    return Forecast(
        blocks=needed,
        days=needed * block_days + within_days,
        leads=int(np.ceil(needed * block_days * past.leads_per_day)),
        block_sd=float(block_sd),
        one_look=one_look,
        typical=float(np.median(np.where(found, decided, np.inf))) if found.mean() > 0.5 else None,
        power=float(found.mean()),
    )


def _blocks_for(signal: float, alpha: float, power: float, start: int) -> int | None:
    """The least number of blocks with the power, by bisection over simulated experiments."""
    low, high = FEWEST_BLOCKS - 1, max(FEWEST_BLOCKS, start)
    while high <= LONGEST and np.isfinite(_decided_at(signal, high, alpha)).mean() < power:
        low, high = high, high * 2
    if high > LONGEST:
        high = LONGEST
        if np.isfinite(_decided_at(signal, high, alpha)).mean() < power:
            return None
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        if np.isfinite(_decided_at(signal, middle, alpha)).mean() >= power:
            high = middle
        else:
            low = middle
    return high


def _decided_at(signal: float, blocks: int, alpha: float) -> Floats:
    """(PATHS,) the block after which "better" is decided, of experiments with N(`signal`, 1) blocks."""
    sequence = confidence_sequence(
        _noise(LONGEST if blocks > 256 else 256)[:, :blocks] + signal,
        np.ones(blocks),
        planned=float(blocks),
        alpha=alpha,
    )
    better = sequence.low > 0
    better[:, : FEWEST_BLOCKS - 1] = False
    return first_time(better)


@lru_cache(maxsize=2)
def _noise(width: int) -> Floats:
    """The same draws for every plan: equal inputs, equal plans, and a power that grows smoothly with the blocks."""
    return np.random.default_rng(20).standard_normal((PATHS, width))


def window_days_for(past: Past, *, least_leads: float = 60.0) -> float:
    """The shortest window of whole days that brings so many leads: blocks of a few leads do not look normal."""
    return float(max(1, int(np.ceil(least_leads / max(past.leads_per_day, 1e-9)))))


def mature_rows(assigned: pd.Series, *, within_days: float, as_of: pd.Timestamp) -> NDArray[np.bool_]:
    """(n,) whether each lead has had its full time at `as_of`."""
    at = pd.to_datetime(assigned, utc=True)
    return np.asarray(at + pd.Timedelta(days=within_days) <= as_of, dtype=bool)
