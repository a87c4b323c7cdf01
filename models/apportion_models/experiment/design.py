"""Designs that survive shared capacity: which arm a lead, a window or a team is in, and which capacity each arm has.

All draws are hashes of a name and the salt: nothing depends on the order of rows, and anyone can draw again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding, InputError
from apportion_models.experiment.draws import Floats, uniform, uniforms

Ints = NDArray[np.int64]
Kind = Literal["capacity_split", "switchback", "by_team"]

KINDS: tuple[str, ...] = get_args(Kind)
MOST_ARMS = 4
DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Design:
    """How an experiment divides leads and capacity among its arms. The first arm is the control.

    capacity_split : units (a lead, or the leads of one account) are drawn into arms by their shares, anew in each
        block, and each rep's capacity is split by the same shares. A block is `windows_per_block` windows.
    switchback : one arm at a time has all leads and all capacity; in each block of as many windows as arms every arm
        has one window, in an order drawn anew.
    by_team : each team works for one arm in a window and for another in the next, so that in a block it works for each
        once; leads are drawn into arms in proportion to the capacity that the arms have.
    """

    kind: Kind
    arms: tuple[str, ...]
    start: pd.Timestamp
    salt: str
    shares: tuple[float, ...] = ()
    window_days: float = 1.0
    windows_per_block: int = 1

    def __post_init__(self) -> None:
        count = len(self.arms)
        if not self.shares and count:
            object.__setattr__(self, "shares", (1.0 / count,) * count)
        rules = {
            f"kind must be {', '.join(KINDS)}. Got {self.kind!r}.": self.kind in KINDS,
            f"there must be 2 to {MOST_ARMS} arms with distinct names. Got {list(self.arms)}.": 2
            <= len(set(self.arms))
            == count
            <= MOST_ARMS,
            f"shares must be one above 0 for each arm, 1 together. Got {list(self.shares)}.": len(self.shares) == count
            and all(share > 0 for share in self.shares)
            and abs(sum(self.shares) - 1.0) < 1e-9,
            f"only capacity_split takes unequal shares. Got {list(self.shares)}.": self.kind == "capacity_split"
            or max(self.shares, default=0) - min(self.shares, default=0) < 1e-9,
            f"window_days must be above 0. Got {self.window_days}.": 0 < self.window_days < float("inf"),
            f"windows_per_block must be 1 or more. Got {self.windows_per_block}.": self.windows_per_block >= 1,
            f"start must carry a time zone. Got {self.start}.": self.start.tzinfo is not None,
        }
        faults = [message for message, holds in rules.items() if not holds]
        if faults:
            raise InputError(Finding(severity="error", table="experiment", message=message) for message in faults)

    @property
    def block_windows(self) -> int:
        """How many windows make a block: the least in which every arm can be compared with every other."""
        return self.windows_per_block if self.kind == "capacity_split" else len(self.arms)

    @property
    def block_days(self) -> float:
        """How long a block is."""
        return self.block_windows * self.window_days

    def windows_at(self, at: pd.DatetimeIndex) -> Ints:
        """(n,) number of the window of each moment, 0 the first; negative before the start."""
        seconds = (at - self.start).total_seconds().to_numpy(dtype=np.float64)
        return np.floor(seconds / (self.window_days * DAY) + 1e-12).astype(np.int64)

    def blocks_of(self, window: Ints) -> Ints:
        """(n,) number of the block of each window."""
        return np.asarray(window // self.block_windows, dtype=np.int64)

    def window_arm(self, window: int) -> int:
        """Switchback: the arm whose window this is."""
        block, place = divmod(window, self.block_windows)
        drawn = uniforms(self.salt, f"window {block}", range(len(self.arms)))
        return int(np.argsort(drawn, kind="stable")[place])

    def team_arms(self, window: int, teams: Sequence[str]) -> dict[str, int]:
        """By team: the arm of each team in this window. The teams' order is drawn anew for each block."""
        block, place = divmod(window, self.block_windows)
        names = sorted(set(teams))
        drawn = uniforms(self.salt, f"team {block}", names)
        ranked = [names[index] for index in np.argsort(drawn, kind="stable")]
        turn = int(uniform(self.salt, "turn", block) * len(self.arms))
        return {team: (rank + place + turn) % len(self.arms) for rank, team in enumerate(ranked)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Allocation:
    """One batch under an experiment: which arm each lead is in, and which capacity each arm has.

    arm : (L,) index into the design's arms. propensity : (L,) the chance with which the lead had come into that arm.
    capacity : (K, R) effort units; its columns add up to the reps' capacity.
    """

    window: int
    block: int
    arm: Ints
    propensity: Floats
    capacity: Floats


def allocate(
    design: Design,
    *,
    at: pd.Timestamp,
    units: Sequence[str],
    rep_ids: Sequence[str],
    capacity: Floats,
    teams: Sequence[str | None] | None = None,
) -> Allocation:
    """Divide a batch. units : (L,) the unit of each lead, leads of one unit stay together; capacity : (R,) >= 0.

    teams : (R,) needed by team; a rep without one is a team alone. Pure, and independent of the order of rows.
    Raises InputError before the start of the experiment, and where there are fewer teams than arms.
    """
    window = int(design.windows_at(pd.DatetimeIndex([at]))[0])
    if window < 0:
        message = f"the experiment starts at {design.start.isoformat()}; a batch before that has no arms."
        raise InputError(Finding(severity="error", table="experiment", message=message, value=at.isoformat()))
    count = len(design.arms)
    if design.kind == "switchback":
        arm = design.window_arm(window)
        split = np.zeros((count, len(rep_ids)))
        split[arm] = capacity
        chances = np.full(count, 1.0 / count)
        drawn = np.full(len(units), arm, dtype=np.int64)
    else:
        if design.kind == "by_team":
            split = _by_team(design, window, rep_ids, capacity, teams)
            chances = _shares_of(split)
        else:
            split = split_capacity(design, window, rep_ids=rep_ids, capacity=capacity)
            chances = np.array(design.shares)
        # Drawn anew in each block: units that stayed in one arm for good would tie the blocks to each other.
        block = int(design.blocks_of(np.array([window]))[0])
        kind = f"unit in block {block}" if design.kind == "capacity_split" else f"unit in window {window}"
        known = sorted(set(units))
        numbers = dict(zip(known, uniforms(design.salt, kind, known), strict=True))
        edges = np.cumsum(chances)[:-1]
        drawn = np.searchsorted(edges, [numbers[unit] for unit in units], side="right").astype(np.int64)
    block = int(design.blocks_of(np.array([window]))[0])
    return Allocation(window=window, block=block, arm=drawn, propensity=chances[drawn], capacity=split)


def split_capacity(design: Design, window: int, *, rep_ids: Sequence[str], capacity: Floats) -> Floats:
    """(K, R) each rep's capacity by the arms' shares, in whole units where there are any.

    Halves of a unit take no lead, so that each arm gets the floor or the ceiling of its share of a rep's whole units,
    drawn so that it is right on average for every rep and right to one unit over all reps (systematic sampling over
    the reps in a drawn order). What is left below one unit is split as it is.
    """
    order = np.lexsort((np.array(rep_ids, dtype=str), uniforms(design.salt, f"rep in window {window}", rep_ids)))
    whole = np.floor(capacity + 1e-9)
    left, rest = whole[order], 1.0
    split = np.empty((len(design.arms), len(rep_ids)))
    for arm, share in enumerate(design.shares[:-1]):
        start = uniform(design.salt, "capacity", window, arm)
        upto = np.floor(np.cumsum(left) * (share / rest) + start + 1e-9)
        split[arm, order] = np.minimum(np.diff(upto, prepend=np.floor(start)), left)
        left, rest = left - split[arm, order], rest - share
    split[-1, order] = left
    return np.asarray(split + np.outer(design.shares, np.maximum(capacity - whole, 0.0)), dtype=np.float64)


def _by_team(
    design: Design, window: int, rep_ids: Sequence[str], capacity: Floats, teams: Sequence[str | None] | None
) -> Floats:
    pairs = zip(rep_ids, _teams(teams, rep_ids), strict=True)
    named = [f"rep {rep}" if team is None else f"team {team}" for rep, team in pairs]
    found = len(set(named))
    if found < len(design.arms):
        message = f"there must be at least as many teams as arms ({len(design.arms)})."
        remedy = "Give the reps a team_id, or choose capacity_split or switchback."
        raise InputError(
            Finding(severity="error", table="reps", column="team_id", message=message, value=found, remedy=remedy)
        )
    arm_of = design.team_arms(window, named)
    split = np.zeros((len(design.arms), len(rep_ids)))
    split[[arm_of[team] for team in named], np.arange(len(rep_ids))] = capacity
    return split


def _teams(teams: Sequence[str | None] | None, rep_ids: Sequence[str]) -> Sequence[str | None]:
    return [None] * len(rep_ids) if teams is None else teams


def _shares_of(split: Floats) -> Floats:
    """(K,) each arm's share of all capacity; equal where there is none."""
    total = split.sum()
    return split.sum(axis=1) / total if total > 0 else np.full(len(split), 1.0 / len(split))
