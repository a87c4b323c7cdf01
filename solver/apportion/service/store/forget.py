"""Deleting a person's data on request. What was decided stays counted; whom it was about is gone.

The audit trail knows leads and reps by number, so it stays whole, to the hash.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from apportion.service.store import schema
from apportion.service.store.cells import Record, row_hash
from apportion.service.store.columns import Moment, canonical
from apportion.service.store.desk import ROSTER
from apportion.service.store.scrub import scrub
from apportion.service.store.snapshots import unpacked
from apportion.service.store.transaction import Tx
from apportion_models.errors import ConflictError, NotFoundError

Change = Callable[[str, list[Record]], list[Record]]
RUN_DOCUMENTS = ("plan", "error", "progress", "options", "inputs")
KEPT_OF_ENTRY = ("outcome", "rep_id")  # of a forgotten lead's entry in plan.json


@dataclass(frozen=True)
class Forgotten:
    """What was erased. alias : the name in the place of the old one. runs : those that cannot be repeated any more."""

    alias: str
    runs: int
    assignments: int
    letters: int


def forget_lead(tx: Tx, lead_id: str) -> Forgotten:
    """Erase everything that tells of a lead, in the store and in what its runs were made from.

    Raises NotFoundError; ConflictError while a run that has the lead is open.
    """
    lead = tx.leads.get(lead_id)
    if lead is None or lead.state == "forgotten":
        raise NotFoundError(f"There is no lead {lead_id!r}.")
    key, alias = lead.lead_key, f"forgotten-lead-{lead.lead_key}"
    names = {lead_id: alias}
    run_ids = _runs_of(tx, key)
    if open_runs := [run.run_id for run in tx.runs.open() if run.run_id in run_ids]:
        raise ConflictError(f"Lead {lead_id!r} is being placed: ask again when run {open_runs[0]} is over.")
    _rows(tx, schema.leads, schema.leads.c.lead_key == key, _blank_lead(tx, alias))
    told = _entries(tx, run_ids, names, only=key)
    _run_documents(tx, run_ids, names)
    _snapshots(tx, run_ids, lambda table, rows: [
        scrub(row, names) for row in rows if not (table in ("leads", "overrides") and row.get("lead_id") == lead_id)
    ])  # fmt: skip
    lifted = {
        "reason": None,
        "lifted_at": sa.func.coalesce(schema.overrides.c.lifted_at, sa.literal(tx.now(), Moment())),
    }
    _rows(tx, schema.overrides, schema.overrides.c.lead_key == key, lifted)
    letters = _letters(tx, key, run_ids, names)
    _answers(tx, names)
    tx.tick(ROSTER)
    _scenarios(tx, names)
    tx.audit.note("lead.forget", lead=key, runs=len(run_ids))
    return Forgotten(alias, len(run_ids), told, letters)


def forget_rep(tx: Tx, rep_id: str) -> Forgotten:
    """Erase who a rep was, wherever it stands; their leads stay counted under another name. Raises NotFoundError.

    A model that learnt from the rep's past leads holds the id until another model takes its place.
    """
    rep = tx.reps.get(rep_id)
    if rep is None or (rep.rep_id.startswith("forgotten-rep-") and not rep.content):
        raise NotFoundError(f"There is no rep {rep_id!r}.")
    key, alias = rep.rep_key, f"forgotten-rep-{rep.rep_key}"
    names = {str(name): alias for name in (rep_id, rep.content.get("name")) if name}
    run_ids = [row.run_id for row in tx.connection.execute(sa.select(schema.runs.c.run_id))]
    blank = {"rep_id": alias, "content": {}, "hash": row_hash({}), "active": False, "changed_at": tx.now()}
    _rows(tx, schema.reps, schema.reps.c.rep_key == key, blank)
    told = _entries(tx, run_ids, names)
    _run_documents(tx, run_ids, names)
    _snapshots(tx, run_ids, lambda table, rows: [_without_rep(table, row, rep_id, alias, names) for row in rows])
    _contents(tx, schema.leads, ("lead_key",), names)
    _contents(tx, schema.reference_rows, ("table_name", "place"), names)
    _rows(tx, schema.overrides, schema.overrides.c.rep_key == key, {"reason": None})
    _rows(tx, schema.overrides, schema.overrides.c.said_by.in_(list(names)), {"said_by": alias})
    letters = _letters(tx, None, run_ids, names)
    _answers(tx, names)
    tx.tick(ROSTER)
    _scenarios(tx, names)
    tx.audit.note("rep.forget", rep=key, runs=len(run_ids))
    return Forgotten(alias, len(run_ids), told, letters)


def _without_rep(table: str, row: Record, rep_id: str, alias: str, names: Mapping[str, str]) -> Record:
    changed: Record = {"rep_id": alias} if table == "reps" and row.get("rep_id") == rep_id else scrub(row, names)
    return changed


def _blank_lead(tx: Tx, alias: str) -> Record:
    now = tx.now()
    blank: Record = {"lead_id": alias, "content": {}, "hash": row_hash({}), "state": "forgotten", "account_id": None}
    return blank | {"created_at": now, "waiting_since": None, "changed_at": now}


def _runs_of(tx: Tx, lead_key: int) -> list[str]:
    """Every run that had the lead."""
    claims, assignments = schema.claims.c, schema.assignments.c
    claimed = sa.select(claims.run_id).where(claims.lead_key == lead_key)
    placed = sa.select(assignments.run_id).where(assignments.lead_key == lead_key, assignments.run_id.is_not(None))
    return sorted({str(row[0]) for row in tx.connection.execute(sa.union(claimed, placed))})


def _rows(tx: Tx, table: sa.Table, which: sa.ColumnElement[bool], values: Mapping[str, Any]) -> None:
    tx.connection.execute(sa.update(table).where(which).values(dict(values)))


def _entries(tx: Tx, run_ids: Iterable[str], names: Mapping[str, str], *, only: int | None = None) -> int:
    """Names out of the reasons of every lead of these runs; of the lead `only` nothing stays but what was decided."""
    table, changed = schema.assignments, 0
    mine = table.c.run_id.in_(list(run_ids)) | table.c.run_id.is_(None)
    asked = sa.select(table.c.id, table.c.lead_key, table.c.told, table.c.reason).where(mine)
    for row in tx.connection.execute(asked).all():
        told, reason = scrub(row.told, names), scrub(row.reason, names)
        if row.lead_key == only:
            told = {"lead_id": names[next(iter(names))]} | {name: told.get(name) for name in KEPT_OF_ENTRY}
            reason = None
        if (told, reason) != (row.told, row.reason):
            _rows(tx, table, table.c.id == row.id, {"told": told, "reason": reason})
            changed += 1
    return changed


def _run_documents(tx: Tx, run_ids: Iterable[str], names: Mapping[str, str]) -> None:
    """Names out of plans, errors and the like; and every value that a note on the tables quotes."""
    runs = schema.runs
    for run_id in run_ids:
        row = tx.connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).mappings().one()
        told = {name: scrub(row[name], names) for name in RUN_DOCUMENTS}
        if told["plan"] is not None and "notes" in told["plan"]:
            told["plan"] |= {"notes": [note | {"value": None} for note in told["plan"]["notes"]]}
        _rows(tx, runs, runs.c.run_id == run_id, told)


def _snapshots(tx: Tx, run_ids: Iterable[str], change: Change) -> None:
    """Change what runs were made from; the hash stays the name of what it was, and `erased` says that it is not."""
    _orphans(tx)
    kept, inputs = schema.snapshots, schema.run_inputs
    asked = (
        sa.select(inputs.c.table_name, kept).select_from(inputs.join(kept)).where(inputs.c.run_id.in_(list(run_ids)))
    )
    for row in {row.hash: row for row in tx.connection.execute(asked)}.values():
        before = unpacked(row.content)
        after = change(row.table_name, before)
        if after != before:
            new = {
                "content": zlib.compress(canonical(after).encode(), 6),
                "row_count": len(after),
                "erased": row.erased + 1,
            }
            _rows(tx, kept, kept.c.hash == row.hash, new)


def _orphans(tx: Tx) -> None:
    """Inputs that no run is made from any more, such as those of a plan that was overtaken."""
    kept = schema.snapshots
    tx.connection.execute(sa.delete(kept).where(kept.c.hash.not_in(sa.select(schema.run_inputs.c.hash))))


def _contents(tx: Tx, table: sa.Table, key: tuple[str, ...], names: Mapping[str, str]) -> None:
    """Names out of stored rows, such as the owner of a lead or who covers a territory."""
    columns = [table.c[name] for name in key]
    for row in tx.connection.execute(sa.select(*columns, table.c.content)).all():
        content = scrub(row.content, names)
        if content != row.content:
            mine = sa.and_(*(column == row._mapping[column.name] for column in columns))
            hashed = {"hash": row_hash(content)} if "hash" in table.c else {}
            _rows(tx, table, mine, {"content": content} | hashed)


def _letters(tx: Tx, lead_key: int | None, run_ids: Iterable[str], names: Mapping[str, str]) -> int:
    """Letters on the lead itself lose what they say, and are not sent; those on its runs lose the names."""
    table, count = schema.outbox, 0
    if lead_key is not None:
        mine = table.c.lead_key == lead_key
        _rows(tx, table, mine & (table.c.state == "waiting"), {"state": "dropped", "settled_at": tx.now()})
        count = tx.connection.execute(sa.update(table).where(mine).values(payload={}, error=None)).rowcount
    asked = sa.select(table.c.id, table.c.payload, table.c.error).where(table.c.run_id.in_(list(run_ids)))
    for row in tx.connection.execute(asked).all():
        told = {"payload": scrub(row.payload, names), "error": scrub(row.error, names)}
        if told != {"payload": row.payload, "error": row.error}:
            _rows(tx, table, table.c.id == row.id, told)
            count += 1
    return count


def _answers(tx: Tx, names: Mapping[str, str]) -> None:
    """Answers that were kept for repeated requests, and name the person, are kept no longer."""
    table = schema.idempotency
    for row in tx.connection.execute(sa.select(table).where(table.c.response.is_not(None))).all():
        if scrub(row.response, names) != row.response:
            tx.connection.execute(sa.delete(table).where(table.c.scope == row.scope, table.c.key == row.key))


def _scenarios(tx: Tx, names: Mapping[str, str]) -> None:
    """Names out of saved scenarios; of two that then have one name, one is kept."""
    table = schema.scenarios
    for row in tx.connection.execute(sa.select(table).order_by(table.c.name)).mappings().all():
        told = dict(row) | {name: scrub(row[name], names) for name in ("name", "content")}
        if told != dict(row):
            tx.connection.execute(sa.delete(table).where(table.c.name == row["name"]))
            tx.connection.execute(tx.insert(table).values(told).on_conflict_do_nothing(index_elements=["name"]))
