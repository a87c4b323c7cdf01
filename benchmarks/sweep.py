"""One sweep of scenarios beside each of them from cold, in turn: `python -m benchmarks.sweep [COUNT] [SCALE]`.

COUNT scenarios (default 200) over SCALE x 1,000 leads (default 1) and 50 reps, both ways in one run; see
`benchmarks.workloads.whatif` for what they are. The first line is the ratio; then for each way the clock, the CPU
seconds of the process, and the same for one scenario; then where a scenario's CPU goes. On a machine that others use
too, the ratio of CPU seconds is the one to go by.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apportion import engines
from apportion.whatif import How, Scenario, Setting, compare
from apportion.whatif.compare import lay_ground
from benchmarks.workloads import whatif

COUNT = 200
PARTS = {
    "solving": (engines, "solve"),
    "posing": ("apportion.whatif.compare.compare", "pose"),
    "judging": ("apportion.whatif.compare.uncertainty", "Judge.between"),
    "measuring": ("apportion.whatif.compare.compare", "measure"),
    "applying": ("apportion.whatif.compare.compare", "apply"),
}


def main(arguments: list[str]) -> int:
    """Measure and print."""
    count = int(arguments[0]) if arguments else COUNT
    rows = whatif.run(float(arguments[1]) if arguments[1:] else 1.0, count=count)
    cold, swept = rows[0], rows[1]
    print(f"{swept['faster']:.2f} times faster by the clock, {swept['less_cpu']:.2f} times by CPU: {count} scenarios")
    for row in rows:
        seconds, cpu = row["seconds"], row["cpu_seconds"]
        each = f"{seconds / row['scenarios']:.3f} s, {cpu / row['scenarios']:.3f} CPU-s each"
        print(f"{row['way']:45} {seconds:8.1f} s {cpu:8.1f} CPU-s   {each}")
    setting = whatif.base(float(arguments[1]) if arguments[1:] else 1.0)
    for name, share in split(setting, whatif.scenarios(setting, min(count, 20))).items():
        print(f"  {name:10} {share:6.1%}")
    return 0 if cold["scenarios"] == swept["scenarios"] else 1


def split(setting: Setting, asked: list[Scenario]) -> dict[str, float]:
    """The share of a sweep's CPU in each of `PARTS`, on one thread; the rest is "else"."""
    how = How(sources=False, routers=False, workers=1)
    ground = lay_ground(setting, how)
    _ = ground.judge
    compare(setting, asked[:1], how, ground=ground)
    spent: dict[str, float] = defaultdict(float)
    began = time.process_time()
    with timed(spent):
        compare(setting, asked, how, ground=ground)
    whole = time.process_time() - began
    spent["else"] = whole - sum(spent.values())
    return {name: amount / whole for name, amount in spent.items()}


@contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """Add up the CPU seconds of each of `PARTS` while the block runs."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for name, (room, path) in PARTS.items():
            place: Any = importlib.import_module(room) if isinstance(room, str) else room
            *owners, last = path.split(".")
            for owner in owners:
                place = getattr(place, owner)
            before.append((place, last, getattr(place, last)))
            setattr(place, last, _counted(getattr(place, last), name, spent))
        yield
    finally:
        for place, last, was in before:
            setattr(place, last, was)


def _counted(ask: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return ask(*given, **named)
        finally:
            spent[name] += time.process_time() - began

    return counted


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    raise SystemExit(main(sys.argv[1:]))
