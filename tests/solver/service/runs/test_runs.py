"""A batch from the store to a plan and back: what it is made from, that it can be repeated, and that it counts."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

from apportion.connectors import json_bytes
from apportion.policy import load_policy
from apportion.service.runs import ask_given, begin, document, repeat, work, worker
from apportion.service.runs.keeping import document_hash
from apportion.service.runs.solving import inputs
from apportion.service.store import AwayError, LostError, Placement, Run, Store
from apportion_models.errors import ConflictError, InputError, UsageError
from tests.solver.service.conftest import FakeClock
from tests.solver.service.tables import leads, model, reps, set_up


def ask(store: Store, **options: object) -> Run:
    """Ask for a batch, and do it."""
    with store.write() as tx:
        run = tx.runs.add(options=options)
    assert run is not None
    done = work(store, owner="worker")
    assert done is not None
    assert done.run_id == run.run_id
    return done


def loads(store: Store) -> dict[str, int]:
    """How many leads each rep has now."""
    with store.read() as tx:
        now = [one.rep_id for one in tx.assignments.page(limit=1000, current=True)]
    return {str(rep): now.count(rep) for rep in sorted(set(now), key=str)}


def test_a_batch_places_what_waits(store: Store) -> None:
    """Every lead that waited is placed once, the plan is kept with its certificate, and the sinks have one letter."""
    set_up(store, n_leads=12)
    run = ask(store, sinks=["hook", "drop"])
    assert run.state == "done", run.error
    with store.read() as tx:
        placed = tx.assignments.page(run_id=run.run_id)
        assert sorted(one.lead_id for one in placed) == [f"L{number:04}" for number in range(1, 13)]
        assert tx.leads.counts() == {"assigned": 12}
        assert {(letter.sink, letter.key) for letter in tx.outbox.page()} == {
            ("hook", run.run_id),
            ("drop", run.run_id),
        }
        assert all(one.propensity == 1 and one.reason and one.effort == 1 for one in placed)
        whole = document(tx, run.run_id)
        assert tx.audit.verify().ok
    assert document_hash(whole) == run.plan_hash
    assert run.certificate is not None
    assert run.certificate["verified"]
    assert whole["summary"]["assigned"] == 12
    assert run.inputs is not None
    assert {"leads", "reps", "policy", "model_hash", "seed"} <= set(run.inputs)


def test_the_chances_of_a_draw_are_kept(store: Store) -> None:
    """What a policy swaps to learn is stored with the chance that the plan tells, for whoever evaluates it later."""
    set_up(store, n_leads=12, policy={"equity": [], "swaps": {"share": 0.5}})
    run = ask(store)
    assert run.state == "done", run.error
    with store.read() as tx:
        told = {entry["lead_id"]: entry["propensity"] for entry in document(tx, run.run_id)["assignments"]}
        kept = {one.lead_id: one.propensity for one in tx.assignments.page(run_id=run.run_id)}
    assert kept == told
    assert min(kept.values()) < 1


def test_a_run_is_repeated_to_the_byte(store: Store, clock: FakeClock) -> None:
    """Whatever became of leads, reps, policy, model and assignments since, a run gives the bytes that it gave."""
    set_up(store, n_leads=9, policy={"equity": [], "screening": [{"name": "low", "when": "score < 10"}]})
    with store.write() as tx:
        tx.overrides.set(lead_id="L0001", rep_id="R2", kind="lock")
        tx.runs.add(options={"limit": 4})
    first = work(store, owner="worker")
    clock.turn(3600)
    second = ask(store)
    clock.turn(3600)
    with store.write() as tx:
        tx.leads.upsert(leads(15, deal_value=[9.0] * 15))
        tx.reps.upsert(reps(5, capacity=[20.0] * 5))
        tx.leads.requeue(["L0001", "L0002"])
        tx.policies.roll_back() if len(tx.policies.page()) > 1 else None
        tx.outcomes.upsert(pd.DataFrame({"lead_id": ["L0003"], "outcome": ["won"]}))
    third = ask(store)
    for run in (first, second, third):
        assert run is not None
        again = repeat(store, run.run_id)
        with store.read() as tx:
            assert json_bytes(again.report.document()) == json_bytes(document(tx, run.run_id))
        assert again.same
        assert not again.by_the_clock


def test_what_was_given_comes_off_the_capacity(store: Store, clock: FakeClock) -> None:
    """Two batches of one day share the day's capacity; the next day begins anew; open leads count as backlog."""
    set_up(store, n_leads=8, n_reps=2, policy={"equity": [], "nurture": {"value": 1}})
    with store.write() as tx:
        tx.reps.upsert(reps(2, capacity=[5.0, 5.0]))
    ask(store)
    assert sum(loads(store).values()) == 8
    clock.turn(5 * 3600)
    with store.write() as tx:
        tx.leads.upsert(leads(8, first=101))
    ask(store)
    assert loads(store) == {"R1": 5, "R2": 5}
    with store.read() as tx:
        assert tx.leads.counts() == {"assigned": 10, "nurture": 6}
        assert {row["rep_id"]: row["open_leads"] for row in tx.reps.contents()} == {"R1": 5.0, "R2": 5.0}
    clock.turn(24 * 3600)
    with store.write() as tx:
        tx.leads.requeue([lead.lead_id for lead in tx.leads.page(state="nurture")])
    ask(store)
    assert sum(loads(store).values()) == 16


def test_caps_and_equity_windows_count_what_the_store_gave(store: Store, clock: FakeClock) -> None:
    """A cap by week and a rolling window of leads see the batches before, and not what was withdrawn."""
    share = {"name": "even", "measure": "leads", "low": 0.9, "window": 7}
    cap = {"name": "week", "per": "week", "at_most": 6}
    set_up(store, n_leads=6, n_reps=2, policy={"equity": [share], "capacity": {"caps": [cap]}, "nurture": {"value": 0}})
    with store.write() as tx:
        for number in range(1, 6):
            tx.overrides.set(lead_id=f"L{number:04}", rep_id="R1", kind="lock")
        tx.policies.activate(tx.policies.page().items[-1].version)
    first = ask(store)
    assert first.state == "failed"  # five of six locked to one rep, and the other must have 45 %: no plan keeps both
    assert first.error is not None
    assert first.error["code"] == "infeasible"
    with store.write() as tx:
        assert tx.leads.counts() == {"waiting": 6}
        for override in tx.overrides.page():
            tx.overrides.lift(override.id)
    ask(store)
    assert loads(store) == {"R1": 3, "R2": 3}
    with store.write() as tx:
        mine = [one.lead_id for one in tx.assignments.page(rep_id="R1")][:2]
        tx.leads.requeue(mine)  # R1 has had 1 in the window now, R2 3
        tx.leads.upsert(leads(2, first=50))
    clock.turn(26 * 3600)
    ask(store)
    assert loads(store) == {"R1": 4, "R2": 4}


def test_a_run_that_cannot_begin_says_why(store: Store) -> None:
    """Without a model the run fails with the remedy, and its leads wait on."""
    with store.write() as tx:
        tx.leads.upsert(leads(3))
        tx.reps.upsert(reps(2))
    run = ask(store)
    assert run.state == "failed"
    assert run.error is not None
    assert "apportion store model" in run.error["message"]
    with store.read() as tx:
        assert tx.leads.counts() == {"waiting": 3}


def test_bad_tables_fail_the_run_and_free_its_leads(store: Store) -> None:
    """What is wrong with the stored tables ends the run with all findings; nothing stays claimed."""
    set_up(store, n_leads=3)
    with store.write() as tx:
        tx.reps.retire(["R1", "R2", "R3"])
    run = ask(store)
    assert run.state == "failed"
    assert run.error is not None
    assert "at least one rep" in run.error["message"]
    with store.read() as tx:
        assert tx.leads.counts() == {"waiting": 3}
        assert tx.assignments.page().items == ()


def test_a_quiet_day_is_a_run_too(store: Store) -> None:
    """A slot without a lead that waits is done, with an empty plan, and can be repeated."""
    set_up(store, n_leads=1)
    ask(store)
    empty = ask(store)
    assert empty.state == "done", empty.error
    assert repeat(store, empty.run_id).same
    with store.read() as tx:
        assert document(tx, empty.run_id)["assignments"] == []


def test_a_dead_worker_is_followed_by_another(store: Store, clock: FakeClock) -> None:
    """A run whose worker fell silent is taken over, with its leads and inputs; the silent one can keep nothing."""
    set_up(store, n_leads=5)
    with store.write() as tx:
        tx.runs.add()
        dead = begin(tx, "dead", 10)
    assert dead is not None
    assert work(store, owner="too early", seconds=10) is None
    clock.turn(11)
    with store.write() as tx:
        tx.leads.upsert(leads(9))  # these wait for the next batch
    done = work(store, owner="alive", seconds=10)
    assert done is not None
    assert (done.run_id, done.state, done.attempts) == (dead.run.run_id, "done", 2)
    with store.read() as tx:
        assert len(tx.assignments.page(run_id=done.run_id)) == 5
        assert tx.leads.counts() == {"assigned": 5, "waiting": 4}
    with pytest.raises(LostError), store.write() as tx:
        tx.runs.stop(dead.run, dead.lease)


def test_an_overtaken_worker_keeps_nothing(store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was silent too long, and alive all the same, is refused when it comes to keep its plan."""
    set_up(store, n_leads=4)
    with store.write() as tx:
        tx.runs.add(options={"sinks": ["hook"]})
    real = worker.solve

    def slow(*given: object, **options: object) -> object:
        clock.turn(61)
        with store.write() as tx:
            assert begin(tx, "other", 60) is not None
        return real(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "solve", slow)
    with pytest.raises(LostError, match="taken over from slow"):
        work(store, owner="slow")
    with store.read() as tx:
        assert tx.leads.counts() == {"claimed": 4}
        assert tx.assignments.page().items == ()
        assert tx.outbox.counts() == {}
    monkeypatch.setattr(worker, "solve", real)
    clock.turn(61)
    done = work(store, owner="third")
    assert done is not None
    assert (done.state, done.attempts) == ("done", 3)
    with store.read() as tx:
        assert tx.leads.counts() == {"assigned": 4}
        assert tx.outbox.counts() == {"waiting": 1}


def test_a_run_of_another_policy(store: Store) -> None:
    """A run may name the policy that it is made by, whichever is in use."""
    set_up(store, n_leads=2)
    with store.write() as tx:
        none = tx.policies.add(load_policy({"screening": [{"name": "all", "when": "score >= 0"}]}))
        run = tx.runs.add(policy_version=none.version)
    done = work(store, owner="w")
    assert run is not None
    assert done is not None
    assert done.policy_version == none.version
    with store.read() as tx:
        assert tx.leads.counts() == {"nurture": 2}
        assert {one.reason for one in tx.assignments.page()} == {"Screened out: all."}


def test_a_run_that_kills_its_workers_ends(store: Store, clock: FakeClock) -> None:
    """After five deaths a run is taken for the cause, and ends as failed; its leads wait again."""
    set_up(store, n_leads=2)
    with store.write() as tx:
        run = tx.runs.add()
    for _ in range(5):
        with store.write() as tx:
            assert begin(tx, "dies", 10) is not None
        clock.turn(11)
    done = work(store, owner="last", seconds=10)
    assert done is not None
    assert run is not None
    assert (done.run_id, done.state) == (run.run_id, "failed")
    with store.read() as tx:
        assert tx.leads.counts() == {"waiting": 2}


def test_single_leads_do_not_overload_a_batch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads routed while a batch is solved count: it is made anew where they would overload a rep, and at last has the
    floor to itself."""
    set_up(store, n_leads=12, n_reps=2, policy={"equity": [], "nurture": {"value": 1}})
    with store.write() as tx:
        tx.reps.upsert(reps(2, capacity=[5.0, 5.0]))
        tx.leads.upsert(leads(6, first=201), state="outside")
    solved, refused = [], []

    def route(lead_id: str) -> None:
        with store.write() as tx:
            (key,) = tx.leads.keys([lead_id]).values()
            tx.leads.set_state([key], "waiting")
            (rep,) = tx.reps.keys(["R1"]).values()
            single = Placement(lead_key=key, rep_key=rep, outcome="assigned", told={}, effort=1.0)
            tx.assignments.add([single], origin="route", at=tx.now())

    def slow(*given: object, **options: object) -> object:
        report = real(*given, **options)  # type: ignore[arg-type]
        solved.append(report)
        try:
            route(f"L{200 + len(solved):04}")
        except AwayError:
            refused.append(len(solved))
        return report

    real = worker.solve
    monkeypatch.setattr(worker, "solve", slow)
    run = ask(store)
    assert run.state == "done", run.error
    assert len(solved) == 3
    assert refused == [3]
    assert loads(store) == {"R1": 5, "R2": 5}
    assert repeat(store, run.run_id).same
    route("L0204")  # the floor is free again


def test_cancelling_while_it_solves(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is called off ends as cancelled, and its leads wait again."""
    set_up(store, n_leads=4)
    real = worker.solve

    def called_off(made_from: object, **options: object) -> object:
        with store.write() as tx:
            tx.runs.cancel(tx.runs.page(state="running").items[0].run_id)
        stopped = options["cancelled"]
        while not stopped():  # type: ignore[operator]
            pass
        return real(made_from, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "solve", called_off)
    with store.write() as tx:
        tx.runs.add()
    run = work(store, owner="worker", seconds=0.3)
    assert run is not None
    assert run.state == "cancelled"
    with store.read() as tx:
        assert tx.leads.counts() == {"waiting": 4}
        assert tx.outbox.counts() == {}


def test_given_tables_change_nothing(store: Store) -> None:
    """A plan of tables of its own is kept and repeated like a batch, and no lead and no load of the store moves."""
    set_up(store, n_leads=3, n_reps=2)
    ask(store)
    before = loads(store)
    with store.write() as tx:
        run = ask_given(tx, {"leads": leads(5, first=2), "reps": reps(3)}, at=tx.now())
    done = work(store, owner="worker")
    assert done is not None
    assert (done.run_id, done.state) == (run.run_id, "done"), done.error
    assert loads(store) == before
    assert repeat(store, run.run_id).same
    with store.read() as tx:
        assert len(tx.assignments.page(run_id=run.run_id)) == 5
        assert tx.leads.counts() == {"assigned": 3, "outside": 3}
        assert [rep.rep_id for rep in tx.reps.all()] == ["R1", "R2"]
    with store.write() as tx:
        tx.leads.upsert(leads(6))
        assert tx.leads.counts() == {"assigned": 3, "waiting": 3}


def test_a_late_slot_counts_what_came_after_it(store: Store, clock: FakeClock) -> None:
    """A slot that is caught up after a later batch is assigned at that batch's moment, not before it: or the same
    capacity would be given twice."""
    set_up(store, n_leads=4, n_reps=1, policy={"equity": [], "nurture": {"value": 1}})
    with store.write() as tx:
        tx.reps.upsert(reps(1, capacity=[5.0]))
    ask(store)
    with store.write() as tx:
        tx.leads.upsert(leads(8))
        run = tx.runs.add(schedule="s", slot=clock.now - dt.timedelta(hours=2))
    done = work(store, owner="worker")
    assert run is not None
    assert done is not None
    assert done.at == clock.now
    assert loads(store) == {"R1": 5}


def test_a_clock_that_was_wrong_is_not_followed_for_ever(store: Store, clock: FakeClock) -> None:
    """A batch of far ahead is refused; after one that was made under a wrong clock, time goes on as it is."""
    set_up(store, n_leads=2)
    with pytest.raises(UsageError, match="within a day"), store.write() as tx:
        tx.runs.add(at=clock.now + dt.timedelta(days=2))
    right = clock.now
    clock.turn(400 * 86_400)
    ask(store)
    clock.now = right
    with store.write() as tx:
        tx.leads.upsert(leads(3))
    assert ask(store).at == right


def test_only_what_is_done_is_repeated(store: Store) -> None:
    """A run without a plan has nothing to repeat."""
    set_up(store, n_leads=1)
    with store.write() as tx:
        run = tx.runs.add()
    assert run is not None
    with pytest.raises(ConflictError, match="no plan to repeat"):
        repeat(store, run.run_id)


def test_inputs_are_those_of_the_run(store: Store) -> None:
    """What a run is made from holds the leads of its claims alone, and is refused by its readers when damaged."""
    set_up(store, n_leads=6)
    run = ask(store, limit=2)
    with store.read() as tx:
        made_from = inputs(tx, run)
        assert isinstance(made_from.sources.leads, pd.DataFrame)
        assert len(made_from.sources.leads) == 2
        assert made_from.sources.earlier is None
        assert json.loads(made_from.policy.canonical)["equity"] == []
        assert set(made_from.model) >= {"manifest.json"}
    assert isinstance(model().level_, str)
    with pytest.raises(InputError), store.write() as tx:
        ask_given(tx, {"leads": leads(1, lead_id=["\x00"]), "reps": reps(1)})
