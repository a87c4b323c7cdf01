"""Leads, reps and what is known of them; policies and models by version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "activations",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", KEY, nullable=False),
        sa.Column("rolled_back", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('policy', 'model')", name="ck_activations_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_activations"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "leads",
        sa.Column("lead_key", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("waiting_since", MOMENT),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'claimed', 'assigned', 'nurture', 'reject', 'closed', 'outside', 'forgotten')",
            name="ck_leads_state",
        ),
        sa.PrimaryKeyConstraint("lead_key", name="pk_leads"),
        sa.UniqueConstraint("lead_id", name="uq_leads_lead_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_leads_state", "leads", ["state", "created_at", "lead_id"], unique=False)
    op.create_table(
        "models",
        sa.Column("version", KEY, autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_models"),
        sa.UniqueConstraint("fingerprint", name="uq_models_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "policies",
        sa.Column("version", KEY, autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_policies"),
        sa.UniqueConstraint("fingerprint", name="uq_policies_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reference_rows",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "table_name IN ('accounts', 'teams', 'territories', 'calendar')", name="ck_reference_rows_table_name"
        ),
        sa.PrimaryKeyConstraint("table_name", "place", name="pk_reference_rows"),
    )
    op.create_table(
        "reps",
        sa.Column("rep_key", KEY, autoincrement=True, nullable=False),
        sa.Column("rep_id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("told_tick", KEY, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("rep_key", name="pk_reps"),
        sa.UniqueConstraint("rep_id", name="uq_reps_rep_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "model_files",
        sa.Column("version", KEY, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["models.version"], name="fk_model_files_version"),
        sa.PrimaryKeyConstraint("version", "name", name="pk_model_files"),
    )
    op.create_table(
        "outcomes",
        sa.Column("lead_key", KEY, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("deal_value", sa.Double()),
        sa.Column("told_tick", KEY, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.CheckConstraint("outcome IN ('won', 'lost', 'open')", name="ck_outcomes_outcome"),
        sa.ForeignKeyConstraint(["lead_key"], ["leads.lead_key"], name="fk_outcomes_lead_key"),
        sa.PrimaryKeyConstraint("lead_key", name="pk_outcomes"),
    )
    op.create_table(
        "overrides",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_key", KEY, nullable=False),
        sa.Column("rep_key", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("said_by", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("lifted_at", MOMENT),
        sa.CheckConstraint("kind IN ('lock', 'ban')", name="ck_overrides_kind"),
        sa.ForeignKeyConstraint(["lead_key"], ["leads.lead_key"], name="fk_overrides_lead_key"),
        sa.ForeignKeyConstraint(["rep_key"], ["reps.rep_key"], name="fk_overrides_rep_key"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_override_per_pair",
        "overrides",
        ["lead_key", "rep_key", "kind"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
