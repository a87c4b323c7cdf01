"""One column's cells, read as the kind that its contract states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from apportion_models.tables.cells import Cells, hits, tidy
from apportion_models.tables.contracts import Column
from apportion_models.tables.mapping import Reading
from apportion_models.tables.notes import Mask, Notes, Rows
from apportion_models.tables.numbers import Numbers, Said, parse_numbers
from apportion_models.tables.raw import Values, as_cells
from apportion_models.tables.times import Times, parse_times, typed_times
from apportion_models.tables.words import NO, YES, plain

_NUMERIC = ("number", "amount", "count")
_EXACT = 2.0**53


@dataclass(frozen=True)
class Parsed:
    """A column's values (n,), which cells were empty, which times had no time of day, which currency amounts named."""

    series: pd.Series[Any]
    empty: Mask
    date_only: Mask | None = None
    currency: str = ""


@dataclass(frozen=True)
class Reader:
    """How the values of one table are read, and where findings go. `rows` (n,) are the source's row numbers."""

    reading: Reading
    rows: Rows
    notes: Notes
    dot_is_decimal: bool = False

    def column(self, column: Column, values: Values) -> Parsed:
        """Values of the contract's kind; what cannot be is noted as an error."""
        if column.kind in _NUMERIC:
            parsed = self._number(column, values)
            self._bounds(column, parsed.series)
            return parsed
        if column.kind == "time":
            return self._time(column, values)
        if column.kind == "flag" and isinstance(values, pd.Series) and values.dtype.kind == "b":
            return Parsed(values, np.zeros(len(values), dtype=bool))
        cells = self._tidied(column.name, as_cells(values), literal=column.literal)
        if column.kind == "id":
            return Parsed(self._id(column, cells).to_series(), cells.missing)
        if column.kind == "list":
            return Parsed(self._list(cells), cells.missing)
        if column.kind == "flag":
            return Parsed(self._flag(column, cells), cells.missing)
        return Parsed(self._choice(column, cells) if column.kind == "choice" else cells.to_series(), cells.missing)

    def attribute(self, name: str, values: Values) -> pd.Series[Any]:
        """A number when all values are one without doubt, else text."""
        if isinstance(values, pd.Series) and values.dtype.kind in "iuf":
            number = values.astype("float64")
            if not np.isinf(number).any() and not (values.dtype.kind in "iu" and (number.abs() > _EXACT).any()):
                return number
        cells = self._tidied(name, as_cells(values), na_is_text=True)
        stated = tidy(cells).cells
        if not hits(stated.words, "[0-9]").all() or hits(stated.words, r"^([-−]?0[0-9]|\+)").any():
            return self._attribute_text(name, cells)
        found = parse_numbers(stated.words, decimal=self.reading.decimal, dot_is_decimal=self.dot_is_decimal)
        if found.refused or (np.abs(found.values) > _EXACT).any():
            self._say(
                name, stated, [said for said in found.refused if "`decimal`" in said[2]], "notice", "kept as text: "
            )
            return self._attribute_text(name, cells)
        self._say(name, stated, found.mended, "repair")
        self._say(name, stated, found.told, "notice")
        return pd.Series(stated.spread(found.values, np.nan), dtype="float64")

    def _attribute_text(self, name: str, cells: Cells) -> pd.Series[Any]:
        bare = cells.rows_of(
            np.asarray(pc.equal(pc.utf8_lower(cells.words), "na").to_numpy(zero_copy_only=False), dtype=bool)
        )
        self.notes.where(
            "notice",
            "'NA' is kept as a word",
            bare,
            self.rows,
            column=name,
            values=cells,
            remedy=f"If it means missing, map it to nothing: `{self.notes.table}.values.{name}`.",
        )
        return cells.to_series()

    def _tidied(self, name: str, cells: Cells, *, literal: tuple[str, ...] = (), na_is_text: bool = False) -> Cells:
        tidied = tidy(cells, literal=literal, na_is_text=na_is_text)
        for mask, what in (
            (tidied.spaced, "stray spaces taken off"),
            (tidied.hidden, "invisible characters taken out"),
            (tidied.blanked, "read as missing"),
        ):
            self.notes.where("repair", what, mask, self.rows, column=name, values=cells)
        return tidied.cells

    def _say(self, name: str, cells: Cells, said: list[Said], severity: Any, before: str = "") -> None:
        for mask, message, remedy in said:
            rows = cells.rows_of(mask)
            self.notes.where(severity, before + message, rows, self.rows, column=name, values=cells, remedy=remedy)

    def _where(self, severity: Any, message: str, mask: Mask, name: str, values: Any, remedy: str = "") -> None:
        self.notes.where(severity, message, mask, self.rows, column=name, values=values, remedy=remedy)

    def _told(self, name: str, cells: Cells, found: Numbers | Times) -> None:
        self._say(name, cells, found.refused, "error")
        self._say(name, cells, found.mended, "repair")
        self._say(name, cells, found.told, "notice")

    def _number(self, column: Column, values: Values) -> Parsed:
        if isinstance(values, pd.Series) and values.dtype.kind in "biuf":
            series, currency = values.astype("float64"), ""
            empty = values.isna().to_numpy(dtype=bool)
            infinite = np.isinf(series.to_numpy())
            self.notes.where(
                "error",
                "must be a finite number",
                infinite,
                self.rows,
                column=column.name,
                values=series,
                remedy="Correct the value.",
            )
        else:
            cells = self._tidied(column.name, as_cells(values))
            found = parse_numbers(cells.words, decimal=self.reading.decimal, dot_is_decimal=self.dot_is_decimal)
            self._told(column.name, cells, found)
            empty = cells.missing
            series, currency = pd.Series(cells.spread(found.values, np.nan), dtype="float64"), found.currency
        if column.kind == "count":
            broken = (series.notna() & (series % 1 != 0)).to_numpy(dtype=bool)
            self.notes.where(
                "error",
                "must be a whole number",
                broken,
                self.rows,
                column=column.name,
                values=series,
                remedy="Correct the value.",
            )
        return Parsed(series, empty, currency=currency)

    def _bounds(self, column: Column, series: pd.Series[Any]) -> None:
        for bound, side, wrong in (
            (column.low, "at least", None if column.low is None else series < column.low),
            (column.high, "at most", None if column.high is None else series > column.high),
        ):
            if wrong is not None:
                message = f"must be {side} {bound:g}"
                self.notes.where(
                    "error",
                    message,
                    wrong.to_numpy(dtype=bool),
                    self.rows,
                    column=column.name,
                    values=series,
                    remedy="Correct the value.",
                )

    def _time(self, column: Column, values: Values) -> Parsed:
        zone = self.reading.time_zone or "UTC"
        if isinstance(values, pd.Series) and values.dtype.kind == "M":
            typed = typed_times(pd.DatetimeIndex(values), zone=zone)
            for severity, said in (("error", typed.refused), ("repair", typed.mended)):
                for mask, message, remedy in said:
                    self._where(severity, message, mask, column.name, values, remedy)
            return Parsed(pd.Series(typed.moments), values.isna().to_numpy(dtype=bool), typed.date_only)
        cells = self._tidied(column.name, as_cells(values))
        found = parse_times(
            cells.words, zone=zone, date_format=self.reading.date_format, day_first=self.reading.day_first
        )
        self._told(column.name, cells, found)
        moments = found.moments
        if column.whole_day and found.date_only.any():
            ends = (moments.tz_convert(zone) + pd.DateOffset(days=1)).tz_convert("UTC").as_unit("us")
            moments = moments.where(~found.date_only, ends)
        spread = (
            moments.take(np.where(cells.missing, 0, cells.codes))
            if len(moments)
            else pd.DatetimeIndex([pd.NaT] * len(cells), tz="UTC")
        )
        series = pd.Series(spread.as_unit("us"))
        return Parsed(series.mask(pd.Series(cells.missing)), cells.missing, cells.rows_of(found.date_only))

    def _id(self, column: Column, cells: Cells) -> Cells:
        float_like = hits(cells.words, r"^[0-9]+\.0+$")
        if float_like.any() and (float_like | hits(cells.words, "^[0-9]+$")).all():
            self.notes.where(
                "repair",
                "a float's '.0' taken off",
                cells.rows_of(float_like),
                self.rows,
                column=column.name,
                values=cells,
            )
            return cells.replace(pc.replace_substring_regex(cells.words, r"\.0+$", ""))
        cut = cells.rows_of(hits(cells.words, r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$"))
        self.notes.where(
            "error",
            "has lost digits: a spreadsheet wrote it as a power of ten",
            cut,
            self.rows,
            column=column.name,
            values=cells,
            remedy="Export it again with this column as text.",
        )
        return cells

    def _list(self, cells: Cells) -> pd.Series[Any]:
        words = [
            tuple(dict.fromkeys(part for raw in word.split(";") if (part := raw.strip()))) for word in cells.to_list()
        ]
        lists: list[tuple[str, ...]] = [*words, ()]
        return pd.Series([lists[code] for code in cells.codes], dtype=object)

    def _flag(self, column: Column, cells: Cells) -> pd.Series[Any]:
        lower = pc.utf8_lower(cells.words)
        yes, no = (
            np.asarray(pc.is_in(lower, value_set=pa.array(sorted(words))).to_numpy(zero_copy_only=False), dtype=bool)
            for words in (YES, NO)
        )
        self.notes.where(
            "error",
            "must be true or false",
            cells.rows_of(~yes & ~no),
            self.rows,
            column=column.name,
            values=cells,
            remedy="Write true or false, or map it with `values`.",
        )
        return pd.Series(cells.spread(yes, False), dtype=bool)

    def _choice(self, column: Column, cells: Cells) -> pd.Series[Any]:
        known = {plain(word): choice for choice, words in column.words for word in (choice, *words)}
        chosen = [known.get(plain(word)) for word in cells.to_list()]
        unknown = cells.rows_of([choice is None for choice in chosen])
        self.notes.where(
            "error",
            f"must be one of {', '.join(column.choices)}",
            unknown,
            self.rows,
            column=column.name,
            values=cells,
            remedy=f"Map it with `{self.notes.table}.values.{column.name}`.",
        )
        return cells.replace(pa.array(chosen, pa.string())).to_series()
