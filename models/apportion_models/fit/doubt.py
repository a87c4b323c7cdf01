"""What the history leaves open: whole models drawn from the posterior, at the full level, whatever level is in use.

The likelihood of the full level (rep x segment) is kept as a quadratic about its mode. A draw takes a standard
deviation for each group of effects from its posterior over a grid (`variances`), and then β and every rep's b from
their joint normal posterior under these. So the lead part, what peers share, each rep's effects, the reps who have no
history yet, and how much effects differ at all are drawn together; simpler levels are in it as small deviations.

How much managers see beyond the table (`given`) no log can tell: it is drawn about the number on record, exponential
with that mean, and the weight of the leads given goes down by as much as it goes up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion_models.features.wiggle import Wiggle
from apportion_models.fit.hierarchy import Design, Floats, Ints, Posterior, Quadratic, Solved
from apportion_models.fit.scorer import Scorer
from apportion_models.fit.variances import GRID, group_posteriors

Singles = NDArray[np.float32]

EACH = 10  # draws of the effects under one draw of their standard deviations


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """S models. `beta` counts as `Scorer.beta`; the weights of the wiggle follow."""

    beta: Floats  # (S, p)
    b: Singles  # (S, R, K) by the scorer's rep_ids
    deviation: Floats  # (S, K) standard deviation of a coefficient, for reps without history
    unseen: Floats  # (S,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Doubt:
    """The full level and its likelihood. `base`: what the quadratic counts the intercept from."""

    scorer: Scorer
    wiggle: Wiggle
    quadratic: Quadratic
    base: float
    fixed_group: Ints  # (p,)
    varying_group: Ints  # (K,)
    fixed_variance: Floats  # (G,)
    varying_variance: Floats  # (H,)
    fixed_scale: Floats  # (G,)
    varying_scale: Floats  # (H,)
    lead_spread: float  # standard deviation of the lead part over the history, on the logit
    squares: Floats  # (K,) mean square of each entry of φ over the history

    @classmethod
    def of(cls, scorer: Scorer, wiggle: Wiggle, design: Design, found: Posterior) -> Doubt:
        """Of a fit that has its likelihood, by a design that has its scales; neither is held on to."""
        assert found.quadratic is not None
        assert design.fixed_scale is not None
        assert design.varying_scale is not None
        lead = scorer.cuts()[0]
        return cls(
            scorer=scorer,
            wiggle=wiggle,
            quadratic=found.quadratic,
            base=found.base,
            fixed_group=design.fixed_group,
            varying_group=design.varying_group,
            fixed_variance=found.fixed_variance,
            varying_variance=found.varying_variance,
            fixed_scale=design.fixed_scale,
            varying_scale=design.varying_scale,
            lead_spread=float(np.std(design.fixed[:, 1:lead] @ found.beta[1:lead].astype(design.fixed.dtype))),
            squares=np.mean(design.varying.astype(np.float64) ** 2, axis=0),
        )

    def draw(self, *, draws: int, seed: int) -> Drawn:
        """S models, the same for the same seed."""
        random = np.random.default_rng(seed)
        rounds = -(-draws // EACH)
        fixed, varying = self._variances(rounds, random)
        beta, b = [], []
        for round_ in range(rounds):
            solved = self.quadratic.solve(
                1.0 / fixed[round_][self.fixed_group], 1.0 / varying[round_][self.varying_group]
            )
            some_beta, some_b = _effects(solved, random)
            beta.append(some_beta)
            b.append(some_b)
        whole = np.concatenate(beta)[:draws]
        whole[:, 0] += self.base
        deviation = np.repeat(np.sqrt(varying)[:, self.varying_group], EACH, axis=0)[:draws]
        return Drawn(
            beta=whole,
            b=np.concatenate(b)[:draws],
            deviation=deviation,
            unseen=random.exponential(self.scorer.unseen, size=draws),
        )

    def _variances(self, rounds: int, random: np.random.Generator) -> tuple[Floats, Floats]:
        """(rounds, G) and (rounds, H) draws; the intercept's variance is held."""
        precision = 1.0 / self.fixed_variance[self.fixed_group], 1.0 / self.varying_variance[self.varying_group]
        solved = self.quadratic.solve(*precision)
        unsure, spread = solved.spreads()
        among = group_posteriors(
            self.fixed_group, solved.beta[None], unsure[None], self.fixed_variance, self.fixed_scale
        )
        within = group_posteriors(self.varying_group, solved.b, spread, self.varying_variance, self.varying_scale)
        fixed, varying = _picked(among, rounds, random), _picked(within, rounds, random)
        fixed[:, 0] = self.fixed_variance[0]
        return fixed, varying

    def arrays(self) -> dict[str, Floats]:
        """What is to be saved beside the scorer."""
        own = {name: np.asarray(getattr(self, name), dtype=np.float64) for name in _ARRAYS}
        parts = {f"quadratic_{one.name}": getattr(self.quadratic, one.name) for one in fields(Quadratic)}
        return {**own, **parts, **{name: np.array([getattr(self, name)]) for name in _NUMBERS}}

    @classmethod
    def from_arrays(cls, scorer: Scorer, arrays: Mapping[str, Floats]) -> Doubt:
        """What `arrays` describe. Raises ValueError where they do not belong to the scorer."""
        own: dict[str, Any] = {
            name: arrays[name].astype(np.int64) if "group" in name else arrays[name] for name in _ARRAYS
        }
        quadratic = Quadratic(**{one.name: arrays[f"quadratic_{one.name}"] for one in fields(Quadratic)})
        own |= {name: float(arrays[name][0]) for name in _NUMBERS}
        found = cls(scorer=scorer, wiggle=Wiggle(scorer.lead_groups()), quadratic=quadratic, **own)
        found.check_shapes()
        return found

    def check_shapes(self) -> None:
        """Raises ValueError when the quadratic is not one of the scorer's."""
        p, (reps, width) = self.scorer.beta.size + self.wiggle.width, self.scorer.b.shape
        due = {"gram": (p, p), "cross": (reps, p, width), "blocks": (reps, width, width), "side": (p,)}
        due["side_b"] = (reps, width)
        for name, shape in due.items():
            got = getattr(self.quadratic, name)
            if got.shape != shape or not np.isfinite(got).all():
                raise ValueError(f"the doubt's '{name}' must be finite, of the shape {shape}, got {got.shape}")
        if self.fixed_group.shape != (p,) or self.varying_group.shape != (width,):
            raise ValueError("the doubt's groups must be those of the scorer")


_ARRAYS = (
    "fixed_group",
    "varying_group",
    "fixed_variance",
    "varying_variance",
    "fixed_scale",
    "varying_scale",
    "squares",
)
_NUMBERS = ("base", "lead_spread")


def _picked(weights: Floats, rounds: int, random: np.random.Generator) -> Floats:
    """(rounds, G) variances from their posteriors over the grid, spread evenly over each (a Latin hypercube)."""
    out = np.empty((rounds, len(weights)))
    for group, weight in enumerate(weights):
        even = (random.permutation(rounds) + random.random(rounds)) / rounds
        out[:, group] = GRID[np.minimum(np.searchsorted(np.cumsum(weight), even), GRID.size - 1)] ** 2
    return out


def _effects(solved: Solved, random: np.random.Generator) -> tuple[Floats, Singles]:
    """(EACH, p) and (EACH, R, K) draws under one set of variances."""
    root = np.linalg.cholesky(np.linalg.inv(solved.information))
    away = random.standard_normal((EACH, solved.beta.size)) @ root.T
    reps, width = solved.b.shape
    own = np.linalg.cholesky(solved.inverse) @ random.standard_normal((reps, width, EACH))
    b = solved.b + own.transpose(2, 0, 1) - np.einsum("sp,rpk->srk", away, solved.carry, optimize=True)
    return solved.beta + away, b.astype(np.float32)
