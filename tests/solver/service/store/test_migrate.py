"""The schema is made by its revisions, and both databases get the same."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from apportion.service.store import open_store
from apportion.service.store.migrate import newest_revision
from apportion.service.store.schema import metadata
from apportion_models.errors import ServiceError


def test_the_revisions_make_the_schema(url: str) -> None:
    """After migrating, nothing of `schema` is missing in the database, and nothing is there besides."""
    store = open_store(url)
    assert store.migrate() == newest_revision()
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        inspector = sa.inspect(connection)
        indexes = {index["name"] for table in metadata.tables for index in inspector.get_indexes(table)}
    wanted = {index.name for table in metadata.tables.values() for index in table.indexes}
    assert wanted <= indexes
    store.close()


def test_partial_indexes_are_partial(ready_url: str) -> None:
    """The indexes that hold one open run a lead and one rep a lead hold only where they should."""
    store = open_store(ready_url)
    with store.engine.connect() as connection:
        column = "sql" if store.embedded else "indexdef"
        table, name = ("sqlite_master", "name") if store.embedded else ("pg_indexes", "indexname")
        for index in ("one_open_run_per_lead", "one_rep_per_lead", "one_batch_at_a_time", "one_override_per_pair"):
            text = connection.exec_driver_sql(f"SELECT {column} FROM {table} WHERE {name} = '{index}'").scalar_one()
            assert "UNIQUE" in text
            assert "WHERE" in text
    store.close()


def test_migrating_again_changes_nothing(url: str) -> None:
    """A second time is the same, and so are four at once."""
    made, faults = [], []

    def one() -> None:
        store = open_store(url)
        try:
            made.append(store.migrate())
        except Exception as error:
            faults.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert made == [newest_revision()] * 4


def test_a_store_that_is_not_set_up_says_so(url: str) -> None:
    """Without a schema, `check` and every question name the command that makes one."""
    store = open_store(url)
    with pytest.raises(ServiceError, match="apportion store migrate"):
        store.check()
    with pytest.raises(ServiceError, match="apportion store migrate"), store.read() as tx:
        tx.leads.counts()
    assert not (store.embedded and Path(str(store.url.database)).exists()), "asking made a file"
    store.migrate()
    store.check()
    store.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_only_its_owner_may_read_the_file(url: str) -> None:
    """The file and what SQLite lays beside it are closed to other users of the machine."""
    store = open_store(url)
    store.migrate()
    files = list(Path(str(store.url.database)).parent.glob("store.db*"))
    assert len(files) == 3
    assert [file.stat().st_mode & 0o077 for file in files] == [0, 0, 0]
    store.close()
