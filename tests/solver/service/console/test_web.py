"""The console over HTTP, without a browser: what is answered, to whom, and with which headers."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from apportion.service.console.web.guard import MOST_BODY, allowed_hosts, host_of
from tests.solver.service.console.company import LEAD, SCRIPT, Company, leads_of
from tests.solver.service.console.conftest import PATIENCE, Served, serve

OWN = {"X-Apportion": "console"}


class Reply:
    """One answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers = response.status, {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def call(served: Served, method: str, path: str, body: str | None = None, **headers: str) -> Reply:
    """One request, with exactly these headers beside those that HTTP needs."""
    connection = http.client.HTTPConnection(served.address.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def get(served: Served, path: str, **headers: str) -> Reply:
    return call(served, "GET", path, **headers)


def post(served: Served, path: str, fields: dict[str, Any] | list[tuple[str, str]] | None = None) -> Reply:
    return call(served, "POST", path, urlencode(fields or {}, doseq=True), **OWN)


def answered(served: Served, reply: Reply) -> str:
    """The part of the page that a job's answer is."""
    assert reply.status == 202, reply.text
    job, end = reply.json["job"], time.monotonic() + PATIENCE
    while get(served, f"/jobs/{job}").json["state"] in ("waiting", "running") and time.monotonic() < end:
        time.sleep(0.05)
    return get(served, f"/jobs/{job}/answer").text


PAGES = ["/", "/leads", f"/lead?id={quote(LEAD)}", f"/lead?id={quote(LEAD)}&rep=R02", "/reps", "/rep?id=R01",
         f"/rep?id=R02&lead={quote(LEAD)}", "/whatif", "/scenarios", "/frontier", "/policy", "/policy/document",
         "/leads?text=%3Ci%3E&rep=R01&outcome=assigned&tier=hot&page=99"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_and_is_escaped(served: Served, path: str) -> None:
    """200, guarded, and no name of the data ever becomes markup."""
    reply = get(served, path)
    assert reply.status == 200
    assert SCRIPT not in reply.text and "<i>" not in reply.text and "<b>bold" not in reply.text
    assert "script-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert "http://" not in reply.text.replace("http://www.w3.org", "") and "https://" not in reply.text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/lead?id=nobody", 404), ("/lead", 404), ("/rep?id=x", 404), ("/tables/x.csv", 404),
     ("/tables/moves.csv?job=999", 404), ("/static/../guard.py", 404), ("/static/%2e%2e%2fguard.py", 404),
     ("/scenarios/file?file=../../x.yaml", 404), ("/whatif?file=nowhere.yaml", 404), ("/jobs/999", 404),
     ("/leads?page=-3", 200), ("/leads?page=%C2%B2", 200), ("/jobs/999/answer", 200), ("/whatif?job=999", 200)],
)  # fmt: skip
def test_wrong_addresses_are_told(served: Served, path: str, status: int) -> None:
    """What is not there is said to be not there; nothing outside can be named."""
    assert get(served, path).status == status


@pytest.mark.parametrize("path", ["/tables/leads.csv?rep=R02", "/tables/reps.csv", "/tables/prices.csv",
                                  "/tables/routers.csv", "/policy/file"])  # fmt: skip
def test_tables_are_handed_out_as_files(served: Served, path: str) -> None:
    """An attachment with a name, never something that a browser shows."""
    reply = get(served, path)
    assert reply.status == 200 and reply.headers["content-disposition"].startswith("attachment")
    assert len(reply.text.splitlines()) > 1


def test_only_this_machines_names_are_answered(served: Served) -> None:
    """A foreign name that is pointed at this machine gets nothing."""
    assert get(served, "/", Host="evil.example").status == 421
    assert get(served, "/", Host="").status == 421
    for name in ("localhost:80", "127.0.0.1", "LOCALHOST"):
        assert get(served, "/", Host=name).status == 200
    assert host_of("[::1]:8484") == "[::1]" and host_of("a.example:1") == "a.example"
    assert allowed_hosts("0.0.0.0") is None and "127.0.0.1" in (allowed_hosts("10.0.0.1") or ())


def test_other_sites_pages_change_nothing(served: Served) -> None:
    """A form or script of another site cannot send the console's own header, nor say that it is of this site."""
    body = urlencode({"text": "name: planted\n"})
    assert call(served, "POST", "/scenarios/put", body).status == 403
    assert call(served, "POST", "/scenarios/put", body, **OWN, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert call(served, "POST", "/load", "", Origin="http://evil.example").status == 403
    assert not list(served.folder.glob("planted*"))


def test_what_is_sent_is_bounded(served: Served) -> None:
    """A body that is too large is refused before it is read, and so is one of which nobody says how large it is."""
    assert call(served, "POST", "/whatif", None, **OWN, **{"Content-Length": str(MOST_BODY + 1)}).status == 413
    assert call(served, "POST", "/whatif", None, **OWN, **{"Transfer-Encoding": "chunked"}).status == 411
    many = "&".join(f"x{number}=1" for number in range(20_001))
    assert "cannot be read" in call(served, "POST", "/whatif", many, **OWN).text


def whole(served: Served, **turned: str) -> dict[str, str]:
    """The panel's boxes, all ticked, and what is turned."""
    from apportion.service.console.panel import open_panel

    today = served.console.today
    panel = open_panel(today.setting, today.report.batch)
    boxes = {knob.name: "on" for knob in panel.knobs() if knob.look == "check"}
    return {name: value for name, value in (boxes | turned).items() if value}


def test_a_scenario_is_answered_and_its_tables_are_handed_out(served: Served) -> None:
    """202 with a job, its state, its answer, its CSV; the panel comes back as it was asked."""
    reply = post(served, "/whatif", whole(served, **{"rep.1.in": "", "nurture.value": "33"}))
    html = answered(served, reply)
    assert "What changes" in html and "R02 leaves" in html
    job = reply.json["job"]
    for name in ("scenarios", "moves", "groups"):
        assert get(served, f"/tables/{name}.csv?job={job}").status == 200
    assert get(served, f"/tables/study.csv?job={job}").status == 404
    assert 'value="33"' in get(served, f"/whatif?job={job}").text
    assert 'value="33"' not in get(served, "/whatif?fresh=1").text


def test_wrong_input_is_a_findings_table(served: Served) -> None:
    """At once where the form is wrong, after the job where the scenario does not fit; both name the place."""
    reply = post(served, "/whatif", whole(served, **{"cap.0.most": "many"}))
    assert reply.status == 422 and "must be a number" in reply.text and "finding-table" in reply.text
    html = answered(served, post(served, "/whatif", whole(served, further="reps: {leave: [<i>R99]}\n")))
    assert "finding-table" in html and "reps.leave[0]" in html and "&lt;i&gt;R99" in html


def test_scenarios_are_saved_loaded_compared_and_deleted(served: Served) -> None:
    """The whole life of a saved scenario; a name that is taken is refused, and replaced where that is asked."""
    fields = whole(served, **{"rep.2.in": "", "name": "Life <of> it"})
    assert "life-of-it.yaml" in post(served, "/scenarios/save", fields).text
    assert post(served, "/scenarios/save", fields).status == 422
    assert post(served, "/scenarios/save", fields | {"replace": "on"}).status == 200
    text = "name: Second\npolicy: {set: {nurture.value: 50}}"
    assert post(served, "/scenarios/put", {"text": text}).json == {"go": "/scenarios"}
    assert post(served, "/scenarios/put", {"text": "  "}).status == 400
    assert post(served, "/scenarios/put", {"text": "name: [1"}).status == 422
    assert post(served, "/scenarios/put", {"text": "name: far\nfit: {model: /etc}"}).status == 422
    assert "Life &lt;of&gt; it" in get(served, "/scenarios").text
    assert get(served, "/scenarios/file?file=second.yaml").text.startswith("version: 1")
    both = {"file": ["life-of-it.yaml", "second.yaml"], "together": "on"}
    html = answered(served, post(served, "/scenarios/compare", both))
    assert "Life &lt;of&gt; it + Second" in html
    assert post(served, "/scenarios/compare", {}).status == 400
    for file in both["file"]:
        assert post(served, "/scenarios/delete", {"file": file}).json == {"go": "/scenarios"}
        assert not (served.folder / file).exists()


def test_studies_are_asked_for(served: Served) -> None:
    """A kind that there is has an answer and a CSV; another is refused."""
    reply = post(served, "/frontier", {"kind": "capacity"})
    assert "study-table" in answered(served, reply)
    assert get(served, f"/tables/study.csv?job={reply.json['job']}").status == 200
    assert post(served, "/frontier", {"kind": "nonsense"}).status == 400


def test_a_job_is_called_off(served: Served) -> None:
    """What is called off says so, whether it had begun or not."""
    reply = post(served, "/frontier", {"kind": "sensitivity"})
    assert post(served, f"/jobs/{reply.json['job']}/cancel").status == 204
    assert "Called off" in answered(served, reply)


@pytest.fixture
def broken(company: Company, tmp_path: Path) -> Iterator[Served]:
    """A console over a batch with two faults."""
    table = leads_of(company)
    table.loc[3, "created_at"] = "last week"
    table.loc[5, "lead_id"] = table.loc[4, "lead_id"]
    table.to_csv(tmp_path / "leads.csv", index=False)
    yield from serve(company.request(leads=tmp_path / "leads.csv"), tmp_path)


def test_wrong_inputs_are_told_and_read_again(broken: Served, company: Company, tmp_path: Path) -> None:
    """Every page tells the findings, all at once; when the file is mended, it is read again and the plan is there."""
    broken.ready()
    for path in ("/", "/leads", "/whatif"):
        reply = get(broken, path)
        assert reply.status == 422
        assert "created_at" in reply.text and "last week" in reply.text and "lead_id" in reply.text
    assert post(broken, "/whatif", {}).status == 400
    leads_of(company).to_csv(tmp_path / "leads.csv", index=False)
    assert post(broken, "/load").json == {"go": "/"}
    assert get(broken.ready(), "/").status == 200


def test_it_can_be_mounted_beside_others(company: Company, tmp_path: Path) -> None:
    """Under a path of another application every address that a page names is under that path."""
    uvicorn = pytest.importorskip("uvicorn")
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from apportion.service.console import create_console

    inner = create_console(company.request(), scenarios=tmp_path)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Mount("/console", inner)]), port=0, log_level="error"))
    import threading

    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    mounted = Served(f"http://127.0.0.1:{port}", inner, tmp_path).ready()
    try:
        page = get(mounted, "/console/leads").text
        assert 'href="/console/static/console.css"' in page and 'href="/leads' not in page
        assert get(mounted, "/console/static/console.js").status == 200
        assert post(mounted, "/console/scenarios/put", {"text": "name: x\n"}).json == {"go": "/console/scenarios"}
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        inner.state.console.close()


def test_a_bug_is_told_without_its_details(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """500, guarded like every page; what went wrong inside stays where the console runs."""

    def burst(*given: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apportion.service.console.web.reading.leads_view", burst)
    reply = get(served, "/leads")
    assert reply.status == 500 and "bug" in reply.text and "secret" not in reply.text
    assert "script-src 'self'" in reply.headers["content-security-policy"]
