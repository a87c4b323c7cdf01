"""Leases, outbox, answers, API keys, saved scenarios, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from apportion.service.store.columns import Json, Key, Moment, Words
from apportion.service.store.schema.parts import LETTER_STATES, lead, metadata, number, one_of, run

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("owner", Words),
    sa.Column("fence", Key, nullable=False),
    sa.Column("until", Moment),
)

outbox = sa.Table(
    "outbox",
    metadata,
    number(),
    sa.Column("sink", Words, nullable=False),
    sa.Column("key", Words, nullable=False),  # the same for every attempt: whoever receives it twice can tell
    sa.Column("topic", Words, nullable=False),
    sa.Column("payload", Json, nullable=False),
    run(),
    lead(),
    sa.Column("state", Words, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("owner", Words),
    sa.Column("error", Words),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    one_of("state", LETTER_STATES),
    sa.UniqueConstraint("sink", "key"),
    sa.Index("ix_outbox_due", "state", "due_at", "id"),
    sqlite_autoincrement=True,
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("scope", Words, primary_key=True),
    sa.Column("key", Words, primary_key=True),
    sa.Column("body_hash", Words, nullable=False),
    sa.Column("status", sa.Integer),  # none: still being answered
    sa.Column("response", Json),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", Words, primary_key=True),
    sa.Column("name", Words, nullable=False),
    sa.Column("hash", Words, nullable=False),
    sa.Column("previous_hash", Words),
    sa.Column("previous_until", Moment),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Column("rotated_at", Moment),
    sa.Column("revoked_at", Moment),
)

scenarios = sa.Table(
    "scenarios",
    metadata,
    sa.Column("name", Words, primary_key=True),
    sa.Column("content", Words, nullable=False),  # the text of a scenario file
    sa.Column("saved_at", Moment, nullable=False),
    sa.Column("saved_by", Words, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", Key, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", Words, nullable=False),
    sa.Column("action", Words, nullable=False),
    sa.Column("about", Json, nullable=False),  # keys, versions, counts and hashes: nothing that tells of a person
    sa.Column("previous", Words, nullable=False),
    sa.Column("hash", Words, nullable=False),
)
