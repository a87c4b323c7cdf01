"""Compiled: a step of Newton's method over the reps, by conjugate gradients on leads that are nearly indifferent."""

from __future__ import annotations

import numpy as np

from apportion.engines.transport.compiled import compiled


@compiled
def _apply(first, second, free, extra, x, y):  # type: ignore[no-untyped-def]
    """y = (Laplacian + extra) x on the free reps. Each lead ties its two choices; nurture stays where it is."""
    n = len(free)
    for r in range(n):
        y[r] = extra * x[r]
    for k in range(len(first)):
        u, s = first[k], second[k]
        a = x[u] if u < n and free[u] else 0.0
        b = x[s] if s < n and free[s] else 0.0
        if u < n and free[u]:
            y[u] += 0.5 * (a - b)
        if s < n and free[s]:
            y[s] += 0.5 * (b - a)


@compiled
def laplacian_step(first, second, free, excess, part, most_rounds, tolerance):  # type: ignore[no-untyped-def]
    """(R,) solve Laplacian · step = excess on the free reps, zero elsewhere.

    first, second : (n,) the choices of each lead that is nearly indifferent, R for nurture. part : of the mean diagonal
    that is added, so that there is a solution. Hestenes and Stiefel, 1952, with the diagonal as preconditioner.
    """
    n = len(free)
    diagonal = np.zeros(n)
    for k in range(len(first)):
        if first[k] < n:
            diagonal[first[k]] += 0.5
        if second[k] < n:
            diagonal[second[k]] += 0.5
    extra = max(part * diagonal.mean(), 1e-6)
    diagonal += extra
    step, rest, along = np.zeros(n), np.zeros(n), np.zeros(n)
    image, inner = np.zeros(n), 0.0
    for r in range(n):
        if free[r]:
            rest[r] = excess[r]
            along[r] = rest[r] / diagonal[r]
            inner += rest[r] * along[r]
    goal = tolerance * inner
    for _ in range(most_rounds):
        if inner <= goal or inner == 0.0:
            break
        _apply(first, second, free, extra, along, image)
        bend = 0.0
        for r in range(n):
            bend += along[r] * image[r] if free[r] else 0.0
        length, new = inner / bend, 0.0
        for r in range(n):
            if free[r]:
                step[r] += length * along[r]
                rest[r] -= length * image[r]
                new += rest[r] * rest[r] / diagonal[r]
        for r in range(n):
            if free[r]:
                along[r] = rest[r] / diagonal[r] + (new / inner) * along[r]
        inner = new
    return step
