"""One case, in a process of its own: `python -m benchmarks.child JOB EVENTS`.

Appends a JSON line to EVENTS when a stage begins and when it ends, so that whoever watches knows where a process stood
that hangs, or is killed.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STAGE_LIMIT = 900.0  # seconds for what is no call: imports, making the instance, verifying
GRACE = 1.15  # a call may take so many times its limit: the solvers that obey it are late
GRACE_SECONDS = 2.0


class Teller:
    """Writes events."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, event: str, **data: Any) -> None:
        """Append one event."""
        self._file.write(json.dumps({"event": event, **data}) + "\n")
        self._file.flush()

    @contextmanager
    def stage(self, name: str, limit: float = STAGE_LIMIT) -> Iterator[None]:
        """Tell the watcher what runs now, and how long it may take."""
        self("begin", stage=name, limit=limit)
        yield
        self("end", stage=name)


def run(job: dict[str, Any], say: Teller) -> None:
    """All calls of a case."""
    from benchmarks.case import Case  # light: what a user's library takes to import is timed

    case = Case(**job)
    began = time.perf_counter()
    with say.stage("import"):
        importlib.import_module(case.package)
        seconds = time.perf_counter() - began
        contender = _load(case.contender)
    say("title", title=contender.title, seconds=seconds)
    last: int | None = None
    longest = spent = 0.0
    for number, seed in enumerate(case.seeds):
        if number and not _worth_another(case, longest, spent):
            break
        if seed != last:
            began = time.perf_counter()
            with say.stage("instance"):
                module, _, function = case.recipe.partition(":")
                instance = getattr(importlib.import_module(module), function)(**case.sizes, seed=seed)
            reason = contender.cannot(instance)
            if reason is not None:
                say("cannot", reason=reason)
                return
            with say.stage("setup"):
                given = contender.setup(instance)
            if number == 0:
                say("instance", seconds=time.perf_counter() - began, optimum=instance.optimum, base=memory("VmRSS"))
                forget_peak()
            last = seed
        seconds = _call(case, contender, instance, given, seed, say)
        longest, spent = max(longest, seconds), spent + seconds


def _load(name: str) -> Any:
    from benchmarks.contender import load

    return load(name)


def _worth_another(case: Any, longest: float, spent: float) -> bool:
    """None after twice the limit in all; nor the same question again to one who was past the limit."""
    many = len(set(case.seeds)) > 1
    return bool(spent < 2 * case.limit and (many or longest < case.limit))


def _call(case: Any, contender: Any, instance: Any, given: Any, seed: int, say: Teller) -> float:
    """One call, then its verification, which is not timed."""
    from benchmarks.contender import Ask

    with say.stage("call", GRACE * case.limit + GRACE_SECONDS):
        began, cpu = time.perf_counter(), time.process_time()
        model = contender.prepare(given)
        built = time.perf_counter() - began
        left = max(0.1, case.limit - built)
        answer = contender.solve(model, Ask(time_limit=left, gap=case.gap, seed=0, threads=case.threads))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = memory("VmHWM")
    del model
    call = {"seed": seed, "build": built, "seconds": seconds, "cpu": cpu, "status": answer.status}
    call |= {"bound": answer.bound, "told": dict(answer.told), "split": answer.split}
    say("call", call=call, peak=peak)
    if answer.rep is not None:
        from benchmarks.judge import judged

        with say.stage("verify"):
            verdict = judged(instance, answer)
        say("judged", verdict=verdict)
    return seconds


def memory(key: str) -> float | None:
    """MiB from /proc/self/status: VmRSS now, VmHWM at its peak. None where there is no such file.

    Not `getrusage`: its maximum is handed down by the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith(key + ":")), None)


def forget_peak() -> None:
    """Start VmHWM again from what is used now: making the instance may have taken more."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return


def main(job: str, events: str) -> int:
    """Run; tell what was raised."""
    say = Teller(Path(events))
    try:
        run(json.loads(Path(job).read_text(encoding="utf-8")), say)
    except BaseException as error:
        traceback.print_exc()
        say("raised", reason=f"{type(error).__name__}: {error}"[:300])
        return 1
    say("finished")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
