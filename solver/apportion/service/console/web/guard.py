"""Who may talk to the console, and what a browser may do with its pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

HOME = "apportion.home"  # in the scope: under which path all of the console is
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
ANY = ("0.0.0.0", "::", "[::]")  # bound everywhere: any name may lead here
MOST_BODY = 2_000_000  # bytes of a request
OWN_HEADER = b"x-apportion"  # a page of another site cannot send it without asking, and is never allowed to
SAFE = ("GET", "HEAD")
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),  # without any, browsers would not say either that a form is our own
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.rpartition(":")[0] if name.count(":") == 1 else name


def allowed_hosts(host: str) -> frozenset[str] | None:
    """The names under which a console that is bound to `host` answers; None: any."""
    return None if host in ANY else frozenset({*LOOPBACK, host.lower()})


class Guard:
    """ASGI middleware. Refuses foreign host names (so that no other site's name can be pointed here), changes asked by
    other sites' pages, and bodies that are too large; adds the headers that bind the browser."""

    def __init__(self, app: Any, hosts: Collection[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[HOME] = scope.get("root_path", "")
        headers = {name.lower(): value for name, value in scope["headers"]}
        refused = self._refused(scope["method"], headers)
        if refused is not None:
            await _plain(send, *refused)
            return

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more: Iterable[Any] = ((name, value) for name, value in HEADERS if name not in given)
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, told)

    def _refused(self, method: str, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        host = host_of(headers.get(b"host", b"").decode("latin-1"))
        if self._hosts is not None and host not in self._hosts:
            return 421, "The console does not answer under this name."
        if method in SAFE:
            return None
        if not _is_own(headers):
            return 403, "Only the console's own pages may change anything."
        length = headers.get(b"content-length", b"")
        if not length.isdigit():
            return 411, "The length of what is sent must be told."
        if int(length) > MOST_BODY:
            return 413, f"At most {MOST_BODY:,} bytes can be sent."
        return None


def _is_own(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a page of the console asks: as the browser says it, else by the origin, else by the console's header,
    which no page of another site can send."""
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        return site == b"same-origin"
    if origin is not None:
        return origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()
    return OWN_HEADER in headers


async def _plain(send: Any, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
