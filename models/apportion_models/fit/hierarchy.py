"""The random-coefficient logistic model, on arrays.

    logit P(row) = offset + x·β + φ·b_rep,   β_g ~ N(0, τ²_g),   b_rep ~ N(0, diag σ²_g)

β has the intercept first, held loosely about the overall rate. One pass over the rows reduces them to a quadratic:
the Hessian is block by rep with an arrow for β. On that quadratic mode and variances are renewed several times without
touching a row again (penalised quasi-likelihood: Breslow and Clayton 1993), until passes change nothing more. The
variances follow `variances.group_variances`. The posterior covariance of each rep's coefficients includes what is not
known of β. The quadratic at the mode can be handed back: with other variances it gives another posterior (`doubt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from apportion_models.fit.variances import group_variances, largest_change

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = NDArray[np.float32] | NDArray[np.float64]

INTERCEPT_PRECISION = 0.1  # about the overall rate: weak, yet "always" and "never" stay out of reach
FIRST_FIXED, FIRST_VARYING = 0.1, 0.02  # variances to start from
SCALE_FIXED, SCALE_VARYING = 0.5, 0.2  # of the half-t prior on a standard deviation, unless the design says other
MAX_ROUNDS = 25
UPDATES = 3  # of the variances in one pass
TOLERANCE = 0.02  # change of a standard deviation, relative to it or to 0.1, that ends the search
STEP_TOLERANCE = 2e-3
CHUNK = 32_768  # rows weighted at a time
STEP = 1e-3  # of a logit, in the derivative of a label


@dataclass(frozen=True, kw_only=True)
class Design:
    """Rows sorted by rep. `starts` (R + 1,) bounds each rep's rows; every rep has at least one."""

    fixed: Matrix  # (n, p) the first column is the intercept
    fixed_group: Ints  # (p,) 0 for the intercept, then 1..
    varying: Matrix  # (n, K); K may be 0
    varying_group: Ints  # (K,) 0..
    starts: Ints  # (R + 1,)
    offset: Floats | None = None  # (n,) added to the logit as it stands
    fixed_scale: Floats | None = None  # (G,) prior scale of τ by group; the intercept's is not used
    varying_scale: Floats | None = None  # (H,) prior scale of σ by group


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Mode, covariance and variances."""

    beta: Floats  # (p,)
    b: Floats  # (R, K)
    covariance: Floats  # (R, K, K) of b, β integrated out
    fixed_variance: Floats  # (G,) by group; the intercept's is held
    varying_variance: Floats  # (H,) by group
    quadratic: Quadratic | None
    base: float  # logit of the overall rate, from which the quadratic counts the intercept
    rounds: int


LabelRule = Callable[[Floats], Floats]


def fit_hierarchy(design: Design, labels: LabelRule, rate: float, *, likelihood: bool = False) -> Posterior:
    """Fit; `labels` maps the current chances (n,) to labels (n,) in [0, 1]; `rate` starts the intercept.

    With `likelihood` the quadratic at the mode is handed back, one pass more.
    """
    state = _State(design, rate)
    rounds = 0
    while rounds < MAX_ROUNDS:
        rounds += 1
        change, step = state.advance(labels)
        if change < TOLERANCE and step < STEP_TOLERANCE:
            break
    return Posterior(
        beta=state.beta + state.base * (np.arange(state.beta.size) == 0),
        b=state.b,
        covariance=state.solved.covariance(),
        fixed_variance=state.fixed_variance,
        varying_variance=state.varying_variance,
        quadratic=state.likelihood(labels) if likelihood else None,
        base=state.base,
        rounds=rounds,
    )


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The log likelihood about one point, as rᵀx − ½xᵀHx: H has `gram`, `cross` and `blocks`, r the two sides."""

    gram: Floats  # (p, p)
    cross: Floats  # (R, p, K)
    blocks: Floats  # (R, K, K)
    side: Floats  # (p,)
    side_b: Floats  # (R, K)

    def solve(self, fixed: Floats, varying: Floats) -> Solved:
        """The mode under prior precisions `fixed` (p,) and `varying` (K,)."""
        reps, p, width = self.cross.shape
        information, side = self.gram + np.diag(fixed), self.side
        if not width:
            only = np.asarray(np.linalg.solve(information, side), dtype=np.float64)
            return Solved(only, self.side_b, information, self.blocks, self.cross)
        blocks = self.blocks.copy()
        blocks[:, np.arange(width), np.arange(width)] += varying
        inverse = np.asarray(np.linalg.inv(blocks), dtype=np.float64)
        carry = self.cross @ inverse
        flat = carry.transpose(1, 0, 2).reshape(p, reps * width)
        information -= flat @ self.cross.transpose(1, 0, 2).reshape(p, reps * width).T
        beta = np.asarray(np.linalg.solve(information, side - flat @ self.side_b.ravel()), dtype=np.float64)
        b = (inverse @ self.side_b[:, :, None])[:, :, 0] - np.tensordot(carry, beta, axes=(1, 0))
        return Solved(beta, b, information, inverse, carry)


@dataclass(frozen=True, eq=False)
class Solved:
    """Mode and curvature of one quadratic under given variances."""

    beta: Floats
    b: Floats
    information: Floats  # (p, p) of β, b integrated out
    inverse: Floats  # (R, K, K)
    carry: Floats  # (R, p, K)

    def spreads(self) -> tuple[Floats, Floats]:
        """Variances of β (p,) and of b (R, K)."""
        unsure = np.linalg.inv(self.information)
        own = np.diagonal(self.inverse, axis1=1, axis2=2)
        return np.diag(unsure), own + ((unsure @ self.carry) * self.carry).sum(axis=1)

    def covariance(self) -> Floats:
        """(R, K, K) posterior covariance of b."""
        unsure = np.linalg.inv(self.information)
        return np.asarray(self.inverse + self.carry.transpose(0, 2, 1) @ (unsure @ self.carry), dtype=np.float64)


class _State:
    """The moving parts of one fit."""

    solved: Solved

    def __init__(self, design: Design, rate: float) -> None:
        self.design = design
        reps, width = design.starts.size - 1, design.varying.shape[1]
        groups = int(design.fixed_group.max()) + 1
        kinds = int(design.varying_group.max()) + 1 if width else 0
        self.base = float(logit(rate))  # the intercept counts from here
        self.beta, self.b = np.zeros(design.fixed.shape[1]), np.zeros((reps, width))
        self.fixed_variance = np.full(groups, FIRST_FIXED)
        self.fixed_variance[0] = 1.0 / INTERCEPT_PRECISION
        self.varying_variance = np.full(kinds, FIRST_VARYING)
        self.fixed_scale = np.full(groups, SCALE_FIXED) if design.fixed_scale is None else design.fixed_scale
        self.varying_scale = np.full(kinds, SCALE_VARYING) if design.varying_scale is None else design.varying_scale
        self.offset = self.base + (0.0 if design.offset is None else design.offset)
        self._eta = self._linear(self.beta, self.b)

    def advance(self, labels: LabelRule) -> tuple[float, float]:
        """One pass: the largest relative change of a standard deviation, and the largest change of a coefficient."""
        chances = np.asarray(expit(self._eta), dtype=np.float64)
        y = labels(chances)
        quadratic = self._quadratic(chances, y)
        change = 0.0
        for update in range(UPDATES):
            moved = self._update_variances(quadratic.solve(*self._precisions()))
            change = moved if update == 0 else change
            if moved < TOLERANCE / 2.0:
                break
        self.solved = quadratic.solve(*self._precisions())
        return change, self._move(y, self.solved.beta, self.solved.b)

    def _linear(self, beta: Floats, b: Floats) -> Floats:
        eta = self.offset + (self.design.fixed @ beta.astype(self.design.fixed.dtype)).astype(np.float64)
        if b.shape[1]:
            own = b.astype(self.design.varying.dtype)
            for rep, rows in self._pieces():
                eta[rows] += self.design.varying[rows] @ own[rep]
        return np.asarray(eta, dtype=np.float64)

    def _pieces(self) -> Iterator[tuple[int, slice]]:
        """(rep, rows), no piece longer than a chunk."""
        starts = self.design.starts
        for rep in range(starts.size - 1):
            for first in range(int(starts[rep]), int(starts[rep + 1]), CHUNK):
                yield rep, slice(first, min(first + CHUNK, int(starts[rep + 1])))

    def _precisions(self) -> tuple[Floats, Floats]:
        design = self.design
        fixed = 1.0 / self.fixed_variance[design.fixed_group]
        return fixed, 1.0 / self.varying_variance[design.varying_group] if self.b.shape[1] else np.zeros(0)

    def likelihood(self, labels: LabelRule) -> Quadratic:
        """The quadratic at the mode, with the information that there really is.

        The label of an open lead follows the chance itself, and tells that much less of it (Louis 1982).
        """
        chances = np.asarray(expit(self._eta), dtype=np.float64)
        ahead, behind = (labels(np.asarray(expit(self._eta + step))) for step in (STEP, -STEP))
        return self._quadratic(chances, labels(chances), (ahead - behind) / (2.0 * STEP))

    def _quadratic(self, chances: Floats, y: Floats, untold: Floats | float = 0.0) -> Quadratic:
        """`untold` (n,): how fast each label moves with its own logit; 0 where labels are taken as they stand."""
        design = self.design
        weight, residual = np.maximum(chances * (1.0 - chances) - untold, 1e-8), y - chances
        kind = design.fixed.dtype
        (reps, width), p = self.b.shape, self.beta.size
        gram, cross, blocks = np.zeros((p, p)), np.zeros((reps, p, width)), np.zeros((reps, width, width))
        side, side_b = np.zeros(p), np.zeros((reps, width))
        for first in range(0, y.size, CHUNK):
            rows = slice(first, first + CHUNK)
            gram += (design.fixed[rows] * weight[rows, None].astype(kind)).T @ design.fixed[rows]
            side += residual[rows] @ design.fixed[rows]
        if width:
            for rep, rows in self._pieces():
                weighted = design.varying[rows] * weight[rows, None].astype(kind)
                blocks[rep] += weighted.T @ design.varying[rows]
                cross[rep] += design.fixed[rows].T @ weighted
                side_b[rep] += residual[rows] @ design.varying[rows]
            side += (cross @ self.b[:, :, None])[:, :, 0].sum(axis=0)
            side_b += np.tensordot(cross, self.beta, axes=(1, 0)) + (blocks @ self.b[:, :, None])[:, :, 0]
        return Quadratic(gram, cross, blocks, side + gram @ self.beta, side_b)

    def _update_variances(self, solved: Solved) -> float:
        design = self.design
        unsure, spread = solved.spreads()
        new = group_variances(
            design.fixed_group, solved.beta[None], unsure[None], self.fixed_variance, self.fixed_scale
        )
        new[0] = self.fixed_variance[0]
        change = largest_change(self.fixed_variance, new)
        self.fixed_variance = new
        if self.b.shape[1]:
            new = group_variances(design.varying_group, solved.b, spread, self.varying_variance, self.varying_scale)
            change = max(change, largest_change(self.varying_variance, new))
            self.varying_variance = new
        return change

    def _objective(self, y: Floats, eta: Floats, beta: Floats, b: Floats) -> float:
        """Penalised log likelihood."""
        fixed, varying = self._precisions()
        fit = float(y @ eta - np.logaddexp(0.0, eta).sum())
        return fit - 0.5 * float(fixed @ beta**2) - 0.5 * float((b**2 @ varying).sum())

    def _move(self, y: Floats, beta: Floats, b: Floats) -> float:
        """Go to the new mode, or part of the way where that would be worse; the largest change of a coefficient."""
        before = self._objective(y, self._eta, self.beta, self.b)
        d_beta, d_b, length = beta - self.beta, b - self.b, 1.0
        for _ in range(12):
            beta, b = self.beta + length * d_beta, self.b + length * d_b
            eta = self._linear(beta, b)
            if self._objective(y, eta, beta, b) >= before - 1e-9 * abs(before):
                break
            length /= 2.0
        self.beta, self.b, self._eta = beta, b, eta
        return length * float(max(np.abs(d_beta).max(), np.abs(d_b).max(initial=0.0)))
