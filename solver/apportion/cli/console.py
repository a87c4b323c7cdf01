"""`apportion console`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apportion.app import AssignRequest, Sources
from apportion.cli import options
from apportion.cli.demo import sample_request
from apportion.cli.groups import spelled_out
from apportion.cli.screen import tell, tell_error
from apportion_models.errors import UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Scenarios = Annotated[Path, typer.Option("--scenarios", help="Folder of saved scenarios (YAML).")]
Host = Annotated[str, typer.Option("--host", help="Where to listen: this machine alone, unless you say otherwise.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen at; 0: any that is free.")]
Browser = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]


@spelled_out
def console_command(
    batch: options.PossibleBatch,
    believed: options.Believed,
    pains: options.Pains,
    scenarios: Scenarios = Path("scenarios"),
    host: Host = "127.0.0.1",
    port: Port = 8484,
    browser: Browser = False,
) -> int:
    """Show today's plan, its reasons and what-if on a page.

    In the browser, until Ctrl-C. Without any table it shows the sample company.

    Example:

    apportion console --leads leads.csv --reps reps.csv --model m --open
    """
    if batch.sources() == Sources() and believed == options.Believed():
        request = sample_request(**vars(pains))
    elif batch.leads is None or batch.reps is None:
        raise UsageError("The console needs --leads and --reps; without any table it shows the sample company.")
    else:
        request = AssignRequest(sources=batch.sources(), at=batch.at, **vars(believed), **vars(pains))
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
