"""Options in groups: what typer sees are the fields, what the command gets are the groups."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from apportion.cli.groups import spelled_out


@dataclass(frozen=True, kw_only=True)
class Colours:
    """Two options."""

    ink: Annotated[str, typer.Option("--ink", help="Of the text.")] = "black"
    paper: Annotated[int | None, typer.Option("--paper", help="A number.")] = None


@spelled_out
def paint(colours: Colours, name: Annotated[str, typer.Argument()] = "x") -> int:
    """Paint it."""
    typer.echo(f"{name}: {colours.ink} on {colours.paper}")
    return 0


def test_fields_are_options_of_their_own() -> None:
    """Signature and command line have the fields; defaults are theirs."""
    assert list(inspect.signature(paint).parameters) == ["ink", "paper", "name"]
    app = typer.Typer()
    app.command()(paint)
    assert CliRunner().invoke(app, ["door"]).output == "door: black on None\n"
    assert CliRunner().invoke(app, ["door", "--ink", "red", "--paper", "3"]).output == "door: red on 3\n"
