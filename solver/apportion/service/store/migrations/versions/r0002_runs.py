"""Runs, what they were made from, and what they assigned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "snapshots",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_snapshots"),
    )
    op.create_table(
        "ticks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tick", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_ticks"),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("number", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text()),
        sa.Column("slot", MOMENT),
        sa.Column("at", MOMENT),
        sa.Column("seed", KEY),
        sa.Column("policy_version", KEY),
        sa.Column("model_version", KEY),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("tick", KEY),
        sa.Column("inputs", sa.Text()),
        sa.Column("plan", sa.Text()),
        sa.Column("certificate", sa.Text()),
        sa.Column("plan_hash", sa.Text()),
        sa.Column("progress", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('batch', 'given')", name="ck_runs_kind"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="ck_runs_state"),
        sa.ForeignKeyConstraint(["model_version"], ["models.version"], name="fk_runs_model_version"),
        sa.ForeignKeyConstraint(["policy_version"], ["policies.version"], name="fk_runs_policy_version"),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
        sa.UniqueConstraint("number", name="uq_runs_number"),
    )
    op.create_index("ix_runs_state", "runs", ["state", "number"], unique=False)
    op.create_index(
        "one_batch_at_a_time",
        "runs",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("kind = 'batch' AND state = 'running'"),
        postgresql_where=sa.text("kind = 'batch' AND state = 'running'"),
    )
    op.create_index("one_run_per_slot", "runs", ["schedule", "slot"], unique=True)
    op.create_table(
        "assignments",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("tick", KEY, nullable=False),
        sa.Column("withdrawn_tick", KEY),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("prices_run_id", sa.Text()),
        sa.Column("lead_key", KEY, nullable=False),
        sa.Column("rep_key", KEY),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("assigned_at", MOMENT, nullable=False),
        sa.Column("place", sa.Integer()),
        sa.Column("account_id", sa.Text()),
        sa.Column("effort", sa.Double()),
        sa.Column("opportunity", sa.Double()),
        sa.Column("expected_revenue", sa.Double()),
        sa.Column("deal_value", sa.Double()),
        sa.Column("fit", sa.Double()),
        sa.Column("propensity", sa.Double()),
        sa.Column("tier", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("told", sa.Text(), nullable=False),
        sa.CheckConstraint("origin IN ('batch', 'given', 'route', 'person')", name="ck_assignments_origin"),
        sa.CheckConstraint("outcome IN ('assigned', 'nurture', 'reject')", name="ck_assignments_outcome"),
        sa.ForeignKeyConstraint(["lead_key"], ["leads.lead_key"], name="fk_assignments_lead_key"),
        sa.ForeignKeyConstraint(["prices_run_id"], ["runs.run_id"], name="fk_assignments_prices_run_id"),
        sa.ForeignKeyConstraint(["rep_key"], ["reps.rep_key"], name="fk_assignments_rep_key"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_assignments_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        sa.UniqueConstraint("run_id", "lead_key", name="uq_assignments_run_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assignments_rep", "assignments", ["rep_key", "assigned_at"], unique=False)
    op.create_index("ix_assignments_tick", "assignments", ["tick"], unique=False)
    op.create_index(
        "one_rep_per_lead",
        "assignments",
        ["lead_key"],
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "claims",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("lead_key", KEY, autoincrement=False, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["lead_key"], ["leads.lead_key"], name="fk_claims_lead_key"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_claims_run_id"),
        sa.PrimaryKeyConstraint("run_id", "lead_key", name="pk_claims"),
    )
    op.create_index(
        "one_open_run_per_lead",
        "claims",
        ["lead_key"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_table(
        "run_inputs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["snapshots.hash"], name="fk_run_inputs_hash"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_run_inputs_run_id"),
        sa.PrimaryKeyConstraint("run_id", "table_name", name="pk_run_inputs"),
    )
