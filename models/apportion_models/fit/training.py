"""Training: the levels of one history, each built on the one before.

The columns are made once, a part of the rows at a time, in order of the reps. The lead level gives the lead quality by
which `given.quality_given` sees whom managers trusted; both levels of the rep take it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.features.leads import EXPERTISE, Encoded, LeadEncoder
from apportion_models.features.reps import RepEncoder, start_days
from apportion_models.features.wiggle import Wiggle
from apportion_models.fit.boosted import BoostedLead
from apportion_models.fit.doubt import Doubt
from apportion_models.fit.given import quality_given
from apportion_models.fit.hierarchy import Design, Floats, Ints, Matrix, Posterior, fit_hierarchy
from apportion_models.fit.history import Cases
from apportion_models.fit.labels import Labels
from apportion_models.fit.levels import LEVELS
from apportion_models.fit.scorer import Prepared, Rows, Scorer, align, lead_columns, match_columns
from apportion_models.fit.spread import pack
from apportion_models.fit.waiting import Waiting, waited

CHUNK = 65_536  # rows whose columns are made at a time
GIVEN, WIGGLE = "given leads", "wiggle"
# Prior scales of the standard deviations of effects on the logit.
SCALE_LEAD, SCALE_PEERS, SCALE_WHOLE = 0.5, 0.3, 1.0
SCALE_EXPERTISE, SCALE_ELSEWHERE = 0.2, 0.05
SCALE_WIGGLE = 0.5  # of the whole function, for its columns are of unit length


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What does not change from one history to the next. `unseen`: see `given`."""

    reps: pd.DataFrame
    columns: Sequence[str]
    rep_columns: Sequence[str] = ()
    unseen: float = 0.25
    boosted: bool = False


@dataclass(eq=False)
class Training:
    """One history, ready to be learned from at any level. Build it with `Training.of`."""

    cases: Cases
    settings: Settings
    ids: NDArray[np.str_]  # (R,) reps with history
    order: NDArray[np.intp]  # rows by rep
    starts: Ints
    labels: Labels  # by rep
    encoder: LeadEncoder
    encoded: Encoded  # in order of the cases
    _fitted: dict[str, Scorer] = field(default_factory=dict)
    _lead: tuple[Matrix, tuple[str, ...], BoostedLead | None] | None = None
    _trees: Floats | None = None  # (n,) logits by trees that did not see the row, in order of the cases

    @classmethod
    def of(cls, cases: Cases, settings: Settings) -> Training:
        """Sort and encode. Of reps that the settings do not know only the history counts."""
        encoder, _ = LeadEncoder.learn(cases.frame, settings.columns)
        ids, rep_of = np.unique(cases.rep_id.astype(str), return_inverse=True)
        order = np.argsort(rep_of, kind="stable")
        return cls(
            cases=cases,
            settings=settings,
            ids=ids,
            order=order,
            starts=np.searchsorted(rep_of[order], np.arange(ids.size + 1)).astype(np.int64),
            labels=Labels.of(cases).take(order),
            encoder=encoder,
            encoded=encoder.encode(cases.frame),
        )

    def scorer(self, level: str) -> Scorer:
        """The fit part at this level."""
        if level not in self._fitted:
            if level == LEVELS[0]:
                found = self._base_rate()
            else:
                found = self._by_lead() if level == LEVELS[1] else self._by_rep(level)
            self._fitted[level] = found
        return self._fitted[level]

    def rows(self, level: str) -> Rows:
        """The history itself at this level."""
        scorer = self.scorer(level)
        prepared = Prepared(self.encoded, self._trees) if level != LEVELS[0] else None
        return scorer.rows(self.cases, self.settings.reps, prepared)

    def with_waiting(self, level: str) -> Scorer:
        """The fit part at this level, with what waiting takes off, where the history is dated."""
        scorer = self.scorer(level)
        if not self.cases.dated:
            return scorer
        rows = self.rows(level)
        label = Labels.of(self.cases).given(rows.chance)
        found = Waiting.learn(waited(self.cases.frame, self.cases.assigned), label, rows.base + rows.advantage)
        return replace(scorer, waiting=found)

    def doubt(self, waiting: Waiting | None) -> Doubt:
        """What the history leaves open: a fit of its own, at the full level and with a wiggle in the lead part.

        `waiting` is what it takes off in the model in use.
        """
        matrix, groups, encoder, given = self._rep_design()
        lead, lead_groups, _ = self._lead_design()
        wiggle = Wiggle(lead_groups[1:])
        whole: Matrix = np.hstack([matrix.astype(np.float32, copy=False), wiggle.columns(lead[:, 1:])])
        scorer, design, found = self._fit(
            LEVELS[3], whole, (*groups, *[WIGGLE] * wiggle.width), reps=encoder, given=given, likelihood=True
        )
        own = scorer.beta.size - wiggle.width
        return Doubt.of(replace(scorer, beta=scorer.beta[:own], waiting=waiting), wiggle, design, found)

    @property
    def rep_of(self) -> NDArray[np.intp]:
        """(n,) rep of each row, rows by rep."""
        return np.repeat(np.arange(self.ids.size), np.diff(self.starts))

    def _base_rate(self) -> Scorer:
        ones = np.ones((len(self.cases), 1), dtype=np.float32)
        return self._fit(LEVELS[0], ones, ("",))[0]

    def _by_lead(self) -> Scorer:
        matrix, groups, _ = self._lead_design()
        return self._fit(LEVELS[1], matrix, groups)[0]

    def _lead_design(self) -> tuple[Matrix, tuple[str, ...], BoostedLead | None]:
        """(n, p) intercept and lead part, rows by rep; its groups; the trees, where they are in it."""
        if self._lead is None:
            boosted, extra = None, None
            if self.settings.boosted and self.encoder.coders:
                soft = Labels.of(self.cases)
                boosted, extra = BoostedLead.learn(self.encoder, self.encoded, soft.given(soft.rate()))
                self._trees = extra
            groups = ("", *lead_columns(self.encoder, self.encoded.cut(0, 0), None if extra is None else extra[:0])[1])
            matrix = np.empty((len(self.cases), len(groups)), dtype=np.float32)
            matrix[:, 0] = 1.0
            for first in range(0, len(matrix), CHUNK):
                rows = self.order[first : first + CHUNK]
                given = None if extra is None else extra[rows]
                matrix[first : first + CHUNK, 1:] = lead_columns(self.encoder, self.encoded.pick(rows), given)[0]
            self._lead = matrix, groups, boosted
        return self._lead

    def _by_rep(self, level: str) -> Scorer:
        matrix, groups, encoder, given = self._rep_design()
        return self._fit(level, matrix, groups, reps=encoder, given=given)[0]

    def _rep_design(self) -> tuple[Matrix, tuple[str, ...], RepEncoder, Floats]:
        """(n, p) the lead part and what peers share; its groups; the reps' encoder, and the quality given to each."""
        lead, groups, _ = self._lead_design()
        plain = self.scorer(LEVELS[1])
        rep_of, known = self.rep_of, align(self.settings.reps, self.ids)
        given = quality_given((lead @ plain.beta.astype(np.float32)).astype(np.float64), rep_of, self.ids.size)
        encoder = RepEncoder.learn(self.settings.reps, self.settings.rep_columns, self.cases.frame, self.encoder)
        static = encoder.static_part(known)
        ramp = encoder.ramp(start_days(known)[rep_of], self.cases.assigned[self.order])
        matches = match_columns(self.cases.frame, known, self.rep_in_order(), encoder)
        parts = [static.matrix[rep_of], ramp, given[rep_of, None], *(column[self.order, None] for column in matches)]
        groups = (*groups, *static.groups, *(["rep tenure"] * ramp.shape[1]), GIVEN)
        groups += tuple(f"match: {match.column}" for match in encoder.matches)
        columns: list[NDArray[np.float32]] = [lead.astype(np.float32, copy=False)]
        columns += [part.astype(np.float32) for part in parts]
        return np.hstack(columns), groups, encoder, given

    def rep_in_order(self) -> NDArray[np.intp]:
        """(n,) rep of each row, rows in order of the cases."""
        out = np.empty(self.order.size, dtype=np.intp)
        out[self.order] = self.rep_of
        return out

    def _varying(self, level: str) -> tuple[Matrix, tuple[str, ...]]:
        rows = len(self.cases)
        if level in LEVELS[:2]:
            return np.zeros((rows, 0), dtype=np.float32), ()
        if level == LEVELS[2]:
            return np.ones((rows, 1), dtype=np.float32), ("rep",)
        groups = self.encoder.segment_part(self.encoded.cut(0, 0)).groups
        matrix = np.empty((rows, len(groups)), dtype=np.float32)
        for first in range(0, rows, CHUNK):
            part = self.encoded.pick(self.order[first : first + CHUNK])
            matrix[first : first + CHUNK] = self.encoder.segment_part(part).matrix
        return matrix, groups

    def _fit(
        self,
        level: str,
        fixed: Matrix,
        groups: tuple[str, ...],
        *,
        reps: RepEncoder | None = None,
        given: Floats | None = None,
        likelihood: bool = False,
    ) -> tuple[Scorer, Design, Posterior]:
        names, group = _numbered(groups)
        varying, kinds = self._varying(level)
        kind_names, kind = _numbered(kinds)
        none = np.zeros(self.ids.size) if given is None else given
        design = Design(
            fixed=fixed,
            fixed_group=group,
            varying=varying,
            varying_group=kind,
            starts=self.starts,
            offset=None if given is None else self.settings.unseen * given[self.rep_of],
            fixed_scale=np.array([_fixed_scale(name) for name in names]),
            varying_scale=np.array([SCALE_EXPERTISE if n in EXPERTISE else SCALE_ELSEWHERE for n in kind_names]),
        )
        found = fit_hierarchy(design, self.labels.given, self.labels.rate(), likelihood=likelihood)
        scorer = Scorer(
            level=level,
            leads=LeadEncoder(coders=()) if level == LEVELS[0] else self.encoder,
            boosted=None if self._lead is None or level == LEVELS[0] else self._lead[2],
            reps=RepEncoder(coders=(), tenure=False, matches=()) if reps is None else reps,
            rep_ids=tuple(str(one) for one in self.ids),
            beta=found.beta,
            b=found.b,
            given=none,
            unseen=self.settings.unseen,
            spread=_packed(found, kind),
            variances={
                **{name: float(v) for name, v in zip(kind_names, found.varying_variance, strict=True)},
                **{f"peers: {n}": float(v) for n, v in zip(names, found.fixed_variance, strict=True) if n != ""},
            },
        )
        return scorer, design, found


def _packed(found: Posterior, kind: Ints) -> Floats:
    """Covariances of the reps, and of a rep without history."""
    prior = np.diag(found.varying_variance[kind]) if kind.size else np.zeros((0, 0))
    return pack(np.concatenate([found.covariance, prior[None]]))


def _fixed_scale(group: str) -> float:
    if group in (GIVEN, "boosted"):
        return SCALE_WHOLE
    if group == WIGGLE:
        return SCALE_WIGGLE
    return SCALE_PEERS if group.startswith(("rep ", "match: ")) else SCALE_LEAD


def _numbered(groups: Sequence[str]) -> tuple[list[str], Ints]:
    names = list(dict.fromkeys(groups))
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place[group] for group in groups], dtype=np.int64)
