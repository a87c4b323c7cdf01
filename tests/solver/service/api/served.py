"""A service in a process of its own, as an operator starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Served:
    """Where it listens, and its process."""

    url: str
    process: subprocess.Popen[str]

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served(store_url: str, folder: Path, *flags: str) -> Iterator[Served]:
    """`apportion serve` on a free port, ready inside the block."""
    port = free_port()
    command = [sys.executable, "-c", "from apportion.cli import main; main()", "serve", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with (folder / "served.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--store", store_url, *flags], cwd=folder, env=environment, stderr=log, text=True
        )
        one = Served(f"http://127.0.0.1:{port}", process)
        try:
            _wait(one)
            yield one
        finally:
            process.kill()
            process.wait()


def _wait(one: Served) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and one.process.poll() is None:
        try:
            urllib.request.urlopen(one.url + "/readyz", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("it did not start")
