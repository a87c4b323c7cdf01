"""Snapshots: the tables that a run was made from, each kept once by the hash of its content."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from apportion.service.store.cells import Record, frame
from apportion.service.store.columns import canonical
from apportion.service.store.desk import Desk
from apportion.service.store.schema import run_inputs, snapshots


class Snapshots(Desk):
    """What can be asked and said of snapshots."""

    def keep(self, run_id: str, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Keep the rows of every table as a run's inputs, in the place of those it had before."""
        self.changed(sa.delete(run_inputs).where(run_inputs.c.run_id == run_id))
        for name, rows in sorted(tables.items()):
            text = canonical(list(rows)).encode()
            digest = hashlib.sha256(f"{name}\n".encode() + text).hexdigest()
            row = {"hash": digest, "content": zlib.compress(text, 6), "row_count": len(rows), "erased": 0}
            self.changed(self.tx.insert(snapshots).values(row).on_conflict_do_nothing(index_elements=["hash"]))
            self.changed(sa.insert(run_inputs).values(run_id=run_id, table_name=name, hash=digest))

    def rows_of(self, run_id: str) -> dict[str, list[Record]]:
        """The rows of every table that a run was made from."""
        joined = run_inputs.join(snapshots, run_inputs.c.hash == snapshots.c.hash)
        asked = sa.select(run_inputs.c.table_name, snapshots.c.content).select_from(joined)
        found = self.rows(asked.where(run_inputs.c.run_id == run_id).order_by(run_inputs.c.table_name))
        return {row.table_name: unpacked(row.content) for row in found}

    def frames(self, run_id: str) -> dict[str, pd.DataFrame]:
        """The same as tables for their readers."""
        return {name: frame(rows, name) for name, rows in self.rows_of(run_id).items()}

    def erased(self, run_id: str) -> int:
        """How often something in a run's inputs was erased on request."""
        joined = run_inputs.join(snapshots, run_inputs.c.hash == snapshots.c.hash)
        asked = sa.select(sa.func.coalesce(sa.func.sum(snapshots.c.erased), 0)).select_from(joined)
        return int(self.rows(asked.where(run_inputs.c.run_id == run_id))[0][0])


def unpacked(content: bytes) -> list[Record]:
    """The rows of a snapshot's content."""
    rows: list[Record] = json.loads(zlib.decompress(content))
    return rows
