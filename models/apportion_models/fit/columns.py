"""Which columns one fit uses, and what people should know of those that it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from apportion_models.errors import Finding
from apportion_models.features.leads import LeadEncoder
from apportion_models.features.leaks import find_leaks
from apportion_models.features.people import without_proxies
from apportion_models.features.protected import attribute_of, deny_list, is_protected, refused
from apportion_models.features.proxies import Proxy
from apportion_models.features.reps import start_days
from apportion_models.features.roles import candidate_columns
from apportion_models.fit.history import Cases

Record = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The columns of one fit. reps : the table without the columns that stand for a protected attribute."""

    lead: list[str]
    rep: list[str]
    reps: pd.DataFrame
    findings: list[Finding]
    refused: tuple[str, ...]
    proxies: tuple[Proxy, ...]
    declared: tuple[str, ...]
    override: Record

    def card(self) -> dict[str, Any]:
        """What the model card says of protected attributes, as plain JSON values."""
        return {
            "refused": list(self.refused),
            "proxies": [{**proxy.__dict__} for proxy in self.proxies],
            "overrides": {column: dict(record) for column, record in self.override.items()},
            "declared": list(self.declared),
            "deny_list": deny_list(),
        }


def choose_columns(
    cases: Cases,
    reps: pd.DataFrame,
    *,
    columns: Sequence[str] | None,
    rep_columns: Sequence[str],
    override: Record,
    declared: Sequence[str],
    seed: int,
) -> Chosen:
    """Choose the features of leads and reps. Raises InputError where a column that was asked for must not be one."""
    names = {"override": override, "declared": declared}
    lead, notices = candidate_columns(cases.frame, name="history", wanted=columns, **names)  # type: ignore[arg-type]
    leaks = find_leaks(cases.frame, lead, cases.outcome)
    if columns is None:
        lead = [column for column in lead if column not in leaks]
    _, unusable = LeadEncoder.learn(cases.frame, lead)
    told = _told_of_reps(reps, override, declared)
    asked = [str(column) for column in rep_columns]
    rep, _ = candidate_columns(reps, name="reps", wanted=asked, **names)  # type: ignore[arg-type]
    checked = without_proxies(reps, rep, at_days=_moment(cases, reps), override=override, declared=declared, seed=seed)
    findings = [*notices, *leaks.values(), *unusable, *told, *checked.findings]
    return Chosen(
        lead=lead,
        rep=rep,
        reps=checked.reps,
        findings=findings,
        refused=tuple(
            sorted({str(one.column) for one in (*notices, *told) if is_protected(str(one.column), declared)})
        ),
        proxies=checked.proxies,
        declared=tuple(str(column) for column in declared),
        override=override,
    )


def _told_of_reps(reps: pd.DataFrame, override: Record, declared: Sequence[str]) -> list[Finding]:
    """Notices of protected attributes among the reps' columns, even where nobody asked for them."""
    found = {str(column): attribute_of(str(column), declared) for column in sorted(reps.columns, key=str)}
    return [refused("reps", name, held) for name, held in found.items() if held is not None and name not in override]


def _moment(cases: Cases, reps: pd.DataFrame) -> float:
    """The day that tenure is counted to: what the history was known at, else the last start."""
    if np.isfinite(cases.as_of):
        return float(cases.as_of)
    known = start_days(reps)
    return float(np.nanmax(known)) if np.isfinite(known).any() else 0.0
