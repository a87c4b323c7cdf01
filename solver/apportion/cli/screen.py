"""What the terminal shows: results on stdout, progress and faults on stderr."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from apportion.engines import Progress as SolveProgress

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(line: str) -> str:
    """The line with control codes spelled out: what a table holds must not steer the terminal."""
    return CONTROL.sub(lambda code: f"\\x{ord(code[0]):02x}", line)


def tell_error(*lines: str) -> None:
    """Write lines on stderr, whole."""
    for line in lines:
        typer.echo(harmless(line), err=True)


def show_json(document: dict[str, Any]) -> None:
    """Write one JSON document on stdout; in ASCII where stdout is not UTF-8, so that no sign is lost."""
    plain = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"
    typer.echo(json.dumps(document, ensure_ascii=plain, allow_nan=False, indent=1))


def out() -> Console:
    """The console of results; honours NO_COLOR and the width of the terminal."""
    return Console(highlight=False)


def tell(line: str) -> None:
    """Write a sentence on stdout: folded at a terminal's width, elsewhere whole, so that paths stay whole."""
    console = out()
    console.print(harmless(line), markup=False, soft_wrap=not console.is_terminal)


def table(*columns: str, title: str | None = None, right: int = 1) -> Table:
    """A plain table whose columns from `right` on stand to the right."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate(columns):
        made.add_column(column, justify="right" if place >= right else "left", overflow="fold")
    return made


def money(amount: float, currency: str) -> str:
    """1,234 EUR."""
    return "–" if not math.isfinite(amount) else f"{amount:,.0f} {currency}"


def ratio_words(ratio: float, form: str = ".0%") -> str:
    """12%, or – where there is nothing to compare with."""
    return "–" if not math.isfinite(ratio) else format(ratio, form)


class Steps:
    """Tells what is being done: a line that moves in a terminal, plain lines elsewhere."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._text = progress, ""
        self._task: TaskID | None = None

    def step(self, text: str) -> None:
        """A new step begins."""
        self._text = text
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task(text, total=None)
        self._progress.update(self._task, description=text)

    def solving(self, state: SolveProgress) -> None:
        """The solve has a better bound or plan."""
        if self._progress is not None and self._task is not None:
            best = "no plan yet" if math.isinf(state.objective) else f"plan {state.objective:,.0f}, gap {state.gap:.3%}"
            self._progress.update(self._task, description=f"{self._text}: bound {state.bound:,.0f}, {best}")


@contextmanager
def steps(quiet: bool) -> Iterator[Steps]:
    """Show progress on stderr while the block runs; nothing where it is no terminal, or `quiet`."""
    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield Steps(None)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Steps(progress)
