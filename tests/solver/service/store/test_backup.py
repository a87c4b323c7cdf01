"""Backups are whole, taken while others write, and come back on either database."""

from __future__ import annotations

import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from apportion.service.runs import document, repeat, work
from apportion.service.store import Store, open_store
from apportion.service.store.backup import back_up, restore
from apportion.service.store.copying import TABLES, rows
from apportion_models.errors import ConflictError, InputError, UsageError
from tests.solver.service.databases import KINDS, own_database, programs_of
from tests.solver.service.tables import leads, set_up


@pytest.fixture(params=KINDS)
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database to restore to."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/other.db"
        return
    with own_database(request.getfixturevalue("server")) as address:
        yield address


def used(store: Store) -> str:
    """A store with something in every table that matters. Gives a run that is done."""
    set_up(store, n_leads=6)
    with store.write() as tx:
        run = tx.runs.add(options={"sinks": ["hook"]})
        tx.keys.create("crm", ["read"])
        tx.overrides.set(lead_id="L0001", rep_id="R1", kind="ban")
        tx.idempotency.begin(scope="s", key="k", body_hash="h")
    assert run is not None
    done = work(store, owner="worker")
    assert done is not None
    assert done.state == "done", done.error
    return run.run_id


def contents(store: Store, *, but: int = 0) -> dict[str, list[object]]:
    """Every row; of the audit trail all but the last."""
    with store.read() as tx:
        told: dict[str, list[object]] = {table.name: list(rows(tx, table)) for table in TABLES}
    told["audit"] = told["audit"][: len(told["audit"]) - but]
    told.pop("ticks")
    return told


def test_a_backup_comes_back_on_either_database(store: Store, other_url: str, tmp_path: Path) -> None:
    """Every row is restored, to the byte; the runs can be repeated, and new rows get new numbers."""
    run_id = used(store)
    made = back_up(store, tmp_path / "backup.zip")
    other = open_store(other_url)
    told = restore(other, tmp_path / "backup.zip")
    assert (told.head, told.rows) == (made.head, made.rows)
    assert contents(other, but=1) == contents(store)
    assert repeat(other, run_id).same
    with other.write() as tx:
        tx.leads.upsert(leads(2, first=900))
        run = tx.runs.add()
        assert run is not None
        assert run.number == 2
        assert tx.policies.add(tx.policies.page().items[0].policy).version == 1
        assert tx.outbox.add(topic="t", key="new", payload={}, sinks=["s"]) == 1
    with other.read() as tx:
        assert tx.audit.verify().ok
    other.close()


def test_only_an_empty_store_is_restored_to(store: Store, tmp_path: Path) -> None:
    """A store that has rows stays as it is; a file that is there is not written over."""
    used(store)
    path = tmp_path / "backup.zip"
    back_up(store, path)
    before = contents(store)
    with pytest.raises(ConflictError, match="empty store only"):
        restore(store, path)
    assert contents(store) == before
    with pytest.raises(UsageError, match="already"):
        back_up(store, path)


@pytest.mark.parametrize("kind", ["sqlite"])  # a backup is read before any database is asked
def test_a_damaged_backup_restores_nothing(store: Store, url: str, tmp_path: Path) -> None:
    """Cut off, changed in one cell, of another format, or no backup at all: refused, and the store stays empty."""
    used(store)
    path, other = tmp_path / "backup.zip", open_store(url)
    back_up(store, path)
    assert path.stat().st_mode & 0o077 == 0
    whole = path.read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_text("no backup")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    changes = {
        "cell.zip": {"leads.jsonl": parts["leads.jsonl"].replace(b"Contact 1", b"Contact 2")},
        "trail.zip": {"audit.jsonl": parts["audit.jsonl"].replace(b"test", b"eve!")},
        "format.zip": {"manifest.json": parts["manifest.json"].replace(b"backup/1", b"backup/9")},
        "empty.zip": {"manifest.json": b"{}"},
    }
    for name, change in changes.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for part, content in {**parts, **change}.items():
                archive.writestr(part, content)
    for name in ("cut.zip", "text.zip", "absent.zip", *changes):
        with pytest.raises(InputError, match=r"backup|restores|broken"):
            restore(other, tmp_path / name)
    with other.read() as tx:
        assert tx.leads.counts() == {}
        assert tx.audit.verify().entries == 0
    restore(other, path)
    other.close()


def test_a_backup_is_one_state_while_others_write(ready_url: str, tmp_path: Path) -> None:
    """Leads are written by threes all the while: a backup never has a part of three, and its trail fits its rows."""
    store, stop = open_store(ready_url), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.write() as tx:
                tx.leads.upsert(leads(3, first=3 * number))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        names = ["a.zip", "b.zip", *(["c.db"] if store.embedded else [])]
        made = [back_up(store, tmp_path / name) for name in names]
    finally:
        stop.set()
        thread.join()
    for name, told in zip(names, made, strict=True):
        other = open_store(f"sqlite:///{tmp_path}/from-{name}.db")
        restore(other, tmp_path / name)
        with other.read() as tx:
            assert told.rows["leads"] == sum(tx.leads.counts().values()) == 3 * told.entries
        other.close()
    store.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_copy_of_the_file_is_a_store(store: Store, other_url: str, tmp_path: Path) -> None:
    """A backup to `.db` can be opened as it is, and restored to either database."""
    run_id = used(store)
    back_up(store, tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.glob("*copy.db*")) == ["copy.db"]
    copy, other = open_store(f"sqlite:///{tmp_path}/copy.db"), open_store(other_url)
    assert contents(copy) == contents(store)
    restore(other, tmp_path / "copy.db")
    with other.read() as tx:
        assert document(tx, run_id)["summary"]["leads"] == 6
    copy.close()
    other.close()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_server_is_not_copied_as_a_file(store: Store, tmp_path: Path) -> None:
    """PostgreSQL has no file to copy: the error names the ZIP and pg_dump."""
    with pytest.raises(UsageError, match="pg_dump"):
        back_up(store, tmp_path / "copy.db")
    assert list(tmp_path.glob("*copy.db*")) == []


@pytest.mark.parametrize("kind", ["postgresql"])
def test_pg_dump_takes_all_of_it(store: Store, server: sa.URL, tmp_path: Path) -> None:
    """The documented `pg_dump` and `pg_restore` bring the whole store back, triggers and trail too."""
    used(store)
    with store.engine.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one().split(".")[0]
    programs = programs_of(version)
    source = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([programs / "pg_dump", "-Fc", "-f", tmp_path / "dump", source], check=True, timeout=60)
    with own_database(server) as address:
        target = sa.make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run([programs / "pg_restore", "-d", target, tmp_path / "dump"], check=True, timeout=60)
        other = open_store(address)
        other.check()
        assert contents(other) == contents(store)
        other.close()
