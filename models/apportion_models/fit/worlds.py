"""Worlds that the history allows: chances and deal values of pairs, as each of S drawn models has them.

A rep's draws follow from the rep's id and the seed, whoever else is in the roster, so that plans over other rosters
are compared on the same draws. What is not in them: a form of the truth that the model does not know, the trees of a
boosted lead part, and leads that will come.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from apportion_models.deal_value import DealValue
from apportion_models.features.reps import Match, declared_skills, start_days
from apportion_models.fit.doubt import Doubt, Drawn
from apportion_models.fit.scorer import lead_columns
from apportion_models.fit.waiting import waited

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]


# What no form says is as large as so much of what the form says: numbers on record, as `FitModel.unseen` is.
UNSAID_OF_LEADS, UNSAID_OF_REPS = 0.25, 0.5
REP_WAVES = 24
LEAD_STREAM = 0x1EAD


class Worlds:
    """S models drawn from the posterior. `FitModel.worlds` makes them."""

    def __init__(self, doubt: Doubt, deal_value: DealValue, *, draws: int, seed: int) -> None:
        self.draws, self._seed = draws, seed
        self._doubt, self._scorer = doubt, doubt.scorer
        self._drawn: Drawn = doubt.draw(draws=draws, seed=seed)
        self._deal_value = deal_value
        self._own_of: dict[str, Singles] = {}

    def scene(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at_days: float) -> Scene:
        """These leads and reps at one moment (days since 1970), ready to be asked about."""
        scorer, drawn = self._scorer, self._drawn
        lead_end = scorer.cuts()[0]
        prepared = scorer.prepare(leads)
        columns = lead_columns(scorer.leads, prepared.encoded, prepared.boosted)[0]
        logit = drawn.beta[:, 1:lead_end] @ columns.T + drawn.beta[:, :1]
        waves = self._doubt.wiggle.columns(columns)
        logit += (drawn.beta[:, scorer.beta.size :] + self._unsaid_of_leads(waves.shape[1])) @ waves.T
        if scorer.waiting is not None:
            logit -= scorer.waiting.loss(waited(leads, at_days))
        return Scene(
            leads=leads,
            at_days=at_days,
            lead_logit=logit.astype(np.float32),
            phi=np.hstack([scorer.phi(prepared.encoded).astype(np.float32), _few(waves)]),
            codes=[match.lead_codes(leads) for match in scorer.reps.matches],
            values=self.values(leads),
            side=self.side(reps, at_days=at_days),
            worlds=self,
        )

    def side(self, reps: pd.DataFrame, *, at_days: float) -> RepSide:
        """These reps at one moment (days since 1970): what is theirs in each world, whatever the leads."""
        scorer, drawn = self._scorer, self._drawn
        lead_end, rep_end = scorer.cuts()
        ids = reps["rep_id"].astype(str).tolist()
        place = scorer.place(reps["rep_id"].astype(str).to_numpy(dtype=object))
        given = np.append(scorer.given, 0.0)[place]
        peers = [scorer.reps.static_part(reps).matrix, scorer.reps.ramp(start_days(reps), at_days), given[:, None]]
        shared = np.hstack(peers) @ drawn.beta[:, lead_end:rep_end].T  # (R, S)
        shared -= np.outer(given, drawn.unseen - scorer.unseen)
        skills = declared_skills(reps) if scorer.reps.matches else []
        for rep, row in zip(ids, place, strict=True):
            if rep not in self._own_of:
                self._own_of[rep] = self._own(rep, row)
        return RepSide(
            rep_ids=tuple(ids),
            shared=shared.astype(np.float32),
            own=[self._own_of[rep] for rep in ids],
            matches=[
                (_declared(match, skills), drawn.beta[:, rep_end + number].astype(np.float32))
                for number, match in enumerate(scorer.reps.matches)
            ],
        )

    def values(self, leads: pd.DataFrame) -> Floats:
        """(S, L) deal values in currency."""
        return self._deal_value.draw(leads, draws=self.draws, seed=self._seed)

    def _own(self, rep: str, row: int) -> Singles:
        """(S, K + W) the rep's coefficients, of a rep without history as reps differ; and what the form leaves out."""
        drawn, waves = self._drawn, min(self._doubt.wiggle.width, REP_WAVES)
        name = int.from_bytes(hashlib.sha256(rep.encode()).digest()[:8], "big")
        random = np.random.default_rng([self._seed, name])
        spread = np.sqrt(drawn.deviation**2 @ self._doubt.squares)  # (S,) of the rep's effects over leads
        unsaid = UNSAID_OF_REPS * spread[:, None] * random.standard_normal((self.draws, waves))
        known = row < drawn.b.shape[1]
        own = drawn.b[:, row] if known else drawn.deviation * random.standard_normal(drawn.deviation.shape)
        return np.hstack([own, unsaid]).astype(np.float32)

    def _unsaid_of_leads(self, waves: int) -> Floats:
        """(S, W) weights of what the form leaves out of the lead part."""
        random = np.random.default_rng([self._seed, LEAD_STREAM])
        return UNSAID_OF_LEADS * self._doubt.lead_spread * random.standard_normal((self.draws, waves))


@dataclass(frozen=True, eq=False, kw_only=True)
class RepSide:
    """The reps of a scene. Build it with `Worlds.side`."""

    rep_ids: tuple[str, ...]
    shared: Singles  # (R, S)
    own: list[Singles]  # (R) of (S, K)
    matches: list[tuple[Singles, Singles]]  # (R, V + 1) declared, (S,) weights

    def rows_in(self, other: RepSide) -> Ints:
        """(R,) the row in another side of each of these reps, where all that is theirs is the same there; else -2."""
        place = {rep: row for row, rep in enumerate(other.rep_ids)}
        rows = np.array([place.get(rep, -2) for rep in self.rep_ids], dtype=np.int64)
        for row in np.flatnonzero(rows >= 0):
            same = np.array_equal(self.shared[row], other.shared[rows[row]]) and all(
                np.array_equal(mine[0][row], its[0][rows[row]])
                for mine, its in zip(self.matches, other.matches, strict=True)
            )
            rows[row] = rows[row] if same else -2
        return rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """Leads and reps at one moment, in every drawn world. Build it with `Worlds.scene`."""

    leads: pd.DataFrame
    at_days: float
    lead_logit: Singles  # (S, L)
    phi: Singles  # (L, K)
    codes: list[Ints]  # of (L,), one a match
    values: Floats  # (S, L) deal values in currency
    side: RepSide
    worlds: Worlds

    def among(self, reps: pd.DataFrame) -> Scene:
        """The same leads at the same moment with other reps."""
        return replace(self, side=self.worlds.side(reps, at_days=self.at_days))

    def chances(self, rep: Ints, rows: NDArray[np.intp]) -> Floats:
        """(S, l) chance of each lead of `rows` with its rep: `rep` (l,) is a row of the reps; -1: nobody, chance 0."""
        out = np.zeros((len(self.lead_logit), rows.size))
        for one in np.unique(rep[rep >= 0]):
            mine = np.flatnonzero(rep == one)
            at = rows[mine]
            eta = self.lead_logit[:, at] + self.side.shared[one][:, None] + self.side.own[one] @ self.phi[at].T
            for (declared, weight), codes in zip(self.side.matches, self.codes, strict=True):
                eta += np.outer(weight, declared[one, codes[at]])
            out[:, mine] = expit(eta)
        return out


def _few(waves: Singles) -> Singles:
    """(L, at most REP_WAVES) the first waves, of the same length together: each rep has weights of its own for them."""
    few = waves[:, :REP_WAVES]
    return few * np.float32(np.sqrt(waves.shape[1] / max(few.shape[1], 1)))


def _declared(match: Match, skills: list[frozenset[str]]) -> Singles:
    """(R, V + 1): the last is a value that nobody declares."""
    table = match.declared(skills)
    return np.hstack([table, np.zeros((len(skills), 1))]).astype(np.float32)
