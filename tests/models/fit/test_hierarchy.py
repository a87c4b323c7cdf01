from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from apportion_models.fit import hierarchy
from apportion_models.fit.hierarchy import Design, fit_hierarchy


def simulate(
    seed: int, *, reps: int = 40, rows: int = 150, sd: tuple[float, float] = (0.5, 0.4)
) -> tuple[Design, np.ndarray, np.ndarray]:
    """Rows with two lead columns; per rep an own effect and one on the first column."""
    rng = np.random.default_rng(seed)
    count = reps * rows
    x = rng.normal(size=(count, 2))
    b = rng.normal(size=(reps, 2)) * np.array(sd)
    rep = np.repeat(np.arange(reps), rows)
    fixed = np.column_stack([np.ones(count), x])
    varying = np.column_stack([np.ones(count), x[:, 0]])
    eta = fixed @ np.array([-1.0, 0.7, 0.0]) + (varying * b[rep]).sum(axis=1)
    y = (rng.random(count) < expit(eta)).astype(float)
    design = Design(
        fixed=fixed,
        fixed_group=np.array([0, 1, 2]),
        varying=varying,
        varying_group=np.array([0, 1]),
        starts=np.arange(0, count + 1, rows),
    )
    return design, y, b


def test_truth_is_recovered() -> None:
    """Coefficients, variances and the reps' own effects come close to what the data were made with."""
    design, y, b = simulate(0)
    found = fit_hierarchy(design, lambda _: y, float(y.mean()))
    assert found.beta == pytest.approx([-1.0, 0.7, 0.0], abs=0.2)
    assert np.sqrt(found.varying_variance) == pytest.approx([0.5, 0.4], abs=0.12)
    assert np.corrcoef(found.b[:, 0], b[:, 0])[0, 1] > 0.85


def test_ninety_percent_intervals_cover_ninety_percent() -> None:
    """The posterior deviations of the reps' effects are honest."""
    inside = []
    for seed in range(4):
        design, y, b = simulate(seed, reps=50)
        found = fit_hierarchy(design, lambda _, y=y: y, float(y.mean()))
        sd = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
        inside.append(np.abs(found.b - b) <= 1.645 * sd)
    assert 0.85 <= float(np.mean(inside)) <= 0.95


def test_no_variance_where_reps_are_alike() -> None:
    """Identical reps: the variances go to (nearly) nothing, and so do the effects."""
    design, y, _ = simulate(1, sd=(0.0, 0.0))
    found = fit_hierarchy(design, lambda _: y, float(y.mean()))
    assert (np.sqrt(found.varying_variance) < 0.12).all()
    assert np.abs(found.b).max() < 0.15


def test_mode_agrees_with_a_general_optimiser() -> None:
    """With the variances held, Newton by blocks finds the same mode as BFGS on all coefficients."""
    design, y, _ = simulate(2, reps=5, rows=60)
    found = fit_hierarchy(design, lambda _: y, float(y.mean()))
    fixed, varying = 1.0 / found.fixed_variance[design.fixed_group], 1.0 / found.varying_variance[design.varying_group]
    rep = np.repeat(np.arange(5), 60)

    def loss(theta: np.ndarray) -> float:
        beta, b = theta[:3], theta[3:].reshape(5, 2)
        eta = design.fixed @ beta + (design.varying * b[rep]).sum(axis=1)
        fit = np.logaddexp(0.0, eta).sum() - y @ eta
        moved = beta - np.array([logit(y.mean()), 0.0, 0.0])  # the intercept is held about the overall rate
        return float(fit + 0.5 * (fixed @ moved**2 + (b**2 @ varying).sum()))

    best = minimize(loss, np.zeros(13), method="BFGS", options={"gtol": 1e-6})
    assert np.concatenate([found.beta, found.b.ravel()]) == pytest.approx(best.x, abs=5e-3)


def test_covariance_is_the_inverse_hessian() -> None:
    """A rep's block, with β integrated out, is that of the inverse of the whole Hessian."""
    design, y, _ = simulate(3, reps=4, rows=50)
    found = fit_hierarchy(design, lambda _: y, float(y.mean()))
    rep = np.repeat(np.arange(4), 50)
    columns = np.zeros((200, 8))
    for k in range(2):
        columns[np.arange(200), rep * 2 + k] = design.varying[:, k]
    everything = np.hstack([design.fixed, columns])
    eta = everything @ np.concatenate([found.beta, found.b.ravel()])
    weight = expit(eta) * (1 - expit(eta))
    prior = np.concatenate(
        [1 / found.fixed_variance[design.fixed_group], np.tile(1 / found.varying_variance[design.varying_group], 4)]
    )
    inverse = np.linalg.inv((everything * weight[:, None]).T @ everything + np.diag(prior))
    for r in range(4):
        block = slice(3 + 2 * r, 5 + 2 * r)
        assert found.covariance[r] == pytest.approx(inverse[block, block], rel=0.05, abs=1e-3)


def test_separable_data_stay_finite() -> None:
    """A column that decides the outcome does not send anything to infinity."""
    design, _, _ = simulate(4, reps=3, rows=40)
    y = (design.fixed[:, 1] > 0).astype(float)
    found = fit_hierarchy(design, lambda _: y, 0.5)
    assert np.isfinite(found.beta).all() and np.isfinite(found.b).all() and np.isfinite(found.covariance).all()
    assert found.rounds <= hierarchy.MAX_ROUNDS


def test_without_varying_part() -> None:
    """φ may be empty: then it is a logistic regression with shrinkage."""
    design, y, _ = simulate(5, sd=(0.0, 0.0))
    bare = Design(
        fixed=design.fixed,
        fixed_group=design.fixed_group,
        varying=np.zeros((y.size, 0)),
        varying_group=np.zeros(0, dtype=np.int64),
        starts=design.starts,
    )
    found = fit_hierarchy(bare, lambda _: y, float(y.mean()))
    assert found.b.shape == (40, 0) and found.covariance.shape == (40, 0, 0)
    assert found.beta == pytest.approx([-1.0, 0.7, 0.0], abs=0.12)
