"""What the tables of the schema have in common."""

from __future__ import annotations

import sqlalchemy as sa

from apportion.service.store.columns import Key, Words

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


def one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """The column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def number(name: str = "id") -> sa.Column[int]:
    """A key that the database numbers."""
    return sa.Column(name, Key, primary_key=True, autoincrement=True)


def lead(**options: bool) -> sa.Column[int]:
    """Which lead."""
    return sa.Column("lead_key", Key, sa.ForeignKey("leads.lead_key"), **options)  # type: ignore[arg-type]


def rep(**options: bool) -> sa.Column[int]:
    """Which rep."""
    return sa.Column("rep_key", Key, sa.ForeignKey("reps.rep_key"), **options)  # type: ignore[arg-type]


def run(name: str = "run_id", **options: bool) -> sa.Column[str]:
    """Which run."""
    return sa.Column(name, Words, sa.ForeignKey("runs.run_id"), **options)  # type: ignore[arg-type]
