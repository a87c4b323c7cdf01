"""The door of the service's console: nobody reads without a session, and nobody asks whose key may only read."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from apportion.service.console.kept.front import NotAllowedError, WrongKeyError
from apportion.service.console.kept.sessions import ASK_SCOPE, LONGEST_SECONDS, Session
from apportion.service.console.web.guard import HOME, SAFE
from apportion.service.console.web.pages import fault_page, fault_part
from apportion_models.errors import ApportionError

if TYPE_CHECKING:
    from apportion.service.console.kept.front import Front

COOKIE = "apportion_console"
SESSION, PAGE = "apportion.session", "apportion.page"  # in the scope
OPEN = ("/signin", "/static/")
WITHOUT_ASKING = ("/signout", "/cancel")  # what whoever may only read may send all the same
AGAIN = '<!doctype html><meta http-equiv="refresh" content="0"><title>Apportion</title>'


class Entrance:
    """ASGI middleware. A page without a session leads to the sign-in, and back; a part of a page is refused."""

    def __init__(self, app: Any, front: Front) -> None:
        self._app, self._front = app, front

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let in, or send to the sign-in."""
        if scope["type"] != "http" or _path(scope).startswith(OPEN):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refused = await run_in_threadpool(self._refused, request)
        await (self._app if refused is None else refused)(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        try:
            session = self._front.session(token_of(request) or "")
        except ApportionError as error:
            return fault_page(request, error)
        if session is None:
            return _to_sign_in(request)
        request.scope[SESSION] = session
        request.scope[PAGE] = {"signed_in": True, "may_ask": session.may_ask}
        asks = request.method not in SAFE and not request.url.path.endswith(WITHOUT_ASKING)
        if asks and not session.may_ask:
            return fault_part(request, NotAllowedError(f"Your key may read, and not ask: that needs {ASK_SCOPE}."))
        return None


def _path(scope: Any) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def token_of(request: Request) -> str | None:
    """What the browser holds of a session."""
    jar = SimpleCookie()
    try:
        jar.load(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return jar[COOKIE].value if COOKIE in jar else None


def session_of(request: Request) -> Session:
    """The session that was let in."""
    session: Session = request.scope[SESSION]
    return session


def keep(request: Request, response: Response, token: str) -> Response:
    """Let the browser hold a session, unseen by scripts and by other sites; over TLS it is sent over TLS alone."""
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
    response.set_cookie(
        COOKIE, token, max_age=int(LONGEST_SECONDS), path=request.scope[HOME] or "/", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip
    return response


def drop(request: Request, response: Response) -> Response:
    """Let the browser forget its session."""
    response.delete_cookie(COOKIE, path=request.scope[HOME] or "/", httponly=True, samesite="strict")
    return response


def within(address: str) -> str:
    """An address of the console that one may be sent to, or its first page."""
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if plain and address.startswith("/") and not address.startswith("//") else "/"


def _to_sign_in(request: Request) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return fault_part(request, WrongKeyError("You are signed out. Reload the page to sign in again."))
    if request.headers.get("sec-fetch-site") == "cross-site":  # then a strict cookie stays at home: ask as ourselves
        return HTMLResponse(AGAIN, headers={"cache-control": "no-store"})
    query = f"?{request.url.query}" if request.url.query else ""
    then = quote(_path(request.scope) + query, safe="")
    return RedirectResponse(f"{request.scope[HOME]}/signin?then={then}", 303)
