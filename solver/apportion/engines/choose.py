"""Which engine solves a formulation: the first on the list that supports it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apportion.engines import core, network
from apportion.engines.clock import Clock
from apportion.engines.formulation import Formulation
from apportion.engines.outcome import Outcome
from apportion_models.errors import UsageError

Report = Callable[[float, float], None]


@dataclass(frozen=True)
class Engine:
    """supports : None where the engine can solve a formulation, else the reason why not. solve : see `core.solve`."""

    name: str
    supports: Callable[[Formulation], str | None]
    solve: Callable[..., Outcome]
    strength: str


def _network(form: Formulation, *, gap: float, clock: Clock, seed: int, report: Report) -> Outcome:
    return network.solve(form)


ENGINES: Sequence[Engine] = (
    Engine("network", network.supports, _network, "every bound is a nested count: one min-cost flow is exact"),
    Engine("core", core.supports, core.solve, "prices, the exact relaxation, then search and branch and bound"),
)


@dataclass(frozen=True)
class Choice:
    """The engine and, in one sentence, why it and none before it."""

    engine: Engine
    why: str


def choose(form: Formulation, name: str = "auto") -> Choice:
    """Give the engine of that name, or the first that supports the formulation. UsageError where the named one
    cannot."""
    refused: list[str] = []
    for engine in ENGINES:
        if name not in ("auto", engine.name):
            continue
        reason = engine.supports(form)
        if reason is None:
            return Choice(engine, "; ".join([engine.strength, *refused]))
        if name != "auto":
            raise UsageError(f"engine {name!r} cannot solve this problem: {reason}. Use engine='auto'.")
        refused.append(f"not {engine.name}, because {reason}")
    known = ", ".join(repr(engine.name) for engine in ENGINES)
    raise UsageError(f"engine must be 'auto' or one of {known}. Got {name!r}.")
