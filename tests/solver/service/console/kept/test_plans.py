"""Plans of the store on the console's pages: what was handed out, questions on it, scenarios kept, people apart."""

from __future__ import annotations

import re

import pytest

from apportion.policy import load_policy
from apportion.service.console.kept import front as rules
from apportion.service.runs import ask_given, work
from apportion.service.store import Run, Store
from apportion.service.store.forget import forget_lead
from tests.solver.service.console.kept.conftest import Visit, Visitor, planned, secret_of, text_of
from tests.solver.service.tables import leads, reps

PAGES = ("/", "/leads", "/reps", "/whatif", "/scenarios", "/frontier", "/policy", "/policy/document",
         "/lead?id=L0003", "/rep?id=R1")  # fmt: skip


def boxes(visitor: Visitor, root: str) -> dict[str, str]:
    """The panel's boxes, all ticked, as its page has them."""
    page = visitor.get(f"{root}/whatif?fresh=1").text
    return dict.fromkeys(re.findall(r'type="checkbox" name="([^"]+)" value="on" data-base="on"', page), "on")


@pytest.fixture
def inside(plan: Run, store: Store, visit: Visit) -> Visitor:
    """Somebody who may ask."""
    one = visit(store)
    one.sign_in(secret_of(store, "read", "write"))
    return one


def test_the_newest_plan_is_todays(plan: Run, store: Store, inside: Visitor) -> None:
    """The first page leads to it; what it shows is what was assigned; every view is under it."""
    assert inside.get("/").headers["location"] == f"/console/runs/{plan.run_id}/"
    root = inside.opened(plan.run_id)
    for path in PAGES:
        reply = inside.get(root + path)
        assert reply.status_code == 200, path
        assert "/console/runs/" in reply.text or "document" in path
    assert "Today's plan" in text_of(inside.get(f"{root}/").text).replace("&#39;", "'")
    rows = inside.get(f"{root}/tables/leads.csv").text.splitlines()
    head = rows[0].split(",")
    shown = {row.split(",")[0]: row.split(",")[head.index("rep_id")] for row in rows[1:]}
    with store.read() as tx:
        assert shown == {one.lead_id: one.rep_id or "" for one in tx.assignments.page(run_id=plan.run_id)}
    assert inside.get("/runs/nothing/").status_code == 404
    listed = text_of(inside.get("/runs").text)
    assert "batch of the store" in listed and "12" in listed and "version 1" in listed


def test_an_earlier_plan_says_that_there_is_a_newer(plan: Run, store: Store, inside: Visitor) -> None:
    """And that another policy is in use now; a plan of tables of its own says that it placed nobody."""
    with store.write() as tx:
        tx.leads.upsert(leads(2, first=50))
        tx.policies.activate(tx.policies.add(load_policy({"equity": [], "nurture": {"value": 3}})).version)
    newer = planned(store)
    with store.write() as tx:
        ask_given(tx, {"leads": leads(2), "reps": reps(2)}, at=tx.now())
    given = work(store, owner="w")
    assert given is not None
    earlier = text_of(inside.get(f"{inside.opened(plan.run_id)}/").text)
    assert "An earlier plan" in earlier and "Show the newest" in earlier and "version 2 is in use now" in earlier
    assert inside.get("/").headers["location"] == f"/console/runs/{newer.run_id}/"
    assert "Show the newest" not in inside.get(f"{inside.opened(newer.run_id)}/").text
    own = text_of(inside.get(f"{inside.opened(given.run_id)}/").text)
    assert "it placed no lead of the store" in own


def test_what_if_starts_from_the_plan_of_the_store(plan: Run, store: Store, inside: Visitor) -> None:
    """Nothing turned is no difference; something turned is answered; neither changes the store."""
    root = inside.opened(plan.run_id)
    with store.read() as tx:
        before = tx.assignments.told(plan.run_id), tx.leads.counts()
    fields = boxes(inside, root)
    assert "no difference" in inside.answered(root, inside.post(f"{root}/whatif", fields))
    answer = text_of(inside.answered(root, inside.post(f"{root}/whatif", fields | {"rep.0.in": ""} | {"exact": "on"})))
    assert "R1 leaves" in answer and "Proved within" in answer
    with store.read() as tx:
        assert (tx.assignments.told(plan.run_id), tx.leads.counts()) == before
    with store.write(actor="test") as tx:
        forget_lead(tx, "L0002")
    assert "Proved within" in text_of(inside.answered(root, inside.post(f"{root}/whatif", fields)))


def test_a_plan_whose_inputs_were_erased_is_refused(plan: Run, store: Store, visit: Visit) -> None:
    """With the reason; the other plans can be looked at."""
    with store.write(actor="test") as tx:
        forget_lead(tx, "L0002")
    one = visit(store)
    one.sign_in(secret_of(store, "read"))
    for _ in range(200):
        page = one.get(f"/runs/{plan.run_id}/")
        if "Getting ready" not in page.text:
            break
    assert page.status_code == 409 and "erased on request" in page.text and "/console/runs" in page.text


def test_scenarios_are_kept_in_the_store(plan: Run, store: Store, inside: Visitor) -> None:
    """Saved by one, seen by all, compared, handed out as a file, deleted; nobody names a folder of the machine."""
    root = inside.opened(plan.run_id)
    fields = boxes(inside, root) | {"rep.1.in": "", "name": "R2 <leaves> / ö"}
    assert "is saved" in inside.post(f"{root}/scenarios/save", fields).text
    assert inside.post(f"{root}/scenarios/save", fields).status_code == 422
    assert inside.post(f"{root}/scenarios/save", fields | {"replace": "on"}).status_code == 200
    text = "name: Second\npolicy: {set: {nurture.value: 50}}"
    assert inside.post(f"{root}/scenarios/put", {"text": text}).json() == {"go": f"/console{root}/scenarios"}
    refused = inside.post(f"{root}/scenarios/put", {"text": "name: far\nfit: {model: /etc}"})
    assert refused.status_code == 422 and "must not name a folder here" in refused.text
    other = Visitor(inside.client, inside.front, inside.clock)
    page = other.get(f"{root}/scenarios").text
    assert "R2 &lt;leaves&gt; / ö" in page and "Kept in the store" in page
    file = inside.get(f"{root}/scenarios/file?file=R2%20%3Cleaves%3E%20%2F%20%C3%B6")
    assert file.text.startswith("version: 1") and 'filename="r2-leaves.yaml"' in file.headers["content-disposition"]
    both = {"file": ["R2 <leaves> / ö", "Second"], "together": "on"}
    assert "+ Second" in inside.answered(root, inside.post(f"{root}/scenarios/compare", both))
    turned = inside.get(f"{root}/whatif?file=Second").text
    assert re.search(r'name="nurture.value" value="50"', turned) and 'value="Second"' in turned
    assert inside.get(f"{root}/whatif?file=nothing").status_code == 404
    for name in both["file"]:
        assert inside.post(f"{root}/scenarios/delete", {"file": name}).status_code == 200
    assert inside.post(f"{root}/scenarios/delete", {"file": "Second"}).status_code == 400
    with store.read() as tx:
        assert tx.scenarios.all() == []
        assert {entry.actor for entry in tx.audit.page() if entry.action.startswith("scenario")} < {
            f"key:{key.key_id}" for key in tx.keys.all()
        } | {"never"}


def test_peoples_questions_are_their_own(plan: Run, store: Store, inside: Visitor, visit: Visit) -> None:
    """Another's question calls mine not off, and nobody reads another's answer."""
    other = visit(store, beside=inside)
    other.sign_in(secret_of(store, "write", "read"))
    root = inside.opened(plan.run_id)
    mine = inside.post(f"{root}/whatif", boxes(inside, root) | {"rep.0.in": ""})
    theirs = other.post(f"{root}/whatif", boxes(inside, root) | {"rep.1.in": ""})
    assert "R1 leaves" in inside.answered(root, mine)
    assert "R2 leaves" in other.answered(root, theirs)
    third = visit(store, beside=inside)
    third.sign_in(secret_of(store, "read"))
    assert third.get(f"{root}/jobs/{mine.json()['job']}").status_code == 404
    assert "R1 leaves" not in third.get(f"{root}/whatif").text


def test_open_plans_are_few(
    plan: Run, store: Store, inside: Visitor, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody looked at for longest is let go, and opened again where somebody asks."""
    monkeypatch.setattr(rules, "MOST_OPEN", 1)
    monkeypatch.setattr(rules, "MOST_OF_ONE", 1)
    with store.write() as tx:
        tx.leads.upsert(leads(2, first=50))
    newer = planned(store)
    other = visit(store, beside=inside)
    other.sign_in(secret_of(store, "read"))
    other.opened(plan.run_id)
    (watching,) = [one for one in inside.front.sessions._held.values() if one.consoles]
    held = watching.consoles[plan.run_id]
    for run in (plan, newer):
        inside.opened(run.run_id)
    assert list(inside.front._opened) == [newer.run_id]
    assert not watching.consoles and held.today is None  # nothing of it stays in memory for those who are away
    other.opened(plan.run_id)
