"""From leads to blocks: one unbiased contrast of two arms for each block, with the weight that its size gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.experiment.draws import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contrasts:
    """Blocks in which both arms have leads, in order. size : n1·n0/(n1+n0), summed over what is compared.

    empty : how many blocks there were in which an arm had no lead.
    """

    block: Ints
    effect: Floats
    size: Floats
    empty: int


def contrasts(outcome: Floats, treated: NDArray[np.bool_], stratum: Ints, block: Ints, *, n_blocks: int) -> Contrasts:
    """Treatment less control, by block. All arrays (n,), over the leads of these two arms in blocks 0 .. n_blocks − 1.

    Within a block, leads of one stratum are compared with each other (a window, where both arms run at the same time;
    the block itself in a switchback), and the strata are averaged by their size.
    """
    key, place = np.unique(stratum, return_inverse=True)
    block_of = np.zeros(key.size, dtype=np.int64)
    block_of[place] = block
    counts = [np.bincount(place[side], minlength=key.size) for side in (treated, ~treated)]
    totals = [np.bincount(place[side], weights=outcome[side], minlength=key.size) for side in (treated, ~treated)]
    both = (counts[0] > 0) & (counts[1] > 0)
    n1, n0 = (np.maximum(count, 1) for count in counts)
    size = np.where(both, n1 * n0 / (n1 + n0), 0.0)
    effect = np.where(both, totals[0] / n1 - totals[1] / n0, 0.0)
    weight: Floats = np.bincount(block_of, weights=size, minlength=n_blocks).astype(np.float64)
    total = np.bincount(block_of, weights=size * effect, minlength=n_blocks)
    kept = np.flatnonzero(weight > 0)
    return Contrasts(
        block=kept.astype(np.int64),
        effect=total[kept] / weight[kept],
        size=weight[kept],
        empty=int(n_blocks - kept.size),
    )


def block_weights(size: Floats, *, planned_size: float, shock: float) -> Floats:
    """(T,) weights for effects whose variance is σ²(1/size + shock), 1 for a block as planned.

    shock : variance that the leads of a block's arm share, in units of a lead's variance; 0 makes the weight the size.
    """
    return np.asarray((1.0 / planned_size + shock) / (1.0 / size + shock), dtype=np.float64)
