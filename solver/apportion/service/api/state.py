"""What all calls share: the store, the limits, the jobs, the metrics and the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from apportion.service.api.jobs import Jobs
from apportion.service.api.limits import Buckets, Limits, Seats
from apportion.service.runs import LeadRouter
from apportion.service.store import Store
from apportion.service.watching import Metrics


@dataclass(eq=False)
class Service:
    """The service of one process."""

    store: Store
    limits: Limits
    metrics: Metrics
    jobs: Jobs
    log: Any = None
    buckets: Buckets = field(init=False)
    leads: LeadRouter = field(init=False)
    seats: Seats = field(init=False)

    def __post_init__(self) -> None:
        self.leads = LeadRouter(self.store)
        self.buckets = Buckets(self.limits.per_minute)
        self.seats = Seats(self.limits.solves, seconds=self.limits.longest_work)

    def say(self, level: str, event: str, **about: Any) -> None:
        """One line of log, where there is one."""
        if self.log is not None:
            getattr(self.log, level)(event, **about)


async def _of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(_of)]
