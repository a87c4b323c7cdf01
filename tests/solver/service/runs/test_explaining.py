"""A rep's question, answered from the store for a plan that was made before, on both databases."""

from __future__ import annotations

import json

import pytest

from apportion.cli.main import run
from apportion.policy import load_policy
from apportion.reasons import why_not
from apportion.service.runs import LeadRouter, repeat, work
from apportion.service.runs.explaining import why_not_in_store
from apportion.service.store import Store
from apportion.service.store.forget import forget_lead
from apportion_models.errors import ConflictError, NotFoundError
from tests.solver.service.tables import leads, set_up


def planned(store: Store) -> str:
    """A batch that is done. Its run."""
    with store.write() as tx:
        asked = tx.runs.add()
    assert asked is not None
    done = work(store, owner="me")
    assert done is not None
    assert done.state == "done", done.error
    return asked.run_id


def test_the_answer_is_the_plans_own(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """For every pair the same as asked of the plan itself; also when leads, reps and policy are others by now."""
    set_up(store, n_leads=4, n_reps=2)
    run_id = planned(store)
    again = repeat(store, run_id)
    with store.write() as tx:
        tx.leads.upsert(leads(4, score=[1.0, 2.0, 3.0, 4.0]))
        tx.reps.retire(["R2"])
        tx.policies.activate(tx.policies.add(load_policy({"name": "another"})).version)
    for lead_id in again.report.batch.problem.lead_ids:
        told = why_not_in_store(store, lead_id=lead_id, rep_id="R1")
        assert told.answer == why_not(again.report.batch, again.report.plan, lead_id, "R1")
        assert (told.run_id, told.is_exact) == (run_id, True)
    address = store.url.render_as_string(hide_password=False)
    assert run(["why", "L0001", "R1", "--store", address, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sentence"] == why_not_in_store(store, lead_id="L0001", rep_id="R1").answer.sentence
    assert document["run"] == run_id
    assert run(["why", "L0001", "R1", "--run", run_id, "--store", address]) == 0
    assert capsys.readouterr().out.strip() == document["sentence"]


def test_a_lead_that_was_given_singly(store: Store) -> None:
    """What was free at that moment is not kept: its own reason is told, and that it is yours where it is."""
    set_up(store)
    planned(store)
    with store.write() as tx:
        tx.leads.upsert(leads(1, first=50))
    LeadRouter(store).route("L0050", actor="test")
    with store.read() as tx:
        holder = tx.assignments.of_lead("L0050")
    assert holder is not None
    own = why_not_in_store(store, lead_id="L0050", rep_id=str(holder.rep_id))
    assert own.answer.kind == "assigned"
    other = "R1" if holder.rep_id != "R1" else "R2"
    told = why_not_in_store(store, lead_id="L0050", rep_id=other)
    assert told.run_id is None
    assert f"to {holder.rep_id}" in told.answer.sentence


def test_what_cannot_be_answered(store: Store) -> None:
    """Nobody of that name; a lead that waits; a lead whose run was erased in part."""
    set_up(store)
    with pytest.raises(NotFoundError, match="no lead 'nobody'"):
        why_not_in_store(store, lead_id="nobody", rep_id="R1")
    with pytest.raises(NotFoundError, match="no rep 'nobody'"):
        why_not_in_store(store, lead_id="L0001", rep_id="nobody")
    with pytest.raises(ConflictError, match="it is waiting"):
        why_not_in_store(store, lead_id="L0001", rep_id="R1")
    planned(store)
    with store.write() as tx:
        forget_lead(tx, "L0002")
    with pytest.raises(ConflictError, match="erased on request"):
        why_not_in_store(store, lead_id="L0001", rep_id="R1")
