"""Leads that wait to be routed, posed many at once, but each as if it were alone: what it is worth with whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.app.sources import READERS
from apportion.build import Batch, build_batch
from apportion.online import Router
from apportion.policy import lead_effort
from apportion.problem import MaxMin
from apportion.service.runs.routing.reading import numbers_among
from apportion.service.runs.routing.setting import Setting
from apportion.service.runs.routing.standing import Standing
from apportion.service.store import Override
from apportion.service.store.cells import Record, frame
from apportion.service.store.overrides import as_record
from apportion.whatif.estimates import estimate
from apportion_models import check_references
from apportion_models.errors import Finding, InputError
from apportion_models.tables import TABLES

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Posed:
    """One lead, ready to be decided. screened : outcome and reason, where it does not stand for assignment.

    value : (R,) currency. allowed : (R,). lock : the rep that it is locked to, -1 none. fit : (R,). counts : whether
    each rule that counts some leads counts this one. believed : what is stored of it whoever gets it.
    """

    row: Record
    screened: tuple[str, str] | None
    router: Router
    believed: Mapping[str, Any]
    value: Floats
    allowed: NDArray[np.bool_]
    effort: float
    nurture: float
    opportunity: float
    tier: int | None
    lock: int
    fit: NDArray[np.float32]
    deal_value: float
    counts: Mapping[str, bool]


def pose_singly(
    setting: Setting, standing: Standing, rows: Sequence[Record], overrides: Sequence[Override], *, at: pd.Timestamp
) -> list[Posed]:
    """The leads of these rows, in their order. They must agree in which columns of the policy they have, and none may
    have an account with another. Raises InputError and its like where one of them cannot be posed."""
    tables = replace(
        standing.tables,
        leads=_read(setting, rows, overrides),
        overrides=_overrides(overrides),
        accounts=setting.tables.accounts if setting.alone else standing.owners.table(rows),
        assigned=standing.assigned,
    )
    believed = estimate(setting.model, tables, setting.policy, at=at)
    batch = build_batch(setting.singly, tables, believed, at=at, capacity=standing.capacity)
    found = {posed.row["lead_id"]: posed for posed in _each(setting, batch, {row["lead_id"]: row for row in rows})}
    return [found[row["lead_id"]] for row in rows]


def _read(setting: Setting, rows: Sequence[Record], overrides: Sequence[Override]) -> pd.DataFrame:
    findings: list[Finding] = []
    table = READERS["leads"](frame(rows, "leads"), mapping=None, findings=findings)
    leads = table.sort_values("lead_id", key=lambda ids: ids.astype(str), kind="stable").reset_index(drop=True)
    if overrides:
        findings += check_references(leads, setting.tables.reps, overrides=_overrides(overrides))
    if faults := [finding for finding in findings if finding.severity == "error"]:
        raise InputError(faults)
    return leads


def _overrides(overrides: Sequence[Override]) -> pd.DataFrame | None:
    if not overrides:
        return None
    read: pd.DataFrame = READERS["overrides"](
        frame([as_record(one) for one in overrides], "overrides"), mapping=None, findings=[]
    )
    return read


def _each(setting: Setting, batch: Batch, rows: Mapping[str, Record]) -> Iterator[Posed]:
    problem, pairs = batch.problem, batch.problem.pairs
    router = Router(
        capacity=problem.capacity, rep_ids=problem.rep_ids, prices=setting.prices, limits=problem.limits,
        equity=problem.equity, team=problem.team, hard_shares="price",
    )  # fmt: skip
    flagged = {
        str(rule.name): np.asarray(rule.leads)
        for rule in problem.rules
        if not isinstance(rule, MaxMin) and rule.leads is not None
    }
    efforts = lead_effort(batch.policy, batch.leads, at=batch.at)[batch.rows]
    lead_ids, reps, starts = problem.lead_ids, np.asarray(pairs.rep), np.asarray(pairs.start)
    for place, lead_id in enumerate(lead_ids):
        mine = slice(starts[place], starts[place + 1])
        value, allowed = np.zeros(problem.n_reps), np.zeros(problem.n_reps, dtype=bool)
        value[reps[mine]], allowed[reps[mine]] = problem.value[mine], True
        tier, opportunity = int(batch.tier[place]), float(problem.opportunity[place])
        yield Posed(
            row=rows[lead_id],
            screened=None,
            router=router,
            believed={
                "effort": float(efforts[place]),
                "opportunity": opportunity,
                "deal_value": float(batch.deal_value[place]),
                "tier": batch.tier_names[tier] if 0 <= tier < len(batch.tier_names) else None,
            },
            value=value,
            allowed=allowed,
            effort=float(efforts[place]),
            nurture=float(problem.nurture[place]),
            opportunity=opportunity,
            tier=None if problem.tier is None else int(problem.tier[place]),
            lock=int(batch.eligibility.lock[place]),
            fit=batch.fit[place],
            deal_value=float(batch.deal_value[place]),
            counts={name: bool(leads[place]) for name, leads in flagged.items()},
        )
    out = set(range(len(batch.leads))) - set(batch.rows.tolist())
    for place in sorted(out):
        outcome, reason = (str(batch.screened[name].iloc[place]) for name in ("outcome", "reason"))
        yield _screened(rows[str(batch.leads["lead_id"].iloc[place])], router, outcome, reason)


def _screened(row: Record, router: Router, outcome: str, reason: str) -> Posed:
    none = np.zeros(0)
    return Posed(
        row=row, screened=(outcome, reason), router=router, believed={}, value=none, allowed=none > 0, effort=0.0,
        nurture=0.0, opportunity=0.0, tier=None, lock=-1, fit=none.astype(np.float32), deal_value=0.0, counts={},
    )  # fmt: skip


def kinds_of(setting: Setting, rows: Sequence[Record]) -> list[tuple[frozenset[str], str]]:
    """Leads of one kind may be posed together: whether a column is there at all matters to the rules that name it, and
    a text that would be read as a number, were its lead alone, must be."""
    columns = TABLES["leads"]
    texts = [
        {cell for name, cell in row.items() if isinstance(cell, str) and columns.column(name) is None} for row in rows
    ]
    numbers = numbers_among(set().union(*texts))
    return [
        (frozenset(row.keys() & setting.words), str(row["lead_id"]) if own & numbers else "")
        for row, own in zip(rows, texts, strict=True)
    ]
