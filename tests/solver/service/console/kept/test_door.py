"""Who gets in: with which key, how long, what they may, and what another site can make them do."""

from __future__ import annotations

import html

import pytest

from apportion.policy import load_policy
from apportion.service.console.kept import sessions as rules
from apportion.service.console.kept.entrance import COOKIE, within
from apportion.service.store import Run, Store
from tests.solver.service.console.kept.conftest import Visit, Visitor, planned, secret_of, text_of
from tests.solver.service.tables import set_up

IMPOSSIBLE = {"equity": [], "nurture": {"must_assign": True}, "capacity": {"caps": [{"name": "none", "per": "day",
                                                                                     "at_most": 0}]}}  # fmt: skip


@pytest.fixture
def there(store: Store) -> Store:
    """A store without any plan; either database."""
    set_up(store, n_leads=3)
    return store


def test_without_a_session_nothing_is_shown(there: Store, visit: Visit) -> None:
    """A page leads to the sign-in and back; a part of one is refused; from another site one asks again as oneself."""
    one = visit(there)
    for path in ("/", "/runs", "/runs/x/", "/runs/x/leads?text=%22&page=2"):
        reply = one.get(path)
        assert reply.status_code == 303
        assert reply.headers["location"].startswith("/console/signin?then=%2F")
    assert one.get("/runs/x/leads?text=a").headers["location"].endswith("then=%2Fruns%2Fx%2Fleads%3Ftext%3Da")
    for reply in (one.get("/runs/x/jobs/1", accept="*/*"), one.post("/runs/x/whatif"), one.get("/nowhere", accept="")):
        assert reply.status_code == 401
    assert "refresh" in one.get("/runs", **{"sec-fetch-site": "cross-site"}).text
    assert one.get("/static/console.js").status_code == 200
    assert "Sign in" in one.get("/signin").text


def test_the_cookie_is_for_the_console_alone(there: Store, visit: Visit) -> None:
    """HttpOnly, SameSite=Strict, of this path, over TLS only there; it says nothing, and the key is in no answer."""
    secret, one = secret_of(there, "read"), visit(there)
    reply = one.sign_in(secret, "/runs")
    told = reply.headers["set-cookie"]
    assert reply.status_code == 303 and reply.headers["location"] == "/console/runs"
    assert all(part in told for part in ("HttpOnly", "SameSite=strict", "Path=/console;", "Max-Age=28800"))
    assert "Secure" not in told and secret.split("_")[1] not in told
    behind = visit(there, beside=one).post("/signin", {"key": secret}, **{"x-forwarded-proto": "https"})
    assert "Secure" in behind.headers["set-cookie"]
    page = one.get("/runs")
    assert page.status_code == 200 and "There is no plan yet" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'; script-src 'self';")
    assert page.headers["x-frame-options"] == "SAMEORIGIN" and page.headers["cache-control"] == "no-store"
    with there.read() as tx:
        assert [entry.action for entry in tx.audit.page()][-1] == "console.sign_in"


@pytest.mark.parametrize(
    ("scopes", "secret", "status", "said"),
    [((), "", 401, "not good"), ((), "apn_00_11", 401, "not good"), ((), "\x00\ud800", 401, "not good"),
     (("route",), "", 403, "scope read")],
)  # fmt: skip
def test_a_wrong_key_is_told(
    there: Store, visit: Visit, scopes: tuple[str, ...], secret: str, status: int, said: str
) -> None:
    """At its field, without a session; so is one that may not read."""
    one = visit(there)
    reply = one.sign_in(secret_of(there, *scopes) if scopes else secret.encode("utf-8", "replace").decode())
    assert reply.status_code == status and said in reply.text and 'aria-invalid="true"' in reply.text
    assert "set-cookie" not in reply.headers
    assert one.get("/runs").status_code == 303


def test_tries_are_counted(there: Store, visit: Visit) -> None:
    """After as many as are allowed even the right key waits; who is in is not counted there."""
    secret, one = secret_of(there, "read"), visit(there, tries=3)
    assert one.sign_in(secret).status_code == 303
    assert [one.sign_in("wrong").status_code for _ in range(3)] == [401, 401, 429]
    late = one.sign_in(secret)
    assert late.status_code == 429 and "ask again in" in late.text
    assert one.get("/runs").status_code == 200


def test_requests_of_a_session_are_counted_by_its_key(there: Store, visit: Visit) -> None:
    """As calls of the API are."""
    one = visit(there, per_minute=2)
    one.sign_in(secret_of(there, "read"))
    assert [one.get("/runs").status_code for _ in range(3)] == [200, 200, 429]


def test_a_key_that_is_no_longer_good_ends_its_sessions(there: Store, visit: Visit) -> None:
    """Revoked, or given a new secret: at the next request, whatever the page; other keys' sessions go on."""
    others = visit(there)
    others.sign_in(secret_of(there, "read"))
    for change in ("revoke", "rotate"):
        one = visit(there, beside=others)
        secret = secret_of(there, "admin")
        one.sign_in(secret)
        assert one.get("/runs").status_code == 200
        with there.write() as tx:
            getattr(tx.keys, change)(secret.split("_")[1])
        assert one.get("/runs").status_code == 303
        assert one.get("/runs").status_code == 303
    assert others.get("/runs").status_code == 200


def test_a_session_ends(there: Store, visit: Visit) -> None:
    """By signing out, after an hour of silence, after eight hours in any case; then the token is good for nothing."""
    secret, one = secret_of(there, "read"), visit(there)

    def still_in() -> bool:
        return bool(one.get("/runs").status_code == 200)

    one.sign_in(secret)
    token = one.client.cookies[COOKIE]
    left = one.post("/signout")
    assert left.status_code == 303 and "Max-Age=0" in left.headers["set-cookie"]
    one.client.cookies.set(COOKIE, token, path="/console")
    assert not still_in()
    one.sign_in(secret)
    one.clock.now += rules.IDLE_SECONDS - 1
    assert still_in()
    one.clock.now += rules.IDLE_SECONDS + 1
    assert not still_in()
    one.sign_in(secret)
    for _ in range(9):
        assert still_in() or one.clock.now > rules.LONGEST_SECONDS
        one.clock.now += 3_550
    assert not still_in()


def test_sessions_have_an_end_in_number(there: Store, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was quiet longest goes first."""
    monkeypatch.setattr(rules, "MOST_SESSIONS", 2)
    first = visit(there)
    people = [first, visit(there, beside=first), visit(there, beside=first)]
    for one in people[:2]:
        one.sign_in(secret_of(there, "read"))
    assert first.get("/runs").status_code == 200
    people[2].sign_in(secret_of(there, "read"))
    assert [one.get("/runs").status_code for one in people] == [200, 303, 200]


def test_other_sites_pages_change_nothing(there: Store, visit: Visit) -> None:
    """Neither signing somebody in nor out, nor asking: by what the browser says of where it comes from."""
    one = visit(there)
    secret = secret_of(there, "admin")
    foreign = [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.example"},
               {"origin": "null"}]  # fmt: skip
    for headers in foreign:
        assert one.post("/signin", {"key": secret}, **headers).status_code == 403
    assert one.client.post("/console/signin", data={"key": secret}).status_code == 403
    own = {"origin": "http://testserver"}
    assert (
        one.client.post("/console/signin", data={"key": secret}, headers=own, follow_redirects=False).status_code == 303
    )
    for headers in foreign:
        assert one.post("/signout", **headers).status_code == 403
    assert one.get("/runs").status_code == 200


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil", "x", "", "/\r\nSet-Cookie: a=b", "/ö"]
)
def test_one_is_sent_on_within_the_console_alone(there: Store, visit: Visit, address: str) -> None:
    """Whatever the address of the sign-in page says."""
    assert within(address) == "/"
    one = visit(there)
    assert one.sign_in(secret_of(there, "read"), address).headers["location"] == "/console/"
    assert within("/runs/a/lead?id=1%202") == "/runs/a/lead?id=1%202"


def test_whoever_may_read_may_not_ask(plan: Run, store: Store, visit: Visit) -> None:
    """Every page is shown, and says so; nothing that asks or saves is done."""
    one = visit(store)
    one.sign_in(secret_of(store, "read"))
    root = one.opened(plan.run_id)
    page = one.get(f"{root}/whatif")
    assert page.status_code == 200 and "may read plans, and not ask" in text_of(page.text) and "disabled" in page.text
    for path in ("whatif", "scenarios/save", "scenarios/put", "scenarios/delete", "frontier", "load"):
        reply = one.post(f"{root}/{path}", {"text": "name: x\n", "kind": "capacity"})
        assert reply.status_code == 403 and "that needs write" in text_of(reply.text)
    with store.read() as tx:
        assert tx.scenarios.all() == []


def test_a_store_that_is_away_is_told(there: Store, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 on the page and at the sign-in, without a word of where it is."""
    from apportion.service.store import AwayError

    one: Visitor = visit(there)
    secret = secret_of(there, "read")
    one.sign_in(secret)

    def away() -> None:
        raise AwayError("The store at postgresql://host/name is away.")

    monkeypatch.setattr(there, "read", away)
    for reply in (one.get("/runs"), one.sign_in(secret), one.get("/runs/x/")):
        assert reply.status_code == 503
        assert "The store is busy or away" in reply.text and "postgresql" not in reply.text


def test_runs_are_listed_and_failed_ones_tell_why(there: Store, visit: Visit) -> None:
    """Before the first plan: what there is for it, what is missing, and what stood in the way."""
    one = visit(there)
    one.sign_in(secret_of(there, "read"))
    text = text_of(one.get("/runs").text)
    assert "3 leads" in text and "3 reps" in text and "version 1 in use" in text
    assert one.get("/").headers["location"] == "/console/runs"
    with there.write() as tx:
        tx.policies.activate(tx.policies.add(load_policy(IMPOSSIBLE)).version)
    failed = planned(there)
    assert failed.state == "failed"
    text = text_of(one.get("/runs").text)
    assert "There is no plan yet" in text and "batch of the store: failed" in text
    assert str((failed.error or {})["message"]).split(chr(10))[0][:40] in html.unescape(text)
