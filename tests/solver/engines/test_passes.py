"""A pass adds up the same sums and curvature, whichever way is the quicker one."""

from __future__ import annotations

import numpy as np
import pytest

from apportion.engines import passes
from apportion.engines.passes import Smoothed, smoothed_pass

UNITS, REPS, FAMILIES = 1_100, 7, 2  # more than a block of units for each part


def _smoothed(hot: float, dearer: tuple[int, int] | None = None, by: float = 0.0, idle: int = 0) -> Smoothed:
    """A pass over drawn pairs. dearer : family and rep charged so much more. idle : cells that nothing is in."""
    draw = np.random.default_rng(3)
    per_unit = draw.integers(0, REPS + 1, UNITS)
    rep = np.concatenate([draw.permutation(REPS)[:count] for count in per_unit])
    value, measures = draw.uniform(1, 10, len(rep)), draw.uniform(0.5, 2, (FAMILIES, len(rep)))
    charge, temperature = draw.uniform(0, 2, (FAMILIES, REPS)), hot * draw.uniform(0.5, 2, UNITS)
    if dearer is not None:
        charge[dearer] += by
    return smoothed_pass(
        np.concatenate([[0], np.cumsum(per_unit)]),
        rep.astype(np.int32),
        value,
        measures,
        np.zeros(UNITS),
        units=np.arange(UNITS),
        cell=np.arange(FAMILIES * REPS).reshape(FAMILIES, REPS),
        n_cells=FAMILIES * REPS + idle,
        charge=charge,
        temperature=temperature,
    )


@pytest.mark.parametrize("hot", [5.0, 0.3, 0.01])
def test_products_of_matrices_give_what_single_sums_give(hot: float) -> None:
    product, cells = _smoothed(hot), FAMILIES * REPS
    single = _smoothed(hot, idle=10 * cells)  # of so many cells no unit bends a large part
    assert np.allclose(product.curvature, single.curvature[:cells, :cells], rtol=1e-9, atol=1e-9)
    assert np.array_equal(product.sums, single.sums[:cells]) and product.total == single.total
    assert not single.curvature[cells:].any() and not single.curvature[:, cells:].any()


@pytest.mark.parametrize("hot", [5.0, 0.3])
@pytest.mark.parametrize("at", [(0, 2), (1, 5)])
def test_the_curvature_is_how_the_sums_bend(hot: float, at: tuple[int, int]) -> None:
    by, cell = 1e-4, at[0] * REPS + at[1]
    bend = (_smoothed(hot, at, -by).sums - _smoothed(hot, at, by).sums) / (2 * by)
    assert np.allclose(_smoothed(hot).curvature[cell], bend, rtol=1e-2, atol=1e-2 * np.abs(bend).max())


def test_threads_change_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = _smoothed(0.3)
    monkeypatch.setattr(passes, "FEW", 0)
    abreast = _smoothed(0.3)
    assert alone.total == abreast.total
    assert np.array_equal(alone.sums, abreast.sums) and np.array_equal(alone.curvature, abreast.curvature)
