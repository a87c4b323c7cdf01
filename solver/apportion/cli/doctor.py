"""`apportion doctor`: looks at everything that the service stands on, and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from apportion.cli import options
from apportion.cli.extras import needs
from apportion.cli.screen import out, show_json, table, tell
from apportion.cli.store import Config, StoreUrl

if TYPE_CHECKING:
    from apportion.service.doctor import Report

Sinks = Annotated[Path | None, typer.Option("--sinks", help="TOML file that names the sinks; else by the settings.")]


def doctor_command(
    store: StoreUrl = None, config: Config = None, sinks: Sinks = None, as_json: options.AsJson = False
) -> int:
    """Look at all that the service stands on, and say what to do.

    Machine, settings, sinks and store: of each whether it is as it should be. Nothing is changed and nothing is sent.
    Ends 0 where nothing is wrong, warnings aside; 2 where a setting is, 6 where the store is away or not set up, 3 for
    all else.

    Example:

    apportion doctor --store sqlite:///apportion.db
    """
    with needs("service"):
        from apportion.service.doctor import examine
    report = examine(config=config, store_url=store, sinks=sinks)
    if as_json:
        show_json(report.document())
    else:
        _show(report)
    return report.exit_code


def _show(report: Report) -> None:
    """A table at a terminal; elsewhere a whole line a check, so that it can be searched."""
    console, shown = out(), table("", "", "", right=9)
    shown.show_header = False
    for check in report.checks:
        said = f"{check.sentence} {check.remedy}".strip()
        shown.add_row(check.state, escape(check.name), escape(said))
        if not console.is_terminal:
            tell(f"{check.state:<8} {check.name}: {said}")
    if console.is_terminal:
        console.print(shown)
    tell(", ".join(f"{count} {state}" for state, count in report.counts().items() if count) + ".")
