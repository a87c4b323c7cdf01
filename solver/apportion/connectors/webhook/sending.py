"""One POST to one checked address, bounded in size and time whatever the other end does."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apportion.connectors.contract import GiveUpError, RetryLaterError
from apportion.connectors.extras import need
from apportion.connectors.webhook.destinations import Destinations, LookUp

MOST_READ = 16_384  # bytes of an answer that are looked at; what more it says does not matter


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the header Retry-After."""

    status: int
    retry_after: str


class _Deadline:
    """Ends a connection when the time is up, also in the middle of a handshake and when bytes trickle.

    It holds a second handle of the socket: to shut that down wakes whoever waits for the first.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Seconds, at least a thousandth."""
        return max(0.001, self._ends - time.monotonic())

    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._ends

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Told by the client what it does: takes hold of a new connection."""
        if event.endswith("connect_tcp.complete"):
            opened = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._socket = socket.socket(fileno=os.dup(opened.fileno()))
            if self.passed():
                self._shut()  # the timer may have found nothing to shut

    def _shut(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go."""
        self._timer.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    destinations: Destinations,
    seconds: float,
    tls: ssl.SSLContext | None = None,
    look_up: LookUp | None = None,
) -> Answer:
    """Send the body and give the answer's status, within `seconds` from start to end.

    Redirects are not followed, proxies of the environment not used. Raises RetryLaterError where no answer came,
    GiveUpError where the destination is not allowed.
    """
    target = destinations.check_url(url)
    port = target.port or {"https": 443, "http": 80}[target.scheme]
    deadline = _Deadline(seconds)
    try:
        addresses = destinations.addresses(target.host, port, look_up=look_up, seconds=deadline.left())
        return _first_that_connects(target, addresses, body, headers, deadline, tls)
    finally:
        deadline.close()


def _first_that_connects(
    target: Any,
    addresses: tuple[str, ...],
    body: bytes,
    headers: Mapping[str, str],
    deadline: _Deadline,
    tls: ssl.SSLContext | None,
) -> Answer:
    httpx = need("httpx2")
    with httpx.Client(
        trust_env=False, follow_redirects=False, verify=True if tls is None else tls, timeout=deadline.left()
    ) as client:
        for place, address in enumerate(addresses):
            try:
                return _exchange(client, target, address, body, headers, deadline)
            except httpx.ConnectError:
                if place + 1 == len(addresses) or deadline.passed():
                    raise RetryLaterError(f"The webhook's host {target.host} cannot be connected to.") from None
            except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                why = "did not answer in time" if deadline.passed() else f"broke off ({type(error).__name__})"
                raise RetryLaterError(f"The webhook's host {target.host} {why}.") from None
    raise GiveUpError(f"The webhook's host {target.host} has no address.")


def _exchange(
    client: Any, target: Any, address: str, body: bytes, headers: Mapping[str, str], deadline: _Deadline
) -> Answer:
    """Connect to the address itself; the host's name stays in the Host header and in the certificate's check."""
    host = target.netloc.decode("ascii")
    name = target.raw_host.decode("ascii")
    with client.stream(
        "POST",
        target.copy_with(host=address),
        content=body,
        headers={**headers, "host": host, "accept-encoding": "identity", "connection": "close"},
        timeout=deadline.left(),
        extensions={"sni_hostname": name, "trace": deadline.trace},
    ) as response:
        read = 0
        for chunk in response.iter_raw():
            read += len(chunk)
            if read >= MOST_READ:
                break
        return Answer(int(response.status_code), str(response.headers.get("retry-after", "")))
