"""A webhook's receiver as there are in the world, in a process of its own: it takes each message once, and misbehaves.

What it does to a request is its mood: `fine`; `fails` (500) and `hangs` before it took the message; `late` (it answers
when the sender has gone), `cut` (the connection ends in the middle of the answer), `twice` (two answers), `endless` (an
answer that never ends) and `moves` (a redirect) after.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from apportion.connectors.webhook import check_signature
from apportion_models.errors import InputError
from tests.solver.service.faults import ended, started

MOODS = ("fails", "hangs", "late", "cut", "twice", "endless")
TAKEN = frozenset({"fine", "late", "cut", "twice", "endless", "moves"})
GIVES_UP = 0.7  # seconds after which the sender does
LATE = 2 * GIVES_UP
SECRET_NAME = "HOOK_SECRET"


class Receiver:
    """Where it listens, and what came to it. log : its file, one line a request that it took."""

    def __init__(self, port: int, log: Path) -> None:
        self.url, self._log = f"http://127.0.0.1:{port}/hook", log

    def lines(self) -> list[dict[str, Any]]:
        """Every request that was taken, with its id, its mood, its rows, and whether it was new."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def received(self) -> Counter[str]:
        """How often each message came."""
        return Counter(line["id"] for line in self.lines())

    def applied(self) -> list[dict[str, Any]]:
        """The rows of each message, once. The same id must have come with the same rows each time."""
        first: dict[str, Any] = {}
        for line in self.lines():
            assert first.setdefault(line["id"], line["rows"]) == line["rows"], "one id, two contents"
        return [row for rows in first.values() for row in rows]

    def sinks(self, *, name: str = "hook", tells: Sequence[str] = ("plan.done",)) -> str:
        """The file of sinks that names it."""
        return (
            f'[{name}]\ntype = "webhook"\nurl = "{self.url}"\nsecrets = ["env:{SECRET_NAME}"]\nplain_http = true\n'
            f'networks = ["127.0.0.0/8"]\nseconds = {GIVES_UP}\nmost_rows = 2\ntells = {json.dumps(list(tells))}\n'
        )


@contextmanager
def receiver(folder: Path, secret: str, *, moods: Sequence[str] = (), seed: int | None = None) -> Iterator[Receiver]:
    """A receiver that does these moods, one a request, and then is fine; or, with a seed, three in ten by chance."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = Receiver(int(listener.getsockname()[1]), folder / "received.jsonl")
        pid = started(lambda: _serve(listener, there._log, secret, _moods(moods, seed)))
    try:
        yield there
    finally:
        os.kill(pid, signal.SIGKILL)
        ended(pid)


def _moods(moods: Sequence[str], seed: int | None) -> Iterator[str]:
    yield from moods
    rng = random.Random(seed)
    while True:
        yield "fine" if seed is None or rng.random() < 0.7 else rng.choice(MOODS)


def _serve(listener: socket.socket, log: Path, secret: str, moods: Iterator[str]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Desk, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    _Desk.log, _Desk.secret, _Desk.moods = log, secret, moods
    server.serve_forever()


class _Desk(BaseHTTPRequestHandler):
    log: Path
    secret: str
    moods: Iterator[str]
    lock = threading.Lock()
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            key = check_signature(dict(self.headers), body, secrets=(self.secret,), now=time.time())
        except InputError:
            self.send_error(400)  # the sender died over it
            return
        with self.lock:
            mood = next(self.moods)
            if mood in TAKEN:
                self._take(key, mood, json.loads(body)["rows"])
        self.close_connection = True
        with suppress(OSError):
            getattr(self, f"_{mood}")()

    def _take(self, key: str, mood: str, rows: list[dict[str, Any]]) -> None:
        line = json.dumps({"id": key, "mood": mood, "rows": rows}) + "\n"
        with self.log.open("a") as log:
            log.write(line)

    def _answer(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", "0"), *headers):
            self.send_header(name, value)
        self.end_headers()

    def _fine(self) -> None:
        self._answer(204)

    def _fails(self) -> None:
        self._answer(500)

    def _hangs(self) -> None:
        time.sleep(LATE)

    def _late(self) -> None:
        time.sleep(LATE)
        self._answer(200)

    def _cut(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of")

    def _twice(self) -> None:
        self._answer(200)
        self._answer(500)

    def _endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.wfile.write(b"1000\r\n" + b"a" * 4096 + b"\r\n")

    def _moves(self) -> None:
        self._answer(302, ("Location", "http://127.0.0.1:9/elsewhere"))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""
