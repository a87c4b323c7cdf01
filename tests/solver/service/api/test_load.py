"""Many clients at once against one process, small enough to run always; `benchmarks/service` does it at full size."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from apportion.service.store import open_store
from apportion.service.store.cells import records
from tests.solver.service.api.served import served
from tests.solver.service.tables import leads, reps, set_up

CLIENTS, EACH, PLACES = 20, 10, 50


def test_clients_at_once_meet_no_error_and_no_rep_gets_too_much(ready_url: str, tmp_path: Path) -> None:
    """On both databases: 200 leads for 150 places. Each is answered, stored once, and no rep has more than fits."""
    store = open_store(ready_url)
    set_up(store, n_leads=1, policy={"equity": [], "nurture": {"value": 0}, "window": {"days": 2}})
    with store.write() as tx:
        tx.reps.upsert(reps(3, capacity=[float(PLACES)] * 3, working_hours=["mon-sun 00:00-24:00"] * 3))
        secret = tx.keys.create("load", ["route"])[1]
    rows = records(leads(CLIENTS * EACH, first=100))
    with served(ready_url, tmp_path) as one, ThreadPoolExecutor(CLIENTS) as pool:

        def client(number: int) -> list[tuple[int, str | None]]:
            told = []
            with closing(http.client.HTTPConnection(str(urlsplit(one.url).netloc), timeout=120)) as connection:
                for row in rows[number * EACH : (number + 1) * EACH]:
                    headers = {"X-API-Key": secret, "Content-Type": "application/json"}
                    named = {"Idempotency-Key": str(row["lead_id"])}
                    connection.request("POST", "/v1/leads:route", json.dumps({"lead": row}), headers | named)
                    answer = connection.getresponse()
                    told.append((answer.status, json.load(answer).get("rep_id")))
            return told

        answers = [one for told in pool.map(client, range(CLIENTS)) for one in told]
    assert {status for status, _ in answers} == {200}
    with store.read() as tx:
        given = tx.assignments.page(limit=1000).items
        trail = tx.audit.verify()
    store.close()
    assert trail.ok
    assert len(given) == len({assignment.lead_id for assignment in given}) == CLIENTS * EACH
    got = Counter(assignment.rep_id for assignment in given if assignment.rep_id is not None)
    assert got == Counter(rep for _, rep in answers if rep is not None)
    assert max(got.values()) <= PLACES
    assert sum(got.values()) >= 100
