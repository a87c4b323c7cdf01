"""Background jobs: one at a time, called off, failed, forgotten."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from apportion.engines import Progress
from apportion.service.console.jobs import KEPT, Job, Jobs
from apportion_models.errors import UsageError


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def ended(jobs: Jobs) -> None:
    """Wait until everything that was asked for has ended."""
    done = threading.Event()
    jobs.start("last", "last", lambda job: done.set())
    assert done.wait(20)


def test_a_job_tells_how_far_it_is_and_gives_its_result(jobs: Jobs) -> None:
    """Steps and numbers while it runs, the result when it is done."""
    go, told = threading.Event(), threading.Event()

    def work(job: Job) -> str:
        job.tell("half of it", 1, 2)
        told.set()
        go.wait(20)
        return "answer"

    job = jobs.start("kind", "title", work, subject="subject")
    assert told.wait(20)
    document = job.document()
    assert (document["state"], document["step"], document["number"], document["of"]) == ("running", "half of it", 1, 2)
    go.set()
    ended(jobs)
    assert (job.state, job.result, job.subject, job.fault) == ("done", "answer", "subject", None)
    assert job.seconds == job.seconds


def test_a_solve_is_told_as_it_goes(jobs: Jobs) -> None:
    """Bound, objective and gap, null for what is not known yet; nothing of it with the next step, or at the end."""
    heard: list[object] = []

    def work(job: Job) -> None:
        for told in (Progress(10.0, -math.inf), Progress(10.0, 9.0)):
            job.solving(told)
            heard.append(job.document()["solve"])
        job.tell("after it")
        heard.append(job.document()["solve"])
        job.solving(Progress(10.0, 10.0))

    job = jobs.start("kind", "title", work)
    ended(jobs)
    assert heard == [
        {"bound": 10.0, "objective": None, "gap": None},
        {"bound": 10.0, "objective": 9.0, "gap": 0.1},
        None,
    ]
    assert job.document()["solve"] is None


def test_consoles_share_a_pool_and_keep_their_jobs_apart() -> None:
    """Another's question of the same kind calls nothing off, ids are not mixed, and who goes leaves the pool."""
    with ThreadPoolExecutor(2) as pool:
        one, other = Jobs(pool, mark="a-"), Jobs(pool, mark="b-", kept=1)
        go = threading.Event()
        mine, theirs = one.start("k", "t", lambda _: go.wait(20)), other.start("k", "t", lambda _: go.wait(20))
        assert not mine.cancelled() and (mine.id, theirs.id) == ("a-1", "b-1")
        assert one.find("b-1") is None
        one.close()
        go.set()
        assert mine.cancelled() and not theirs.cancelled()
        assert other.start("k2", "t", lambda _: 5) and pool.submit(lambda: 6).result(20) == 6


def test_jobs_run_one_after_another(jobs: Jobs) -> None:
    """Each has the machine for itself."""
    running, most = [0], [0]

    def work(job: Job) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        running[0] -= 1

    for number in range(5):
        jobs.start(f"kind {number}", "x", work)
    ended(jobs)
    assert most == [1]


def test_a_newer_question_calls_the_older_off(jobs: Jobs) -> None:
    """Of one kind only the latest answer is wanted; what has not begun never does."""
    started, off, begun = threading.Event(), [], []

    def patient(job: Job) -> None:
        started.set()
        while not job.cancelled():
            threading.Event().wait(0.01)
        off.append(job.id)

    first = jobs.start("ask", "first", patient)
    assert started.wait(20)
    second = jobs.start("ask", "second", lambda job: begun.append(job.id))
    other = jobs.start("study", "other", lambda job: "kept")
    third = jobs.start("ask", "third", lambda job: "answer")
    ended(jobs)
    assert (first.state, second.state, third.state, other.state) == ("cancelled", "cancelled", "done", "done")
    assert (off, begun) == ([first.id], [])
    assert jobs.last("ask") is third
    third.cancel()
    assert third.state == "done"


def test_faults_are_the_jobs_own(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    """What was raised on purpose is kept as it is; anything else is a bug that is logged, and whose words stay here."""

    def refuse(job: Job) -> None:
        raise UsageError("Say what.")

    def burst(job: Job) -> None:
        raise RuntimeError("secret detail")

    refused, broken = jobs.start("a", "refused", refuse), jobs.start("b", "broken", burst)
    ended(jobs)
    assert refused.state == broken.state == "failed"
    assert str(refused.fault) == "Say what."
    assert "bug" in str(broken.fault) and "secret" not in str(broken.fault)
    assert "secret detail" in caplog.text


def test_old_answers_are_forgotten_and_open_jobs_are_not(jobs: Jobs) -> None:
    """The console may run for weeks: it holds so many answers and no more."""
    made = [jobs.start(f"kind {number}", "x", lambda job: None) for number in range(KEPT + 20)]
    ended(jobs)
    ended(jobs)
    assert jobs.find(made[0].id) is None
    assert jobs.find(made[-1].id) is made[-1]
    held = [job for job in made if jobs.find(job.id) is not None]
    assert len(held) <= KEPT


def test_closing_stops_what_runs() -> None:
    """Closing waits for the running job, which is told to stop, and starts nothing more."""
    jobs, started = Jobs(), threading.Event()

    def patient(job: Job) -> None:
        started.set()
        while not job.cancelled():
            threading.Event().wait(0.01)

    running = jobs.start("a", "x", patient)
    waiting = jobs.start("b", "x", lambda job: None)
    assert started.wait(20)
    jobs.close()
    assert running.state == "cancelled"
    assert waiting.state in ("waiting", "cancelled")
