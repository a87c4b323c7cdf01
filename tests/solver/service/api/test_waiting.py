"""Waiting for a plan: a question that stays open until it is over, holds no thread, and tells how far it is."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from apportion.service.api.plans import MOST_WAIT
from apportion.service.client import Client
from apportion.service.store import Run, Store
from tests.solver.service.api.test_plans import ASYNC, batch


def _queued(there: Store) -> Run:
    with there.write() as tx:
        run = tx.runs.add()
    assert run is not None
    return run


def test_the_answer_comes_when_the_plan_is_over(api: TestClient) -> None:
    """One question is enough, and takes as long as the plan."""
    plan_id = api.post("/v1/plans", json=batch(), headers=ASYNC).json()["plan_id"]
    assert api.get(f"/v1/plans/{plan_id}?wait={MOST_WAIT:g}").json()["status"] == "done"


def test_it_comes_at_the_latest_when_the_time_is_over(api: TestClient, there: Store) -> None:
    """As the plan is by then; longer than a stop takes may nobody ask for; an unknown plan is told at once."""
    run = _queued(there)
    began = time.monotonic()
    assert api.get(f"/v1/plans/{run.run_id}?wait=0.3").json()["status"] == "queued"
    assert 0.3 <= time.monotonic() - began < 15.0
    for wrong in ("20.5", "-1", "nan", "inf", "x"):
        assert api.get(f"/v1/plans/{run.run_id}?wait={wrong}").status_code == 422
    assert api.get("/v1/plans/none?wait=20").status_code == 404


def test_whoever_calls_it_off_wakes_who_waits(api: TestClient, there: Store) -> None:
    """Whichever way it ends, and in whatever process."""
    run = _queued(there)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.get, f"/v1/plans/{run.run_id}?wait={MOST_WAIT:g}")
        time.sleep(0.2)
        with there.write() as tx:
            tx.runs.cancel(run.run_id)
        assert waiting.result(timeout=15).json()["status"] == "cancelled"


def test_many_who_wait_keep_nobody_from_being_answered(api: TestClient, there: Store) -> None:
    """More than there are threads to answer from: others are answered meanwhile."""
    run = _queued(there)
    with ThreadPoolExecutor(60) as pool:
        waiting = [pool.submit(api.get, f"/v1/plans/{run.run_id}?wait={MOST_WAIT:g}") for _ in range(60)]
        time.sleep(0.5)
        began = time.monotonic()
        assert api.get("/v1/leads/L0001").status_code == 200
        assert time.monotonic() - began < 10.0
        with there.write() as tx:
            tx.runs.cancel(run.run_id)
        assert {one.result(timeout=15).json()["status"] for one in waiting} == {"cancelled"}


def test_the_client_hears_how_far_it_is(api: TestClient, there: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """`told` is called while the plan is made."""
    from apportion.service import client as module

    monkeypatch.setattr(module, "WAIT_SECONDS", 0.1)
    seen, held = list[str](), threading.Event()
    run = _queued(there)
    answers = {"POST": 202, "GET": 200}

    def passed_on(request: module.httpx2.Request) -> module.httpx2.Response:
        answer = api.get(f"/v1/plans/{run.run_id}", params=dict(request.url.params))
        if held.is_set():
            with there.write() as tx:
                tx.runs.cancel(run.run_id)
            held.clear()
        return module.httpx2.Response(answers[request.method], content=answer.content)

    def told(plan: module.PlanTold) -> None:
        seen.append(plan.status)
        if len(seen) == 2:
            held.set()

    with (
        Client("http://here", key="k", transport=module.httpx2.MockTransport(passed_on)) as one,
        pytest.raises(module.RefusedError, match="cancelled"),
    ):
        one.plan_from_store(told=told)
    assert len(seen) >= 2
    assert set(seen) == {"queued"}
