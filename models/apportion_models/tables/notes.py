"""What a table's reading saw: one Finding for each kind of thing and column, however many rows it holds for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from apportion_models.errors import Finding, TableError

Severity = Literal["error", "repair", "notice"]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


def _shown(value: Any) -> Any:
    """A cell as Python's own number or text, times as ISO; None when missing."""
    if value is None or (not isinstance(value, (str, tuple)) and pd.isna(value)):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


@dataclass
class Notes:
    """Findings of one table, in the order in which they were seen."""

    table: str
    findings: list[Finding] = field(default_factory=list)

    def add(self, severity: Severity, message: str, **place: Any) -> None:
        """Note one thing; `place` is `remedy`, `row`, `column`, `value`, `count` of `Finding`."""
        self.findings.append(Finding(severity=severity, table=self.table, message=message, **place))

    def where(
        self, severity: Severity, message: str, mask: Mask, rows: Rows, *, values: Any = None, **place: Any
    ) -> None:
        """Note one thing that holds where `mask` (n,) is true: told once, with the first row, its value and the count.

        `rows` (n,) are the source's row numbers; `values` maps a position to the value there (anything with `[i]`).
        """
        count = int(mask.sum())
        if count:
            first = int(mask.argmax())
            value = None if values is None else _shown(values[first])
            self.add(severity, message, row=int(rows[first]), value=value, count=count, **place)

    @property
    def errors(self) -> list[Finding]:
        """What was refused."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def settle(self, findings: list[Finding] | None) -> None:
        """Hand repairs and notices to the caller's list, and raise `TableError` with every error at once."""
        if findings is not None:
            findings.extend(finding for finding in self.findings if finding.severity != "error")
        if self.errors:
            raise TableError(self.errors)
