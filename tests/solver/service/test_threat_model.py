"""docs/threat-model.md claims nothing without a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROWS = re.findall(
    r"^\| ([STRIDE]) \|(.+)\|(.+)\|(.+)\|$", (ROOT / "docs" / "threat-model.md").read_text(), re.MULTILINE
)


def test_every_threat_has_a_test_that_is_there() -> None:
    """All six kinds are looked at, and each row names files of tests."""
    assert {row[0] for row in ROWS} == set("STRIDE")
    for _, threat, _, shown in ROWS:
        named = re.findall(r"`([\w/]+\.py)`", shown)
        assert named, threat
        for name in named:
            folder = ROOT if name.startswith("tests/") else ROOT / "tests" / "solver" / "service"
            assert (folder / name).is_file(), name
            assert "def test_" in (folder / name).read_text(encoding="utf-8"), name
