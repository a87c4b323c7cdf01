"""The store itself, broken in every way that can be made here, on both databases."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from apportion.service.doctor import database
from apportion.service.doctor.examine import OF_THE_STORE
from apportion.service.store import Store, open_store
from apportion.service.store.migrate import newest_revision
from tests.solver.service.conftest import FakeClock
from tests.solver.service.doctor.conftest import Said
from tests.solver.service.faults import way_to
from tests.solver.service.tables import set_up

LATER = dt.timedelta(minutes=1)


def rest_is_unknown(found: dict[str, list[database.Check]]) -> bool:
    """Whether nothing is claimed of what could not be looked at."""
    return all(check.state == "unknown" for name in ("room", *OF_THE_STORE) for check in found[name])


def test_a_store_that_is_not_set_up(url: str, said: Said, tmp_path: Path) -> None:
    """It is wrong, its remedy is to migrate, and the look makes no file, no table and no schema."""
    store = open_store(url)
    before = sorted(tmp_path.iterdir())
    found = said(store)
    assert (found["store"][0].state, found["store"][0].exit_code) == ("wrong", 6)
    assert "apportion store migrate" in found["store"][0].remedy
    assert rest_is_unknown(found)
    assert sorted(tmp_path.iterdir()) == before
    if not store.embedded:
        assert sa.inspect(store.engine).get_table_names() == []
    store.close()


@pytest.mark.parametrize(("revision", "words"), [("0001", f"not {newest_revision()}"), ("9999", "newer")])
def test_a_schema_of_another_version(store: Store, said: Said, revision: str, words: str) -> None:
    """An older one is to be migrated; a newer one is not: migrating down is no way."""
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
    found = said(store)
    assert found["store"][0].state == "wrong"
    assert words in found["store"][0].sentence
    assert ("migrate" in found["store"][0].remedy) == (revision == "0001")
    assert rest_is_unknown(found)


def test_a_database_that_is_away(said: Said) -> None:
    """No server at the address: wrong, with 6, and no password in what is said."""
    store = open_store("postgresql://u:hunter2@127.0.0.1:1/x")
    found = said(store)
    assert found["store"][0].exit_code == 6
    assert "hunter2" not in str(found)
    assert rest_is_unknown(found)
    store.close()


def test_a_database_that_goes_away_meanwhile(
    server: sa.URL, server_template: str, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen is told; the rest is not guessed, and not waited for again and again."""
    with way_to(server.set(database=server_template)) as way:
        store = open_store(way.url)
        whole = database.there

        def then_cut(store: Store) -> database.Check:
            told = whole(store)
            way.cut()
            return told

        monkeypatch.setattr(database, "there", then_cut)
        found = said(store)
        store.close()
    assert found["store"][0].state == "ok"
    assert [check.exit_code for check in found["room"]] == [6]
    assert all(found[name][0].state == "unknown" for name in OF_THE_STORE)


def test_a_file_that_is_no_database(said: Said, tmp_path: Path) -> None:
    """Wrong, and the file stays as it is."""
    (tmp_path / "no.db").write_bytes(b"x" * 5000)
    found = said(open_store(f"sqlite:///{tmp_path}/no.db"))
    assert found["store"][0].state == "wrong"
    assert (tmp_path / "no.db").read_bytes() == b"x" * 5000


def test_a_look_changes_nothing(store: Store, clock: FakeClock, said: Said, tmp_path: Path) -> None:
    """Not a row, and of SQLite not a byte: also the files around it are the same."""
    clock.now = dt.datetime.now(dt.UTC)
    set_up(store)
    store.compact()
    store.close()

    def state() -> object:
        if store.embedded:
            return {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        with store.read() as tx:
            return tx.connection.execute(sa.text("SELECT pg_current_xact_id_if_assigned()")).scalar(), [
                tuple(row)
                for table in ("leads", "runs", "leases", "outbox", "audit", "ticks", "idempotency")
                for row in tx.connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1"))
            ]

    before = state()
    assert {check.state for checks in said(store).values() for check in checks} <= {"ok", "warning"}
    store.close()
    assert state() == before


def test_room(store: Store, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Much is ok; little a warning; almost none wrong. A file that others may read is told."""
    if not store.embedded:
        assert "takes" in said(store)["room"][0].sentence
        return
    file = Path(str(store.url.database))
    file.chmod(0o600)
    for free, state in ((5e9, "ok"), (5e8, "warning"), (5e7, "wrong")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=int(free)))
        found = said(store)
        assert found["room"][0].state == state
        assert "store file" not in found
    file.chmod(0o644)
    assert "chmod 600" in said(store)["store file"][0].remedy
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert said(store)["room"][0].state == "wrong"


def test_a_user_who_may_not_write(server: sa.URL, server_template: str, said: Said) -> None:
    """A role of PostgreSQL that may only read is told before the first batch fails."""
    admin = sa.create_engine(server.set(database=server_template), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE onlooker LOGIN PASSWORD 'x'")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO onlooker")
    try:
        address = server.set(database=server_template, username="onlooker", password="x")
        store = open_store(address.render_as_string(hide_password=False))
        assert said(store)["room"][0].state == "wrong"
        store.close()
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql("DROP OWNED BY onlooker")
            connection.exec_driver_sql("DROP ROLE onlooker")


def test_clocks(store: Store, clock: FakeClock, said: Said) -> None:
    """The test's clock is years off this machine's: wrong; one that went back behind the trail is told as that."""
    clock.now = dt.datetime.now(dt.UTC) - LATER
    assert said(store)["clock"][0].state == "warning"
    clock.now = dt.datetime.now(dt.UTC) - 20 * LATER
    assert said(store)["clock"][0].state == "wrong"
    clock.now = dt.datetime.now(dt.UTC) + LATER
    with store.write() as tx:
        tx.keys.create("a", ["read"])
    clock.turn(-60)
    assert "gone back" in said(store)["clock"][0].sentence


def test_the_clock_of_the_database(ready_url: str, said: Said) -> None:
    """Without a clock of the test's, database and machine agree."""
    store = open_store(ready_url)
    assert said(store)["clock"][0].state == "ok"
    store.close()


def test_a_trail_that_was_changed(store: Store, said: Said) -> None:
    """The entry at which it breaks is named."""
    with store.write() as tx:
        tx.keys.create("a", ["read"])
    with store.engine.begin() as connection:
        if store.embedded:
            for (name,) in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        connection.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    found = said(store)["audit trail"][0]
    assert found.state == "wrong"
    assert "entry 1" in found.sentence
