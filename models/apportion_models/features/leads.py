"""A lead's features: the columns of the lead part f(lead), and φ(lead), whose weights may differ by rep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.errors import Finding
from apportion_models.features.columns import CategoryCoder, Coder, NumberCoder, coder_from_state, learn_coder

Floats = NDArray[np.float64]

MAX_LEVELS = 30  # levels of a category with an effect of their own
MIN_COUNT = 10  # rows below which a level joins "(other)"
SEGMENT_LEVELS = 12  # levels whose weight may differ by rep
SEGMENT_WIDTH = 40  # entries of φ: the posterior of a rep is a matrix of this size
SEGMENT_NUMBERS = 4
PRODUCT_NUMBERS = 5  # numbers among which products of two are tried
# Where rep × segment effects are looked for first; any further column follows by name.
SEGMENT_ORDER = (
    "industry",
    "company_size",
    "source",
    "region",
    "product",
    "use_case",
    "country",
    "language",
    "score",
    "company_revenue",
)
# What a rep can be an expert in. How much reps differ there is looked for up to larger effects than elsewhere.
EXPERTISE = frozenset({"rep", "industry", "company_size", "product", "use_case"})


@dataclass(frozen=True, kw_only=True)
class Block:
    """Named columns of a design matrix and the variance group of each."""

    matrix: Floats  # (n, k)
    groups: tuple[str, ...]  # (k,) columns with the same group share one prior variance


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A table of leads as codes and numbers; made by `LeadEncoder.encode`."""

    rows: int
    columns: Mapping[str, NDArray[np.int64] | tuple[Floats, NDArray[np.bool_]]]

    def number(self, column: str) -> tuple[Floats, NDArray[np.bool_]]:
        """(n,) standardised values and (n,) whether each is missing."""
        found = self.columns[column]
        assert isinstance(found, tuple)
        return found

    def codes(self, column: str) -> NDArray[np.int64]:
        """(n,) codes of a category."""
        found = self.columns[column]
        assert not isinstance(found, tuple)
        return found

    def cut(self, first: int, last: int) -> Encoded:
        """The rows from `first` up to `last`."""
        return self._taken(slice(first, last), max(min(last, self.rows) - first, 0))

    def pick(self, rows: NDArray[np.intp]) -> Encoded:
        """These rows, in this order."""
        return self._taken(rows, rows.size)

    def _taken(self, rows: slice | NDArray[np.intp], count: int) -> Encoded:
        part = {
            name: (one[0][rows], one[1][rows]) if isinstance(one, tuple) else one[rows]
            for name, one in self.columns.items()
        }
        return Encoded(rows=count, columns=part)


@dataclass(frozen=True, kw_only=True)
class LeadEncoder:
    """What was learned of the leads' columns. Build it with `LeadEncoder.learn`."""

    coders: tuple[Coder, ...]

    @classmethod
    def learn(
        cls, table: pd.DataFrame, columns: Sequence[str], *, name: str = "history"
    ) -> tuple[LeadEncoder, list[Finding]]:
        """Learn each column's coding; a notice for each column that people may expect to help and that cannot."""
        coders: list[Coder] = []
        notices: list[Finding] = []
        for column in columns:
            coder, why = learn_coder(table, column, max_levels=MAX_LEVELS, min_count=MIN_COUNT)
            if coder is not None:
                coders.append(coder)
            elif why is not None:
                notices.append(Finding(severity="notice", table=name, column=column, message=why))
        return cls(coders=tuple(coders)), notices

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in use."""
        return tuple(coder.name for coder in self.coders)

    def encode(self, table: pd.DataFrame) -> Encoded:
        """Each column as codes or numbers: made once, then cut into blocks of rows."""
        return Encoded(rows=len(table), columns={coder.name: coder.encode(table) for coder in self.coders})

    def lead_part(self, table: pd.DataFrame | Encoded) -> Block:
        """(n, p) columns of f(lead): lines and bends of numbers, levels of categories, products of numbers."""
        encoded = table if isinstance(table, Encoded) else self.encode(table)
        parts: list[Floats] = []
        groups: list[str] = []
        lines: list[Floats] = []
        for coder in self.coders:
            if isinstance(coder, NumberCoder):
                z, missing = encoded.number(coder.name)
                lines.append(z)
                parts.append(z[:, None])
                groups.append(coder.name)
                if coder.curved:
                    parts.append(np.column_stack([z**2 - 1.0, np.maximum(z, 0.0)]))
                    groups += [f"{coder.name}: bend"] * 2
                if coder.missing:
                    parts.append(missing[:, None].astype(np.float64))
                    groups.append(f"{coder.name}: missing")
            else:
                parts.append(one_hot(encoded.codes(coder.name), coder.width))
                groups += [coder.name] * coder.width
        pairs = [(a, b) for a in range(min(len(lines), PRODUCT_NUMBERS)) for b in range(a)]
        for a, b in pairs:
            parts.append((lines[a] * lines[b])[:, None])
            groups.append("products")
        return Block(matrix=_stack(parts, encoded.rows), groups=tuple(groups))

    def segment_coders(self) -> list[Coder]:
        """The columns of φ, in order of preference, as many as fit its width."""
        rank = {column: place for place, column in enumerate(SEGMENT_ORDER)}
        ordered = sorted(self.coders, key=lambda coder: (rank.get(coder.name, len(rank)), coder.name))
        chosen: list[Coder] = []
        room, numbers = SEGMENT_WIDTH - 1, SEGMENT_NUMBERS
        for coder in ordered:
            width = 1 if isinstance(coder, NumberCoder) else min(coder.width, SEGMENT_LEVELS)
            if width <= room and (numbers > 0 or isinstance(coder, CategoryCoder)):
                chosen.append(coder)
                room -= width
                numbers -= isinstance(coder, NumberCoder)
        return chosen

    def segment_part(self, table: pd.DataFrame | Encoded) -> Block:
        """(n, K) columns of φ(lead): the constant first, then segments."""
        encoded = table if isinstance(table, Encoded) else self.encode(table)
        parts: list[Floats] = [np.ones((encoded.rows, 1))]
        groups = ["rep"]
        for coder in self.segment_coders():
            if isinstance(coder, NumberCoder):
                parts.append(encoded.number(coder.name)[0][:, None])
                groups.append(coder.name)
            else:
                width = min(coder.width, SEGMENT_LEVELS)
                parts.append(one_hot(encoded.codes(coder.name), width))
                groups += [coder.name] * width
        return Block(matrix=_stack(parts, encoded.rows), groups=tuple(groups))

    def segment_codes(self, table: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
        """The leads' kinds by each column of φ: (n,) codes, -1 for none; a number counts as low or high."""
        codes = {}
        for coder in self.segment_coders():
            coded = coder.encode(table)
            codes[coder.name] = (coded[0] > 0).astype(np.int64) if isinstance(coded, tuple) else coded
        return codes

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        return {"coders": [coder.state() for coder in self.coders]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LeadEncoder:
        """The encoder that `state` describes."""
        return cls(coders=tuple(coder_from_state(item) for item in state["coders"]))


def one_hot(codes: NDArray[np.int64], width: int) -> Floats:
    """(n, width) indicator columns; codes outside [0, width) give a row of zeros."""
    out = np.zeros((codes.size, width))
    rows = np.flatnonzero((codes >= 0) & (codes < width))
    out[rows, codes[rows]] = 1.0
    return out


def _stack(parts: Sequence[Floats], rows: int) -> Floats:
    return np.ascontiguousarray(np.hstack(parts)) if parts else np.zeros((rows, 0))
