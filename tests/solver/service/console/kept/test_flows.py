"""The service's console in a real browser, as `apportion serve` mounts it: in, through a plan, and out again."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from apportion.service.serving import service_app
from apportion.service.settings import Settings
from apportion.service.store import Run, Store, open_store
from tests.solver.service.console.browsing import NARROW, WAIT, WIDE, faults, fits
from tests.solver.service.console.kept.conftest import PATIENCE, POLICY, planned, secret_of
from tests.solver.service.tables import leads, set_up

FORMULA = "=HYPERLINK(1)"
VIEWS = ("", "leads", "lead?id=L0003", "reps", "rep?id=R1", "whatif", "scenarios", "frontier", "policy")


@dataclass
class There:
    """A service that can be reached, its store, and its plan."""

    address: str
    store: Store
    run: Run


@pytest.fixture(scope="module")
def there(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    """The whole service, served from a thread; one lead's contact is a formula."""
    import uvicorn

    path = tmp_path_factory.mktemp("kept") / "kept.db"
    shutil.copy(sqlite_template, path)
    store = open_store(f"sqlite:///{path}")
    set_up(store, n_leads=12, policy=POLICY)
    with store.write() as tx:
        tx.leads.upsert(leads(1, first=90, contact=[FORMULA]))
    run = planned(store)
    app = service_app(store, Settings(clockwork=False))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not server.started and time.monotonic() < end:
        time.sleep(0.02)
    yield There(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", store, run)
    server.should_exit = True
    thread.join(PATIENCE)
    store.close()


@pytest.fixture
def page(browser: Any, there: There, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A browser that has never been there; nothing may go wrong in it that no test asked for."""
    how = getattr(request, "param", {})
    context = browser.new_context(**({"viewport": WIDE, "locale": "en-GB"} | how))
    one, wrong = context.new_page(), []
    one.set_default_timeout(WAIT)
    one.on("pageerror", lambda error: wrong.append(str(error)))
    one.on("request", lambda asked: None if asked.url.startswith(there.address) else wrong.append(asked.url))
    yield one
    context.close()
    assert wrong == []


def sign_in(page: Any, there: There, *scopes: str, path: str = "/console/") -> str:
    """With a new key, by the keyboard alone; gives its secret."""
    secret = secret_of(there.store, *scopes)
    page.goto(there.address + path)
    page.wait_for_selector("#key:focus")
    page.keyboard.type(secret)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/signin" not in address)
    return secret


def test_in_through_a_plan_and_out_again(page: Any, there: There) -> None:
    """A wrong key is told at its field; the right one leads to today's plan; signed out, the way back is shut."""
    page.goto(f"{there.address}/console/")
    page.fill("#key", "apn_wrong_key")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fault")
    assert "not good" in page.inner_text("#fault") and page.input_value("#key") == ""
    assert faults(page) == []
    sign_in(page, there, "read", "write")
    page.wait_for_selector("#proof")
    assert page.inner_text("h1") == "Today's plan"
    assert page.context.cookies()[0]["httpOnly"] and page.context.cookies()[0]["sameSite"] == "Strict"
    page.wait_for_selector("#chart-routers .main-svg")
    page.click("text=All plans")
    page.click("#run-table a >> nth=0")
    page.wait_for_selector("#proof")
    page.click("text=Sign out")
    page.wait_for_selector("#key")
    page.go_back()
    page.reload()
    page.wait_for_selector("#key")


def test_what_if_is_asked_saved_and_handed_out(page: Any, there: There) -> None:
    """Bound and gap as it goes, the answer, its CSV, a scenario in the store; formulas are harmless in every CSV."""
    sign_in(page, there, "read", "write", path=f"/console/runs/{there.run.run_id}/whatif?fresh=1")
    page.wait_for_selector("#panel")
    assert page.inner_text("#answer .empty")
    page.uncheck("input[name='rep.0.in']")
    page.click("button.go")
    page.wait_for_selector("#answer .result")
    assert "R1 leaves" in page.inner_text("#answer")
    assert page.locator("#move-table th").first.inner_text() == "Lead"
    page.click("summary:has-text('Save as a scenario')")
    page.fill("#panel input[name=name]", "Without R1")
    page.click("#group-save button")
    page.click("#saved a")
    assert "Without R1" in page.inner_text(".card") and "Kept in the store" in page.inner_text(".meta >> nth=0")
    page.goto(f"{there.address}/console/runs/{there.run.run_id}/leads")
    with page.expect_download() as download:
        page.click("a.csv")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert f"'{FORMULA}" in text and f",{FORMULA}" not in text


def test_a_revoked_key_ends_the_session_where_one_is(page: Any, there: There) -> None:
    """The next click leads to the sign-in, and from there back to the page that was wanted."""
    path = f"/console/runs/{there.run.run_id}/reps"
    secret = sign_in(page, there, "read", path=path)
    page.wait_for_selector("#rep-table")
    with there.store.write() as tx:
        tx.keys.revoke(secret.split("_")[1])
    page.click("#rep-table a >> nth=0")
    page.wait_for_selector("#key")
    page.fill("#key", secret_of(there.store, "read"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#capacity")


def test_a_key_that_may_only_read_sees_and_cannot_ask(page: Any, there: There) -> None:
    """The button is off, and the page says which scope is needed."""
    sign_in(page, there, "read", path=f"/console/runs/{there.run.run_id}/whatif")
    assert page.is_disabled("button.go") and "scope write" in page.inner_text(".standing")
    page.fill("input[name='nurture.value']", "9")
    page.keyboard.press("Control+Enter")
    assert page.locator("#answer .working").count() == 0


LOOKS = [{"viewport": NARROW}, {"color_scheme": "dark"}, {"viewport": {"width": 720, "height": 450}, "locale": "sv-SE"},
         {"forced_colors": "active"}]  # fmt: skip


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=["narrow", "dark", "200 %", "forced colours"])
def test_every_page_can_be_read_and_used(page: Any, there: There, request: pytest.FixtureRequest) -> None:
    """Narrow, dark, twice as large, in forced colours: nothing hangs over, everything has a name and stands out."""
    page.goto(f"{there.address}/console/signin")
    assert fits(page) and faults(page) == []
    sign_in(page, there, "read", "write")
    page.wait_for_selector("#proof")
    forced = "forced" in request.node.callspec.id  # then colours are the system's, and not ours to judge
    for path in VIEWS:
        page.goto(f"{there.address}/console/runs/{there.run.run_id}/{path}")
        page.wait_for_selector("h1")
        assert fits(page), path
        assert [one for one in faults(page) if not (forced and " to 1: " in one)] == [], path
    page.goto(f"{there.address}/console/runs")
    assert fits(page) and (forced or faults(page) == [])
