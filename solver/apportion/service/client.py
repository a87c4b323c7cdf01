"""A client of the API: every write under a key of its own, tried again where the service is busy or away."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx2

from apportion_models.errors import ServiceError

Document = dict[str, Any]
Row = Mapping[str, Any]
AGAIN = (429, 503)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


class RefusedError(ServiceError):
    """The service refused the request. status : of HTTP; problem : its problem+json; code and errors are in it."""

    code = "refused"

    def __init__(self, status: int, problem: Document) -> None:
        self.status, self.problem = status, problem
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail', '')}")


class Client:
    """One service. `with Client("http://127.0.0.1:8000", key=…) as client: client.plan(leads=…, reps=…)`.

    tries : of each request, while the service is busy or away; writes carry an Idempotency-Key, so that none is done
    twice. Raises RefusedError for what the service refuses, ServiceError where it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        timeout: float = 90.0,
        tries: int = 5,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._tries = tries
        self._http = httpx2.Client(base_url=url, headers={"X-API-Key": key}, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def solve(self, value: Sequence[Sequence[float]], *, capacity: Sequence[float], **arrays: Any) -> Document:
        """The optimal mapping of plain arrays; arrays as of `AssignmentProblem.from_arrays`."""
        return self._write("POST", "/v1/plans", {"problem": {"value": value, "capacity": capacity, **arrays}})

    def plan(
        self,
        *,
        leads: Sequence[Row],
        reps: Sequence[Row],
        at: dt.datetime | None = None,
        wait: float = 600.0,
        **options: Any,
    ) -> Document:
        """The plan of these tables, when it is done. options : policy, seed, gap, time_limit, further tables."""
        when = {} if at is None else {"at": at.isoformat()}
        return self._planned({"leads": list(leads), "reps": list(reps), **when, **options}, wait)

    def plan_from_store(self, *, wait: float = 600.0, **options: Any) -> Document:
        """Assign the leads that wait in the store, and give the plan when it is done. options : limit, gap …"""
        return self._planned({"from_store": True, **options}, wait)

    def get_plan(self, plan_id: str) -> Document:
        """How far a plan is, what it is worth, its certificate."""
        return self._read(f"/v1/plans/{plan_id}")

    def cancel(self, plan_id: str) -> Document:
        """Call a plan off."""
        return self._write("DELETE", f"/v1/plans/{plan_id}")

    def assignments(self, plan_id: str, *, page: int = 1000) -> Iterator[Document]:
        """Who gets whom, and why; page by page."""
        after: str | None = None
        while True:
            more = {} if after is None else {"after": after}
            told = self._read(f"/v1/plans/{plan_id}/assignments", limit=page, **more)
            yield from told["assignments"]
            after = told["next"]
            if after is None:
                return

    def route(self, lead: Row | str) -> Document:
        """Route one lead, now: a row of the leads table, or the id of a lead that waits."""
        return self._write("POST", "/v1/leads:route", {"lead_id": lead} if isinstance(lead, str) else {"lead": lead})

    def put(self, what: Literal["leads", "reps", "outcomes"], rows: Sequence[Row]) -> Document:
        """Store rows: how many were new, changed, the same."""
        return self._write("POST", f"/v1/{what}", {what: list(rows)})

    def lead(self, lead_id: str) -> Document:
        """Where a lead stands, which rep has it and why."""
        return self._read(f"/v1/leads/{quote(lead_id, safe='')}")

    def override(
        self, lead_id: str, rep_id: str, kind: Literal["lock", "ban"], *, reason: str | None = None
    ) -> Document:
        """Lock a lead to a rep, or ban the pair."""
        body = {"lead_id": lead_id, "rep_id": rep_id, "kind": kind, "reason": reason}
        return self._write("POST", "/v1/overrides", body)

    def scenarios(
        self, *, leads: Sequence[Row], reps: Sequence[Row], scenarios: Sequence[Row], **options: Any
    ) -> Document:
        """Scenarios beside the base."""
        body = {"leads": list(leads), "reps": list(reps), "scenarios": list(scenarios), **options}
        return self._asked("POST", "/v1/scenarios", json=body)

    def _planned(self, body: Document, wait: float) -> Document:
        told, end, pause = self._write("POST", "/v1/plans", body), time.monotonic() + wait, FIRST_PAUSE
        while told["status"] in ("queued", "running"):
            if time.monotonic() > end:
                raise ServiceError(f"Plan {told['plan_id']} is {told['status']} after {wait:g} s: ask for it later.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            told = self.get_plan(told["plan_id"])
        if told["status"] != "done":
            error = told["error"] or {"code": told["status"], "message": ""}
            raise RefusedError(409, {"code": error["code"], "detail": error["message"], "plan_id": told["plan_id"]})
        return told

    def _write(self, method: str, path: str, body: Document | None = None) -> Document:
        return self._asked(method, path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})

    def _read(self, path: str, **questions: Any) -> Document:
        return self._asked("GET", path, params=questions)

    def _asked(self, method: str, path: str, **options: Any) -> Document:
        for left in reversed(range(self._tries)):
            try:
                answer = self._http.request(method, path, **options)
            except httpx2.TransportError as error:
                if not left:
                    raise ServiceError(f"The service cannot be reached: {type(error).__name__}.") from error
                time.sleep(FIRST_PAUSE)
                continue
            told: Document = answer.json()
            if answer.status_code < 400:
                return told
            still_running = answer.status_code == 409 and "retry-after" in answer.headers
            if not left or not (answer.status_code in AGAIN or still_running):
                raise RefusedError(answer.status_code, told)
            time.sleep(min(float(answer.headers.get("retry-after", FIRST_PAUSE)), LONGEST_PAUSE))
        raise AssertionError("unreachable")  # tries is at least 1
