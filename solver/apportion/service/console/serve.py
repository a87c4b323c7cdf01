"""Starting the console: on this machine alone unless somebody asks otherwise."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from apportion_models.errors import UsageError

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from apportion.app import AssignRequest

HOST, PORT = "127.0.0.1", 8484
SCENARIOS = Path("scenarios")
MISSING = "The console needs what `pip install apportion[console]` brings: {} is not there."


def create_console(request: AssignRequest, *, scenarios: Path = SCENARIOS, host: str = HOST) -> Starlette:
    """The console as an ASGI application, to be mounted beside others; it begins to read its inputs at once.

    scenarios : folder of saved scenarios. host : what it will be bound to; it answers under no other name than this and
    loopback's. Who mounts it closes it: `app.state.console.close()`. UsageError where the extra is not installed.
    """
    try:
        from apportion.service.console.console import Console, Opened
        from apportion.service.console.jobs import Jobs
        from apportion.service.console.shelf import FolderShelf
        from apportion.service.console.source import Files
        from apportion.service.console.web.app import application
        from apportion.service.console.web.guard import allowed_hosts
    except ModuleNotFoundError as error:
        raise UsageError(MISSING.format(error.name)) from None
    jobs = Jobs()
    console = Console(Opened(Files(request), jobs), FolderShelf(scenarios), jobs)
    return application(console, allowed_hosts(host))


def start_console(
    request: AssignRequest,
    *,
    scenarios: Path = SCENARIOS,
    host: str = HOST,
    port: int = PORT,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the console until it is interrupted. ready : told its address once it can be opened; port 0: any free one.

    UsageError where the place is taken, or the extra is not installed.
    """
    try:
        import uvicorn
    except ModuleNotFoundError as error:
        raise UsageError(MISSING.format(error.name)) from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        remedy = "Name another with --port, or --port 0 for any that is free."
        raise UsageError(f"The console cannot be served at {host} port {port}: {error.strerror}. {remedy}") from None
    with bound:
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        app = create_console(request, scenarios=scenarios, host=host)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
        ready(f"http://{shown}:{bound.getsockname()[1]}/")
        server.run(sockets=[bound])
