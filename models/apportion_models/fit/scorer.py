"""The fit part at one level of complexity: trained on cases, scored factorised.

logit P = [lead part](L,) + [rep part](R,) + [lead factors](L, K) · [rep factors](K, R); no leads × reps rows.
The chance is the posterior mean: expit(η / √(1 + π s² / 8)) with s² the variance of η that comes from the rep's
coefficients (MacKay 1992).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from apportion_models.features.leads import LeadEncoder, one_hot
from apportion_models.features.reps import RepEncoder, declared_skills, start_days
from apportion_models.fit.hierarchy import Design, fit_hierarchy
from apportion_models.fit.history import Cases
from apportion_models.fit.labels import Labels
from apportion_models.fit.spread import chance_draws, chance_spread, coefficient_draws, unpack

Floats = NDArray[np.float64]

LEVELS = ("base rate", "lead", "rep", "rep x segment")
BLOCK = 2048  # leads scored at a time


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A trained fit part. Build it with `Scorer.train`."""

    level: str
    leads: LeadEncoder
    reps: RepEncoder
    rep_ids: tuple[str, ...]  # reps with history, sorted
    beta: Floats  # intercept, lead part, static rep part, ramp, matches
    b: Floats  # (R, K) by rep_ids
    spread: Floats  # (R + 1, K(K+1)/2) packed posterior covariance; the last row is of a rep without history
    variances: Mapping[str, float]  # σ² by segment, τ² by peers' effect

    @classmethod
    def train(
        cls, cases: Cases, reps: pd.DataFrame, *, level: str, columns: Sequence[str], rep_columns: Sequence[str]
    ) -> Scorer:
        """Fit `level` on the cases. `reps` are the known reps; of other reps of the cases only the history is known."""
        leads = LeadEncoder.learn(cases.frame, columns if level != "base rate" else ())[0]
        if level in ("base rate", "lead"):
            encoder = RepEncoder(coders=(), tenure=False, matches=())
        else:
            encoder = RepEncoder.learn(reps, rep_columns, cases.frame, leads)
        labels = Labels.of(cases)
        ids, rep_of = np.unique(cases.rep_id.astype(str), return_inverse=True)
        order = np.argsort(rep_of, kind="stable")
        names, fixed = _fixed(cases, align(reps, ids), rep_of, leads, encoder)
        varying = leads.segment_part(cases.frame) if level == LEVELS[3] else None
        width = {LEVELS[2]: 1, LEVELS[3]: varying.matrix.shape[1] if varying else 0}.get(level, 0)
        matrix = varying.matrix if varying else np.ones((len(cases), width))
        groups = varying.groups if varying else ("rep",) * width
        group_names, group = _numbered(groups)
        fixed_names, fixed_group = _numbered(names)
        design = Design(
            fixed=fixed[order],
            fixed_group=fixed_group,
            varying=matrix[order],
            varying_group=group,
            starts=np.searchsorted(rep_of[order], np.arange(ids.size + 1)),
        )
        fitted = fit_hierarchy(design, labels.take(order).given, labels.rate())
        prior = np.diag(fitted.varying_variance[group]) if width else np.zeros((0, 0))
        return cls(
            level=level,
            leads=leads,
            reps=encoder,
            rep_ids=tuple(str(i) for i in ids),
            beta=fitted.beta,
            b=fitted.b,
            spread=_pack(np.concatenate([fitted.covariance, prior[None]])),
            variances={
                **{name: float(v) for name, v in zip(group_names, fitted.varying_variance, strict=True)},
                **{f"peers: {n}": float(v) for n, v in zip(fixed_names, fitted.fixed_variance, strict=True) if n != ""},
            },
        )

    def check_shapes(self) -> None:
        """Raises ValueError when the arrays do not belong to the encoders (a model put together from pieces)."""
        nobody = pd.DataFrame(index=range(0))
        width = self._phi(nobody).shape[1] if self.b.ndim == 2 and self.b.shape[1] else 0
        fixed = 1 + self.leads.lead_part(nobody).matrix.shape[1] + _static_width(self.reps) + self.reps.tenure
        expected = {
            "beta": (self.beta.shape, (fixed + len(self.reps.matches),)),
            "b": (self.b.shape, (len(self.rep_ids), width)),
            "spread": (self.spread.shape, (len(self.rep_ids) + 1, width * (width + 1) // 2)),
        }
        for name, (got, due) in expected.items():
            if got != due:
                raise ValueError(f"'{name}' must have the shape {due}, got {got}")
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"'{name}' must be finite")

    def score(self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float) -> NDArray[np.float32]:
        """(L, R) chances at one moment."""
        out = np.empty((len(leads), len(reps)), dtype=np.float32)
        for rows, part in self.score_blocks(leads, reps, at_days):
            out[rows] = part
        return out

    def score_blocks(
        self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float, rows: int = BLOCK
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """The chances in blocks of leads: (rows, (l, R) float32)."""
        side = self._rep_side(reps, at_days)
        for first in range(0, len(leads), rows):
            part = leads.iloc[first : first + rows]
            yield slice(first, first + len(part)), self._block(part, side)

    def spread_blocks(
        self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float, rows: int = BLOCK
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Standard errors of the chances, in blocks as `score_blocks`; 0 where no rep has coefficients."""
        side = self._rep_side(reps, at_days)
        for first in range(0, len(leads), rows):
            part = leads.iloc[first : first + rows]
            eta, variance = self._logits(part, side)
            none = np.zeros((len(part), len(reps)), dtype=np.float32)
            yield slice(first, first + len(part)), none if variance is None else chance_spread(eta, variance)

    def draw_pairs(
        self,
        leads: pd.DataFrame,
        reps: pd.DataFrame,
        rep: NDArray[np.int64],
        at_days: float,
        *,
        draws: int,
        seed: int,
    ) -> Floats:
        """(S, L) draws of each lead's chance with its rep, `rep` (L,) a row of `reps`, -1 nobody.

        A rep's draws depend on seed and reps alone, so that two plans drawn with one seed can be compared pair by pair.
        """
        side = self._rep_side(reps, at_days)
        _, place = self._mine(reps["rep_id"].astype(str).to_numpy(dtype=object))
        covariance = unpack(self.spread[place], self.b.shape[1])
        deviations = coefficient_draws(covariance, draws=draws, seed=seed)
        out = np.empty((draws, len(leads)))
        for first in range(0, len(leads), BLOCK):
            part, mine = leads.iloc[first : first + BLOCK], rep[first : first + BLOCK]
            eta, _ = self._logits(part, side)
            own = eta[np.arange(mine.size), np.maximum(mine, 0)].astype(np.float64)
            phi = self._phi(part) if self.b.shape[1] else np.zeros((mine.size, 0))
            out[:, first : first + mine.size] = chance_draws(own, phi, mine, deviations)
        return out

    def score_rows(self, cases: Cases, reps: pd.DataFrame) -> Floats:
        """(n,) chances of the cases with the rep and at the time that they had."""
        ids, rep_of = np.unique(cases.rep_id.astype(str), return_inverse=True)
        known = align(reps, ids)
        _, fixed = _fixed(cases, known, rep_of, self.leads, self.reps)
        eta = fixed @ self.beta
        if self.b.shape[1]:
            mine, place = self._mine(ids)
            phi = self._phi(cases.frame)
            eta += np.einsum("nk,nk->n", phi, mine[rep_of])
            variance = np.einsum("nk,nk->n", _squares(phi), self.spread[place][rep_of])
            eta /= np.sqrt(1.0 + np.pi / 8.0 * variance)
        return np.asarray(expit(eta), dtype=np.float64)

    def matched(self, cases: Cases, reps: pd.DataFrame) -> list[NDArray[np.object_]]:
        """Per matched lead column: (n,) "yes" where the rep of the case declares the lead's value, else "no"."""
        ids, rep_of = np.unique(cases.rep_id.astype(str), return_inverse=True)
        columns = _matches(cases, align(reps, ids), rep_of, self.reps)
        return [np.where(column > 0, "yes", "no").astype(object) for column in columns]

    def _mine(self, ids: Sequence[str] | NDArray[Any]) -> tuple[Floats, NDArray[np.intp]]:
        """Each rep's coefficients (0 without history) and the row of its covariance."""
        place = pd.Index(self.rep_ids, dtype=object).get_indexer(pd.Index(ids, dtype=object))
        place = np.where(place < 0, len(self.rep_ids), place)
        return np.vstack([self.b, np.zeros((1, self.b.shape[1]))])[place], place

    def _phi(self, leads: pd.DataFrame) -> Floats:
        return self.leads.segment_part(leads).matrix if self.level == LEVELS[3] else np.ones((len(leads), 1))

    def _cuts(self) -> tuple[int, int]:
        """Where the lead part and the rep part end in β."""
        lead_end = self.beta.size - len(self.reps.matches) - self.reps.tenure - _static_width(self.reps)
        return lead_end, self.beta.size - len(self.reps.matches)

    def _rep_side(self, reps: pd.DataFrame, at_days: float) -> _RepSide:
        lead_end, rep_end = self._cuts()
        peers = np.hstack([self.reps.static_part(reps).matrix, self.reps.ramp(start_days(reps), at_days)])
        skills = declared_skills(reps) if self.reps.matches else []
        ids = reps["rep_id"].astype(str).to_numpy(dtype=object)
        mine, place = self._mine(ids)
        factors = [mine]
        for weight, match in zip(self.beta[rep_end:], self.reps.matches, strict=True):
            factors.append(weight * match.declared(skills))
        return _RepSide(
            shift=peers @ self.beta[lead_end:rep_end],
            factors=np.ascontiguousarray(np.hstack(factors).T),
            spread=np.ascontiguousarray(self.spread[place].T.astype(np.float32)),
        )

    def _block(self, leads: pd.DataFrame, side: _RepSide) -> NDArray[np.float32]:
        eta, variance = self._logits(leads, side)
        chance = eta.astype(np.float32)
        if variance is not None:
            variance *= np.float32(np.pi / 8.0)
            variance += np.float32(1.0)
            np.sqrt(variance, out=variance)
            chance /= variance
        return np.asarray(expit(chance, out=chance), dtype=np.float32)

    def _logits(self, leads: pd.DataFrame, side: _RepSide) -> tuple[Floats, NDArray[np.float32] | None]:
        """(l, R) logits at b̂, and their variance; None where reps have no coefficients."""
        lead_end, _ = self._cuts()
        base = self.leads.lead_part(leads).matrix @ self.beta[1:lead_end] + self.beta[0]
        if self.b.shape[1] == 0:
            return np.repeat(base[:, None], side.shift.size, axis=1), None
        phi = self._phi(leads)
        codes = [one_hot(match.lead_codes(leads), len(match.values)) for match in self.reps.matches]
        eta = np.hstack([phi, *codes]) @ side.factors
        eta += base[:, None]
        eta += side.shift
        return eta, _squares(phi).astype(np.float32) @ side.spread


@dataclass(frozen=True, kw_only=True)
class _RepSide:
    """What scoring needs of the reps."""

    shift: Floats  # (R,)
    factors: Floats  # (K + V, R)
    spread: NDArray[np.float32]  # (K(K+1)/2, R)


def align(reps: pd.DataFrame, ids: Sequence[str] | NDArray[Any]) -> pd.DataFrame:
    """One row for each id, in that order; what is not in `reps` is missing."""
    keyed = reps.set_index(reps["rep_id"].astype(str)).drop(columns="rep_id")
    return keyed.reindex(pd.Index(ids, dtype=object, name="rep_id")).reset_index()


def _fixed(
    cases: Cases, reps: pd.DataFrame, rep_of: NDArray[np.intp], leads: LeadEncoder, encoder: RepEncoder
) -> tuple[tuple[str, ...], Floats]:
    """Groups and (n, p) columns of β: intercept, lead part, static rep part, ramp, matches."""
    lead = leads.lead_part(cases.frame)
    static = encoder.static_part(reps)
    ramp = encoder.ramp(start_days(reps)[rep_of], cases.assigned)
    parts = [np.ones((len(cases), 1)), lead.matrix, static.matrix[rep_of], ramp]
    groups = ["", *lead.groups, *static.groups, *(["rep tenure"] * ramp.shape[1])]
    parts += [column[:, None] for column in _matches(cases, reps, rep_of, encoder)]
    groups += [f"match: {match.column}" for match in encoder.matches]
    return tuple(groups), np.hstack(parts)


def _matches(cases: Cases, reps: pd.DataFrame, rep_of: NDArray[np.intp], encoder: RepEncoder) -> list[Floats]:
    """Per match: (n,) 1 where the case's rep declares the lead's value."""
    skills = declared_skills(reps) if encoder.matches else []
    columns = []
    for match in encoder.matches:
        declared = np.hstack([match.declared(skills), np.zeros((len(reps), 1))])  # the last: a value nobody declares
        columns.append(declared[rep_of, match.lead_codes(cases.frame)])
    return columns


def _static_width(encoder: RepEncoder) -> int:
    empty = pd.DataFrame(index=range(0))
    return int(encoder.static_part(empty).matrix.shape[1])


def _numbered(groups: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    names = list(dict.fromkeys(groups))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[group] for group in groups], dtype=np.int64)


def _pack(covariance: Floats) -> Floats:
    """(R, K(K+1)/2) upper triangles; off-diagonal entries doubled, so that φᵀCφ is one product."""
    width = covariance.shape[1]
    rows, columns = np.triu_indices(width)
    return np.asarray(covariance[:, rows, columns] * np.where(rows == columns, 1.0, 2.0), dtype=np.float64)


def _squares(phi: Floats) -> Floats:
    """(n, K(K+1)/2) products of the columns of φ, in the order of `_pack`."""
    rows, columns = np.triu_indices(phi.shape[1])
    return np.asarray(phi[:, rows] * phi[:, columns], dtype=np.float64)
