"""The console's own state: a plan (or why there is none), what is asked of it, and the shelf of scenarios."""

from __future__ import annotations

from pathlib import Path

from apportion.app.whatif import KINDS
from apportion.app.whatif.page import TITLES
from apportion.reasons.words import count
from apportion.service.console.jobs import Job, Jobs
from apportion.service.console.shelf import Shelf
from apportion.service.console.source import Source
from apportion.service.console.today import Today, plan_folder
from apportion.whatif import Comparison, Scenario, combine
from apportion_models.errors import UsageError

LOAD, WARM, ASK, COMPARE, STUDY = "load", "warm", "whatif", "compare", "study"


class Opened:
    """The plan of a source. It is read in a job, so that the first page is there at once. kind : of that job; a newer
    one of the same kind calls it off."""

    def __init__(self, source: Source, jobs: Jobs, *, kind: str = LOAD) -> None:
        self.source, self._jobs, self._kind = source, jobs, kind
        self._plans = plan_folder()
        self.today: Today | None = None
        self.loading = self.load()

    def load(self) -> Job:
        """Read the source, again if it was read before."""

        def work(job: Job) -> None:
            found = self.source.open(Path(self._plans.name), step=job.tell, on_progress=job.solving)
            if job.cancelled():
                return  # let go meanwhile
            self.today = found
            self._jobs.start(f"{WARM} {self._kind}", "Ready for what-if", lambda _: found.warm_up())

        self.today = None
        self.loading = self._jobs.start(self._kind, "The plan", work)
        return self.loading

    def close(self) -> None:
        """Let the plan go, and take the folder of finished plans away."""
        self.loading.cancel()
        self.today = None
        self._plans.cleanup()


class Console:
    """Everything behind the pages of one person on one plan."""

    def __init__(self, opened: Opened, shelf: Shelf, jobs: Jobs) -> None:
        self._opened, self.shelf, self.jobs = opened, shelf, jobs

    @property
    def source(self) -> Source:
        """Where the plan comes from."""
        return self._opened.source

    @property
    def today(self) -> Today | None:
        """The plan; None while there is none."""
        return self._opened.today

    @property
    def loading(self) -> Job:
        """The job that opens the plan, or did."""
        return self._opened.loading

    def load(self) -> Job:
        """Open the plan again, unless that is being done."""
        return self.loading if self.loading.open else self._opened.load()

    def find(self, job: str) -> Job | None:
        """The job with this id, if it is still held."""
        return self.loading if job == self.loading.id else self.jobs.find(job)

    def ask(self, today: Today, scenario: Scenario, *, exact: bool = False) -> Job:
        """What one scenario would do, as fast as can be; exact : proved as far as the plan itself was asked to be."""
        return self._compare(ASK, scenario.name, today, (scenario,), sources=False, quick=not exact)

    def compare(self, today: Today, scenarios: tuple[Scenario, ...], *, together: bool, sources: bool) -> Job:
        """Several scenarios side by side. together : also all of them as one. sources : tell where gains come from."""
        if not scenarios:
            raise UsageError("Choose at least one saved scenario.")
        if together and len(scenarios) > 1:
            scenarios = (*scenarios, combine(*scenarios))
        return self._compare(COMPARE, count(len(scenarios), "scenario"), today, scenarios, sources=sources)

    def _compare(
        self,
        kind: str,
        title: str,
        today: Today,
        scenarios: tuple[Scenario, ...],
        *,
        sources: bool,
        quick: bool = False,
    ) -> Job:
        def work(job: Job) -> Comparison:
            of = len(scenarios)
            job.tell(f"Solving from the plan's prices: {title}", 0, of + 1)
            return today.compare(
                scenarios,
                sources=sources,
                quick=quick,
                cancelled=job.cancelled,
                on_progress=job.solving if of == 1 and not sources else None,  # several solves have no one gap
                on_done=lambda done: job.tell(
                    "Telling how sure it is" if done.number == of else f"Solved: {done.name}", done.number, of + 1
                ),
            )

        return self.jobs.start(kind, title, work, subject=scenarios)

    def study(self, today: Today, kind: str, rule: str | None) -> Job:
        """A curve or table beside the plan."""
        if kind not in KINDS:
            raise UsageError(f"A study must be one of {', '.join(KINDS)}. Got {kind!r}.")

        def work(job: Job) -> tuple[str, object]:
            job.tell(f"{TITLES[kind]}: solving each point anew")
            return kind, today.study(kind, rule=rule, cancelled=job.cancelled)

        return self.jobs.start(STUDY, TITLES[kind], work)

    def close(self) -> None:
        """Stop all work and let the plan go."""
        self.jobs.close()
        self._opened.close()
