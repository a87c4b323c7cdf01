"""The command `apportion` as a fork of a process that has its libraries loaded: what a walk of twenty commands needs.

`start(folder)` gives the folder with the command. Each call has its own arguments, environment, working folder, and
the caller's stdin, stdout and stderr; its exit code comes back.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLIENT = """#!{python} -IS
import json, os, socket, sys
there = socket.socket(socket.AF_UNIX)
there.connect({address!r})
said = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(there, [len(said).to_bytes(4, "big")], [0, 1, 2])
there.sendall(said)
sys.exit((there.recv(1) or b"\\x01")[0])
"""


@contextmanager
def warm_command(folder: Path) -> Iterator[Path]:
    """A folder that holds the command, for a PATH; whatever it started is gone afterwards."""
    folder.mkdir()
    address = str(folder / "s")
    command = folder / "apportion"
    command.write_text(CLIENT.format(python=sys.executable, address=address))
    command.chmod(0o755)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    path = os.pathsep.join(part for part in sys.path if part)
    server = subprocess.Popen(
        [sys.executable, __file__, str(listener.fileno())],
        pass_fds=[listener.fileno()],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    listener.close()
    try:
        yield folder
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _serve(listener: socket.socket) -> None:
    """For ever: a fork a call."""
    import apportion.service.doctor
    import apportion.service.runs.explaining
    import apportion.service.serving  # noqa: F401
    from apportion.cli.main import run

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        call, _ = listener.accept()
        if os.fork():
            call.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = 1
        try:
            arguments = _taken(call)
            threading.Thread(target=_end_with, args=(call,), daemon=True).start()
            code = run(arguments)
            sys.stdout.flush()
        finally:
            call.sendall(bytes([code]))
            os._exit(code)


def _end_with(call: socket.socket) -> None:
    """Told to stop when the caller is gone, as a process would be that the caller is."""
    with suppress(OSError):
        call.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _taken(call: socket.socket) -> list[str]:
    """The call's files, environment and folder, from now on this process's own; gives its arguments."""
    size, files, *_ = socket.recv_fds(call, 4, 3)
    said = b""
    while len(said) < int.from_bytes(size, "big"):
        said += call.recv(65_536)
    arguments, environment, folder = json.loads(said)
    for place, file in enumerate(files):
        os.dup2(file, place)
    for place, mode in enumerate("rww"):
        name = ("stdin", "stdout", "stderr")[place]
        setattr(sys, name, open(place, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    return list(arguments)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
