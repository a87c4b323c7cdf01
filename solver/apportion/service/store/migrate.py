"""Bringing the schema to the newest revision: whole or not at all, by one process at a time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from apportion.service.store.engine import BEGIN

ONE_AT_A_TIME = 0x4150504F5254  # the number of PostgreSQL's advisory lock: any, but always the same


def migrate(engine: sa.Engine) -> str:
    """Upgrade, and give the revision. All is one transaction: a process that dies leaves the schema as it was."""
    with engine.connect() as connection:
        connection = connection.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return newest_revision()


def present_revision(engine: sa.Engine) -> str | None:
    """The revision of the schema in the database; None where there is none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@lru_cache(maxsize=1)
def newest_revision() -> str:
    """The revision that this version of the package works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
