"""FitModel: how likely each rep is to convert each lead, and for how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import ThreadpoolController, threadpool_limits

from apportion_models.deal_value import DealValue
from apportion_models.errors import Finding, InputError, TableError
from apportion_models.features.protected import check_override
from apportion_models.fit.card import build_card
from apportion_models.fit.columns import choose_columns
from apportion_models.fit.doubt import Doubt
from apportion_models.fit.history import Cases, check_ids, check_table, read_cases
from apportion_models.fit.levels import LEVELS
from apportion_models.fit.notices import notices
from apportion_models.fit.scorer import Scorer
from apportion_models.fit.training import Settings
from apportion_models.fit.trial import run_trial
from apportion_models.fit.waiting import waited
from apportion_models.fit.worlds import Scene, Worlds
from apportion_models.validation.evidence import Evidence

When = str | pd.Timestamp | Any
MOST_UNSEEN = 10.0


class FitModel(BaseEstimator):  # type: ignore[misc]
    """P(convert | lead, rep) and expected revenue, learned from history.

    A random-coefficient logistic model with variances by empirical Bayes; a gate uses the simplest of
    base rate < lead < rep < rep x segment that is not beaten out of time.

    Parameters
    ----------
    random_state: seed of the one random thing here, the permutation test of equal rates.
    level: "auto" (the gate decides) or the level to use whatever the gate says.
    columns: lead columns that may be features; None: every column that is neither key, name, time, nor known late.
    rep_columns: further columns of reps that may be features; by default only start date, level, team and skills are.
    override: columns that may be features although they are protected or stand for a protected attribute, each with its
        record {"who": …, "when": "YYYY-MM-DD", "why": …}; kept in the card.
    protected: columns of leads or reps that hold a protected attribute, besides those whose name says so.
    gap_days: days between the last thing known in training and the first lead tested.
    margin: standard errors by which a simpler model must win out of time to be the one in use.
    boosted: whether the lead part has boosted trees in it; "auto": where they pay out of time.
    unseen: how much managers see of a lead beyond the table, as a share of what the table shows (see `fit.given`).

    Attributes
    ----------
    evidence_: which effects held out of time, in numbers and sentences.
    card_: the model card as a dict: training window, rows, features, level, calibration out of time, limits.
    findings_: what was left out, put together or suspected.
    """

    def __init__(
        self,
        *,
        random_state: int = 0,
        level: str = "auto",
        columns: Sequence[str] | None = None,
        rep_columns: Sequence[str] = (),
        override: Mapping[str, Mapping[str, str]] | None = None,
        protected: Sequence[str] = (),
        gap_days: float = 7.0,
        margin: float = 2.0,
        boosted: bool | str = "auto",
        unseen: float = 0.25,
    ) -> None:
        self.random_state = random_state
        self.level = level
        self.columns = columns
        self.rep_columns = rep_columns
        self.override = override
        self.protected = protected
        self.gap_days = gap_days
        self.margin = margin
        self.boosted = boosted
        self.unseen = unseen

    def fit(self, history: pd.DataFrame, reps: pd.DataFrame, *, until: When | None = None) -> FitModel:
        """Learn from `history` (a lead's columns, rep_id, assigned_at, outcome, closed_at, deal_value) and `reps`.

        With `until`, only what was known by then is used. The order of rows changes nothing.
        Raises TableError for tables that break their contract, InputError for parameters that do.
        """
        # One thread: the bytes do not depend on the number of cores, and small problems are faster for it.
        with threadpool_limits(limits=1):
            return self._fit(history, reps, until)

    def _fit(self, history: pd.DataFrame, reps: pd.DataFrame, until: When | None) -> FitModel:
        override = self._check_parameters()
        errors = check_table(reps, "reps", ("rep_id",)) or check_ids(reps, "reps", "rep_id")
        if errors:
            raise TableError(errors)
        cases, findings = read_cases(history, until=None if until is None else moment(until, "until"))
        reps = reps.sort_values("rep_id", key=lambda ids: ids.astype(str), kind="stable").reset_index(drop=True)
        chosen = choose_columns(
            cases,
            reps,
            columns=self.columns,
            rep_columns=self.rep_columns,
            override=override,
            declared=self.protected,
            seed=self.random_state,
        )
        findings += chosen.findings + _unknown_reps(cases, reps)

        settings = Settings(reps=chosen.reps, columns=chosen.lead, rep_columns=chosen.rep, unseen=self.unseen)
        evidence, measures, whole = run_trial(
            cases,
            settings,
            boosted=None if self.boosted == "auto" else bool(self.boosted),
            gap_days=self.gap_days,
            margin=self.margin,
            random_state=self.random_state,
        )
        self.evidence_: Evidence = evidence
        self.level_: str = evidence.level if self.level == "auto" else self.level
        self.scorer_: Scorer = whole.with_waiting(self.level_)
        self.doubt_: Doubt = whole.doubt(self.scorer_.waiting)
        self.deal_value_: DealValue = DealValue.learn(cases.frame, chosen.lead, cases.value, cases.estimate)
        self.findings_: tuple[Finding, ...] = (*findings, *notices(cases, measures, self.level_))
        self.card_: dict[str, Any] = build_card(self, cases, measures, chosen.card())
        return self

    def predict_fit(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When) -> NDArray[np.float32]:
        """(L, R) chance that each rep converts each lead, if assigned at `at`; rows and columns as in the tables."""
        out = np.empty((len(leads), len(reps)), dtype=np.float32)
        for rows, chances, _ in self._in_order(leads, reps, at=at, rows=2048):
            out[rows] = chances
        return out

    def predict_revenue(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When) -> NDArray[np.float32]:
        """(L, R) expected revenue in currency: chance × deal value."""
        out = np.empty((len(leads), len(reps)), dtype=np.float32)
        for rows, chances, value in self._in_order(leads, reps, at=at, rows=2048):
            out[rows] = chances * value[:, None]
        return out

    def predict_spread(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When) -> NDArray[np.float32]:
        """(L, R) standard error of the chances of `predict_fit`, from what is not known of each rep's own effects.

        Posterior standard deviation by Gauss–Hermite quadrature; 0 at levels without rep effects. It shrinks with a
        rep's history and is largest for reps without any. What is not known of the lead part is not in it.
        """
        out = np.empty((len(leads), len(reps)), dtype=np.float32)
        when, by_lead, by_rep = self._sorted(leads, reps, at)
        back = np.argsort(by_rep, kind="stable")
        with threadpool_limits(limits=1):
            for rows, spread in self.scorer_.spread_blocks(leads.iloc[by_lead], reps.iloc[by_rep], when):
                out[by_lead[rows]] = spread[:, back]
        return out

    def predict_revenue_spread(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When) -> NDArray[np.float32]:
        """(L, R) standard error of the expected revenue: of the rep's effects and of the deal value, taken as apart."""
        chance = self.predict_fit(leads, reps, at=at)
        spread = self.predict_spread(leads, reps, at=at)
        value, unsure = self.predict_deal_value(leads)[:, None], self.deal_value_.predict_spread(leads)[:, None]
        return np.sqrt((spread * value) ** 2 + (chance * unsure) ** 2 + (spread * unsure) ** 2).astype(np.float32)

    def keep_waiting(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When, hours: float) -> NDArray[np.float64]:
        """(L,) share of a lead's mean chance that is left when it waits `hours` longer than `at`; 1 without evidence.

        What a lead costs by being kept for a later batch is 1 less this, times its opportunity.
        """
        if not hours >= 0:
            raise InputError(Finding(severity="error", table="call", message="'hours' must be 0 or more.", value=hours))
        chance = (
            self.predict_fit(leads, reps, at=at).mean(axis=1, dtype=np.float64) if len(reps) else np.zeros(len(leads))
        )
        found = self.scorer_.waiting
        if found is None:
            return np.ones(len(leads))
        return found.kept(chance, waited(leads, moment(at, "at").timestamp() / 86_400.0), hours)

    def advantage(
        self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(L,) logits by the lead alone and (L, R) what each rep adds to them; for `validation.decision`."""
        when, by_lead, by_rep = self._sorted(leads, reps, at)
        base, added = np.empty(len(leads)), np.empty((len(leads), len(reps)))
        with threadpool_limits(limits=1):
            base[by_lead], found = self.scorer_.advantage(leads.iloc[by_lead], reps.iloc[by_rep], when)
        added[by_lead] = found[:, np.argsort(by_rep, kind="stable")]
        return base, added

    def draw_pairs(
        self,
        leads: pd.DataFrame,
        reps: pd.DataFrame,
        rep: NDArray[np.int64],
        *,
        at: When,
        draws: int = 200,
        seed: int = 0,
    ) -> NDArray[np.float64]:
        """(S, L) posterior draws of the chance that each lead is converted by its rep of a plan.

        `rep` (L,) is the position of the lead's rep in `reps`, -1 for nobody (chance 0). Draws of the reps' effects
        follow from `seed`, so that plans drawn with the same seed are compared on the same draws.
        """
        when, by_lead, by_rep = self._sorted(leads, reps, at)
        back = np.append(np.argsort(by_rep, kind="stable"), -1)
        out = np.empty((draws, len(leads)))
        with threadpool_limits(limits=1):
            out[:, by_lead] = self.scorer_.draw_pairs(
                leads.iloc[by_lead], reps.iloc[by_rep], back[rep[by_lead]], when, draws=draws, seed=seed
            )
        return out

    def worlds(self, *, draws: int = 200, seed: int = 0) -> Worlds:
        """S whole models drawn from what the history allows, the same for the same seed.

        Beside the reps' effects of `draw_pairs` they hold what is not known of the lead part, of what peers share, of
        the variances, of deal values and of the level: draws are of the full level, whatever the gate chose.
        """
        check_is_fitted(self, "scorer_")
        with threadpool_limits(limits=1):
            return Worlds(self.doubt_, self.deal_value_, draws=draws, seed=seed)

    def scene(self, worlds: Worlds, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When) -> Scene:
        """Leads and reps in those worlds, if assigned at `at`; rows as in the tables."""
        self._check_ready(leads, reps)
        with threadpool_limits(limits=1):
            return worlds.scene(leads, reps, at_days=moment(at, "at").timestamp() / 86_400.0)

    def predict_chunks(
        self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When, rows: int = 2048
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float64]]]:
        """For more pairs than memory holds: (positions of leads (l,), chances (l, R), deal values (l,)) by and by.

        The leads come in order of their id, each once.
        """
        if rows < 1:
            raise InputError(Finding(severity="error", table="model", message="rows must be at least 1.", value=rows))
        yield from self._in_order(leads, reps, at=at, rows=rows)

    def predict_deal_value(self, leads: pd.DataFrame) -> NDArray[np.float64]:
        """(L,) what each lead is worth if it converts: its own `deal_value` when above 0, else the model's."""
        self._check_ready(leads, None)
        return self.deal_value_.predict(leads)

    def check_leads(self, leads: pd.DataFrame) -> tuple[Finding, ...]:
        """What people should know before these leads are scored: columns that the model uses and the table lacks."""
        self._check_ready(leads, None)
        absent = [column for column in self.scorer_.leads.columns if column not in leads.columns]
        message = "the model uses this column and the leads lack it; it counts as missing."
        return tuple(Finding(severity="notice", table="leads", column=column, message=message) for column in absent)

    def _in_order(
        self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: When, rows: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float64]]]:
        """Scored in order of the ids, so that the order of the tables changes not even the last bit."""
        when, by_lead, by_rep = self._sorted(leads, reps, at)
        value = self.deal_value_.predict(leads)
        back = np.argsort(by_rep, kind="stable")
        blocks = self.scorer_.score_blocks(leads.iloc[by_lead], reps.iloc[by_rep], when, rows)
        threads = ThreadpoolController()  # looked up once: that takes longer than scoring a block
        while True:
            with threads.limit(limits=1):
                block = next(blocks, None)
            if block is None:
                return
            positions = by_lead[block[0]]
            yield positions, block[1][:, back], value[positions]

    def _sorted(
        self, leads: pd.DataFrame, reps: pd.DataFrame, at: When
    ) -> tuple[float, NDArray[np.intp], NDArray[np.intp]]:
        """The moment in days, and the positions of leads and of reps in order of their ids."""
        self._check_ready(leads, reps)
        by_rep = np.argsort(reps["rep_id"].astype(str).to_numpy(dtype=str), kind="stable")
        by_lead = np.argsort(leads["lead_id"].astype(str).to_numpy(dtype=str), kind="stable")
        return moment(at, "at").timestamp() / 86_400.0, by_lead, by_rep

    def _check_ready(self, leads: pd.DataFrame, reps: pd.DataFrame | None) -> None:
        check_is_fitted(self, "scorer_")
        errors = check_table(leads, "leads", ("lead_id",)) or check_ids(leads, "leads", "lead_id")
        if reps is not None:
            errors += check_table(reps, "reps", ("rep_id",)) or check_ids(reps, "reps", "rep_id")
        if errors:
            raise TableError(errors)

    def _check_parameters(self) -> dict[str, dict[str, str]]:
        errors: list[tuple[str, str, object]] = []
        if self.level not in ("auto", *LEVELS):
            errors.append(("level", f"must be auto, {', '.join(LEVELS[:-1])} or {LEVELS[-1]}.", self.level))
        if not self.gap_days >= 0:
            errors.append(("gap_days", "must be a number of days, 0 or more.", self.gap_days))
        if not self.margin >= 0:
            errors.append(("margin", "must be a number of standard errors, 0 or more.", self.margin))
        if self.boosted not in ("auto", True, False):
            errors.append(("boosted", "must be auto, True or False.", self.boosted))
        if not 0 <= self.unseen <= MOST_UNSEEN:
            errors.append(("unseen", f"must be a share from 0 to {MOST_UNSEEN:g}.", self.unseen))
        if errors:
            raise InputError(
                Finding(
                    severity="error", table="model", message=f"the '{name}' parameter of FitModel {rule}", value=got
                )
                for name, rule, got in errors
            )
        return check_override(self.override)


def moment(when: When, name: str) -> pd.Timestamp:
    """A date, time or text as a UTC time; without a zone it is read as UTC. Raises InputError otherwise."""
    try:
        stamp = pd.Timestamp(when)
    except (TypeError, ValueError):
        stamp = None
    if stamp is None or pd.isna(stamp):
        raise InputError(
            Finding(severity="error", table="call", message=f"'{name}' must be a date or a time.", value=when)
        )
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _unknown_reps(cases: Cases, reps: pd.DataFrame) -> list[Finding]:
    known = set(reps["rep_id"].astype(str))
    gone = sorted({str(rep) for rep in cases.rep_id} - known)
    if not gone:
        return []
    message = (
        "reps of the history are not in the reps table; their leads still teach, their level and tenure are unknown."
    )
    return [
        Finding(severity="notice", table="history", column="rep_id", message=message, value=gone[0], count=len(gone))
    ]
