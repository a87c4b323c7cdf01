"""Leads, reps and what is known of them; policies and models by version."""

from __future__ import annotations

import sqlalchemy as sa

from apportion.service.store.columns import Json, Key, Moment, Words
from apportion.service.store.schema.parts import (
    LEAD_STATES,
    REFERENCE_TABLES,
    VERSIONED,
    lead,
    metadata,
    number,
    one_of,
    rep,
)

leads = sa.Table(
    "leads",
    metadata,
    number("lead_key"),
    sa.Column("lead_id", Words, nullable=False, unique=True),
    sa.Column("content", Json, nullable=False),  # the row of the leads table, attributes too
    sa.Column("hash", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("account_id", Words),
    sa.Column("waiting_since", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    one_of("state", LEAD_STATES),
    sa.Index("ix_leads_state", "state", "created_at", "lead_id"),
    sqlite_autoincrement=True,
)

reps = sa.Table(
    "reps",
    metadata,
    number("rep_key"),
    sa.Column("rep_id", Words, nullable=False, unique=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("hash", Words, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("told_tick", Key, nullable=False),  # since when `open_leads` and `open_pipeline` of the row hold
    sa.Column("changed_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

reference_rows = sa.Table(
    "reference_rows",
    metadata,
    sa.Column("table_name", Words, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", Json, nullable=False),
    one_of("table_name", REFERENCE_TABLES),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    lead(primary_key=True),
    sa.Column("outcome", Words, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("deal_value", sa.Double),
    sa.Column("told_tick", Key, nullable=False),
    sa.Column("told_at", Moment, nullable=False),
    one_of("outcome", ("won", "lost", "open")),
)

overrides = sa.Table(
    "overrides",
    metadata,
    number(),
    lead(nullable=False),
    rep(nullable=False),
    sa.Column("kind", Words, nullable=False),
    sa.Column("said_by", Words),
    sa.Column("reason", Words),
    sa.Column("set_at", Moment, nullable=False),
    sa.Column("lifted_at", Moment),
    one_of("kind", ("lock", "ban")),
    sa.Index("one_override_per_pair", "lead_key", "rep_key", "kind", unique=True,
             sqlite_where=sa.text("lifted_at IS NULL"), postgresql_where=sa.text("lifted_at IS NULL")),
    sqlite_autoincrement=True,
)  # fmt: skip

policies = sa.Table(
    "policies",
    metadata,
    number("version"),
    sa.Column("fingerprint", Words, nullable=False, unique=True),
    sa.Column("name", Words, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # canonical JSON with all defaults
    sa.Column("source", Words),  # the file as it was written, comments too
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("added_by", Words, nullable=False),
    sqlite_autoincrement=True,
)

models = sa.Table(
    "models",
    metadata,
    number("version"),
    sa.Column("fingerprint", Words, nullable=False, unique=True),
    sa.Column("level", Words, nullable=False),
    sa.Column("card", Json, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("added_by", Words, nullable=False),
    sqlite_autoincrement=True,
)

model_files = sa.Table(
    "model_files",
    metadata,
    sa.Column("version", Key, sa.ForeignKey("models.version"), primary_key=True, autoincrement=False),
    sa.Column("name", Words, primary_key=True),
    sa.Column("sha256", Words, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

activations = sa.Table(
    "activations",
    metadata,
    number(),
    sa.Column("kind", Words, nullable=False),
    sa.Column("version", Key, nullable=False),
    sa.Column("rolled_back", sa.Boolean, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", Words, nullable=False),
    one_of("kind", VERSIONED),
    sqlite_autoincrement=True,
)
