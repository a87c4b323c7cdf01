"""Contenders that misbehave, each in one way: `tests.benchmarks.contenders:WAY`. And instances to give them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contender import Answer, Ask, Contender

if TYPE_CHECKING:
    from benchmarks.instances import Instance

_CALLS = [0]


def stand_in(*, seed: int) -> Any:
    """As much of an instance as a contender sees that gives no plan; loads no solver."""
    return SimpleNamespace(n_leads=4, optimum=None)


def instance(*, seed: int, leads: int = 4) -> Instance:
    """Two reps with room for all but one lead; the first rep is better for each."""
    from benchmarks.instances import Instance

    value = np.column_stack([np.full(leads, 10.0 + seed), np.full(leads, 5.0)])
    return Instance(value, np.array([leads - 2.0, 1.0]))


def unmade(*, seed: int) -> Instance:
    """An instance that cannot be made."""
    raise ValueError(f"no instance of seed {seed}")


def _right(given: Instance, ask: Ask) -> Answer:
    rep = np.zeros(given.n_leads, dtype=np.int64)
    rep[-2], rep[-1] = 1, -1
    return Answer(rep, "right")


def _raises(given: Instance, ask: Ask) -> Answer:
    raise RuntimeError("it went wrong | badly")


def _hangs(given: Instance, ask: Ask) -> Answer:
    """Ignores every polite signal, and has started a process that left for a session of its own."""
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    code = "import time; time.sleep(600)"
    left = subprocess.Popen([sys.executable, "-S", "-c", code, "left-behind"], start_new_session=True)
    Path(os.environ["LEFT_BEHIND"]).write_text(str(left.pid), encoding="utf-8")
    time.sleep(600)
    return _right(given, ask)


def _leaves(given: Instance, ask: Ask) -> Answer:
    """Answers, and leaves a process running."""
    left = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    Path(os.environ["LEFT_BEHIND"]).write_text(str(left.pid), encoding="utf-8")
    return _right(given, ask)


def _eats(given: Instance, ask: Ask) -> Answer:
    kept = []
    while True:
        kept.append(np.ones(1 << 21))
        time.sleep(0.02)


def _helper_eats(given: Instance, ask: Ask) -> Answer:
    """The memory is that of a process it started."""
    code = "kept = bytearray(700 << 20); import time; time.sleep(600)"
    subprocess.run([sys.executable, "-S", "-c", code], check=False)
    return _right(given, ask)


def _uses(given: Instance, ask: Ask) -> Answer:
    """Needs 200 MiB for a moment."""
    assert np.ones(200 << 17).sum() > 0
    return _right(given, ask)


def _crashes(given: Instance, ask: Ask) -> Answer:
    os.kill(os.getpid(), signal.SIGSEGV)
    return _right(given, ask)


def _vanishes(given: Instance, ask: Ask) -> Answer:
    sys.stdout.write("the last words\n")
    sys.stdout.flush()
    os._exit(0)


def _exits(given: Instance, ask: Ask) -> Answer:
    sys.exit(0)


def _lies(given: Instance, ask: Ask) -> Answer:
    """Four wrong answers, one after another."""
    _CALLS[0] += 1
    all_to_one, no_rep = np.zeros(given.n_leads, dtype=np.int64), np.full(given.n_leads, 7)
    right = _right(given, ask).rep
    answers = (Answer(all_to_one, ""), Answer(no_rep, ""), Answer(all_to_one[:1], ""), Answer(right, "", bound=1.0))
    return answers[_CALLS[0] - 1]


def _chatters(given: Instance, ask: Ask) -> Answer:
    """Fills both streams, as solvers with a log do, and leaves a file where it stands."""
    for stream in (1, 2):
        os.write(stream, b"{not an event}\n" * 100_000)
    Path("left.txt").write_text("left", encoding="utf-8")
    return _right(given, ask)


def _warms(given: Instance, ask: Ask) -> Answer:
    _CALLS[0] += 1
    time.sleep(0.4 if _CALLS[0] == 1 else 0.0)
    return _right(given, ask)


def _none(given: Instance, ask: Ask) -> Answer:
    return Answer(None, "UNKNOWN")


def contender(way: str) -> Contender:
    """One that misbehaves in the way that the function of that name does."""
    run: Any = globals()[f"_{way}"]
    return Contender(way, lambda given: given, run)


def _unable(given: Instance) -> str:
    return "cannot state that"


CONTENDER = Contender("unable", lambda given: given, _right, _unable)
