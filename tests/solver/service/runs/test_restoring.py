"""A run's plan is shown again as it was handed out: from the store, not from another solve."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from apportion.service.runs import ask_given, restore, work
from apportion.service.runs.keeping import document_hash
from apportion.service.store import Run, Store
from apportion.service.store.schema import runs
from apportion.whatif.compare import How, lay_ground
from apportion_models.errors import ConflictError, NotFoundError
from tests.solver.service.tables import leads, reps, set_up

POLICIES: dict[str, dict[str, object]] = {
    "shares and caps": {
        "equity": [{"name": "fair", "measure": "opportunity", "low": 0.5, "high": 1.6}],
        "capacity": {"caps": [{"name": "five", "per": "week", "at_most": 5}]},
    },
    "soft and screened": {
        "equity": [{"name": "even", "measure": "leads", "low": 0.95, "high": 1.05, "price": 40}],
        "screening": [{"name": "low", "when": "score < 30", "outcome": "nurture"}],
    },
    "worst off": {"equity": [{"name": "floor", "measure": "max_min", "keep": 0.9}]},
    "a draw": {"equity": [], "swaps": {"share": 0.5}},
}


def ask(store: Store) -> Run:
    """Ask for a batch, and do it."""
    with store.write() as tx:
        tx.runs.add()
    done = work(store, owner="worker")
    assert done is not None
    assert done.state == "done", done.error
    return done


@pytest.mark.parametrize("name", POLICIES)
def test_every_kind_of_plan_comes_back_to_the_byte(store: Store, name: str) -> None:
    """What is restored and explained anew makes the same plan.json, so that nothing of it was lost or solved again."""
    set_up(store, n_leads=12, policy=POLICIES[name])
    run = ask(store)
    restored = restore(store, run.run_id)
    assert document_hash(restored.report.document()) == run.plan_hash
    assert restored.report.plan.certificate.stopped_by == (run.certificate or {})["stopped_by"]


def test_what_was_given_before_comes_off_for_scenarios_too(store: Store) -> None:
    """The setting of a second batch of a day has only what the first one left, as its own solve had."""
    set_up(store, n_leads=4, n_reps=1)
    ask(store)
    with store.write() as tx:
        tx.leads.upsert(leads(8))
    restored = restore(store, ask(store).run_id)
    capacity = restored.report.batch.problem.capacity.tolist()
    assert capacity == [6.0]
    base = lay_ground(restored.posed.setting, How(sources=False, routers=False))
    assert base.outcome.batch.problem.capacity.tolist() == capacity
    assert base.outcome.plan.objective == pytest.approx(restored.report.plan.objective)


def test_a_plan_of_tables_of_its_own_comes_back(store: Store) -> None:
    """Also where no lead of the store was placed."""
    set_up(store, n_leads=2)
    with store.write() as tx:
        run = ask_given(tx, {"leads": leads(5), "reps": reps(3)}, at=tx.now())
    done = work(store, owner="worker")
    assert done is not None
    assert document_hash(restore(store, run.run_id).report.document()) == done.plan_hash


def test_what_is_not_there_or_not_whole_is_refused(store: Store) -> None:
    """An unknown run, one without a plan, and one whose plan is not of its inputs, as after a change of version."""
    set_up(store, n_leads=3)
    with pytest.raises(NotFoundError):
        restore(store, "nothing")
    done = ask(store)
    with store.write() as tx:
        waits = tx.runs.add()
        assert waits is not None
        told = dict(done.plan or {})
        told["certificate"] = dict(told["certificate"]) | {"objective": 1.0}
        tx.connection.execute(sa.update(runs).where(runs.c.run_id == done.run_id).values(plan=told))
    with pytest.raises(ConflictError, match="no plan"):
        restore(store, waits.run_id)
    with pytest.raises(ConflictError, match="another problem"):
        restore(store, done.run_id)
