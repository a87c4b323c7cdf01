"""Assign a batch under a running experiment: draw, divide the capacity, plan each arm by its own policy, log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.app.assign import AssignReport, AssignRequest, finish, pose, read_tables
from apportion.app.experiment.folder import LOG_COLUMNS, Running, open_experiment
from apportion.app.obtain import obtain_model
from apportion.app.prints import table_print
from apportion.app.sources import Read, Sources, default_moment
from apportion.build import Batch
from apportion.connectors import csv_bytes, write_files
from apportion.policy import load_policy
from apportion.reasons import assignments_frame, beside_source
from apportion.reasons.frames import PLAN_COLUMNS
from apportion.whatif import BASELINES, router_context
from apportion.whatif.estimates import past_rates
from apportion_models import FitModel
from apportion_models.errors import Finding, InputError
from apportion_models.experiment import Allocation, allocate

Step = Callable[[str], None]


@dataclass(frozen=True)
class ArmsRequest:
    """A batch to assign under the experiment in `folder`. Settings that are None are each policy's."""

    folder: Path
    sources: Sources
    model: Path | None = None
    at: pd.Timestamp | None = None
    gap: float | None = None
    time_limit: float | None = None
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class ArmsReport:
    """What each arm got. assignments : every lead once, in its table's order, with its arm and the arm's propensity.

    reports : by arm, of arms that the optimiser planned and that have leads.
    """

    running: Running
    at: pd.Timestamp
    assignments: pd.DataFrame
    reports: dict[str, AssignReport]
    log: pd.DataFrame
    capacity: pd.DataFrame

    def write(self, folder: Path) -> list[Path]:
        """Write assignments.csv, a folder for each planned arm, and then the experiment's log."""
        written = [path for arm, report in self.reports.items() for path in report.write(folder / arm)]
        written += write_files(folder, {"assignments.csv": csv_bytes(self.assignments)})
        return written + self.running.append(self.log, self.capacity)

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        table = self.assignments
        return {
            "schema": "apportion.experiment-batch/1",
            "experiment": self.running.experiment.name,
            "at": self.at.isoformat(),
            "arms": [
                {
                    "name": arm,
                    "leads": int((table["arm"] == arm).sum()),
                    "assigned": int(((table["arm"] == arm) & (table["rep_id"] != "")).sum()),
                    "capacity": float(self.capacity.loc[self.capacity["arm"] == arm, "capacity"].sum()),
                }
                for arm in self.running.design.arms
            ],
        }


def assign_arms(request: ArmsRequest, *, step: Step = lambda _: None) -> ArmsReport:
    """Assign one batch under the experiment. Raises what `assign` raises, and InputError after the experiment's end."""
    running = open_experiment(request.folder)
    if running.stopped() is not None:
        raise InputError(f"The experiment in {request.folder} is stopped: no lead is drawn any more.")
    step("Reading tables")
    read = read_tables(request.sources)
    at = default_moment(read.tables) if request.at is None else request.at
    _still_drawing(running, at)
    step("Loading the model" if request.model else "Learning from the history")
    planned = [place for place, arm in enumerate(running.experiment.arms) if arm.router is None]
    policies = [load_policy(running.policy(place)) for place in planned]
    model = obtain_model(read, request.model, at=at, seed=request.seed or 0, policies=policies)
    units = _units(read, running)
    known = _known(running, at)
    parts, rooms, reports = [], [], {}
    for place, arm in enumerate(running.design.arms):
        step(f"Assigning {arm}")
        made = _Arm(running, place, read, at, units, known)
        table, room, report = made.assign(request, model)
        parts.append(table)
        rooms.append(room)
        if report is not None:
            reports[arm] = report
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    row = {lead: place for place, lead in enumerate(table["lead_id"].astype(str))}
    table = table.iloc[[row[lead] for lead in read.order]].reset_index(drop=True)
    log = _expected(table, read, model, at).reindex(columns=list(LOG_COLUMNS))
    shown = _shown(table, read)
    return ArmsReport(running, at, shown, reports, log, pd.concat(rooms, ignore_index=True))


class _Arm:
    """One arm of one batch."""

    def __init__(
        self,
        running: Running,
        place: int,
        read: Read,
        at: pd.Timestamp,
        units: list[str],
        known: dict[str, str],
    ) -> None:
        self.running, self.place, self.read, self.at, self.units, self.known = running, place, read, at, units, known
        self.name, self.spec = running.design.arms[place], running.experiment.arms[place]
        self.room = np.zeros(0)

    def assign(self, request: ArmsRequest, model: FitModel) -> tuple[pd.DataFrame, pd.DataFrame, AssignReport | None]:
        """(the arm's leads with their reps, its capacity, the plan's report where the optimiser planned)."""
        drawn = self.draw(np.zeros(len(self.read.tables.reps)))
        arm = self.arms(drawn)
        rows = np.flatnonzero(arm == self.place)
        leads = self.read.tables.leads.iloc[rows].reset_index(drop=True)
        own = set(leads["lead_id"].astype(str))
        kept = [row for row, lead in enumerate(self.read.order) if lead in own]
        given = None if self.read.given is None else self.read.given.iloc[kept].reset_index(drop=True)
        read = replace(
            self.read,
            tables=replace(self.read.tables, leads=leads),
            order=tuple(self.read.order[row] for row in kept),
            given=given,
            prints={**self.read.prints, "leads": table_print(leads)},
        )
        plan = AssignRequest(
            sources=request.sources,
            policy=self.running.policy(self.place),
            at=self.at,
            gap=request.gap,
            time_limit=request.time_limit,
            seed=request.seed,
        )
        prepared = pose(read, load_policy(plan.policy), plan, model=model, share_out=self.share_out)
        report = None
        if self.spec.router is not None:
            table, rep = self.routed(prepared.batch, model, prepared.seed)
        else:
            report = finish(prepared, plan)
            table = assignments_frame(report.batch, report.plan, explanations=report.explanations)
            rep = report.plan.rep
        table["effort_spent"] = table["lead_id"].astype(str).map(_efforts(prepared.batch, rep))
        reps = self.read.tables.reps["rep_id"].astype(str)
        room = pd.DataFrame({"at": self.at, "arm": self.name, "rep_id": reps, "capacity": self.room})
        return self.logged(table, drawn, rows), room, report if len(leads) else None

    def draw(self, capacity: np.ndarray) -> Allocation:
        """The whole batch, divided."""
        reps = self.read.tables.reps
        teams = None
        if "team_id" in reps:
            teams = [None if pd.isna(team) else str(team) for team in reps["team_id"]]
        ids = reps["rep_id"].astype(str).tolist()
        return allocate(self.running.design, at=self.at, units=self.units, rep_ids=ids, capacity=capacity, teams=teams)

    def arms(self, drawn: Allocation) -> np.ndarray:
        """(L,) the arm of each lead: the one that it was in before, where arms run side by side and it was in one."""
        arm = drawn.arm.copy()
        if self.running.design.kind != "switchback":
            for row, lead in enumerate(self.read.tables.leads["lead_id"].astype(str)):
                if lead in self.known:
                    arm[row] = self.running.design.arms.index(self.known[lead])
        return arm

    def share_out(self, capacity: pd.DataFrame) -> pd.DataFrame:
        """The reps' capacity in this arm: by the policy's own count, then divided as the design says."""
        whole = capacity["capacity"].to_numpy(dtype=float)
        self.room = self.draw(whole).capacity[self.place]
        most = capacity["max_leads"].to_numpy(dtype=float)
        capped = np.isfinite(most)
        part = self.draw(np.where(capped, most, 0.0)).capacity[self.place]
        return capacity.assign(capacity=self.room, max_leads=np.where(capped, np.ceil(part - 1e-9), most))

    def routed(self, batch: Batch, model: FitModel, seed: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """The arm's leads as its router assigns them, and (L,) the rep of each that stands for assignment."""
        router = next(one for one in BASELINES if one.name == self.spec.router)
        rep = router.assign(batch.problem, router_context(batch, rank=past_rates(model, batch.reps), seed=seed))
        table = batch.leads.drop(columns=[name for name in PLAN_COLUMNS if name in batch.leads]).copy()
        ids, placed = np.array(batch.problem.rep_ids, dtype=object), rep >= 0
        fit = batch.fit[np.arange(rep.size), np.maximum(rep, 0)].astype(float)
        outcome = batch.screened["outcome"].to_numpy(dtype=object).copy()
        outcome[batch.rows] = np.where(placed, "assigned", "nurture")
        columns: dict[str, Any] = {
            "rep_id": np.where(placed, ids[np.maximum(rep, 0)], ""),
            "fit": np.where(placed, fit, np.nan),
            "expected_revenue": np.where(placed, fit * batch.deal_value, np.nan),
            "opportunity": batch.problem.opportunity,
        }
        for name, values in columns.items():
            every = np.full(len(table), "" if name == "rep_id" else np.nan, dtype=object)
            every[batch.rows] = values
            table[name] = every if name == "rep_id" else every.astype(float)
        table["outcome"] = outcome
        table["reason"] = f"{router.title}, an arm of the experiment."
        table[["runner_up_rep_id", "tier"]] = ""
        table["runner_up_cost"] = np.nan
        return table, rep

    def logged(self, table: pd.DataFrame, drawn: Allocation, rows: np.ndarray) -> pd.DataFrame:
        """The table with what the log needs of each lead."""
        ids = self.read.tables.leads["lead_id"].astype(str).to_numpy()[rows]
        place = dict(zip(ids, rows, strict=True))
        at = [place[lead] for lead in table["lead_id"].astype(str)]
        added: dict[str, Any] = {
            "arm": self.name,
            "propensity": drawn.propensity[at],
            "unit": [self.units[row] for row in at],
            "at": self.at,
            "window": drawn.window,
            "block": drawn.block,
        }
        return table.assign(**added)


def _shown(table: pd.DataFrame, read: Read) -> pd.DataFrame:
    """The leads' own columns as their source has them, then what was decided, the arm and the propensity."""
    shown = table[["lead_id", *PLAN_COLUMNS]] if read.given is None else beside_source(read.given, table)
    shown = shown.drop(columns="propensity").rename(columns={"arm": "lead_arm"})
    return shown.assign(arm=table["arm"], propensity=table["propensity"])


def _still_drawing(running: Running, at: pd.Timestamp) -> None:
    """Refuse a batch after the planned end: its leads would count for nothing."""
    days = running.rules.horizon * running.design.block_days
    end = running.design.start + pd.Timedelta(days=days)
    if at >= end:
        message = f"the planned blocks ended at {end.isoformat()}; leads that come later are not drawn."
        remedy = "Assign them with `apportion assign` by the policy of today, until the last leads have had their time."
        raise InputError(
            Finding(severity="error", table="experiment", message=message, value=at.isoformat(), remedy=remedy)
        )


def _efforts(batch: Batch, rep: NDArray[np.int64]) -> dict[str, float]:
    """What each lead with a rep takes of that rep's capacity."""
    problem, placed = batch.problem, np.flatnonzero(rep >= 0)
    effort = problem.effort[problem.pairs.position(placed, rep[placed])]
    return {problem.lead_ids[lead]: float(spent) for lead, spent in zip(placed, effort, strict=True)}


def _units(read: Read, running: Running) -> list[str]:
    """(L,) what each lead is drawn by: its account, or itself."""
    leads = read.tables.leads
    ids = ("lead " + leads["lead_id"].astype(str)).tolist()
    if running.experiment.design.unit == "lead" or "account_id" not in leads:
        return ids
    return [
        own if pd.isna(account) else f"account {account}" for own, account in zip(ids, leads["account_id"], strict=True)
    ]


def _known(running: Running, at: pd.Timestamp) -> dict[str, str]:
    """The first arm of every lead that an earlier batch had."""
    log = running.log()
    log = log.loc[log["at"] < at].sort_values(["at", "lead_id"], kind="stable").drop_duplicates("lead_id")
    return dict(zip(log["lead_id"], log["arm"], strict=True))


def _expected(table: pd.DataFrame, read: Read, model: FitModel, at: pd.Timestamp) -> pd.DataFrame:
    """The log's rows, with what each lead was expected to bring whoever gets it: the mean over all reps."""
    leads = read.tables.leads
    chance = np.zeros(len(leads))
    for rows, chances, _ in model.predict_chunks(leads, read.tables.reps, at=at) if len(leads) else ():
        chance[rows] = chances.mean(axis=1)
    value = chance * (model.predict_deal_value(leads) if len(leads) else chance)
    ids = leads["lead_id"].astype(str)
    return table.assign(
        effort=table["effort_spent"],
        expected_conversion=table["lead_id"].astype(str).map(pd.Series(chance, index=ids)),
        expected_value=table["lead_id"].astype(str).map(pd.Series(value, index=ids)),
    )
