"""The webhook keeps the contract of sinks, whatever the other end does."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apportion.connectors import GiveUpError, RetryLaterError
from apportion.connectors.contract import LONGEST_WAIT
from apportion.connectors.kit import SinkBench, sink_faults, trial
from apportion.connectors.webhook import Destinations, Webhook, check_signature, new_secret
from apportion.connectors.webhook.sending import _Deadline
from apportion.connectors.webhook.sink import read_retry_after
from apportion_models.errors import UsageError

SECRET = new_secret()
HERE = Destinations(plain_http=True, networks=("127.0.0.0/8",))


def _hook(url: str, **more: Any) -> Webhook:
    return Webhook(**{"url": url, "secrets": (SECRET,), "destinations": HERE, "seconds": 5.0, **more})


def _send(hook: Webhook) -> Any:
    key, message = trial("one", notes=("x",))
    return hook.deliver(message, key=key)


def test_it_keeps_the_contract(httpserver: HTTPServer) -> None:
    """Every rule of the kit; the receiver checks each signature and takes each id once."""
    there: dict[str, list[dict[str, Any]]] = {}
    gone = threading.Event()

    def receive(request: Request) -> Response:
        if gone.is_set():
            return Response(status=503)
        body = request.get_data()
        key = check_signature(request.headers, body, secrets=(SECRET,), now=time.time())
        rows = json.loads(body)["rows"]
        assert there.setdefault(key, rows) == rows, "the same id must come with the same content"
        return Response(status=204)

    @contextlib.contextmanager
    def away() -> Iterator[None]:
        gone.set()
        yield
        gone.clear()

    httpserver.expect_request("/hidden-path", method="POST").respond_with_handler(receive)
    bench = SinkBench(
        make=lambda: _hook(httpserver.url_for("/hidden-path?token=hidden-token")),
        arrived=lambda: there,
        away=away,
        secrets=(SECRET, SECRET[6:], "hidden-path", "hidden-token"),
    )
    assert sink_faults(bench) == []
    httpserver.check_assertions()


@pytest.mark.parametrize(
    ("status", "error"),
    [(code, RetryLaterError) for code in (408, 425, 429, 500, 502, 503, 504, 599)]
    + [(code, GiveUpError) for code in (300, 304, 400, 401, 403, 404, 409, 410, 413, 422)],
)
def test_what_a_status_means(httpserver: HTTPServer, status: int, error: type[Exception]) -> None:
    """Their trouble: again. Our message: given up."""
    httpserver.expect_request("/").respond_with_data("no", status=status)
    with pytest.raises(error, match=str(status)):
        _send(_hook(httpserver.url_for("/")))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_two_hundreds_are_receipts(httpserver: HTTPServer, status: int) -> None:
    """And the receipt names the host alone."""
    httpserver.expect_request("/").respond_with_data("", status=status)
    assert _send(_hook(httpserver.url_for("/"))).where == httpserver.host.replace("localhost", "localhost")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(httpserver: HTTPServer, status: int) -> None:
    """Not even to an address that would be allowed: a receiver must not send us to 127.0.0.1."""
    asked: list[str] = []

    def inner(request: Request) -> Response:
        asked.append(request.path)
        return Response(status=200)

    httpserver.expect_request("/inner").respond_with_handler(inner)
    headers = {"Location": httpserver.url_for("/inner")}
    httpserver.expect_request("/").respond_with_data("", status=status, headers=headers)
    with pytest.raises(GiveUpError, match="redirects are not followed"):
        _send(_hook(httpserver.url_for("/")))
    assert asked == []


def test_this_machine_is_refused_unless_allowed(httpserver: HTTPServer) -> None:
    """Nothing is sent."""
    for name in ("127.0.0.1", "localhost"):
        with pytest.raises(GiveUpError, match="loopback"):
            _send(_hook(f"http://{name}:{httpserver.port}/", destinations=Destinations(plain_http=True)))
    assert httpserver.log == []


def test_a_name_that_is_bound_again_changes_nothing(httpserver: HTTPServer) -> None:
    """The name is looked up once; the connection goes to the address that was checked."""
    answers = [["127.0.0.1"], ["10.255.255.1"]]
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    seen: list[str] = []

    def receive(request: Request) -> Response:
        seen.append(request.headers["Host"])
        return Response(status=200)

    httpserver.expect_request("/").respond_with_handler(receive)
    _send(_hook(f"http://hook.example:{httpserver.port}/", look_up=look_up))
    assert asked == ["hook.example"]
    assert seen == [f"hook.example:{httpserver.port}"]


def test_retry_after_is_heard(httpserver: HTTPServer) -> None:
    """In seconds, as a date, and not when it is nonsense; never longer than a day."""
    httpserver.expect_request("/").respond_with_data("", status=429, headers={"Retry-After": "17"})
    with pytest.raises(RetryLaterError) as caught:
        _send(_hook(httpserver.url_for("/")))
    assert caught.value.after == 17.0
    assert read_retry_after("Wed, 21 Oct 2026 07:28:00 GMT", now=1792567650.0) == pytest.approx(30.0)
    assert read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now=1792567650.0) == 0.0
    assert read_retry_after("9" * 30, now=0.0) == LONGEST_WAIT
    for text in ("", "soon", "-5", "1.5", "٣", "Wed, 99 Oct"):
        assert read_retry_after(text, now=0.0) is None


@contextlib.contextmanager
def _raw(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says what `talk` does with each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            open_ones.append(taken)
            threading.Thread(target=_quietly, args=(talk, taken), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in open_ones:
            one.close()
        thread.join(2)


def _quietly(talk: Callable[[socket.socket], None], taken: socket.socket) -> None:
    with contextlib.suppress(OSError):
        talk(taken)


def _hangs(taken: socket.socket) -> None:
    time.sleep(20)


def _trickles_a_header(taken: socket.socket) -> None:
    taken.recv(65536)
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
        taken.send(bytes([letter]))
        time.sleep(0.02)


def _trickles_a_body(taken: socket.socket) -> None:
    taken.recv(65536)
    taken.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    for _ in range(1000):
        taken.send(b"a")
        time.sleep(0.02)


def _answers_late(taken: socket.socket) -> None:
    taken.recv(65536)
    time.sleep(2)
    taken.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("talk", [_hangs, _trickles_a_header, _trickles_a_body, _answers_late])
def test_an_attempt_ends_when_its_time_is_up(talk: Callable[[socket.socket], None]) -> None:
    """Whether it hangs, trickles so that no single read is late, or answers after we left."""
    with _raw(talk) as url:
        began = time.monotonic()
        with pytest.raises(RetryLaterError):
            _send(_hook(url, seconds=0.7))
        assert time.monotonic() - began < 5


def test_a_connection_that_came_about_just_too_late_ends_too() -> None:
    """The timer found nothing to shut: whoever then waits for the other end would wait for ever."""

    class Opened:
        def __init__(self, one: socket.socket) -> None:
            self.one = one

        def get_extra_info(self, name: str) -> socket.socket:
            return self.one

    near, far = socket.socketpair()
    deadline = _Deadline(0.01)
    try:
        time.sleep(0.1)
        deadline.trace("connection.connect_tcp.complete", {"return_value": Opened(near)})
        far.settimeout(2)
        assert far.recv(1) == b"", "the connection is shut"
    finally:
        deadline.close()
        near.close()
        far.close()


def test_a_trickling_handshake_ends_too() -> None:
    """TLS that never gets done."""
    with _raw(_hangs) as url:
        began = time.monotonic()
        with pytest.raises(RetryLaterError):
            _send(_hook(url.replace("http://", "https://"), seconds=0.7))
        assert time.monotonic() - began < 5


def test_a_name_server_that_hangs_ends_too() -> None:
    """The lookup counts into the attempt's time."""
    began = time.monotonic()
    with pytest.raises(RetryLaterError, match="cannot be looked up now"):
        _send(_hook("http://hook.example/", seconds=0.3, look_up=lambda *_: [str(time.sleep(3))]))
    assert time.monotonic() - began < 2


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    """What more it says than we look at does not matter."""

    def endless(taken: socket.socket) -> None:
        taken.recv(65536)
        taken.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            taken.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")

    with _raw(endless) as url:
        began = time.monotonic()
        assert not _send(_hook(url)).again
        assert time.monotonic() - began < 4


def test_a_compressed_bomb_stays_compressed() -> None:
    """The answer's content is never unpacked."""
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)

    def answer(taken: socket.socket) -> None:
        taken.recv(65536)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)

    with _raw(answer) as url:
        _send(_hook(url))


@pytest.mark.parametrize("said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100])
def test_what_is_no_http_is_tried_again(said: bytes) -> None:
    """A proxy in between may be restarting."""

    def answer(taken: socket.socket) -> None:
        taken.recv(65536)
        taken.sendall(said)
        taken.shutdown(socket.SHUT_RDWR)

    with _raw(answer) as url, pytest.raises(RetryLaterError):
        _send(_hook(url))


def test_an_answer_that_comes_twice_counts_once() -> None:
    """The second one is no answer to anything: the next message has a connection of its own."""
    seen: list[bytes] = []

    def twice(taken: socket.socket) -> None:
        seen.append(taken.recv(65536))
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    with _raw(twice) as url:
        hook = _hook(url)
        for name in ("a", "b", "c"):
            key, message = trial(name, notes=("x",))
            assert hook.deliver(message, key=key).key == key
    assert len(seen) == 3


def test_nobody_there_is_tried_again() -> None:
    """A closed port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RetryLaterError, match="cannot be connected to"):
        _send(_hook(f"http://127.0.0.1:{port}/"))


def test_the_environment_s_proxies_are_not_used(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up by itself."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_data("")
    _send(_hook(httpserver.url_for("/")))


def test_a_message_that_is_too_large_is_given_up(httpserver: HTTPServer) -> None:
    """It would be too large tomorrow."""
    key, message = trial("large", notes=("x" * 3_000_000, "x" * 3_000_000))
    with pytest.raises(GiveUpError, match="at most"):
        _hook(httpserver.url_for("/")).deliver(message, key=key)


def test_settings_are_checked_when_it_is_made() -> None:
    """Not when the first message is to go out."""
    for change in ({"url": "http://example.com/"}, {"secrets": ()}, {"secrets": (SECRET,) * 3}, {"secrets": ("x",)}):
        with pytest.raises(UsageError):
            Webhook(**{"url": "https://example.com/", "secrets": (SECRET,), **change})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for hook.example alone."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hook.example"
    options += f" -addext subjectAltName=DNS:hook.example -keyout {key} -out {made}"
    subprocess.run([openssl, *options.split()], check=True, capture_output=True)
    return made, key


@pytest.mark.parametrize(("host", "passes"), [("hook.example", True), ("other.example", False)])
def test_the_certificate_is_checked_for_the_name(certificate: tuple[Path, Path], host: str, passes: bool) -> None:
    """Though the connection is made to an address, the certificate must be the name's."""
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(*certificate)
    with HTTPServer(host="127.0.0.1", port=0, ssl_context=own) as server:
        server.expect_request("/").respond_with_data("")
        hook = _hook(
            f"https://{host}:{server.port}/",
            tls=ssl.create_default_context(cafile=str(certificate[0])),
            look_up=lambda *_: ["127.0.0.1"],
        )
        if passes:
            assert _send(hook).where == host
        else:
            with pytest.raises(RetryLaterError):
                _send(hook)
        assert len(server.log) == passes
