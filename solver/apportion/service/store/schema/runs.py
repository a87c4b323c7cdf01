"""Runs, what they were made from, and what they assigned."""

from __future__ import annotations

import sqlalchemy as sa

from apportion.service.store.columns import Json, Key, Moment, Words
from apportion.service.store.schema.parts import (
    ORIGINS,
    OUTCOMES,
    RUN_KINDS,
    RUN_STATES,
    lead,
    metadata,
    number,
    one_of,
    rep,
    run,
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", Words, primary_key=True),
    sa.Column("number", Key, nullable=False, unique=True),
    sa.Column("kind", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("schedule", Words),
    sa.Column("slot", Moment),
    sa.Column("at", Moment),
    sa.Column("seed", Key),
    sa.Column("policy_version", Key, sa.ForeignKey("policies.version")),
    sa.Column("model_version", Key, sa.ForeignKey("models.version")),
    sa.Column("options", Json, nullable=False),
    sa.Column("tick", Key),  # the assignments that the run knows of: those up to this tick
    sa.Column("inputs", Json),  # fingerprints of every input
    sa.Column("plan", Json),  # plan.json without its leads, which are in `assignments`
    sa.Column("certificate", Json),
    sa.Column("plan_hash", Words),  # SHA-256 of plan.json
    sa.Column("progress", Json),
    sa.Column("error", Json),
    sa.Column("cancel_asked", sa.Boolean, nullable=False),
    sa.Column("exclusive", sa.Boolean, nullable=False),  # nothing else may be assigned while it runs
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("asked_by", Words, nullable=False),
    one_of("kind", RUN_KINDS),
    one_of("state", RUN_STATES),
    sa.Index("one_run_per_slot", "schedule", "slot", unique=True),
    sa.Index("one_batch_at_a_time", "kind", unique=True,
             sqlite_where=sa.text("kind = 'batch' AND state = 'running'"),
             postgresql_where=sa.text("kind = 'batch' AND state = 'running'")),
    sa.Index("ix_runs_state", "state", "number"),
)  # fmt: skip

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("hash", Words, primary_key=True),  # of the content as it was first stored
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("row_count", sa.Integer, nullable=False),
    sa.Column("erased", sa.Integer, nullable=False),  # how often something in it was erased on request
)

run_inputs = sa.Table(
    "run_inputs",
    metadata,
    run(primary_key=True),
    sa.Column("table_name", Words, primary_key=True),
    sa.Column("hash", Words, sa.ForeignKey("snapshots.hash"), nullable=False),
)

claims = sa.Table(
    "claims",
    metadata,
    run(primary_key=True),
    lead(primary_key=True, autoincrement=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Index("one_open_run_per_lead", "lead_key", unique=True,
             sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open")),
)  # fmt: skip

assignments = sa.Table(
    "assignments",
    metadata,
    number(),
    sa.Column("tick", Key, nullable=False),
    sa.Column("withdrawn_tick", Key),
    sa.Column("origin", Words, nullable=False),
    run(),
    run("prices_run_id"),  # of a routed lead: the run whose prices placed it
    lead(nullable=False),
    rep(),  # none: nurture, or rejected
    sa.Column("outcome", Words, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),  # the rep has the lead now
    sa.Column("assigned_at", Moment, nullable=False),
    sa.Column("place", sa.Integer),  # in the run's plan.json
    sa.Column("account_id", Words),
    sa.Column("effort", sa.Double),
    sa.Column("opportunity", sa.Double),
    sa.Column("expected_revenue", sa.Double),
    sa.Column("deal_value", sa.Double),
    sa.Column("fit", sa.Double),
    sa.Column("propensity", sa.Double),
    sa.Column("tier", Words),
    sa.Column("reason", Words),
    sa.Column("told", Json, nullable=False),  # the lead's entry in plan.json
    one_of("origin", ORIGINS),
    one_of("outcome", OUTCOMES),
    sa.UniqueConstraint("run_id", "lead_key"),
    sa.Index("one_rep_per_lead", "lead_key", unique=True,
             sqlite_where=sa.text("is_current"), postgresql_where=sa.text("is_current")),
    sa.Index("ix_assignments_rep", "rep_key", "assigned_at"),
    sa.Index("ix_assignments_tick", "tick"),
    sqlite_autoincrement=True,
)  # fmt: skip

ticks = sa.Table(
    "ticks",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("tick", Key, nullable=False),
)
