"""Processes that are there to be killed, each a fork of one that has imported everything. No test.

`python -m tests.solver.service.nursery MODULE ARGUMENTS…`: for each line on stdin, a child runs
`MODULE.main(*ARGUMENTS)`; its id comes on stdout, and when it has ended, how.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.conftest import ROOT


class Nursery:
    """One process that forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *, killed_after: float | None = None) -> int:
        """Start a child, kill it after so many seconds, and give its exit code (-9 for killed)."""
        pid = int(self._say())
        if killed_after is not None:
            time.sleep(killed_after)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return int(self._hear())

    def _say(self) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def nursery(module: str, *arguments: str) -> Iterator[Nursery]:
    """A nursery for `module.main`."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("models", "solver", ""))
    command = [sys.executable, "-m", __name__, module, *arguments]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    try:
        yield Nursery(process)
    finally:
        process.communicate()


def kill_at_random(made: Nursery, *, times: int, longest: float, seed: int) -> None:
    """Start and kill so many children, each at a moment of its own; then let one come to its end."""
    moments = random.Random(seed)
    for _ in range(times):
        made.run(killed_after=moments.uniform(0.0, longest))
    assert made.run() == 0


def _serve(module: str, arguments: list[str]) -> None:
    main = importlib.import_module(module).main
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                main(*arguments)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2:])
