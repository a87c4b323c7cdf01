"""Backup while the store is in use, and restore, to a database of either kind.

A backup is a ZIP: `manifest.json` (revision, the hash of every part, the head of the audit trail), and a file of JSON
lines a table; all of it is one state of the store.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from apportion.service.store.columns import canonical
from apportion.service.store.copying import TABLES, Row, fill, need_empty, number_on, rows
from apportion.service.store.engine import ONLY_MINE
from apportion.service.store.migrate import newest_revision
from apportion.service.store.store import Store, open_store
from apportion.service.store.transaction import Tx
from apportion_models.errors import InputError, UsageError

FORMAT, MANIFEST = "apportion-store-backup/1", "manifest.json"
SQLITE_BEGINS = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Backup:
    """What a backup holds. entries, head : of the audit trail: whoever keeps the head can prove the trail whole."""

    revision: str
    rows: dict[str, int]
    entries: int
    head: str


def back_up(store: Store, path: Path) -> Backup:
    """Write a backup while others go on reading and writing: a file that ends on `.db` is a SQLite database of its own
    (of a SQLite store only), any other the ZIP.

    The file takes its place whole, or not at all, and only its owner may read it. Raises UsageError where there is such
    a file already.
    """
    if path.exists():
        raise UsageError(f"There is a file {path} already: name another.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=ONLY_MINE)
    try:
        made = _copy_file(store, partial) if path.suffix == ".db" else _write_zip(store, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return made


def restore(store: Store, path: Path) -> Backup:
    """Fill an empty store from a backup of either kind, in one transaction; the schema is made where there is none.

    Raises InputError for a file that is no backup, is damaged or of another revision; ConflictError where the store is
    not empty.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(len(SQLITE_BEGINS))
    except OSError as error:
        raise InputError(f"The backup {path} cannot be read: {error.strerror}.") from None
    store.migrate()
    if begins == SQLITE_BEGINS:
        with closing_store(path) as source, source.read() as from_tx, store.write(actor="restore") as tx:
            return _filled(tx, {table.name: rows(from_tx, table) for table in TABLES})
    with _opened(path) as archive, store.write(actor="restore") as tx:
        manifest = _manifest(archive, path)
        made = _filled(tx, {table.name: _lines(archive, table, manifest, path) for table in TABLES})
        if (made.entries, made.head) != (manifest["entries"], manifest["head"]):
            raise InputError(f"{path} is damaged: its audit trail is not the one that its manifest names.")
        return made


def closing_store(path: Path) -> closing[Store]:
    """A backup that is a database, opened as a store. Raises InputError where its revision is another."""
    source = open_store(f"sqlite:///{path}")
    with source.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found != newest_revision():
        source.close()
        raise InputError(f"{path} has the schema {found}, not {newest_revision()}: migrate a copy of it first.")
    return closing(source)


def _filled(tx: Tx, tables: dict[str, Iterator[Row]]) -> Backup:
    need_empty(tx)
    counts = {table.name: fill(tx, table, tables[table.name]) for table in TABLES}
    number_on(tx)
    trail = tx.audit.verify()
    if not trail.ok:
        raise InputError(f"The backup's audit trail is broken at entry {trail.broken_at}: it was changed.")
    tx.audit.note("store.restore", entries=trail.entries, head=trail.head)
    return Backup(newest_revision(), counts, trail.entries, trail.head)


def _copy_file(store: Store, path: Path) -> Backup:
    """By SQLite's own online backup, in one step: in WAL mode that keeps nobody from writing."""
    if not store.embedded:
        raise UsageError("Only a SQLite store is backed up to a .db file: name a .zip, or use pg_dump.")
    with closing(sqlite3.connect(str(store.url.database))) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    with closing_store(path) as copy, copy.read() as tx:
        trail = tx.audit.verify()
        counts = {table.name: _count(tx, table) for table in TABLES}
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    return Backup(newest_revision(), counts, trail.entries, trail.head)


def _count(tx: Tx, table: sa.Table) -> int:
    return int(tx.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _write_zip(store: Store, path: Path) -> Backup:
    hashes: dict[str, str] = {}
    counts: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, store.read() as tx:
        for table in TABLES:
            digest, counts[table.name] = hashlib.sha256(), 0
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as part:
                for row in rows(tx, table):
                    line = f"{canonical(row)}\n".encode()
                    digest.update(line)
                    part.write(line)
                    counts[table.name] += 1
            hashes[table.name] = digest.hexdigest()
        trail = tx.audit.verify()
        made = Backup(newest_revision(), counts, trail.entries, trail.head)
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT, **asdict(made), "sha256": hashes}, indent=1))
    return made


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise InputError(f"{path} is no backup of a store, or a damaged one.") from None


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
        told, revision = manifest["format"], manifest["revision"]
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise InputError(f"{path} is no backup of a store: it has no {MANIFEST}.") from None
    if told != FORMAT or revision != newest_revision():
        raise InputError(f"{path} is a {told} of the schema {revision}; this version restores {newest_revision()}.")
    return manifest


def _lines(archive: zipfile.ZipFile, table: sa.Table, manifest: dict[str, Any], path: Path) -> Iterator[Row]:
    """The rows of one table; InputError at the end where they are not those that were written."""
    digest, name = hashlib.sha256(), f"{table.name}.jsonl"
    try:
        with archive.open(name) as part:
            for line in part:
                digest.update(line)
                yield json.loads(line)
    except (KeyError, ValueError, zipfile.BadZipFile, EOFError):
        raise InputError(f"{path} is damaged: {name} cannot be read.") from None
    if digest.hexdigest() != manifest["sha256"].get(table.name):
        raise InputError(f"{path} is damaged: {name} is not as it was written.")
