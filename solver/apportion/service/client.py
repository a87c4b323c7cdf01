"""A client of the API: every write under a key of its own, tried again where the service is busy or away."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from apportion.service.wire.arrays import ArraysTold
from apportion.service.wire.faults import Problem
from apportion.service.wire.people import (
    Counted,
    LeadPage,
    LeadShort,
    LeadTold,
    RepPage,
    RepShort,
    RepTold,
    Routed,
    State,
    Stored,
)
from apportion.service.wire.plans import AssignmentPage, AssignmentTold, PlanPage, PlanShort, PlanTold
from apportion.service.wire.rules import (
    InUse,
    OverridePage,
    OverrideTold,
    PolicyAdded,
    PolicyChecked,
    PolicyPage,
    PolicyShort,
    PolicyTold,
)
from apportion.service.wire.scenarios import Comparison
from apportion_models.errors import ServiceError

Row = Mapping[str, Any]
Told = TypeVar("Told", bound=BaseModel)
Paged = TypeVar("Paged", bound=BaseModel)
AGAIN = (429, 502, 503)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
WAIT_SECONDS = 10.0  # that one question after a job stays open
NOT_OURS = "no_problem"  # the code of an error that came from something between


class RefusedError(ServiceError):
    """The service refused the request. status : of HTTP; problem : what is wrong, with its code and each fault."""

    code = "refused"

    def __init__(self, status: int, problem: Problem) -> None:
        self.status, self.problem = status, problem
        super().__init__(f"{status} {problem.code}: {problem.detail}")


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
        self._tries = max(1, tries)
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

    def solve(
        self,
        value: Sequence[Sequence[float]],
        *,
        capacity: Sequence[float],
        seed: int | None = None,
        gap: float | None = None,
        time_limit: float | None = None,
        **arrays: Any,
    ) -> ArraysTold:
        """The optimal mapping of plain arrays; arrays as of `AssignmentProblem.from_arrays`, rules as dicts."""
        how = {"seed": seed, "gap": gap, "time_limit": time_limit}
        body = {"problem": {"value": value, "capacity": capacity, **arrays}} | how
        return self._write(ArraysTold, "POST", "/v1/plans", body)

    def plan(
        self,
        *,
        leads: Sequence[Row],
        reps: Sequence[Row],
        at: dt.datetime | None = None,
        wait: float = 600.0,
        told: Callable[[PlanTold], None] = lambda _: None,
        **options: Any,
    ) -> PlanTold:
        """The plan of these tables, when it is done. told : hears how far it is, every few seconds. options : policy,
        seed, gap, time_limit, further tables. Raises RefusedError where it fails."""
        when = {} if at is None else {"at": at.isoformat()}
        return self._planned({"leads": list(leads), "reps": list(reps), **when, **options}, wait, told)

    def plan_from_store(
        self, *, wait: float = 600.0, told: Callable[[PlanTold], None] = lambda _: None, **options: Any
    ) -> PlanTold:
        """Assign the leads that wait in the store, and give the plan when it is done. options : limit, gap …"""
        return self._planned({"from_store": True, **options}, wait, told)

    def get_plan(self, plan_id: str, *, wait: float = 0.0) -> PlanTold:
        """How far a plan is, and what it is worth; told when it is over, or after `wait` seconds (20 at most)."""
        return self._read(PlanTold, f"/v1/plans/{_step(plan_id)}", wait=wait)

    def plans(self) -> Iterator[PlanShort]:
        """Every plan, the newest first."""
        for page in self._pages(PlanPage, "/v1/plans"):
            yield from page.plans

    def cancel(self, plan_id: str) -> PlanTold:
        """Call a plan off."""
        return self._write(PlanTold, "DELETE", f"/v1/plans/{_step(plan_id)}")

    def assignments(self, plan_id: str, *, page: int = 1000) -> Iterator[AssignmentTold]:
        """Who gets whom, and why; page by page."""
        for one in self._pages(AssignmentPage, f"/v1/plans/{_step(plan_id)}/assignments", limit=page):
            yield from one.assignments

    def route(self, lead: Row | str) -> Routed:
        """Route one lead, now: a row of the leads table, or the id of a lead that waits."""
        body: dict[str, Any] = {"lead_id": lead} if isinstance(lead, str) else {"lead": lead}
        return self._write(Routed, "POST", "/v1/leads:route", body)

    def put(self, what: Literal["leads", "reps", "outcomes"], rows: Sequence[Row]) -> Stored:
        """Store rows: how many were new, changed, the same."""
        return self._write(Stored, "POST", f"/v1/{what}", {what: list(rows)})

    def lead(self, lead_id: str) -> LeadTold:
        """Where a lead stands, which rep has it and why."""
        return self._read(LeadTold, f"/v1/leads/{_step(lead_id)}")

    def leads(self, *, state: State | None = None) -> Iterator[LeadShort]:
        """Every lead in the store, or those of one state."""
        for page in self._pages(LeadPage, "/v1/leads", **({} if state is None else {"state": state})):
            yield from page.leads

    def requeue(self, lead_ids: Sequence[str]) -> int:
        """Let leads wait again. Gives how many."""
        return self._write(Counted, "POST", "/v1/leads:requeue", {"lead_ids": list(lead_ids)}).count

    def rep(self, rep_id: str) -> RepTold:
        """A rep, and the leads that they have now."""
        return self._read(RepTold, f"/v1/reps/{_step(rep_id)}")

    def reps(self) -> Iterator[RepShort]:
        """Every rep who may get leads."""
        for page in self._pages(RepPage, "/v1/reps"):
            yield from page.reps

    def retire(self, rep_ids: Sequence[str]) -> int:
        """Let reps get no more leads. Gives how many were active."""
        return self._write(Counted, "POST", "/v1/reps:retire", {"rep_ids": list(rep_ids)}).count

    def override(
        self, lead_id: str, rep_id: str, kind: Literal["lock", "ban"], *, reason: str | None = None
    ) -> OverrideTold:
        """Lock a lead to a rep, or ban the pair."""
        body = {"lead_id": lead_id, "rep_id": rep_id, "kind": kind, "reason": reason}
        return self._write(OverrideTold, "POST", "/v1/overrides", body)

    def overrides(self) -> Iterator[OverrideTold]:
        """Every override that holds."""
        for page in self._pages(OverridePage, "/v1/overrides"):
            yield from page.overrides

    def lift(self, number: int) -> OverrideTold:
        """Let an override hold no longer."""
        return self._write(OverrideTold, "DELETE", f"/v1/overrides/{number}")

    def check_policy(self, policy: Row | str) -> PolicyChecked:
        """Check a policy (JSON, or the text of a YAML file) and keep nothing."""
        return self._asked(PolicyChecked, "POST", "/v1/policies:validate", json={"policy": policy})

    def add_policy(self, policy: Row | str) -> PolicyAdded:
        """Keep a policy; it is not in use before it is activated."""
        return self._write(PolicyAdded, "POST", "/v1/policies", {"policy": policy})

    def policy(self, version: int) -> PolicyTold:
        """One version, whole."""
        return self._read(PolicyTold, f"/v1/policies/{version}")

    def policies(self) -> Iterator[PolicyShort]:
        """Every version, the newest first."""
        for page in self._pages(PolicyPage, "/v1/policies"):
            yield from page.policies

    def activate(self, version: int) -> InUse:
        """Use this version of the policy from now on."""
        return self._write(InUse, "POST", f"/v1/policies/{version}:activate")

    def roll_back(self) -> InUse:
        """Use again the version that was in use before."""
        return self._write(InUse, "POST", "/v1/policies:roll-back")

    def scenarios(
        self, *, leads: Sequence[Row], reps: Sequence[Row], scenarios: Sequence[Row], **options: Any
    ) -> Comparison:
        """Scenarios beside the base."""
        body = {"leads": list(leads), "reps": list(reps), "scenarios": list(scenarios), **options}
        return self._asked(Comparison, "POST", "/v1/scenarios", json=body)

    def _planned(self, body: dict[str, Any], wait: float, told: Callable[[PlanTold], None]) -> PlanTold:
        end = time.monotonic() + wait
        plan = self._write(PlanTold, "POST", "/v1/plans", body)
        while not plan.is_over:
            told(plan)
            left = end - time.monotonic()
            if left <= 0:
                raise ServiceError(f"Plan {plan.plan_id} is {plan.status} after {wait:g} s: ask for it later.")
            plan = self.get_plan(plan.plan_id, wait=min(left, WAIT_SECONDS))
        if plan.status != "done":
            code = plan.status if plan.error is None else plan.error.code
            detail = "" if plan.error is None else plan.error.message
            raise RefusedError(
                409, Problem(title="Conflict", status=409, detail=detail, code=code, plan_id=plan.plan_id)
            )
        return plan

    def _write(self, kind: type[Told], method: str, path: str, body: dict[str, Any] | None = None) -> Told:
        return self._asked(kind, method, path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})

    def _read(self, kind: type[Told], path: str, **questions: Any) -> Told:
        return self._asked(kind, "GET", path, params=questions)

    def _pages(self, kind: type[Paged], path: str, **questions: Any) -> Iterator[Paged]:
        after: str | None = None
        while True:
            page = self._read(kind, path, **questions, **({} if after is None else {"after": after}))
            yield page
            after = getattr(page, "next", None)
            if after is None:
                return

    def _asked(self, kind: type[Told], method: str, path: str, **options: Any) -> Told:
        for left in reversed(range(self._tries)):
            try:
                answer = self._http.request(method, path, **options)
            except httpx2.TransportError as error:
                if not left:
                    raise ServiceError(f"The service cannot be reached: {type(error).__name__}.") from error
                time.sleep(FIRST_PAUSE)
                continue
            if answer.is_success:
                return _read_answer(kind, answer)
            still_running = answer.status_code == 409 and "retry-after" in answer.headers
            if not left or not (answer.status_code in AGAIN or still_running):
                raise RefusedError(answer.status_code, _problem(answer))
            time.sleep(_pause(answer))
        raise AssertionError("unreachable")  # tries is at least 1


def _step(name: str) -> str:
    """A name as one step of a path: also one that a path would take for its own."""
    return quote(name, safe="").replace(".", "%2E") if name in (".", "..") else quote(name, safe="")


def _read_answer(kind: type[Told], answer: httpx2.Response) -> Told:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise ServiceError(
            f"The answer is none of this service's ({error.error_count()} faults): is its address right, and its "
            "version that of this client?"
        ) from None


def _problem(answer: httpx2.Response) -> Problem:
    """What the service says is wrong; or what is known of an answer that came from something between."""
    try:
        return Problem.model_validate_json(answer.content)
    except ValidationError:
        status, title = answer.status_code, answer.reason_phrase
        return Problem(title=title, status=status, detail="The answer is none of this service's.", code=NOT_OURS)


def _pause(answer: httpx2.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), LONGEST_PAUSE) if said.isdecimal() else FIRST_PAUSE
