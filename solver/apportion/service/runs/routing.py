"""One lead, now: by the prices of the last plan, within what the window has left, under the rules of the policy."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apportion.app.assign import AssignRequest, pose, read_tables
from apportion.app.sources import Sources
from apportion.build import Batch
from apportion.online import Decision, Router
from apportion.policy import Policy, lead_effort
from apportion.problem import MaxMin, Prices
from apportion.service.runs.starting import gathered, latest
from apportion.service.store import Assignment, AwayError, Placement, Run, Store, Tx
from apportion.service.store.cells import Record, frame
from apportion.service.store.runs import FORESEEN
from apportion_models import FitModel, load_model
from apportion_models.errors import ConflictError, NotFoundError

TRIES = 5  # before whoever asks is told to come again: each time another got what was chosen
ORIGIN = "route"


@dataclass(frozen=True, eq=False)
class _Seen:
    """The store as it was when a lead was looked at. tick : the last assignment that was counted."""

    tables: Mapping[str, list[Record]]
    earlier: list[Record]
    policy: Policy
    model_version: int
    prices: Run | None
    at: pd.Timestamp
    tick: int


class LeadRouter:
    """Routes single leads of one store. Any number of processes may: what is left is counted in the store, and a rep
    who was filled meanwhile is not given the lead."""

    def __init__(self, store: Store) -> None:
        self._store, self._models, self._lock = store, dict[int, FitModel](), threading.Lock()

    def route(self, lead_id: str, *, actor: str) -> Assignment:
        """Give a lead that waits to a rep, or to nurture.

        Raises NotFoundError; ConflictError where it does not wait, or no model is in use; AwayError while a batch has
        the floor to itself, or others are always faster; ProblemError for hard rules that cannot be promised online.
        """
        for _ in range(TRIES):
            with self._store.read() as tx:
                seen = _look(tx, lead_id)
            batch = self._posed(seen)
            choice = _Choice(lead_id, seen, batch)
            if self._store.attempt(partial(_kept, choice=choice), actor=actor, patience=5.0):
                break
        else:
            raise AwayError("Others were given the same room each time: ask again a little later.")
        with self._store.read() as tx:
            return tx.assignments.page(lead_id=lead_id, limit=10_000).items[-1]

    def _posed(self, seen: _Seen) -> Batch:
        """The lead alone as a batch: eligibility, capacity that is left, value."""
        tables: dict[str, Any] = {name: frame(rows, name) for name, rows in seen.tables.items()}
        if seen.earlier:
            tables["earlier"] = frame(seen.earlier, "assignments")
        read = read_tables(Sources(**tables))
        request = AssignRequest(sources=Sources(), at=seen.at)
        return pose(read, seen.policy, request, model=self._model(seen.model_version)).batch

    def _model(self, version: int) -> FitModel:
        with self._lock:
            if version not in self._models:
                with self._store.read() as tx, tempfile.TemporaryDirectory() as folder:
                    for name, content in tx.models.files(version).items():
                        (Path(folder) / name).write_bytes(content)
                    self._models = {version: load_model(Path(folder))}
            return self._models[version]


class _Choice:
    """Who gets the lead, of those who have room."""

    def __init__(self, lead_id: str, seen: _Seen, batch: Batch) -> None:
        self.lead_id, self.seen, self.batch = lead_id, seen, batch
        self.decision = None if not len(batch.rows) else self._decided()

    def _decided(self) -> Decision:
        problem, pairs = self.batch.problem, self.batch.problem.pairs
        prices = _prices(self.seen.prices, problem.rep_ids)
        router = Router(
            capacity=problem.capacity, rep_ids=problem.rep_ids, prices=prices, limits=problem.limits,
            equity=problem.equity, team=problem.team, hard_shares="price",
        )  # fmt: skip
        value, effort, eligible = (np.zeros(problem.n_reps) for _ in range(3))
        reps = np.asarray(pairs.rep)
        value[reps], effort[reps], eligible[reps] = problem.value, problem.effort, 1.0
        room = self.batch.capacity["max_leads"].to_numpy(dtype=float) >= 1
        counts = {
            str(rule.name): bool(np.asarray(rule.leads)[0])
            for rule in problem.rules
            if not isinstance(rule, MaxMin) and rule.leads is not None
        }
        return router.route(
            self.lead_id, value=value, effort=effort, eligible=(eligible > 0) & room, nurture=float(problem.nurture[0]),
            opportunity=float(problem.opportunity[0]), tier=None if problem.tier is None else int(problem.tier[0]),
            counts=counts,
        )  # fmt: skip

    @property
    def outcome(self) -> str:
        """Assigned, nurture, or what screening says."""
        if self.decision is None:
            return str(self.batch.screened["outcome"].iloc[0])
        return "nurture" if self.decision.rep_id is None else "assigned"

    def placement(self, tx: Tx) -> Placement:
        """What is stored of it."""
        rep_id = None if self.decision is None else self.decision.rep_id
        reason = str(self.batch.screened["reason"].iloc[0]) if self.decision is None else self.decision.reason
        lead, believed = self.batch.leads.iloc[0], self._believed(rep_id)
        account = lead.get("account_id")
        told = {"lead_id": self.lead_id, "outcome": self.outcome, "rep_id": rep_id, "reason": reason} | believed
        return Placement(
            lead_key=tx.leads.keys([self.lead_id])[self.lead_id],
            rep_key=None if rep_id is None else tx.reps.keys([rep_id])[rep_id],
            outcome=self.outcome,
            told=told,
            account_id=None if account is None or pd.isna(account) else str(account),
            propensity=1.0,
            reason=reason,
            **believed,
        )

    def _believed(self, rep_id: str | None) -> dict[str, Any]:
        if self.decision is None:
            return {}
        batch, tier = self.batch, int(self.batch.tier[0])
        common = {
            "effort": self.effort,
            "opportunity": float(batch.problem.opportunity[0]),
            "deal_value": float(batch.deal_value[0]),
            "tier": batch.tier_names[tier] if 0 <= tier < len(batch.tier_names) else None,
        }
        if rep_id is None:
            return common
        fit = float(batch.fit[0, batch.problem.rep_ids.index(rep_id)])
        return common | {"fit": fit, "expected_revenue": fit * float(batch.deal_value[0])}

    @property
    def effort(self) -> float:
        """Effort units that the lead costs."""
        return float(lead_effort(self.batch.policy, self.batch.leads, at=self.batch.at)[0])

    def still_fits(self, tx: Tx) -> bool:
        """Whether the rep has room yet, after what was given since the lead was looked at."""
        rep_id = None if self.decision is None else self.decision.rep_id
        leads, units = (
            (0, 0.0) if rep_id is None else tx.assignments.loads(since_tick=self.seen.tick).get(rep_id, (0, 0.0))
        )
        if rep_id is None or not leads:
            return True
        place = self.batch.problem.rep_ids.index(rep_id)
        most = float(self.batch.capacity["max_leads"].iloc[place])
        return self.effort + units <= self.batch.problem.capacity[place] * (1 + 1e-9) + 1e-9 and 1 + leads <= most


def _look(tx: Tx, lead_id: str) -> _Seen:
    lead, model = tx.leads.get(lead_id), tx.models.active_version()
    if lead is None:
        raise NotFoundError(f"There is no lead {lead_id!r}.")
    if lead.state != "waiting":
        raise ConflictError(f"The lead is {lead.state}: only one that waits can be routed.")
    if model is None:
        raise ConflictError("No fit model is in use: add one with `apportion store model DIR`, which activates it.")
    active, tick = tx.policies.active(), tx.last_tick("assignments")
    at = latest(tx.now(), tx.assignments.last_moment(until=tx.now() + FORESEEN))
    policy = Policy() if active is None else active.policy
    tables, earlier = gathered(tx, [lead.lead_key]), tx.assignments.earlier(tick)
    return _Seen(tables, earlier, policy, model, _last_batch(tx), pd.Timestamp(at), tick)


def _last_batch(tx: Tx) -> Run | None:
    """The newest of the last hundred runs whose prices are those of the store's own leads."""
    return next((run for run in tx.runs.page(state="done", limit=100) if run.kind == "batch"), None)


def _prices(run: Run | None, rep_ids: tuple[str, ...]) -> Prices | None:
    """The plan's capacity prices; a rep who was not there costs what the others do at the median."""
    told = {} if run is None or run.plan is None else run.plan["prices"]["capacity"]
    if not told:
        return None
    usual = float(np.median([float(price) for price in told.values()]))
    capacity = np.array([max(0.0, float(told.get(rep_id, usual))) for rep_id in rep_ids])
    return Prices(capacity=capacity, min_load=np.zeros(len(rep_ids)))


def _kept(tx: Tx, *, choice: _Choice) -> bool:
    """Store it; False where the rep was filled meanwhile."""
    tx.tick("assignments")  # whoever else assigns waits from here on
    if not choice.still_fits(tx):
        return False
    run = choice.seen.prices
    tx.assignments.add(
        [choice.placement(tx)], origin=ORIGIN, at=choice.seen.at.to_pydatetime(),
        prices_run_id=None if run is None else run.run_id,
    )  # fmt: skip
    return True
