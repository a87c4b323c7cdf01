"""The schema, once for both databases. `migrations/` makes it; a test holds that both agree.

Leads and reps are known to all other tables by a number of their own (`lead_key`, `rep_key`), so that the id that the
user gave, which may name a person, stands in one place and can be erased there.
"""

from __future__ import annotations

import sqlalchemy as sa

from apportion.service.store.columns import Json, Key, Moment, Words

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
LEAD_STATES = ("waiting", "claimed", "assigned", "nurture", "reject", "closed", "outside", "forgotten")
RUN_KINDS = ("batch", "given")
RUN_STATES = ("queued", "running", "done", "failed", "cancelled")
OUTCOMES = ("assigned", "nurture", "reject")
ORIGINS = ("batch", "given", "route", "person")
LETTER_STATES = ("waiting", "delivered", "dead", "dropped")
VERSIONED = ("policy", "model")
REFERENCE_TABLES = ("accounts", "teams", "territories", "calendar")

metadata = sa.MetaData(naming_convention=NAMES)


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def _number(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, Key, primary_key=True, autoincrement=True)


def _lead(**options: bool) -> sa.Column[int]:
    return sa.Column("lead_key", Key, sa.ForeignKey("leads.lead_key"), **options)  # type: ignore[arg-type]


def _rep(**options: bool) -> sa.Column[int]:
    return sa.Column("rep_key", Key, sa.ForeignKey("reps.rep_key"), **options)  # type: ignore[arg-type]


def _run(name: str = "run_id", **options: bool) -> sa.Column[str]:
    return sa.Column(name, Words, sa.ForeignKey("runs.run_id"), **options)  # type: ignore[arg-type]


leads = sa.Table(
    "leads",
    metadata,
    _number("lead_key"),
    sa.Column("lead_id", Words, nullable=False, unique=True),
    sa.Column("content", Json, nullable=False),  # the row of the leads table, attributes too
    sa.Column("hash", Words, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("account_id", Words),
    sa.Column("waiting_since", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    _one_of("state", LEAD_STATES),
    sa.Index("ix_leads_state", "state", "created_at", "lead_id"),
    sqlite_autoincrement=True,
)

reps = sa.Table(
    "reps",
    metadata,
    _number("rep_key"),
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
    _one_of("table_name", REFERENCE_TABLES),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    _lead(primary_key=True),
    sa.Column("outcome", Words, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("deal_value", sa.Double),
    sa.Column("told_tick", Key, nullable=False),
    sa.Column("told_at", Moment, nullable=False),
    _one_of("outcome", ("won", "lost", "open")),
)

overrides = sa.Table(
    "overrides",
    metadata,
    _number(),
    _lead(nullable=False),
    _rep(nullable=False),
    sa.Column("kind", Words, nullable=False),
    sa.Column("said_by", Words),
    sa.Column("reason", Words),
    sa.Column("set_at", Moment, nullable=False),
    sa.Column("lifted_at", Moment),
    _one_of("kind", ("lock", "ban")),
    sa.Index("one_override_per_pair", "lead_key", "rep_key", "kind", unique=True,
             sqlite_where=sa.text("lifted_at IS NULL"), postgresql_where=sa.text("lifted_at IS NULL")),
    sqlite_autoincrement=True,
)  # fmt: skip

policies = sa.Table(
    "policies",
    metadata,
    _number("version"),
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
    _number("version"),
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
    _number(),
    sa.Column("kind", Words, nullable=False),
    sa.Column("version", Key, nullable=False),
    sa.Column("rolled_back", sa.Boolean, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", Words, nullable=False),
    _one_of("kind", VERSIONED),
    sqlite_autoincrement=True,
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
    _one_of("kind", RUN_KINDS),
    _one_of("state", RUN_STATES),
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
    _run(primary_key=True),
    sa.Column("table_name", Words, primary_key=True),
    sa.Column("hash", Words, sa.ForeignKey("snapshots.hash"), nullable=False),
)

claims = sa.Table(
    "claims",
    metadata,
    _run(primary_key=True),
    _lead(primary_key=True, autoincrement=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Index("one_open_run_per_lead", "lead_key", unique=True,
             sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open")),
)  # fmt: skip

assignments = sa.Table(
    "assignments",
    metadata,
    _number(),
    sa.Column("tick", Key, nullable=False),
    sa.Column("withdrawn_tick", Key),
    sa.Column("origin", Words, nullable=False),
    _run(),
    _run("prices_run_id"),  # of a routed lead: the run whose prices placed it
    _lead(nullable=False),
    _rep(),  # none: nurture, or rejected
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
    _one_of("origin", ORIGINS),
    _one_of("outcome", OUTCOMES),
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
    _number(),
    sa.Column("sink", Words, nullable=False),
    sa.Column("key", Words, nullable=False),  # the same for every attempt: whoever receives it twice can tell
    sa.Column("topic", Words, nullable=False),
    sa.Column("payload", Json, nullable=False),
    _run(),
    _lead(),
    sa.Column("state", Words, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("owner", Words),
    sa.Column("error", Words),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    _one_of("state", LETTER_STATES),
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
