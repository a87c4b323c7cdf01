"""Runs a notebook as a reader would, in a kernel of its own, and gives what it shows, cell by cell."""

from __future__ import annotations

import base64
import importlib
import os
import re
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.notebooks.stored import ROOT

FIGURE = "application/vnd.plotly.v1+json"
SECONDS = 120  # CPU seconds that a notebook may take, the start of its kernel included
PATHS = (ROOT / "models", ROOT / "solver")


@dataclass(frozen=True, eq=False)
class Executed:
    """A notebook that has run to its end without an error and without a word on stderr."""

    cells: dict[str, list[Any]]
    cpu_seconds: float

    def text(self, cell: str) -> str:
        """What the cell printed, and the plain form of what it shows."""
        found = [out["text"] if "text" in out else out["data"].get("text/plain", "") for out in self.cells[cell]]
        assert found, f"{cell} shows nothing"
        return "\n".join(found)

    def html(self, cell: str) -> str:
        """The HTML that the cell shows."""
        (out,) = self.cells[cell]
        return str(out["data"]["text/html"])

    def numbers(self, cell: str) -> list[float]:
        """Every number in the cell's text, in order."""
        return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*(?:\.\d+)?", self.text(cell))]

    def traces(self, cell: str) -> list[Any]:
        """The traces of the cell's one figure, which has a title."""
        (out,) = self.cells[cell]
        figure = out["data"][FIGURE]
        assert figure["layout"]["title"]["text"], f"{cell}: a picture needs a title"
        return list(figure["data"])

    def figures(self) -> Iterator[str]:
        """The cells that show a figure."""
        return (name for name, outs in self.cells.items() if any(FIGURE in out.get("data", {}) for out in outs))


def execute(name: str) -> Executed:
    """Run notebooks/`name`.ipynb from top to bottom, in its folder.

    Skips where the extra `notebooks` is missing, but not in continuous integration.
    """
    nbformat, nbclient, _ = (_loaded(package) for package in ("nbformat", "nbclient", "ipykernel"))
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    before = _children()
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(env=_environment())
    cells = {cell["id"]: list(cell["outputs"]) for cell in notebook["cells"] if cell["cell_type"] == "code"}
    for cell, outs in cells.items():
        said = [out["text"] for out in outs if out.get("name") == "stderr"]
        assert not said, f"{path.name}, {cell}: {said[0]}"
    told = Executed(cells, _children() - before)
    assert told.cpu_seconds < SECONDS, f"{path.name} took {told.cpu_seconds:.0f} CPU seconds"
    for cell in told.figures():
        assert told.traces(cell), f"{path.name}, {cell}: an empty picture"
    return told


def decoded(numbers: Any) -> np.ndarray:
    """The numbers of a trace, which plotly writes as a list or as bytes in base 64."""
    if isinstance(numbers, dict):
        return np.frombuffer(base64.b64decode(numbers["bdata"]), dtype=numbers["dtype"]).astype(float)
    return np.array([np.nan if number is None else number for number in numbers])


def _loaded(package: str) -> Any:
    return importlib.import_module(package) if os.environ.get("CI") else pytest.importorskip(package)


def _environment() -> dict[str, str]:
    paths = os.pathsep.join([*map(str, PATHS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**os.environ, "PYTHONPATH": paths, "PLOTLY_RENDERER": "plotly_mimetype", "OMP_NUM_THREADS": "1"}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":  # to look at what a notebook says: python -m tests.notebooks.executed 1-your-first-plan
    for cell, outs in execute(Path(sys.argv[1]).stem).cells.items():
        for out in outs:
            sys.stdout.write(f"--- {cell}\n{out.get('text') or out['data'].get('text/plain', '')}\n")
