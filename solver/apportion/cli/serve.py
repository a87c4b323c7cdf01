"""`apportion serve`: the service over HTTP, with its console, schedule and deliveries, in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apportion.cli import options
from apportion.cli.screen import tell_error
from apportion.cli.store import Config, StoreUrl, opened
from apportion.connectors.extras import needs
from apportion_models.errors import ServiceError

Host = Annotated[str | None, typer.Option("--host", help="Address to listen at; default 127.0.0.1: this machine only.")]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="Port to listen at; default 8000.")]
Sinks = Annotated[Path | None, typer.Option("--sinks", help="TOML file that names the sinks; else by the settings.")]
ClockworkFlag = Annotated[
    bool | None, typer.Option("--clockwork/--no-clockwork", help="Also run the schedule and deliver what waits.")
]
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve_command(
    store: StoreUrl = None,
    config: Config = None,
    host: Host = None,
    port: Port = None,
    sinks: Sinks = None,
    clockwork: ClockworkFlag = None,
    quiet: options.Quiet = False,
) -> int:
    """Serve the API and the console, and run the schedule.

    Until it is told to stop (Ctrl-C, or SIGTERM). A SQLite store is made, or brought to this version;
    a PostgreSQL store must be: `apportion store migrate`.

    Example:

    apportion serve --store sqlite:///apportion.db --port 8000
    """
    with needs("service"):
        from apportion.service.serving import make_ready, serve
        from apportion.service.settings import load_settings
        from apportion.service.watching import set_up_logs
    flags = {"host": host, "port": port, "sinks": sinks, "clockwork": clockwork, "store_url": store}
    settings = load_settings(config=config, **flags)
    with opened(store, config, checked=False) as there:
        make_ready(there)
        if not quiet:
            address = f"http://{settings.host}:{settings.port}"
            tell_error(f"The store is {there}. Listening at {address}, the console at /console/, calls at /docs.")
            if settings.host not in LOOPBACK:
                tell_error("Others can reach this address: put TLS in front of it, for keys travel with each request.")
        if not serve(there, settings, log=set_up_logs()):
            raise ServiceError(f"Cannot listen at {settings.host}:{settings.port}: choose another with --port.")
    return 0
