"""The store itself: is it there, of this version, with room, its clock right, its trail whole."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from apportion.service.doctor.check import AWAY, Check, Look, counted, ok, span, warning, wrong
from apportion.service.store import AwayError, Store, Tx
from apportion.service.store.migrate import newest_revision
from apportion.service.store.schema import audit
from apportion_models.errors import ServiceError

MIGRATE = "Run `apportion store migrate`."
LITTLE, TOO_LITTLE = 1_000_000_000, 100_000_000  # bytes
CLOCKS_DIFFER = dt.timedelta(seconds=5)
CLOCKS_APART = dt.timedelta(minutes=5)  # more, and receivers refuse our signatures as too old or too new


def there(store: Store) -> Check:
    """Whether the store can be read by this version. Nothing is made where there is none."""
    if store.embedded and not Path(str(store.url.database)).exists():
        return wrong("store", f"There is no store at {store} yet.", MIGRATE, exit_code=AWAY)
    try:
        found = store.revision()
    except AwayError as error:
        return wrong("store", str(error), "See whether the database is up, and its address right.", exit_code=AWAY)
    except ServiceError as error:
        return wrong("store", str(error), "See whether the address is that of a store.", exit_code=AWAY)
    newest = newest_revision()
    if found is None:
        return wrong("store", f"The database at {store} is not set up.", MIGRATE, exit_code=AWAY)
    if found > newest:
        said = f"The store at {store} has the schema {found}; this version knows {newest}: a newer one has been here."
        return wrong("store", said, "Use the newer version of Apportion here too.", exit_code=AWAY)
    if found != newest:
        said = f"The store at {store} has the schema {found}, not {newest}."
        return wrong("store", said, f"Take a backup with the version before this one. {MIGRATE}", exit_code=AWAY)
    return ok("store", f"The store at {store} has the schema {found}.")


def room(store: Store) -> Iterator[Check]:
    """Whether there is room to write, and the right to."""
    if not store.embedded:
        with store.read() as tx:
            yield _server_room(tx)
        return
    file = Path(str(store.url.database)).absolute()
    if not all(os.access(path, os.W_OK) for path in (file, file.parent)):
        yield wrong("room", f"This user may not write {file} and its folder.", f"Let this user own {file.parent}.")
        return
    free, size = shutil.disk_usage(file.parent).free, file.stat().st_size
    said = f"{_bytes(free)} are free; the store takes {_bytes(size)}."
    if free < TOO_LITTLE:
        yield wrong("room", said, "Make room now: a full disk stops every batch, and loses nothing.")
    elif free < max(LITTLE, size):
        yield warning("room", said, "Make room: a backup needs as much as the store.")
    else:
        yield ok("room", said)
    if file.stat().st_mode & 0o077:
        said = f"Other users of this machine may read {file}, which holds personal data."
        yield warning("store file", said, f"Run `chmod 600 {file}`.")


def _server_room(tx: Tx) -> Check:
    asked = sa.text(
        "SELECT pg_database_size(current_database()) AS size, pg_is_in_recovery() AS standby, "
        "has_table_privilege('leads', 'INSERT, UPDATE, DELETE') AS may_write"
    )
    found = tx.connection.execute(asked).one()
    if found.standby:
        return wrong("room", "The server is a standby: it can only be read.", "Name the primary in the store's URL.")
    if not found.may_write:
        said = "This database user may not write the store's tables."
        return wrong("room", said, "Use the user that migrated, or grant it all on the schema's tables.")
    return ok("room", f"The store takes {_bytes(int(found.size))}; the free room of its server is not seen from here.")


def clock(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether the store's clock is this machine's, and has not gone backwards."""
    before = dt.datetime.now(dt.UTC)
    told = tx.now()
    after = dt.datetime.now(dt.UTC)
    off = max(told - after, before - told, dt.timedelta(0))
    last = tx.connection.execute(sa.select(sa.func.max(audit.c.at))).scalar()
    if last is not None and last - told > CLOCKS_DIFFER:
        said = f"The newest entry of the audit trail is {span(last - told)} in the future: the clock has gone back."
        yield warning("clock", said, "Set the clock by NTP. Slots run once all the same; ages and expiries are off.")
    elif off > CLOCKS_DIFFER:
        said = f"The database's clock and this machine's are {span(off)} apart."
        make = wrong if off > CLOCKS_APART else warning
        yield make("clock", said, "Set both by NTP: webhooks are signed with the time, and refused when it is off.")
    else:
        yield ok("clock", "The database's clock and this machine's agree.")


def trail(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether the audit trail is whole."""
    found = tx.audit.verify()
    if not found.ok:
        said = f"The audit trail is broken at entry {found.broken_at}: it was changed from outside."
        yield wrong("audit trail", said, "Keep this store as it is, and compare it with a backup whose head you kept.")
    else:
        yield ok("audit trail", f"The audit trail is whole: {counted(found.entries, 'entry', 'entries')}.")


def _bytes(size: int) -> str:
    """12 kB, 3 MB, 40 GB."""
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}"
