"""How a notebook is stored: text and code alone, in one form.

`python -m tests.notebooks.stored` puts all of them into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def tidied(text: str) -> str:
    """The notebook without outputs, execution counts and what an editor or a machine has left in it."""
    notebook = json.loads(text)
    whole = {"cells": [_cell(cell) for cell in notebook["cells"]], "metadata": METADATA, "nbformat": 4}
    return json.dumps(whole | {"nbformat_minor": 5}, indent=1, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    kind, source = cell["cell_type"], "".join(cell["source"]).strip("\n")
    told: dict[str, Any] = {"cell_type": kind}
    if kind == "code":
        told["execution_count"] = None
    told |= {"id": cell["id"], "metadata": {}}
    if kind == "code":
        told["outputs"] = []
    return told | {"source": source.splitlines(keepends=True)}


def main() -> None:
    """Write every notebook as it is stored."""
    for path in NOTEBOOKS:
        before = path.read_text(encoding="utf-8")
        after = tidied(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{path.name}: put in order\n")


if __name__ == "__main__":
    main()
