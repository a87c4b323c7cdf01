"""From what the store keeps of a run to its plan: the same inputs, the same bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import apportion.engines as engines
from apportion.app.assign import AssignReport, AssignRequest, Prepared, finish, pose, read_tables
from apportion.app.sources import Read, Sources
from apportion.policy import Policy
from apportion.service.store import Run, Tx
from apportion.service.store.cells import frame
from apportion.whatif import Setting

READ_AS = {"assignments": "earlier"}  # tables whose source bears another name


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that a run is made from. model : the files of its model, by name."""

    run: Run
    sources: Sources
    policy: Policy
    model: dict[str, bytes]
    is_given: bool


def inputs(tx: Tx, run: Run) -> Inputs:
    """What the store keeps of a run's inputs."""
    assert run.policy_version is not None
    assert run.model_version is not None
    tables: dict[str, Any] = {READ_AS.get(name, name): table for name, table in tx.snapshots.frames(run.run_id).items()}
    if run.tick is not None and (earlier := tx.assignments.earlier(run.tick)):
        tables["earlier"] = frame(earlier, "assignments")
    policy = tx.policies.get(run.policy_version).policy
    return Inputs(run, Sources(**tables), policy, tx.models.files(run.model_version), run.kind == "given")


@dataclass(frozen=True, eq=False)
class Posed:
    """A run's batch, ready to solve."""

    read: Read
    request: AssignRequest
    prepared: Prepared

    @property
    def setting(self) -> Setting:
        """What the batch is posed from, for scenarios to start from."""
        batch, model = self.prepared.batch, self.prepared.model
        return Setting(tables=self.read.tables, policy=batch.policy, model=model, at=batch.at)


def solve(
    made_from: Inputs,
    *,
    step: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[engines.Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AssignReport:
    """The run's plan, verified, with its reasons. Raises InputError, InfeasibleError, LimitError."""
    posed = posed_from(made_from, step=step)
    return finish(posed.prepared, posed.request, step=step, on_progress=on_progress, cancelled=cancelled)


def posed_from(made_from: Inputs, *, step: Callable[[str], None] = lambda _: None) -> Posed:
    """The run's batch. Raises InputError."""
    run, options = made_from.run, made_from.run.options
    assert run.at is not None
    read, policy = read_tables(made_from.sources), made_from.policy
    at = pd.Timestamp(run.at)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in made_from.model.items():
            (Path(folder) / name).write_bytes(content)
        request = AssignRequest(
            sources=made_from.sources,
            model=Path(folder),
            at=at,
            gap=options.get("gap"),
            time_limit=options.get("time_limit"),
            seed=run.seed,
        )
        prepared = pose(read, policy, request, step=step)
    return Posed(read, request, prepared)
