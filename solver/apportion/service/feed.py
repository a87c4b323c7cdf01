"""Tables that are read by themselves, from files and databases, every few minutes and right before each batch.

minutes = 5
mapping = "crm.yaml"                        # absent: the columns have our names

[tables]
leads = "env:CRM_LEADS"                     # such as postgresql://reader:…@crm/db#SELECT * FROM new_leads
reps = "/srv/crm/reps.csv"
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apportion.service.loading import load_tables
from apportion.service.schedule.runner import slots_due
from apportion.service.secrets import read_secret
from apportion.service.store import StillRunningError, Store, Tx
from apportion.service.store.schema import idempotency
from apportion_models.errors import ApportionError, Finding, InputError, UsageError

SCOPE, ACTOR = "sources", "sources"
LONGEST = 120.0  # seconds that reading may take before the batch goes without
READ, NOT_READ = 200, 500

Table = Literal["leads", "reps", "accounts", "teams", "territories", "calendar"]


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Where each table lies: a path, or a database URL and `#table` or `#query`; minutes : between two readings."""

    tables: Mapping[str, str] = field(repr=False)
    mapping: str | None = None
    minutes: float = 5.0


@dataclass(frozen=True)
class Unread:
    """Tables that could not be read. at : which reading. why : without any cell."""

    at: str
    tables: str
    why: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    minutes: Annotated[float, Field(gt=0, le=1440)] = 5.0
    mapping: Path | None = None
    tables: Annotated[dict[Table, str], Field(min_length=1)]


def read_feed(path: Path) -> Feed:
    """The file of sources. Raises InputError with every fault and no secret."""
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"The file of sources {path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise InputError([_fault(path, fault["loc"], f"{fault['msg']}.") for fault in error.errors()]) from None
    except ValueError as error:
        raise InputError(f"The file of sources {path} must be TOML: {error}.") from None
    places: dict[str, str] = {}
    faults: list[Finding] = []
    for table, text in read.tables.items():
        try:
            places[table] = read_secret(text)
        except UsageError as error:
            faults.append(_fault(path, ("tables", table), str(error)))
    if faults:
        raise InputError(faults)
    return Feed(tables=places, mapping=None if read.mapping is None else str(read.mapping), minutes=read.minutes)


def unread_lately(tx: Tx) -> tuple[Unread, ...]:
    """The readings of the last day that came to nothing, whoever tried."""
    failed = sa.select(idempotency.c.response).where(idempotency.c.scope == SCOPE, idempotency.c.status == NOT_READ)
    return tuple(Unread(**row.response) for row in tx.idempotency.rows(failed.order_by(idempotency.c.created_at)))


class Feeder:
    """Reads a feed into a store. Any number may: a reading is done by one of them."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store, self._feed = store, feed
        self._reading: threading.Thread | None = None

    def feed(self) -> bool:
        """Read what is due. Whether batches may begin: not while another reads for them.

        What cannot be read is noted, for an alarm, and the batch is made of what the store has.
        """
        try:
            names = self._store.attempt(self._reserve, actor=ACTOR)
        except StillRunningError:
            return False
        if names:
            why = self._read_in_time()
            self._store.attempt(lambda tx: self._finish(tx, names, why), actor=ACTOR)
        return True

    def _reserve(self, tx: Tx) -> list[str]:
        """The readings that are due and that nobody has done: of these minutes, and of each slot of a batch."""
        part = int(tx.now().timestamp() // (60.0 * self._feed.minutes))
        names = [f"{part}x{self._feed.minutes:g}", *(slot.name for slot in slots_due(tx) if slot.kind == "batch")]
        begin = tx.idempotency.begin
        return [name for name in names if begin(scope=SCOPE, key=name, body_hash="", seconds=2 * LONGEST) is None]

    def _finish(self, tx: Tx, names: list[str], why: str | None) -> None:
        last = names[-1]
        for name in names[:-1]:
            tx.idempotency.finish(scope=SCOPE, key=name, status=READ, response=None)
        failed = None if why is None else asdict(Unread(last, ", ".join(sorted(self._feed.tables)), why))
        tx.idempotency.finish(scope=SCOPE, key=last, status=READ if why is None else NOT_READ, response=failed)

    def _read_in_time(self) -> str | None:
        """Why it could not be read; None where it was. A source that hangs is left to its own thread."""
        ends: list[str | None] = []
        if self._reading is not None and self._reading.is_alive():
            return "an earlier reading still hangs"
        self._reading = threading.Thread(target=lambda: ends.append(self._read()), name="sources", daemon=True)
        self._reading.start()
        self._reading.join(LONGEST)
        return ends[0] if ends else f"no answer within {LONGEST:g} seconds"

    def _read(self) -> str | None:
        try:
            load_tables(self._store, self._feed.tables, mapping=self._feed.mapping, actor=ACTOR)
        except InputError as error:
            count = sum(finding.severity == "error" for finding in error.findings) or 1
            return f"{count} fault{'s' if count > 1 else ''} in them"
        except ApportionError as error:
            return f"the place or the store is away ({error.code})"
        except Exception as error:  # its words may hold a cell
            return f"a bug in Apportion ({type(error).__name__})"
        return None


def _fault(path: Path, place: tuple[int | str, ...], message: str) -> Finding:
    return Finding(severity="error", table=path.name, column=".".join(map(str, place)), message=message)
