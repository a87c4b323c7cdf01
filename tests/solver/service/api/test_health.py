"""Up, ready, measured; and every answer with secure headers, every error a problem."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from apportion.service.api import Limits, make_app
from apportion.service.store import Store, Tx, open_store
from apportion.service.watching import set_up_logs
from tests.solver.service.api.conftest import Client


def test_health_needs_no_key_and_metrics_tell_of_no_one(client: Client) -> None:
    """Up, ready, and the exposition format with the leads that wait."""
    one = client()
    assert one.get("/healthz").json()["status"] == "ok"
    assert one.get("/readyz").status_code == 200
    text = one.get("/metrics").text
    assert 'apportion_leads{state="waiting"} 12.0' in text
    assert 'apportion_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text
    assert "L0001" not in text


def test_a_store_that_is_not_set_up_is_not_ready(tmp_path: Path) -> None:
    """503 with a problem; the address of the store is not told."""
    store = open_store(f"sqlite:///{tmp_path}/empty.db")
    with TestClient(make_app(store)) as one:
        answer = one.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(tmp_path) not in answer.text
    store.close()


def test_the_document_and_its_page_are_served(client: Client) -> None:
    """OpenAPI says that errors are problems and that keys are needed."""
    one = client()
    document = one.get("/openapi.json").json()
    assert document["info"]["title"] == "Apportion"
    assert "Problem" in document["components"]["schemas"]
    page = one.get("/docs")
    assert page.status_code == 200
    assert "jsdelivr" in page.headers["content-security-policy"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/healthz", 405)])
def test_what_http_has_a_name_for_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    """Also errors that no code of ours raises are problems, with secure headers and a request id."""
    answer = client().request(method, path)
    assert answer.status_code == status == answer.json()["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"]


def test_a_bug_tells_nothing_and_is_logged_without_its_words(there: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 holds no text of the exception, and the log has its kind and place alone, under the request's id."""

    def broken(*_: object) -> None:
        raise RuntimeError("anna@example.org")

    monkeypatch.setattr(Tx, "now", broken)
    written = io.StringIO()
    with TestClient(make_app(there, log=set_up_logs(stream=written)), raise_server_exceptions=False) as one:
        answer = one.get("/metrics")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_server_error"
    assert "anna" not in answer.text + written.getvalue()
    assert "RuntimeError" in written.getvalue()
    assert answer.headers["x-request-id"] in written.getvalue()


def test_no_origin_may_call_unless_it_is_named(client: Client) -> None:
    """No CORS headers by default; the named origin alone otherwise."""
    ask = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert "access-control-allow-origin" not in client().options("/healthz", headers=ask).headers
    named = client(limits=Limits(origins=("https://app.example",)))
    assert named.options("/healthz", headers=ask).headers["access-control-allow-origin"] == "https://app.example"
    other = named.options("/healthz", headers=ask | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
