"""The console's own state: today's plan (or why there is none), the jobs, and the shelf of scenarios."""

from __future__ import annotations

from pathlib import Path

from apportion.app.assign import AssignRequest
from apportion.app.whatif import KINDS
from apportion.app.whatif.page import TITLES
from apportion.engines import Progress
from apportion.reasons.words import count
from apportion.service.console.jobs import Job, Jobs
from apportion.service.console.shelf import Shelf
from apportion.service.console.today import Today, open_today, plan_folder
from apportion.whatif import Comparison, Scenario, combine
from apportion_models.errors import UsageError

LOAD, ASK, COMPARE, STUDY = "load", "whatif", "compare", "study"


class Console:
    """Everything behind the pages. It reads its inputs in a job, so that the first page is there at once."""

    def __init__(self, request: AssignRequest, scenarios: Path) -> None:
        self.request, self.shelf, self.jobs = request, Shelf(scenarios), Jobs()
        self._plans = plan_folder()
        self.today: Today | None = None
        self.loading = self.load()

    def load(self) -> Job:
        """Read the inputs, again if they were read before, and assign the batch."""

        def work(job: Job) -> Today:
            def solving(state: Progress) -> None:
                job.tell(f"Solving: proved within {state.gap:.2%}")

            found = open_today(self.request, Path(self._plans.name), step=job.tell, on_progress=solving)
            self.today = found
            return found

        self.today = None
        self.loading = self.jobs.start(LOAD, "Today's plan", work)
        return self.loading

    def ask(self, today: Today, scenario: Scenario) -> Job:
        """What one scenario would do, as fast as can be."""
        return self._compare(ASK, scenario.name, today, (scenario,), sources=False)

    def compare(self, today: Today, scenarios: tuple[Scenario, ...], *, together: bool, sources: bool) -> Job:
        """Several scenarios side by side. together : also all of them as one. sources : tell where gains come from."""
        if not scenarios:
            raise UsageError("Choose at least one saved scenario.")
        if together and len(scenarios) > 1:
            scenarios = (*scenarios, combine(*scenarios))
        return self._compare(COMPARE, count(len(scenarios), "scenario"), today, scenarios, sources=sources)

    def _compare(self, kind: str, title: str, today: Today, scenarios: tuple[Scenario, ...], *, sources: bool) -> Job:
        def work(job: Job) -> Comparison:
            of = len(scenarios)
            job.tell(f"Solving from today's prices: {title}", 0, of + 1)
            return today.compare(
                scenarios,
                sources=sources,
                cancelled=job.cancelled,
                on_done=lambda done: job.tell(
                    "Telling how sure it is" if done.number == of else f"Solved: {done.name}", done.number, of + 1
                ),
            )

        return self.jobs.start(kind, title, work, subject=scenarios)

    def study(self, today: Today, kind: str, rule: str | None) -> Job:
        """A curve or table beside today's plan."""
        if kind not in KINDS:
            raise UsageError(f"A study must be one of {', '.join(KINDS)}. Got {kind!r}.")

        def work(job: Job) -> tuple[str, object]:
            job.tell(f"{TITLES[kind]}: solving each point anew")
            return kind, today.study(kind, rule=rule, cancelled=job.cancelled)

        return self.jobs.start(STUDY, TITLES[kind], work)

    def close(self) -> None:
        """Stop all work and take the plans' folder away."""
        self.jobs.close()
        self._plans.cleanup()
