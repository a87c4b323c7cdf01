"""The fit part at one level of complexity: scored factorised.

logit P = [lead part](L,) + [rep part](R,) + [lead factors](L, K) · [rep factors](K, R); no leads × reps rows.
The chance is the posterior mean: expit(η / √(1 + π s² / 8)) with s² the variance of η that comes from the rep's
coefficients (MacKay 1992). `training.Training` builds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from apportion_models.features.columns import CategoryCoder
from apportion_models.features.leads import SEGMENT_LEVELS, Encoded, LeadEncoder, one_hot
from apportion_models.features.reps import RepEncoder, start_days
from apportion_models.fit.boosted import BoostedLead
from apportion_models.fit.history import Cases
from apportion_models.fit.levels import LEVELS
from apportion_models.fit.spread import chance_draws, chance_spread, coefficient_draws, squares, unpack
from apportion_models.fit.waiting import Waiting, waited

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

BLOCK = 2048  # leads scored at a time
ROWS = 16_384  # past leads scored at a time
FARTHEST = np.float32(30.0)  # a logit beyond which the chance is 0 or 1 in single precision


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Past leads with the rep that they had: (n,) each. The logit is `base` + `advantage`; `given` is as in `given`."""

    base: Floats  # by the lead, and by what managers saw beyond the table
    advantage: Floats  # by the rep
    variance: Floats  # of the logit, by what is not known of the rep
    given: Floats

    @property
    def chance(self) -> Floats:
        """Posterior mean."""
        return np.asarray(
            expit((self.base + self.advantage) / np.sqrt(1.0 + np.pi / 8.0 * self.variance)), dtype=np.float64
        )


@dataclass(frozen=True)
class Prepared:
    """Leads as codes and numbers, and (n,) their logit by the trees, where there are any."""

    encoded: Encoded
    boosted: Floats | None

    def cut(self, first: int, last: int) -> Prepared:
        """The rows from `first` up to `last`."""
        return Prepared(self.encoded.cut(first, last), None if self.boosted is None else self.boosted[first:last])


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A trained fit part."""

    level: str
    leads: LeadEncoder
    boosted: BoostedLead | None
    reps: RepEncoder
    rep_ids: tuple[str, ...]  # reps with history, sorted
    beta: Floats  # intercept, lead part, static rep part, ramp, leads given, matches
    b: Floats  # (R, K) by rep_ids
    given: Floats  # (R,) by rep_ids
    unseen: float
    spread: Floats  # (R + 1, K(K+1)/2) packed posterior covariance; the last row is of a rep without history
    variances: Mapping[str, float]  # σ² by segment, τ² by peers' effect
    waiting: Waiting | None = None

    def check_shapes(self) -> None:
        """Raises ValueError when the arrays do not belong to the encoders (a model put together from pieces)."""
        nobody = self.leads.encode(pd.DataFrame(index=range(0)))
        width = self.phi(nobody).shape[1] if self.b.ndim == 2 and self.b.shape[1] else 0
        fixed = 1 + self.leads.lead_part(nobody).matrix.shape[1] + (self.boosted is not None) + self._peers_width()
        expected = {
            "beta": (self.beta.shape, (fixed + len(self.reps.matches),)),
            "b": (self.b.shape, (len(self.rep_ids), width)),
            "given": (self.given.shape, (len(self.rep_ids),)),
            "spread": (self.spread.shape, (len(self.rep_ids) + 1, width * (width + 1) // 2)),
        }
        for name, (got, due) in expected.items():
            if got != due:
                raise ValueError(f"'{name}' must have the shape {due}, got {got}")
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"'{name}' must be finite")

    def score(self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float) -> Singles:
        """(L, R) chances at one moment."""
        out = np.empty((len(leads), len(reps)), dtype=np.float32)
        for rows, part in self.score_blocks(leads, reps, at_days):
            out[rows] = part
        return out

    def score_blocks(
        self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float, rows: int = BLOCK
    ) -> Iterator[tuple[slice, Singles]]:
        """The chances in blocks of leads: (rows, (l, R) float32)."""
        for where, eta, variance in self._logit_blocks(leads, reps, at_days, rows):
            if variance is not None:
                variance *= np.float32(np.pi / 8.0)
                variance += np.float32(1.0)
                np.sqrt(variance, out=variance)
                eta /= variance
            yield where, _chances(eta)

    def spread_blocks(
        self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float, rows: int = BLOCK
    ) -> Iterator[tuple[slice, Singles]]:
        """Standard errors of the chances, in blocks as `score_blocks`; 0 where no rep has coefficients."""
        for where, eta, variance in self._logit_blocks(leads, reps, at_days, rows):
            yield where, np.zeros_like(eta) if variance is None else chance_spread(eta, variance)

    def advantage(self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float) -> tuple[Floats, Floats]:
        """(L,) logits by the lead alone and (L, R) what each rep adds; for checks of a batch."""
        base = self._lead_logit(leads, self.prepare(leads), at_days)
        eta = np.vstack([eta for _, eta, _ in self._logit_blocks(leads, reps, at_days, BLOCK)]).astype(np.float64)
        return base, eta - base[:, None]

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
        place = self.place(_ids(reps))
        covariance = unpack(self.spread[place], self.b.shape[1])
        deviations = coefficient_draws(covariance, draws=draws, seed=seed)
        encoded = self.leads.encode(leads)
        out = np.empty((draws, len(leads)))
        for where, eta, _ in self._logit_blocks(leads, reps, at_days, BLOCK):
            mine = rep[where]
            own = eta[np.arange(mine.size), np.maximum(mine, 0)].astype(np.float64)
            phi = self.phi(encoded.cut(where.start, where.stop)) if self.b.shape[1] else np.zeros((mine.size, 0))
            out[:, where] = chance_draws(own, phi, mine, deviations)
        return out

    def score_rows(self, cases: Cases, reps: pd.DataFrame) -> Floats:
        """(n,) chances of the cases with the rep and at the time that they had, as managers dealt them."""
        return self.rows(cases, reps).chance

    def prepare(self, leads: pd.DataFrame) -> Prepared:
        """The leads encoded and scored by the trees. Levels of one training share it."""
        encoded = self.leads.encode(leads)
        return Prepared(encoded, None if self.boosted is None else self.boosted.score(self.leads, encoded))

    def rows(self, cases: Cases, reps: pd.DataFrame, prepared: Prepared | None = None) -> Rows:
        """The cases with the rep and at the time that they had, as managers dealt them."""
        ready = prepared or self.prepare(cases.frame)
        parts = [
            self._some_rows(cases.take(np.arange(first, last)), reps, ready.cut(first, last))
            for first in range(0, max(len(cases), 1), ROWS)
            for last in (min(first + ROWS, len(cases)),)
        ]
        return Rows(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in ("base", "advantage", "variance", "given")
            }
        )

    def _some_rows(self, cases: Cases, reps: pd.DataFrame, leads: Prepared) -> Rows:
        ids, rep_of = np.unique(cases.rep_id.astype(str), return_inverse=True)
        known, place = align(reps, ids), self.place(ids)
        base = self._lead_logit(cases.frame, leads, cases.assigned)
        advantage, variance, given = np.zeros(len(cases)), np.zeros(len(cases)), np.zeros(len(cases))
        if self.b.shape[1]:
            lead_end, _ = self.cuts()
            given = np.append(self.given, 0.0)[place][rep_of]
            static = self.reps.static_part(known).matrix[rep_of]
            ramp = self.reps.ramp(start_days(known)[rep_of], cases.assigned)
            matches = match_columns(cases.frame, known, rep_of, self.reps)
            peers = np.hstack([static, ramp, given[:, None], *(column[:, None] for column in matches)])
            phi = self.phi(leads.encoded)
            advantage = peers @ self.beta[lead_end:] + np.einsum("nk,nk->n", phi, self._mine(place)[rep_of])
            spread = self.spread[place].astype(np.float32)
            products = squares(phi.astype(np.float32), *np.triu_indices(phi.shape[1]))
            variance = np.einsum("kn,nk->n", products, spread[rep_of]).astype(np.float64)
        return Rows(base=base + self.unseen * given, advantage=advantage, variance=variance, given=given)

    def matched(self, cases: Cases, reps: pd.DataFrame) -> list[NDArray[np.object_]]:
        """Per matched lead column: (n,) "yes" where the rep of the case declares the lead's value, else "no"."""
        ids, rep_of = np.unique(cases.rep_id.astype(str), return_inverse=True)
        columns = match_columns(cases.frame, align(reps, ids), rep_of, self.reps)
        return [np.where(column > 0, "yes", "no").astype(object) for column in columns]

    def place(self, ids: Sequence[str] | NDArray[Any]) -> NDArray[np.intp]:
        """The row of each rep; the last one stands for reps without history."""
        place = pd.Index(self.rep_ids, dtype=object).get_indexer(pd.Index(ids, dtype=object))
        return np.where(place < 0, len(self.rep_ids), place)

    def _mine(self, place: NDArray[np.intp]) -> Floats:
        """Each rep's coefficients, 0 without history."""
        return np.vstack([self.b, np.zeros((1, self.b.shape[1]))])[place]

    def phi(self, leads: Encoded) -> Floats:
        """(n, K) what the reps' coefficients are of."""
        return self.leads.segment_part(leads).matrix if self.level == LEVELS[3] else np.ones((leads.rows, 1))

    def _peers_width(self) -> int:
        static = self.reps.static_part(pd.DataFrame(index=range(0))).matrix.shape[1]
        return int(static) + self.reps.tenure + (1 if self.b.shape[1] else 0)

    def lead_groups(self) -> tuple[str, ...]:
        """The group of each column of the lead part, as `lead_columns` names them."""
        nobody = self.leads.encode(pd.DataFrame(index=range(0)))
        return lead_columns(self.leads, nobody, None if self.boosted is None else np.zeros(0))[1]

    def cuts(self) -> tuple[int, int]:
        """Where the lead part and the rep part end in β."""
        rep_end = self.beta.size - len(self.reps.matches)
        return rep_end - self._peers_width(), rep_end

    def _lead_logit(self, leads: pd.DataFrame, prepared: Prepared, at_days: Floats | float) -> Floats:
        """(L,) the intercept, the lead part, and what waiting takes."""
        encoded, extra = prepared.encoded, prepared.boosted if self.boosted is not None else None
        weights, out = self.beta[1 : self.cuts()[0]], np.empty(encoded.rows)
        for first in range(0, encoded.rows, BLOCK):
            last = first + BLOCK
            part = lead_columns(self.leads, encoded.cut(first, last), None if extra is None else extra[first:last])[0]
            out[first:last] = (part * weights).sum(axis=1)  # a sum by row: the same bits in every block
        out += self.beta[0]
        if self.waiting is not None:
            out -= self.waiting.loss(waited(leads, at_days))
        return out

    def _logit_blocks(
        self, leads: pd.DataFrame, reps: pd.DataFrame, at_days: float, rows: int
    ) -> Iterator[tuple[slice, Singles, Singles | None]]:
        """(rows, (l, R) logits at b̂, their variance); no variance where reps have no coefficients."""
        prepared = self.prepare(leads)
        encoded = prepared.encoded
        base = self._lead_logit(leads, prepared, at_days).astype(np.float32)
        starts = range(0, len(leads), rows)
        if self.b.shape[1] == 0:
            for first in starts:
                part = base[first : first + rows]
                yield slice(first, first + part.size), np.repeat(part[:, None], len(reps), axis=1), None
            return
        side = self._rep_side(reps, at_days)
        codes = [(match.lead_codes(leads), len(match.values)) for match in self.reps.matches]
        for first in starts:
            last = min(first + rows, len(leads))
            phi = self.phi(encoded.cut(first, last)).astype(np.float32)
            factors = [phi, *(one_hot(code[first:last], width).astype(np.float32) for code, width in codes)]
            eta = np.hstack(factors) @ side.factors
            eta += base[first:last, None]
            eta += side.shift
            yield slice(first, last), eta, squares(phi, *side.pairs).T @ side.spread

    def _rep_side(self, reps: pd.DataFrame, at_days: float) -> _RepSide:
        lead_end, rep_end = self.cuts()
        place = self.place(_ids(reps))
        given = np.append(self.given, 0.0)[place]
        peers = [self.reps.static_part(reps).matrix, self.reps.ramp(start_days(reps), at_days), given[:, None]]
        skills = self.reps.skills(reps)
        factors = [self._mine(place)]
        for weight, match in zip(self.beta[rep_end:], self.reps.matches, strict=True):
            factors.append(weight * match.declared(skills))
        rows, columns = np.triu_indices(self.b.shape[1])
        some = self._possible(rows, columns)
        return _RepSide(
            shift=(np.hstack(peers) @ self.beta[lead_end:rep_end]).astype(np.float32),
            factors=np.ascontiguousarray(np.hstack(factors).T.astype(np.float32)),
            spread=np.ascontiguousarray(self.spread[place][:, some].T.astype(np.float32)),
            pairs=(rows[some], columns[some]),
        )

    def _possible(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which products of two entries of φ can be other than 0: a lead has one level of a category only."""
        if self.level != LEVELS[3]:
            return np.ones(rows.size, dtype=np.bool_)
        kind = [0]
        for number, coder in enumerate(self.leads.segment_coders(), start=1):
            kind += [number] * (min(coder.width, SEGMENT_LEVELS) if isinstance(coder, CategoryCoder) else 1)
        kinds = np.array(kind)
        return np.asarray((kinds[rows] != kinds[columns]) | (rows == columns), dtype=np.bool_)


@dataclass(frozen=True, kw_only=True)
class _RepSide:
    """What scoring needs of the reps."""

    shift: Singles  # (R,)
    factors: Singles  # (K + V, R)
    spread: Singles  # (P, R) of the products `pairs`
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]]


def align(reps: pd.DataFrame, ids: Sequence[str] | NDArray[Any]) -> pd.DataFrame:
    """One row for each id, in that order; what is not in `reps` is missing."""
    keyed = reps.set_index(reps["rep_id"].astype(str)).drop(columns="rep_id")
    return keyed.reindex(pd.Index(ids, dtype=object, name="rep_id")).reset_index()


def lead_columns(encoder: LeadEncoder, leads: Encoded, boosted: Floats | None) -> tuple[Floats, tuple[str, ...]]:
    """(n, p) columns of the lead part and their groups; the boosted logit (n,), where there is one, is the last."""
    part = encoder.lead_part(leads)
    if boosted is None:
        return part.matrix, part.groups
    return np.hstack([part.matrix, boosted[:, None]]), (*part.groups, "boosted")


def match_columns(
    frame: pd.DataFrame, reps: pd.DataFrame, rep_of: NDArray[np.intp], encoder: RepEncoder
) -> list[Floats]:
    """Per match: (n,) 1 where the case's rep declares the lead's value."""
    skills = encoder.skills(reps)
    columns = []
    for match in encoder.matches:
        declared = np.hstack([match.declared(skills), np.zeros((len(reps), 1))])  # the last: a value nobody declares
        columns.append(declared[rep_of, match.lead_codes(frame)])
    return columns


def _ids(reps: pd.DataFrame) -> NDArray[np.object_]:
    return np.asarray(reps["rep_id"].astype(str).to_numpy(dtype=object))


def _chances(eta: Singles) -> Singles:
    """The logistic function in place."""
    np.clip(eta, -FARTHEST, FARTHEST, out=eta)
    np.negative(eta, out=eta)
    np.exp(eta, out=eta)
    eta += np.float32(1.0)
    return np.asarray(np.reciprocal(eta, out=eta), dtype=np.float32)
