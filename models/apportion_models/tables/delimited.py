"""Delimited text of any encoding and separator, read into columns of text."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from apportion_models.tables.cells import Cells, from_arrow
from apportion_models.tables.notes import Mask, Notes
from apportion_models.tables.raw import Raw, named

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 25


def read_delimited(data: bytes, notes: Notes, *, folder: Path | None = None) -> Raw:
    """Columns of a delimited file's bytes. What is broken is noted as an error, and then the table is empty."""
    text = to_utf8(data, notes)
    if notes.errors:
        return Raw(np.zeros(0, dtype=np.int64), {}, folder=folder)
    separator, header, start = _head(text, notes)
    if not header:
        return Raw(np.zeros(0, dtype=np.int64), {}, folder=folder)
    if separator != ",":
        notes.add("notice", f"columns are separated by {SEPARATORS[separator]}")
    body = memoryview(text)[start:]
    columns, rows = _body(body, len(header), separator, notes)
    _unclosed(text, columns, rows, notes)
    by_name = named(header, columns, rows, notes)
    if not by_name:
        notes.add("error", "the header names no column", remedy="The first line must name the columns.")
    return Raw(rows, by_name, comma_separated=separator == ",", folder=folder)


def to_utf8(data: bytes, notes: Notes) -> bytes:
    """The bytes as UTF-8 without byte-order mark; another encoding is noted as a repair, a broken one as an error."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            if encoding == "utf-8-sig":
                data = data[len(mark) :]
                break
            return _recoded(data, encoding, notes)
    sample = data[:4096]
    if len(sample) >= 4 and b"\0" in sample:
        for encoding, zeros, others in (
            ("utf-16-le", sample[1::2], sample[::2]),
            ("utf-16-be", sample[::2], sample[1::2]),
        ):
            if zeros.count(0) > 0.7 * len(zeros) and others.count(0) == 0:
                return _recoded(data, encoding, notes)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _western(data, error, notes)
    return data


def _recoded(data: bytes, encoding: str, notes: Notes) -> bytes:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        notes.add(
            "error", f"the file begins as {encoding.upper()} and is broken later", remedy="Export it again, as UTF-8."
        )
        return b""
    notes.add("repair", f"the file is {encoding.upper()}; read as such")
    return text.encode("utf-8")


def _western(data: bytes, error: UnicodeDecodeError, notes: Notes) -> bytes:
    """Windows-1252 (or Latin-1), unless most of the file's other letters are good UTF-8."""
    escaped = data.decode("utf-8", errors="surrogateescape")
    broken = len(re.findall("[\udc80-\udcff]", escaped))
    good = len(re.findall("[^\x00-\x7f]", escaped)) - broken
    line = data.count(b"\n", 0, error.start) + 1
    if good > broken:
        notes.add(
            "error",
            f"the file is UTF-8 except {broken} bytes, the first in line {line}",
            value=data[error.start : error.start + 1],
            remedy="Export it again, as UTF-8.",
        )
        return b""
    try:
        text, encoding = data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "Latin-1"
    notes.add("repair", f"the file is no UTF-8 (first in line {line}); read as {encoding}")
    return text.encode("utf-8")


def _lines(text: bytes) -> Iterator[tuple[str, int]]:
    """Lines with the position after each. A file with bare carriage returns has lines too."""
    start, size = 0, len(text)
    end_mark = b"\n" if b"\n" in text[: 1 << 20] else b"\r"
    while start < size:
        end = text.find(end_mark, start)
        end = size if end < 0 else end + 1
        yield text[start:end].decode("utf-8", errors="replace"), end
        start = end


def _head(text: bytes, notes: Notes) -> tuple[str, list[str], int]:
    """The separator, the header's names, and where the data begins."""
    start, forced = 0, None
    for line, end in itertools.islice(_lines(text), 100):
        if line.lower().startswith("sep=") and len(line.strip("\r\n")) == 5:
            forced, start = line[4], end
        elif line.strip(" \t\r\n\x00\"',;|"):
            break
        else:
            start = end
    else:
        notes.add(
            "error", "the file is empty; it must have a header line with the columns' names", remedy="Export it again."
        )
        return ",", [], 0
    separator = forced if forced in SEPARATORS else _sniff(text[start : start + (1 << 16)])
    ends: list[int] = []

    def told() -> Iterator[str]:
        for line, end in _lines(text[start : start + (1 << 20)]):
            ends.append(start + end)
            yield line.replace("\r\n", "\n") if line.endswith("\r\n") else line

    try:
        header = next(csv.reader(told(), delimiter=separator))
    except (csv.Error, StopIteration):
        notes.add(
            "error",
            "the header line cannot be read",
            remedy="It must name the columns, with one separator between them.",
        )
        return ",", [], 0
    return separator, header, ends[-1]


def _sniff(sample: bytes) -> str:
    """The separator that gives the first lines the most columns, and the same number in each."""
    text = sample.decode("utf-8", errors="ignore").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    lines = text.split("\n")
    lines = lines[:-1] if len(lines) > 2 else lines

    def merit(separator: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in itertools.islice(csv.reader(lines, delimiter=separator), 50) if row]
        except csv.Error:
            return (0.0, 0)
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0])

    return max(SEPARATORS, key=lambda separator: (merit(separator)[0] > 0.5, merit(separator)[1] * merit(separator)[0]))


@dataclass
class _Ragged:
    """Rows that have another number of columns than the header."""

    width: int
    rows: list[tuple[int, int, str]]

    def __call__(self, row: Any) -> str:
        self.rows.append((row.number, row.actual_columns, row.text))
        return "skip"


def _body(body: memoryview, width: int, separator: str, notes: Notes) -> tuple[list[Cells], Any]:
    """Columns and 1-based row numbers. Rows that are merely longer by empty cells are mended."""
    names = [str(at) for at in range(width)]
    ragged = _Ragged(width, [])
    if not bytes(body[:1024]).strip() and not bytes(body).strip():
        return [Cells(np.zeros(0, dtype=np.int64), pa.array([], pa.string())) for _ in names], np.zeros(
            0, dtype=np.int64
        )
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=ragged, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        notes.add(
            "error", f"the file cannot be taken apart into rows: {error}", remedy="Look for a quote that is not closed."
        )
        return [Cells(np.zeros(0, dtype=np.int64), pa.array([], pa.string())) for _ in names], np.zeros(
            0, dtype=np.int64
        )
    total = table.num_rows + len(ragged.rows)
    skipped = np.array([number for number, _, _ in ragged.rows], dtype=np.int64)
    numbers = np.delete(np.arange(1, total + 1, dtype=np.int64), skipped - 1)
    table, numbers = _mend(table, numbers, ragged, separator, notes)
    table, numbers = _without_blank(table, numbers, notes)
    return [from_arrow(table.column(at)) for at in range(width)], numbers


def _mend(table: Any, numbers: Any, ragged: _Ragged, separator: str, notes: Notes) -> tuple[Any, Any]:
    """Put back rows that have only empty cells too many; refuse the others."""
    mended: list[tuple[int, list[str]]] = []
    wrong: list[tuple[int, int, str]] = []
    for number, actual, text in ragged.rows:
        cells = next(csv.reader(io.StringIO(text), delimiter=separator), [])
        if len(cells) > ragged.width and not any(cell.strip() for cell in cells[ragged.width :]):
            mended.append((number, cells[: ragged.width]))
        elif any(cell.strip() for cell in cells):
            wrong.append((number, actual, text))
    if wrong:
        number, actual, text = wrong[0]
        notes.add(
            "error",
            f"must have {ragged.width} cells as the header has; it has {actual}",
            row=number,
            value=text[:80],
            count=len(wrong),
            remedy="Put quotes around text that holds the separator, and end each row.",
        )
    if mended:
        notes.add("repair", "empty cells beyond the last column left out", row=mended[0][0], count=len(mended))
        columns = list(zip(*(cells for _, cells in mended), strict=True))
        more = pa.table({str(at): pa.array(column, pa.string()) for at, column in enumerate(columns)})
        numbers = np.concatenate([numbers, np.array([number for number, _ in mended], dtype=np.int64)])
        order = np.argsort(numbers, kind="stable")
        return pa.concat_tables([table, more]).take(pa.array(order)), numbers[order]
    return table, numbers


def _without_blank(table: Any, numbers: Any, notes: Notes) -> tuple[Any, Any]:
    """Rows in which every cell is empty are no rows."""
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            return table, numbers
        short = np.asarray(pc.less(pc.binary_length(column), 16).to_numpy(), dtype=bool) & blank
        trimmed = pc.utf8_trim_whitespace(column.filter(pa.array(short)))
        blank = short
        blank[short] = np.asarray(pc.equal(trimmed, "").to_numpy(), dtype=bool)
    if not blank.any():
        return table, numbers
    inner: Mask = blank & (np.arange(len(blank)) < (len(blank) - int((~blank)[::-1].argmax()) if (~blank).any() else 0))
    notes.where("repair", "empty rows left out", inner, numbers)
    return table.filter(pa.array(~blank)), numbers[~blank]


def _unclosed(text: bytes, columns: list[Cells], rows: Any, notes: Notes) -> None:
    """An odd number of quotes, and a cell that runs over lines: a quote was not closed, and rows were swallowed."""
    if text.count(b'"') % 2 == 0:
        return
    for cells in columns:
        swallowed = np.asarray(pc.match_substring(cells.words, "\n").to_numpy(zero_copy_only=False), dtype=bool)
        if swallowed.any():
            mask = cells.rows_of(swallowed)
            at = int(np.flatnonzero(mask)[-1])
            notes.add(
                "error",
                "a quote is opened and not closed",
                row=int(rows[at]),
                value=str(cells[at])[:80],
                remedy="Close the quote.",
            )
            return
