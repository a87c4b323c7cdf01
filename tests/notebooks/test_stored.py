"""Notebooks are stored as text and code alone, and lead somewhere."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.notebooks.stored import NOTEBOOKS, ROOT, tidied

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
MACHINE = r"/(home|Users|root|tmp|work|opt|var|mnt)/|[A-Z]:\\\\|file://|localhost|127\.0\.0\.1"


def test_there_are_five() -> None:
    """One for each story, numbered in the order in which they are read, and each is linked from three pages."""
    assert [path.stem[0] for path in NOTEBOOKS] == ["1", "2", "3", "4", "5"]
    for page in ("README.md", "docs/README.md", "notebooks/README.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        missing = [path.name for path in NOTEBOOKS if f"{path.name})" not in text]
        assert not missing, f"{page} must link {missing}"


@each
def test_it_is_stored_in_one_form(path: Path) -> None:
    """No outputs, no execution counts, no metadata of an editor: else every run would be a change."""
    text = path.read_text(encoding="utf-8")
    assert text == tidied(text), f"run `python -m tests.notebooks.stored`, and commit {path.name}"
    assert [
        cell["outputs"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code" and cell["outputs"]
    ] == []


@each
def test_cells_have_names_that_stay(path: Path) -> None:
    """Each id is said in words, once: the tests look cells up by it, and a difference can be read."""
    ids = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


@each
def test_it_names_no_machine(path: Path) -> None:
    """Neither a path nor a host of whoever wrote it."""
    assert re.search(MACHINE, path.read_text(encoding="utf-8")) is None


@each
def test_links_lead_somewhere(path: Path) -> None:
    """Each link is to a file of the project."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links, "each leads on"
    for link in links:
        target = (path.parent / link).resolve()
        assert target.is_relative_to(ROOT) and target.is_file(), link


def test_they_are_in_the_source_distribution() -> None:
    """Who builds from source has them; the wheel needs none."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert "/notebooks" in build["sdist"]["include"]
    assert not any("notebooks" in path for path in build["wheel"]["only-include"])


def test_what_an_editor_leaves_is_taken_away() -> None:
    """Outputs, counts, metadata and odd line ends go; text, code, their order and ids stay."""
    left = {
        "cells": [
            {"cell_type": "markdown", "id": "title", "metadata": {"editable": True}, "source": "# Title\nText"},
            {
                "cell_type": "code",
                "id": "sum",
                "metadata": {"collapsed": True},
                "execution_count": 7,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "2"}],
                "source": ["\n", "print(1 + 1)\n", "\n"],
            },
        ],
        "metadata": {"language_info": {"version": "3.11.2"}, "widgets": {}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    clean = json.loads(tidied(json.dumps(left)))
    assert clean["cells"][0] == {
        "cell_type": "markdown",
        "id": "title",
        "metadata": {},
        "source": ["# Title\n", "Text"],
    }
    assert clean["cells"][1]["source"] == ["print(1 + 1)"]
    assert (clean["cells"][1]["outputs"], clean["cells"][1]["execution_count"]) == ([], None)
    assert "version" not in json.dumps(clean) and clean["nbformat_minor"] == 5
    assert tidied(tidied(json.dumps(left))) == tidied(json.dumps(left))
