"""Replay the past, or simulate weeks to come: read, run, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from apportion.app.assign import read_tables
from apportion.app.replay.report import RunReport
from apportion.app.sources import Sources
from apportion.policy import load_policy
from apportion.whatif.replay import Past, ReplayHow, SimulateHow, replay, simulate
from apportion_models.errors import UsageError

Say = Callable[[str], None]
Count = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What to replay: tables (history and reps; leads by choice), a policy file, and how."""

    sources: Sources
    policy: str | Path | None = None
    how: ReplayHow = field(default_factory=ReplayHow)


@dataclass(frozen=True, kw_only=True)
class SimulateRequest:
    """What to simulate: a policy file (None: that of the simulated company), and how."""

    policy: str | Path | None = None
    how: SimulateHow = field(default_factory=SimulateHow)


def replay_past(
    request: ReplayRequest, *, step: Say = lambda _: None, on_step: Count = lambda _done, _of: None
) -> RunReport:
    """Replay past batches under the policy.

    Raises UsageError without history or reps, and for what cannot be asked; InputError for tables and policy that
    cannot be used.
    """
    sources = request.sources
    if sources.history is None or sources.reps is None:
        raise UsageError("A replay needs a history (--history) and the reps (--reps).")
    step("Reading tables")
    policy = load_policy(request.policy)
    read = read_tables(sources)
    assert read.history is not None
    tables = read.tables
    past = Past(
        history=read.history,
        reps=tables.reps,
        policy=policy,
        leads=tables.leads if len(tables.leads) else None,
        accounts=tables.accounts,
        territories=tables.territories,
        calendar=tables.calendar,
        earlier=tables.assigned if sources.earlier is not None else None,
    )
    run = replay(past, request.how, step=step, on_step=on_step)
    return RunReport(run=run, prints=dict(read.prints), findings=(*tables.findings, *run.findings))


def simulate_weeks(
    request: SimulateRequest, *, step: Say = lambda _: None, on_step: Count = lambda _done, _of: None
) -> RunReport:
    """Simulate weeks of arrivals under the policy, in a world whose truth is known.

    Raises UsageError for what cannot be asked, InputError for a policy that cannot be used there.
    """
    policy = None if request.policy is None else load_policy(request.policy)
    run = simulate(policy, request.how, step=step, on_step=on_step)
    return RunReport(run=run, findings=run.findings)
