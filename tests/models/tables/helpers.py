from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from apportion_models.errors import Finding, TableError
from apportion_models.tables import read_table


def read_text(name: str, text: str | bytes, folder: Path, **options: Any) -> tuple[pd.DataFrame, list[Finding]]:
    """Read a table from a file with this content; also what was found."""
    path = folder / f"{name}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    findings: list[Finding] = []
    return read_table(name, path, findings=findings, **options), findings


def refused(name: str, text: str | bytes, folder: Path, **options: Any) -> list[Finding]:
    """The errors that a table with this content raises."""
    with pytest.raises(TableError) as caught:
        read_text(name, text, folder, **options)
    assert all(finding.severity == "error" for finding in caught.value.findings)
    return list(caught.value.findings)


def only(findings: list[Finding], **wanted: Any) -> Finding:
    """The one finding that has these values."""
    found = [finding for finding in findings if all(getattr(finding, key) == value for key, value in wanted.items())]
    assert len(found) == 1, [str(finding) for finding in findings]
    return found[0]
