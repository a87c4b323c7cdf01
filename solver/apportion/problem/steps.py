"""Bounds on sums, drawn in to what sums can be where all amounts are multiples of one step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem.blocks import Block, blocks
from apportion.problem.pairs import Floats, Ints
from apportion.problem.sums import Measure

ROOM = 1e-9  # of the bound, or of a millionth
MOST = 1e9  # larger amounts are looked at for no step


def whole_bounds(low: Floats, high: Floats, measure: Measure, group: Ints) -> tuple[Floats, Floats]:
    """(G,) hard bounds of each group of reps tightened to multiples of its step. group : (R,), -1 for none."""
    low, high = low.astype(float).copy(), high.astype(float).copy()
    for at, step in enumerate(_steps(measure, group, len(low))):
        if step > 0 and np.isfinite(low[at]):
            low[at] = max(low[at], math.ceil(low[at] / step * (1 - ROOM)) * step)
        if step > 0 and np.isfinite(high[at]):
            high[at] = min(high[at], math.floor(high[at] / step * (1 + ROOM)) * step)
    return low, high


def _steps(measure: Measure, group: Ints, n_groups: int) -> list[float]:
    """(G,) the largest step that a group's amounts (zeros aside) are multiples of, to six decimals; 0 for none."""
    steps = [_Step() for _ in range(n_groups)]
    if measure.entries.kind == "one" and measure.counted is None:
        amount, used = float(measure.entries.kept), group[(measure.pairs.count_by_rep > 0) & (group >= 0)]
        for at in np.unique(used).tolist() if amount else ():
            steps[at].meet(np.array([amount]))
        return [step.size for step in steps]
    own = measure.by_lead()
    if own is not None and measure.pairs.is_dense:
        amounts = np.unique(own[own != 0])
        for at in np.unique(group[group >= 0]).tolist():
            steps[at].meet(amounts)
        return [step.size for step in steps]
    for block in blocks(measure.pairs):
        _look(block, measure, group, steps)
        if all(step.none for step in steps):
            break
    return [step.size for step in steps]


def _look(block: Block, measure: Measure, group: Ints, steps: list[_Step]) -> None:
    """Enter the distinct amounts of a block's groups."""
    cell_group = block.by_rep(group)
    amounts, groups = np.broadcast_arrays(np.asarray(measure.of(block), dtype=np.float64), cell_group)
    if block.count is not None:  # one number for all pairs still stands for each
        amounts = np.broadcast_to(amounts, cell_group.shape)
    counted = (amounts != 0) & (groups >= 0)
    amounts, groups = amounts[counted], groups[counted]
    if not len(amounts):
        return
    order = np.argsort(groups, kind="stable")
    amounts, groups = amounts[order], groups[order]
    names, first = np.unique(groups, return_index=True)
    for at, part in zip(names.tolist(), np.split(amounts, first[1:]), strict=True):
        if not steps[at].none:
            steps[at].meet(np.unique(part))


class _Step:
    """The step of the amounts met so far."""

    def __init__(self) -> None:
        self.only: float | None = None  # the amount, as long as it is the only one
        self.millionths = 0  # the greatest common divisor, as long as all are whole millionths
        self.none = False

    @property
    def size(self) -> float:
        if self.none:
            return 0.0
        return self.only if self.only is not None else self.millionths / 1e6

    def meet(self, amounts: NDArray[Any]) -> None:
        """amounts : distinct and ascending."""
        if not len(amounts) or self.none:
            return
        if amounts[0] <= 0 or amounts[-1] > MOST:
            self.none = True
            return
        first = self.only is None and not self.millionths
        if len(amounts) == 1 and (first or self.only == amounts[0]):
            self.only = float(amounts[0])
            return
        if self.only is not None:
            amounts, self.only = np.append(amounts, self.only), None
        whole = np.rint(amounts * 1e6)
        if (np.abs(whole - amounts * 1e6) > ROOM).any():
            self.none = True
            return
        self.millionths = math.gcd(self.millionths, int(np.gcd.reduce(whole.astype(np.int64))))
