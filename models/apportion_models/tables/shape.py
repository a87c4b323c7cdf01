"""The mapping at work on a raw table: rows kept, second files joined, columns renamed, values renamed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from apportion_models.tables.cells import Cells, tidy
from apportion_models.tables.contracts import Table
from apportion_models.tables.headers import find, match_headers, outcome_flags
from apportion_models.tables.mapping import Join, Mapping, TableMapping
from apportion_models.tables.notes import Notes
from apportion_models.tables.raw import Raw, Values, as_cells, take
from apportion_models.tables.sources import beside, read_file
from apportion_models.tables.words import NO, YES


def widen(raw: Raw, own: TableMapping, mapping: Mapping | None, notes: Notes) -> Raw:
    """The rows that the mapping keeps, with the second files' columns beside the source's; all by their own names."""
    early = {name: words for name, words in own.where.items() if not own.join or name in raw.columns}
    raw = _keep(raw, early, notes)
    for join in own.join:
        raw = _join(raw, join, mapping, notes)
    return _keep(raw, {name: words for name, words in own.where.items() if name not in early}, notes)


def shape(raw: Raw, table: Table, own: TableMapping, notes: Notes) -> Raw:
    """The raw table with our column names, by the mapping and the aliases; attributes keep theirs."""
    columns = dict(raw.columns)
    mapped = dict(own.columns)
    flags = outcome_flags(columns) if table.column("outcome") and not {"outcome"} & {*mapped, *columns} else None
    if flags:
        columns["outcome"] = _outcome(columns.pop(flags[0]), columns.pop(flags[1]))
    ours = match_headers(table, columns, mapped, notes)
    out: dict[str, Values] = {name: columns[theirs] for name, theirs in ours.items()}
    used = set(ours.values())
    for name, values in columns.items():
        if name in used:
            continue
        if name in out:
            notes.add(
                "notice",
                f"the mapping takes '{ours[name]}' for it; the source's column of that name is not read",
                column=name,
            )
        else:
            out[name] = values
    _rename(out, own, table, notes)
    return raw.with_columns(out)


def _outcome(won: Values, closed: Values) -> Cells:
    """Outcome words of two flags; missing where a flag is neither yes nor no."""
    first, second = (as_cells(values).to_series().str.strip().str.lower() for values in (won, closed))
    words = pd.Series(pd.NA, index=first.index, dtype=object)
    words[second.isin(NO) & ~first.isin(YES)] = "open"
    words[second.isin(YES) & first.isin(NO)] = "lost"
    words[first.isin(YES)] = "won"
    return as_cells(words)


def _keep(raw: Raw, where: dict[str, list[str]], notes: Notes) -> Raw:
    """Only rows that have one of the wanted values in each column of `where`."""
    if not where:
        return raw
    mask = np.ones(len(raw.rows), dtype=bool)
    for wanted, words in where.items():
        name = find(wanted, list(raw.columns), f"where.{wanted}", notes)
        if name is None:
            continue
        cells = tidy(as_cells(raw.columns[name]), na_is_text=True).cells
        have = pc.utf8_lower(cells.words)
        known = {word.strip().lower() for word in words}
        mask &= cells.rows_of(pc.is_in(have, value_set=pa.array(sorted(known), pa.string()))) | (
            cells.missing & ("" in known)
        )
        if unseen := [word for word in words if word and word.strip().lower() not in set(have.to_pylist())]:
            notes.add("notice", f"`where` names a value that no row has: {', '.join(unseen)}", column=name)
    if (left := int((~mask).sum())) > 0:
        notes.add("notice", f"{left} rows left out by the mapping's `where`")
    return raw.keep(mask)


def _join(raw: Raw, join: Join, mapping: Mapping | None, notes: Notes) -> Raw:
    """Attributes of the second file beside each row, by the key."""
    path = beside(join.file, mapping.folder if mapping else None, raw.folder)
    seen = len(notes.errors)
    other = read_file(path, notes)
    if len(notes.errors) > seen:
        return raw
    ((left, right),) = join.on.items()
    here, there = find(left, list(raw.columns), "join.on", notes), find(right, list(other.columns), "join.on", notes)
    if here is None or there is None:
        return raw
    positions = _positions(raw, other, here, there, join, notes)
    wanted = join.columns or {name: name for name in other.columns if name != there}
    columns = dict(raw.columns)
    for ours, theirs in wanted.items():
        name = find(theirs, list(other.columns), f"join.columns.{ours}", notes)
        if name is not None and ours in columns:
            notes.add(
                "error",
                f"both the table and {path.name} have a column of this name",
                column=ours,
                remedy="Name the joined columns in the mapping key `join.columns`.",
            )
        elif name is not None:
            columns[ours] = take(other.columns[name], positions)
    return raw.with_columns(columns)


def _positions(
    raw: Raw, other: Raw, here: str, there: str, join: Join, notes: Notes
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,) for each row its row of the second file; -1 for none."""
    keys = tidy(as_cells(other.columns[there]), na_is_text=True).cells.to_series()
    twice = (keys.duplicated() & keys.notna()).to_numpy(dtype=bool)
    if twice.any():
        at = int(twice.argmax())
        first = int((keys == keys[at]).to_numpy(dtype=bool).argmax())
        notes.where(
            "error",
            f"{join.file} must have each key once; rows {other.rows[first]} and {other.rows[at]} have the same",
            twice,
            other.rows,
            column=there,
            values=keys,
            remedy="Keep one row for each key.",
        )
    cells = tidy(renamed(as_cells(raw.columns[here]), join.values), na_is_text=True).cells
    index = pd.Index(keys.where(~twice), dtype=object)
    known = index[index.notna()]
    rows = np.flatnonzero(index.notna())
    place = (
        known.get_indexer(pd.Index(cells.to_list(), dtype=object)) if len(cells.words) else np.zeros(0, dtype=np.int64)
    )
    of_words = np.where(place >= 0, rows[place], -1) if len(rows) else np.full(len(cells.words), -1)
    notes.where(
        "notice",
        f"has no row in {join.file}, so that the joined columns are empty",
        cells.rows_of(of_words < 0),
        raw.rows,
        column=here,
        values=cells,
        remedy="If it is spelled otherwise there, map it with the join's `values`.",
    )
    return np.asarray(cells.spread(of_words, -1), dtype=np.int64)


def renamed(cells: Cells, words: dict[str, str]) -> Cells:
    """Cells with the mapping's words put for theirs; compared without case and outer spaces."""
    if not words or not len(cells.words):
        return cells
    theirs = pa.array([word.strip().lower() for word in words], pa.string())
    place = pc.index_in(pc.utf8_lower(pc.utf8_trim_whitespace(cells.words)), value_set=theirs)
    ours = pc.take(pa.array(list(words.values()), pa.string()), place)
    return cells.replace(pc.coalesce(ours, cells.words))


def _rename(columns: dict[str, Values], own: TableMapping, table: Table, notes: Notes) -> None:
    """Values by the mapping, in place."""
    for name, words in own.values.items():  # noqa: PD011 (a mapping's key, no frame)
        if name in columns:
            columns[name] = renamed(as_cells(columns[name]), words)
        else:
            notes.add(
                "error",
                f"the mapping key `{table.name}.values.{name}` names a column that is not there",
                remedy=f"The columns are: {', '.join(columns)}.",
            )
