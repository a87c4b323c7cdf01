"""The report of a run over time: tables for machines, a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from apportion.app.replay.words import sentences
from apportion.connectors import csv_bytes, json_bytes, write_files
from apportion.whatif.compare.outcome import records
from apportion.whatif.replay import Run
from apportion_models.errors import Finding


@dataclass(frozen=True, eq=False, kw_only=True)
class RunReport:
    """A run, with what was read for it. prints : fingerprints of the tables."""

    run: Run
    prints: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """What its document and page are called."""
        return self.run.kind

    def document(self) -> dict[str, Any]:
        """What came out, as plain JSON values."""
        from apportion import __version__

        run, measured = self.run, self.run.measured
        stage = run.stage
        return {
            "kind": run.kind,
            "policy": {"name": stage.policy.name, "fingerprint": stage.policy.fingerprint},
            "currency": stage.policy.currency,
            "first_batch": stage.moments[0].isoformat(),
            "last_batch": stage.moments[-1].isoformat(),
            "batches": len(stage.moments),
            "leads": len(stage.arrivals.leads),
            "reps": len(stage.reps),
            "worth_is": run.worth_is,
            "equity_days": run.days,
            "sentences": sentences(run),
            "tracks": [{"title": run.titles[row["track"]], **row} for row in records(measured.totals)],
            "against": records(run.against),
            "over_time": _timed(measured.batches),
            "cohorts": _timed(measured.cohorts),
            "models": records(run.models),
            "findings": [str(finding) for finding in self.findings],
            "facts": dict(run.facts),
            "run": {"apportion": __version__, "seed": stage.seed, "gap": stage.gap, **self.prints},
        }

    def html(self) -> str:
        """The page."""
        from apportion.app.replay.page import render_page  # plots are loaded only where a page is made

        return render_page(self)

    def write(self, folder: Path) -> list[Path]:
        """Write decisions.csv, batches.csv, cohorts.csv, reps.csv, the page and, last, the document."""
        measured = self.run.measured
        files = {
            "decisions.csv": csv_bytes(self.run.decisions),
            "batches.csv": csv_bytes(measured.batches),
            "cohorts.csv": csv_bytes(measured.cohorts),
            "reps.csv": csv_bytes(measured.reps),
            f"{self.name}.html": self.html().encode(),
            f"{self.name}.json": json_bytes(self.document()),
        }
        return write_files(folder, files)


def _timed(table: pd.DataFrame) -> list[dict[str, Any]]:
    return records(table.assign(at=table["at"].map(lambda at: at.isoformat())))
