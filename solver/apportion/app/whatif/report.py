"""The report of a what-if: files for machines, a page for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from apportion.connectors import csv_bytes, json_bytes, write_files
from apportion.whatif import Comparison
from apportion.whatif.compare.outcome import records
from apportion.whatif.frontier import Curve, Sensitivity


@dataclass(frozen=True, eq=False, kw_only=True)
class WhatIfReport:
    """A comparison and the studies beside it, by kind. undone : studies that were called off."""

    comparison: Comparison
    studies: dict[str, Curve | Sensitivity | pd.DataFrame] = field(default_factory=dict)
    undone: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing was called off."""
        return not self.comparison.unfinished and not self.undone

    def document(self) -> dict[str, Any]:
        """comparison.json."""
        return self.comparison.document() | {
            "studies": {kind: _plain(study) for kind, study in self.studies.items()},
            "studies_undone": list(self.undone),
        }

    def html(self) -> str:
        """whatif.html."""
        from apportion.app.whatif.page import render_page  # plots are loaded only where a page is made

        return render_page(self)

    def write(self, folder: Path) -> list[Path]:
        """Write comparison.csv, moves.csv, whatif.html and, last, comparison.json."""
        files = {
            "comparison.csv": csv_bytes(self.comparison.tidy),
            "moves.csv": csv_bytes(self.comparison.moves),
            "whatif.html": self.html().encode(),
            "comparison.json": json_bytes(self.document()),
        }
        return write_files(folder, files)


def _plain(study: Curve | Sensitivity | pd.DataFrame) -> dict[str, Any]:
    if isinstance(study, Curve):
        return {"what": study.what, "price_of": study.price_of, "points": records(study.points)}
    return {"rows": records(study.beliefs if isinstance(study, Sensitivity) else study)}
