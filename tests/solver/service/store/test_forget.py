"""A person's data go when they must, and nothing else does."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from apportion.service.runs import begin, document, renew, repeat, work
from apportion.service.store import Store
from apportion.service.store.copying import TABLES, rows
from apportion.service.store.forget import forget_lead, forget_rep
from apportion.service.store.schema import snapshots
from apportion.service.store.scrub import scrub
from apportion_models.errors import ConflictError, NotFoundError
from tests.solver.service.conftest import FakeClock
from tests.solver.service.tables import leads, reps, set_up


def everything(store: Store) -> str:
    """All that the store holds, as one text, the contents of snapshots unpacked; but for models, which are arrays."""
    with store.read() as tx:
        told = [json.dumps(row) for table in TABLES if table.name != "model_files" for row in rows(tx, table)]
        told += [zlib.decompress(row.content).decode() for row in tx.connection.execute(sa.select(snapshots))]
    return "\n".join(told)


def lived_in(store: Store) -> list[str]:
    """Two batches, an override, letters and answers that name people. Gives the runs."""
    set_up(store, n_leads=5)
    with store.write() as tx:
        tx.leads.upsert(leads(1, lead_id=["anna@example.org"], contact=["Anna Andersson"]))
        tx.overrides.set(lead_id="anna@example.org", rep_id="R1", kind="ban", said_by="R2", reason="Anna said no")
        tx.runs.add(options={"sinks": ["hook"]})
    first = work(store, owner="w")
    with store.write() as tx:
        (key,) = tx.leads.keys(["anna@example.org"]).values()
        tx.outbox.add(topic="t", key="a", payload={"who": "Anna Andersson"}, sinks=["hook"], lead_key=key)
        tx.scenarios.put("R2 leaves", "name: R2 leaves\ndescription: said anna@example.org\nreps: {leave: [R2]}\n")
        tx.idempotency.begin(scope="s", key="k", body_hash="h")
        tx.idempotency.finish(scope="s", key="k", status=200, response={"lead_id": "anna@example.org"})
        tx.idempotency.begin(scope="s", key="other", body_hash="h")
        tx.idempotency.finish(scope="s", key="other", status=200, response={"lead_id": "L0001"})
        tx.leads.upsert(leads(4, first=70))
        tx.runs.add(options={"sinks": ["hook"]})
    second = work(store, owner="w")
    assert first is not None
    assert second is not None
    assert (first.state, second.state) == ("done", "done"), (first.error, second.error)
    return [first.run_id, second.run_id]


def test_a_forgotten_lead_is_nowhere(store: Store) -> None:
    """Neither id nor contact stands anywhere; counts, loads and all that was decided of others stay."""
    first, second = lived_in(store)
    before = everything(store)
    assert "anna@example.org" in before
    assert "Anna" in before
    with store.read() as tx:
        told = {one.lead_id: one for one in tx.assignments.page(limit=1000)}
        earlier = tx.assignments.earlier(tx.last_tick("assignments"))
        trail = tx.audit.verify()
    with store.write(actor="test") as tx:
        done = forget_lead(tx, "anna@example.org")
    assert done.runs == 1
    after = everything(store)
    assert "anna@example.org" not in after
    assert "Anna" not in after
    with store.read() as tx:
        now = {one.lead_id: one for one in tx.assignments.page(limit=1000)}
        assert tx.assignments.earlier(tx.last_tick("assignments")) == earlier
        assert set(now) == set(told) - {"anna@example.org"} | {done.alias}
        assert all(now[lead] == one for lead, one in told.items() if lead != "anna@example.org")
        gone = now[done.alias]
        assert (gone.rep_id, gone.reason) == (told["anna@example.org"].rep_id, None)
        assert tx.audit.verify().ok
        assert tx.audit.verify().entries == trail.entries + 1
        assert document(tx, first)["summary"] == tx.runs.get(first).plan["summary"]  # type: ignore[index]
        assert [letter.payload for letter in tx.outbox.page() if letter.topic == "t"] == [{}]
        assert [letter.state for letter in tx.outbox.page() if letter.topic == "t"] == ["dropped"]
        assert tx.overrides.page().items == ()
    with pytest.raises(ConflictError, match="erased on request"):
        repeat(store, first)
    assert repeat(store, second).same
    with store.write() as tx:
        answer = tx.idempotency.begin(scope="s", key="other", body_hash="h")
        assert answer is not None
        assert tx.idempotency.begin(scope="s", key="k", body_hash="h") is None
        for unknown in ("anna@example.org", "nobody", done.alias):
            with pytest.raises(NotFoundError):
                forget_lead(tx, unknown)


def test_a_forgotten_rep_is_nowhere(store: Store) -> None:
    """Neither id nor name stands anywhere, in plans and reasons neither; the leads stay counted under another name."""
    lived_in(store)
    with store.write() as tx:
        tx.reps.upsert(reps(3, rep_id=["R1", "R2", "Bo Berg"], name=["A", "B", "Bo B. Berg"]))
        tx.leads.upsert(leads(8, first=300, owner_rep_id=["Bo Berg"] * 8))
        for number in range(300, 304):
            tx.overrides.set(lead_id=f"L{number:04}", rep_id="Bo Berg", kind="lock", said_by="Bo Berg")
        tx.runs.add()
    run = work(store, owner="w")
    assert run is not None
    assert run.state == "done", run.error
    with store.read() as tx:
        count = len(tx.assignments.page(rep_id="Bo Berg", limit=1000))
        whole = json.dumps(document(tx, run.run_id))
    assert count >= 4
    assert "Bo Berg" in whole
    with store.write() as tx:
        done = forget_rep(tx, "Bo Berg")
    after = everything(store)
    assert "Bo Berg" not in after
    assert "Bo B. Berg" not in after
    with store.read() as tx:
        assert len(tx.assignments.page(rep_id=done.alias, limit=1000)) == count
        again = document(tx, run.run_id)
        assert {"R1", "R2", done.alias} <= set(again["prices"]["capacity"])
        assert done.alias in json.dumps(again)
        assert tx.audit.verify().ok
        assert "Bo Berg" not in [rep.rep_id for rep in tx.reps.all(active=None)]
    with store.write() as tx, pytest.raises(NotFoundError):
        forget_rep(tx, "Bo Berg")


def test_a_lead_in_a_running_batch_is_not_torn_out(store: Store, clock: FakeClock) -> None:
    """While a run has the lead, the request is refused, with the run's name; afterwards it works."""
    set_up(store, n_leads=2)
    with store.write() as tx:
        tx.runs.add()
        begun = begin(tx, "w", 60)
        assert begun is not None
        with pytest.raises(ConflictError, match=begun.run.run_id):
            forget_lead(tx, "L0001")
        tx.runs.stop(begun.run, begun.lease)
        forget_lead(tx, "L0001")
        assert tx.leads.counts() == {"forgotten": 1, "waiting": 1}


def test_inputs_that_were_overtaken_are_erased_too(store: Store) -> None:
    """What a run was made from before it was made anew belongs to no run, and goes all the same."""
    set_up(store, n_leads=1)
    with store.write() as tx:
        tx.leads.upsert(leads(1, lead_id=["z"], contact=["Zacharias"]))
        tx.runs.add()
        begun = begin(tx, "w", 60)
        assert begun is not None
        tx.leads.upsert(leads(1, lead_id=["z"], contact=["Z. Zimmermann"]))
        run = renew(tx, begun.run, begun.lease)
        tx.runs.stop(run, begun.lease)
    assert "Zacharias" in everything(store)
    with store.write() as tx:
        forget_lead(tx, "z")
    assert "Zacharias" not in everything(store)
    assert "Zimmermann" not in everything(store)


def test_a_lead_that_comes_again_is_another(store: Store) -> None:
    """Who was forgotten and comes back is a new lead: nothing leads from the one to the other."""
    set_up(store, n_leads=1)
    with store.write() as tx:
        (old,) = tx.leads.keys(["L0001"]).values()
        forget_lead(tx, "L0001")
        tx.leads.upsert(leads(1))
        (new,) = tx.leads.keys(["L0001"]).values()
    assert new != old


def test_nothing_of_it_stays_in_the_file(store: Store) -> None:
    """After `compact`, SQLite's own file and log hold the erased text no longer."""
    if not store.embedded:
        pytest.skip("of the embedded database; PostgreSQL's files are the server's")
    set_up(store, n_leads=3)
    secret = "Zacharias Zimmermann"
    with store.write() as tx:
        tx.leads.upsert(leads(1, lead_id=["z"], contact=[secret]))
    files = [Path(f"{store.url.database}{end}") for end in ("", "-wal")]
    held = [file.read_bytes() for file in files]
    assert any(secret.encode() in content for content in held)
    with store.write() as tx:
        forget_lead(tx, "z")
    assert store.compact()
    held = [file.read_bytes() for file in files]
    assert not any(secret.encode() in content for content in held)


def test_a_name_is_replaced_where_it_stands_alone() -> None:
    """As a value, a key, a word of a sentence, at any depth; not inside other words, nor by its own pattern."""
    names = {"L1": "x", "a+b@c.d": "y"}
    told = {"L1": ["L1", "L10", "to L1, (L1) and L1."], "deep": {"k": "a+b@c.d", "n": 1, "none": None}, "aab@c.d": 2.5}
    assert scrub(told, names) == {
        "x": ["x", "L10", "to x, (x) and x."],
        "deep": {"k": "y", "n": 1, "none": None},
        "aab@c.d": 2.5,
    }
    assert scrub(told, {}) == told
