"""A run begins: its leads are claimed, and everything that it is made from is kept, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from apportion.policy import Policy
from apportion.service.store import Lease, Run, Tx
from apportion.service.store.cells import Record, records
from apportion.service.store.overrides import as_record
from apportion.service.store.runs import FORESEEN
from apportion.service.store.schema import REFERENCE_TABLES
from apportion_models.errors import ConflictError, LimitError

MOST_ATTEMPTS = 5  # a run whose workers died as often is taken for the cause


@dataclass(frozen=True)
class Begun:
    """A run that a worker has, and the lease that says so."""

    run: Run
    lease: Lease


def begin(tx: Tx, owner: str, seconds: float, *, run_id: str | None = None) -> Begun | None:
    """Take the oldest run that nobody works on, ready to be solved; None where there is none.

    A run whose worker died is taken over with the leads and the inputs that it had. One that cannot begin (no model is
    active) or whose workers keep dying ends as failed.
    """
    taken = tx.runs.take(owner, seconds, run_id=run_id)
    if taken is None:
        return None
    run, lease = taken
    if run.attempts >= MOST_ATTEMPTS:
        error = LimitError(f"{run.attempts} workers died at this run. See their logs before asking for it again.")
        return Begun(tx.runs.fail(run, lease, error), lease)
    if run.state == "running":
        return Begun(tx.runs.start(run, lease), lease)
    return Begun(_first_time(tx, run, lease), lease)


def _first_time(tx: Tx, run: Run, lease: Lease) -> Run:
    policy = run.policy_version or tx.policies.active_version() or tx.policies.add(Policy()).version
    model = run.model_version or tx.models.active_version()
    if model is None:
        message = "No fit model is in use: add one with `apportion store model DIR`, which activates it."
        return tx.runs.fail(run, lease, ConflictError(message))
    if run.kind == "batch":
        tx.claims.take(run.run_id, limit=run.options.get("limit"))
    run = tx.runs.start(run, lease, policy_version=policy, model_version=model)
    return renew(tx, run, lease)


def renew(tx: Tx, run: Run, lease: Lease, *, exclusive: bool = False) -> Run:
    """Make a run's inputs those of now, for the leads that it has claimed. exclusive : nothing else may be assigned
    until it is done. Raises LostError."""
    asked = run.at or tx.now()
    if run.kind == "given":
        return tx.runs.set_facts(run, lease, at=asked)
    at = latest(asked, tx.assignments.last_moment(until=tx.now() + FORESEEN))
    tick = tx.last_tick("assignments")
    tx.snapshots.keep(run.run_id, gathered(tx, tx.claims.of(run.run_id)))
    return tx.runs.set_facts(run, lease, at=at, tick=tick, exclusive=exclusive)


def latest(at: dt.datetime, given: dt.datetime | None) -> dt.datetime:
    """The moment of a batch: never before what was given last, or it would not count what was given since.

    What seems to be given more than a day from now is not followed: then a clock was wrong, and must not be for ever.
    """
    return at if given is None else max(at, given)


def gathered(tx: Tx, lead_keys: Sequence[int]) -> dict[str, list[Record]]:
    """The rows of every table that a batch of these leads is made from, but for what was given earlier."""
    tables: dict[str, list[Record]] = {
        "leads": [dict(row) for row in tx.leads.contents(lead_keys)],
        "reps": tx.reps.contents(),
    }
    for name in REFERENCE_TABLES:
        if (table := tx.tables.get(name)) is not None:
            tables[name] = records(table)
    if held := tx.overrides.of(lead_keys):
        tables["overrides"] = [as_record(override) for override in held]
    return tables


def ask_given(
    tx: Tx,
    tables: Mapping[str, pd.DataFrame],
    *,
    at: dt.datetime | None = None,
    seed: int | None = None,
    policy_version: int | None = None,
    model_version: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """Ask for a plan of tables of its own, as their readers give them: `leads` and `reps`, by need the others, and
    `assignments` for what was given earlier. It is planned and kept like a batch, and changes no lead and no load."""
    run = tx.runs.add(
        kind="given",
        at=at,
        seed=seed,
        policy_version=policy_version,
        model_version=model_version,
        options=options,
    )
    assert run is not None
    rows = {name: records(table) for name, table in tables.items()}
    lead_ids = [str(row["lead_id"]) for row in rows["leads"]]
    tx.leads.register(lead_ids)
    tx.claims.name(run.run_id, sorted(tx.leads.keys(lead_ids).values()))
    tx.reps.register([str(row["rep_id"]) for row in rows["reps"]])
    tx.snapshots.keep(run.run_id, rows)
    return run
