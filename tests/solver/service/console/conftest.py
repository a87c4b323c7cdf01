"""One small company for all tests of the console, assigned once; and a console that serves it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apportion.service.console.today import Today, open_today
from tests.solver.service.console.browsing import ARGUMENTS, CHROMIUM
from tests.solver.service.console.company import Company, write_company

PATIENCE = 120.0  # seconds; the machine may be busy


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The company on disk. Not to be changed."""
    return write_company(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def today(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Today:
    """Its plan."""
    return open_today(company.request(), tmp_path_factory.mktemp("plans"))


@dataclass
class Served:
    """A console that can be reached. folder : of its saved scenarios."""

    address: str
    app: Any
    folder: Path

    @property
    def console(self) -> Any:
        return self.app.state.console

    def ready(self) -> Served:
        """Wait until it has read its inputs."""
        end = time.monotonic() + PATIENCE
        while self.console.loading.open and time.monotonic() < end:
            time.sleep(0.05)
        assert not self.console.loading.open
        return self


def serve(request: Any, folder: Path) -> Iterator[Served]:
    """Serve a console in a thread until the test is done."""
    import uvicorn

    from apportion.service.console import create_console

    app = create_console(request, scenarios=folder)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not server.started and time.monotonic() < end:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(f"http://127.0.0.1:{port}", app, folder)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: install Debian's chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def served(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The company's console, ready. Its scenarios' folder is shared: tests take names of their own."""
    pytest.importorskip("uvicorn", reason="the console extra is not installed")
    for one in serve(company.request(), tmp_path_factory.mktemp("scenarios")):
        yield one.ready()
