"""`apportion console`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apportion.app import AssignRequest
from apportion.cli import options
from apportion.cli.demo import sample_request
from apportion.cli.screen import tell, tell_error
from apportion_models.errors import UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")

LeadsTable = Annotated[str | None, typer.Option("--leads", help="The batch; without any table, the sample company's.")]
RepsTable = Annotated[str | None, typer.Option("--reps", help="The salespeople.")]
Scenarios = Annotated[Path, typer.Option("--scenarios", help="Folder of saved scenarios (YAML).")]
Host = Annotated[str, typer.Option("--host", help="Where to listen: this machine alone, unless you say otherwise.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0: any that is free.")]
Browser = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]


def console_command(
    leads: LeadsTable = None,
    reps: RepsTable = None,
    history: options.History = None,
    model: options.Model = None,
    policy: options.PolicyFile = None,
    mapping: options.MappingFile = None,
    accounts: options.Accounts = None,
    teams: options.Teams = None,
    territories: options.Territories = None,
    calendar: options.Calendar = None,
    overrides: options.Overrides = None,
    earlier: options.Earlier = None,
    at: options.At = None,
    gap: options.Gap = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = None,
    scenarios: Scenarios = Path("scenarios"),
    host: Host = "127.0.0.1",
    port: Port = 8484,
    browser: Browser = False,
) -> int:
    """Show today's plan, its reasons and what-if on a page in the browser, until Ctrl-C."""
    sources = options.sources(
        leads=leads,
        reps=reps,
        history=history,
        accounts=accounts,
        teams=teams,
        territories=territories,
        calendar=calendar,
        overrides=overrides,
        earlier=earlier,
        mapping=mapping,
    )
    if sources == options.sources() and policy is None and model is None:
        request = sample_request(gap=gap, time_limit=time_limit, seed=seed)
    elif leads is None or reps is None:
        raise UsageError("The console needs --leads and --reps; without any table it shows the sample company.")
    else:
        request = AssignRequest(
            sources=sources,
            policy=policy,
            model=model,
            at=options.moment(at),
            gap=gap,
            time_limit=time_limit,
            seed=seed,
        )
    return _serve(request, scenarios, host, port, browser)


def _serve(request: AssignRequest, scenarios: Path, host: str, port: int, browser: bool) -> int:
    from apportion.service.console import start_console  # an extra: only where it is wanted

    if host not in LOOPBACK:
        tell_error(f"Warning: whoever reaches {host} sees all leads and reps. The console asks nobody who they are.")

    def ready(address: str) -> None:
        tell(f"The console is at {address} (Ctrl-C ends it)")
        if browser:
            typer.launch(address)

    try:
        start_console(request, scenarios=scenarios, host=host, port=port, ready=ready)
    except KeyboardInterrupt:  # the usual way to end it
        tell_error("The console has ended.")
    return 0
