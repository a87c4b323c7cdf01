"""Around everything: body limit, time limit, secure headers, one line of log, and no exception that gets out."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apportion.service.api import problems

if TYPE_CHECKING:
    from apportion.service.api.state import Service

CDN = "https://cdn.jsdelivr.net"
SECURE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
# The page of /docs loads Swagger's scripts from where FastAPI says.
DOCS = {
    "content-security-policy": f"default-src 'none'; script-src {CDN} 'unsafe-inline'; style-src {CDN}; "
    "img-src 'self' data: https://fastapi.tiangolo.com; connect-src 'self'; frame-ancestors 'none'"
}
GONE = 499  # in the log: whoever asked did not wait for the answer
QUIET = ("/healthz", "/readyz", "/metrics")  # asked every few seconds: not logged


class Shield:
    """ASGI middleware, the outermost of ours."""

    def __init__(self, app: ASGIApp, *, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._service.limits.body_bytes)
        began = time.monotonic()
        try:
            await self._answered(exchange)
        finally:
            self._tell(exchange, time.monotonic() - began)

    async def _answered(self, exchange: _Exchange) -> None:
        refused = exchange.refused()
        if refused is not None:
            await exchange.instead(refused)
            return
        try:
            async with asyncio.timeout(self._service.limits.request_seconds):
                await self._app(exchange.scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = GONE
        except TimeoutError:
            await exchange.instead(503, headers={"Retry-After": str(problems.AGAIN_SECONDS)})
        except Exception:
            self._service.say("error", "request failed", request=exchange.id, exc_info=True)
            await exchange.instead(500)

    def _tell(self, exchange: _Exchange, seconds: float) -> None:
        route = getattr(exchange.scope.get("route"), "path", "none")
        method, status = exchange.scope["method"], exchange.status
        self._service.metrics.requests.labels(_known(method), route, str(status)).inc()
        self._service.metrics.request_seconds.labels(route).observe(seconds)
        if route not in QUIET:
            about: dict[str, Any] = {"method": _known(method), "route": route, "status": status}
            self._service.say("info", "request", request=exchange.id, seconds=round(seconds, 4), **about)


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, body_bytes: int) -> None:
        self.scope, self._receive, self._send, self._left = scope, receive, send, body_bytes
        self.id, self.status, self._most = uuid.uuid4().hex, 500, body_bytes

    def refused(self) -> int | None:
        """The status with which the request is refused unread, or None."""
        headers = Headers(scope=self.scope)
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return 400
        if int(length[:20]) > self._most:
            return 413
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            return 415
        nul = "\x00" in self.scope["path"] or b"%00" in self.scope.get("query_string", b"")
        return 400 if nul else None

    async def receive(self) -> Message:
        """A part of the request, counted."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        """A part of the response; its first with our headers."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = MutableHeaders(scope=message)
            for name, value in (SECURE | (DOCS if self.scope["path"] == "/docs" else {})).items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self.id
            self._started = True
        await self._send(message)

    _started = False

    async def instead(self, status: int, *, headers: dict[str, str] | None = None) -> None:
        """A problem in the place of a response, where none has begun."""
        if not self._started:
            await problems.of_status(status, headers=headers)(self.scope, self._receive, self.send)


def _known(method: str) -> str:
    """A method as a label: nobody shall make new ones."""
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
