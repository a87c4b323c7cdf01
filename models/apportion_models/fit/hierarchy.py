"""The random-coefficient logistic model, on arrays.

    logit P(row) = x·β + φ·b_rep,   β_g ~ N(0, τ²_g),   b_rep ~ N(0, diag σ²_g)

β has the intercept first, held loosely about the overall rate. The mode is found by Newton steps: the Hessian is block
by rep with an arrow for β, so that a step costs one small solve per rep. The variances follow by empirical Bayes:
Fellner-Schall updates σ²_g ← (Σ b² + a·s) / (effective degrees of freedom + a) with a weak prior (Fellner 1986; Schall
1991; Wood and Fasiolo 2017). The posterior covariance of each rep's coefficients includes what is not known of β.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INTERCEPT_PRECISION = 0.1  # about the overall rate: weak, yet "always" and "never" stay out of reach
PRIOR_FIXED = (1.0, 0.01)  # pseudo-effects and their variance
PRIOR_REP = (1.0, 0.001)
SMALLEST, LARGEST = 1e-6, 4.0
MAX_ROUNDS = 60
TOLERANCE = 0.02  # change of a standard deviation, relative to it or to 0.1, that ends the search
STEP_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Design:
    """Rows sorted by rep. `starts` (R + 1,) bounds each rep's rows; every rep has at least one."""

    fixed: Floats  # (n, p) the first column is the intercept
    fixed_group: Ints  # (p,) 0 for the intercept, then 1..
    varying: Floats  # (n, K); K may be 0
    varying_group: Ints  # (K,) 0..
    starts: Ints  # (R + 1,)


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Mode, covariance and variances."""

    beta: Floats  # (p,)
    b: Floats  # (R, K)
    covariance: Floats  # (R, K, K) of b, β integrated out
    fixed_variance: Floats  # (G,) by group; the intercept's is infinite
    varying_variance: Floats  # (H,) by group
    rounds: int


LabelRule = Callable[[Floats], Floats]


def fit_hierarchy(design: Design, labels: LabelRule, rate: float) -> Posterior:
    """Fit; `labels` maps the current chances (n,) to labels (n,) in [0, 1]; `rate` starts the intercept."""
    state = _State(design, rate)
    for rounds in range(1, MAX_ROUNDS + 1):
        y = labels(state.chances())
        step = np.inf
        for _ in range(25 if rounds == 1 else 2):
            step = state.newton(y)
            if step < STEP_TOLERANCE:
                break
        change = state.update_variances()
        if change < TOLERANCE and step < 0.02:
            break
    for _ in range(8):
        if state.newton(labels(state.chances())) < STEP_TOLERANCE:
            break
    return Posterior(
        beta=state.beta + state.offset * (np.arange(state.beta.size) == 0),
        b=state.b,
        covariance=state.covariance(),
        fixed_variance=state.fixed_variance,
        varying_variance=state.varying_variance,
        rounds=rounds,
    )


class _State:
    """The moving parts of one fit."""

    def __init__(self, design: Design, rate: float) -> None:
        self.design = design
        reps, width = design.starts.size - 1, design.varying.shape[1]
        self.beta = np.zeros(design.fixed.shape[1])
        self.offset = float(logit(rate))  # the intercept counts from here
        self.b = np.zeros((reps, width))
        self.fixed_variance = np.full(int(design.fixed_group.max()) + 1, 0.1)
        self.fixed_variance[0] = 1.0 / INTERCEPT_PRECISION
        self.varying_variance = np.full(int(design.varying_group.max()) + 1 if width else 0, 0.05)
        self.rep_of_row = np.repeat(np.arange(reps), np.diff(design.starts))
        self._eta = self._linear(self.beta, self.b)

    def chances(self) -> Floats:
        return np.asarray(expit(self._eta), dtype=np.float64)

    def _linear(self, beta: Floats, b: Floats) -> Floats:
        eta = self.offset + self.design.fixed @ beta
        if b.shape[1]:
            eta += np.einsum("nk,nk->n", self.design.varying, b[self.rep_of_row])
        return np.asarray(eta, dtype=np.float64)

    def _precisions(self) -> tuple[Floats, Floats]:
        return 1.0 / self.fixed_variance[self.design.fixed_group], 1.0 / self.varying_variance[
            self.design.varying_group
        ] if self.b.shape[1] else np.zeros(0)

    def _objective(self, y: Floats, eta: Floats, beta: Floats, b: Floats) -> float:
        """Penalised log likelihood."""
        fixed, varying = self._precisions()
        fit = float(y @ eta - np.logaddexp(0.0, eta).sum())
        return fit - 0.5 * float(fixed @ beta**2) - 0.5 * float((b**2 @ varying).sum())

    def newton(self, y: Floats) -> float:
        """One damped Newton step; the largest change of a coefficient."""
        design, fixed, varying = self.design, *self._precisions()
        mu = self.chances()
        weight, residual = np.maximum(mu * (1.0 - mu), 1e-8), y - mu
        information = (design.fixed * weight[:, None]).T @ design.fixed + np.diag(fixed)
        gradient = design.fixed.T @ residual - fixed * self.beta
        if self.b.shape[1]:
            self._blocks(weight, varying)
            slope = self._per_rep(design.varying * residual[:, None]) - varying * self.b
            solved = np.einsum("rkl,rl->rk", self._inverse, slope)
            information -= _gram(self._carry, self._cross)
            reduced = gradient - np.einsum("rpk,rk->p", self._cross, solved)
            self._information = information
            d_beta = np.linalg.solve(information, reduced)
            d_b = solved - np.einsum("rpk,p->rk", self._carry, d_beta)
        else:
            self._information = information
            d_beta, d_b = np.linalg.solve(information, gradient), np.zeros_like(self.b)
        return self._advance(y, d_beta, d_b)

    def _blocks(self, weight: Floats, precision: Floats) -> None:
        """Per rep: the inverse of its Hessian block, the coupling with β, and their product."""
        design, reps, width = self.design, *self.b.shape
        blocks = np.empty((reps, width, width))
        self._cross = np.empty((reps, design.fixed.shape[1], width))
        for rep in range(reps):
            rows = slice(design.starts[rep], design.starts[rep + 1])
            weighted = design.varying[rows] * weight[rows, None]
            blocks[rep] = weighted.T @ design.varying[rows]
            self._cross[rep] = design.fixed[rows].T @ weighted
        blocks[:, np.arange(width), np.arange(width)] += precision
        self._inverse = np.linalg.inv(blocks)
        self._carry = self._cross @ self._inverse

    def _per_rep(self, rows: Floats) -> Floats:
        return np.add.reduceat(rows, self.design.starts[:-1], axis=0)

    def _advance(self, y: Floats, d_beta: Floats, d_b: Floats) -> float:
        before = self._objective(y, self._eta, self.beta, self.b)
        length = 1.0
        for _ in range(12):
            beta, b = self.beta + length * d_beta, self.b + length * d_b
            eta = self._linear(beta, b)
            if self._objective(y, eta, beta, b) >= before - 1e-9 * abs(before):
                break
            length /= 2.0
        self.beta, self.b, self._eta = beta, b, eta
        return length * float(max(np.abs(d_beta).max(), np.abs(d_b).max(initial=0.0)))

    def update_variances(self) -> float:
        """One Fellner-Schall update; the largest relative change of a variance that matters."""
        design = self.design
        spread = np.diag(np.linalg.inv(self._information))
        new = _fellner_schall(
            design.fixed_group, self.beta[None, :] ** 2, spread[None, :], self.fixed_variance, PRIOR_FIXED
        )
        new[0] = self.fixed_variance[0]
        change = _change(self.fixed_variance, new)
        self.fixed_variance = new
        if self.b.shape[1]:
            spread = np.diagonal(self.covariance(), axis1=1, axis2=2)
            new = _fellner_schall(design.varying_group, self.b**2, spread, self.varying_variance, PRIOR_REP)
            change = max(change, _change(self.varying_variance, new))
            self.varying_variance = new
        return change

    def covariance(self) -> Floats:
        """(R, K, K) posterior covariance of b."""
        if not self.b.shape[1]:
            return np.zeros((self.b.shape[0], 0, 0))
        unsure = np.linalg.inv(self._information)
        return np.asarray(self._inverse + self._carry.transpose(0, 2, 1) @ unsure @ self._carry, dtype=np.float64)


def _gram(carry: Floats, cross: Floats) -> Floats:
    """Σ over reps of carry · crossᵀ, as one matrix product."""
    p = carry.shape[1]
    return np.asarray(
        carry.transpose(1, 0, 2).reshape(p, -1) @ cross.transpose(1, 0, 2).reshape(p, -1).T, dtype=np.float64
    )


def _fellner_schall(
    group: Ints, squares: Floats, spread: Floats, variance: Floats, prior: tuple[float, float]
) -> Floats:
    """(G,) new variances; `squares` and `spread` (m, k) are of m independent copies of k effects."""
    size = variance.size
    count = np.bincount(group, minlength=size) * squares.shape[0]
    total = np.bincount(group, weights=squares.sum(axis=0), minlength=size)
    unsure = np.bincount(group, weights=spread.sum(axis=0), minlength=size)
    freedom = np.maximum(count - unsure / variance, 1e-3)
    new = (total + prior[0] * prior[1]) / (freedom + prior[0])
    return np.asarray(np.clip(new, SMALLEST, LARGEST), dtype=np.float64)


def _change(old: Floats, new: Floats) -> float:
    """Largest change of a standard deviation relative to itself or to 0.1, whichever is larger."""
    before, after = np.sqrt(old), np.sqrt(new)
    return float(np.max(np.abs(after - before) / np.maximum(before, 0.1), initial=0.0))
