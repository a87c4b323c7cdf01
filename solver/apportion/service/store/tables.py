"""Accounts, teams, territories and calendar: small tables that come whole and are replaced whole."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa

from apportion.service.store.cells import frame, records
from apportion.service.store.desk import ROSTER, Desk, parts
from apportion.service.store.schema import REFERENCE_TABLES, reference_rows
from apportion_models.errors import UsageError


class ReferenceTables(Desk):
    """What can be asked and said of these tables."""

    def put(self, name: str, table: pd.DataFrame) -> int:
        """Put a table, as its reader gives it, in the place of the one before it. Gives its number of rows."""
        _known(name)
        self.changed(sa.delete(reference_rows).where(reference_rows.c.table_name == name))
        rows = [{"table_name": name, "place": place, "content": row} for place, row in enumerate(records(table))]
        for part in parts(rows):
            self.changed(sa.insert(reference_rows), part)
        self.tx.tick(ROSTER)
        self.note("tables.put", table=name, rows=len(rows))
        return len(rows)

    def get(self, name: str) -> pd.DataFrame | None:
        """A table for its reader; None where none was put."""
        _known(name)
        asked = sa.select(reference_rows.c.content).where(reference_rows.c.table_name == name)
        rows = [row.content for row in self.rows(asked.order_by(reference_rows.c.place))]
        return frame(rows, name) if rows else None


def _known(name: str) -> None:
    if name not in REFERENCE_TABLES:
        raise UsageError(f"The table must be one of {', '.join(REFERENCE_TABLES)}. Got {name!r}.")
