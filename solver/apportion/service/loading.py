"""Tables from files or SQL into the store: all of them or none, every fault told at once."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from apportion.app.sources import READERS, Source
from apportion.service.store import Store, Tx, Upserted
from apportion_models import check_references, load_mapping
from apportion_models.errors import Finding, InputError, TableError

Told = dict[str, Upserted | int]


def load_tables(
    store: Store, sources: Mapping[str, Source], *, mapping: str | None = None, actor: str = "system"
) -> tuple[Told, list[Finding]]:
    """Read `leads`, `reps`, `accounts`, `teams`, `territories`, `calendar`, those that are named, and store them.

    Gives for each what was new, changed or the same, or its number of rows; and what was repaired or is worth telling.
    Raises InputError with the faults of all tables; then nothing is stored.
    """
    rules = None if mapping is None else load_mapping(mapping)
    findings: list[Finding] = []
    faults: list[Finding] = []
    frames: dict[str, pd.DataFrame] = {}
    for name, source in sources.items():
        try:
            frames[name] = READERS[name](source, mapping=rules, findings=findings)
        except TableError as error:
            faults += error.findings
    if not faults and {"leads", "reps"} <= set(frames):
        others = {name: frame for name, frame in frames.items() if name not in ("leads", "reps")}
        findings += check_references(frames["leads"], frames["reps"], None, **others)
        faults = [finding for finding in findings if finding.severity == "error"]
    if faults:
        raise InputError(faults)
    return store.attempt(lambda tx: _stored(tx, frames), actor=actor), findings


def _stored(tx: Tx, frames: Mapping[str, pd.DataFrame]) -> Told:
    upserts = {"leads": tx.leads.upsert, "reps": tx.reps.upsert}
    return {
        name: upserts[name](frame) if name in upserts else tx.tables.put(name, frame)
        for name, frame in sorted(frames.items())
    }
