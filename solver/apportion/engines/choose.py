"""Which engine solves a problem: the first on the list that supports it.

One engine looks at the problem itself, before anything is written out for each pair; the others at its formulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apportion.engines import core, network, transport
from apportion.engines.clock import Clock
from apportion.engines.formulation import Formulation
from apportion.engines.known import NOTHING, Known
from apportion.engines.outcome import Outcome
from apportion.problem import AssignmentProblem
from apportion_models.errors import UsageError

TRANSPORT, NETWORK, CORE = "transport", "network", "core"

Report = Callable[[float, float], None]


@dataclass(frozen=True)
class Engine:
    """supports : None where the engine can solve a formulation, else the reason why not. solve : see `core.solve`."""

    name: str
    supports: Callable[[Formulation], str | None]
    solve: Callable[..., Outcome]
    strength: Callable[[Formulation], str]


CORE_STRENGTH = "prices, the exact relaxation, then search and branch and bound"


def _network(
    form: Formulation, *, gap: float, clock: Clock, seed: int, report: Report, known: Known = NOTHING
) -> Outcome:
    return network.solve(form, clock=clock, report=report, known=known.prices)


def _flow_over(form: Formulation) -> str:
    if network.by_arcs(form) is not None:
        return "every bound is a nested count: one min-cost flow is exact"
    return (
        f"every bound is a nested count, and there are {form.n_pairs} pairs: prices first, then the flow on the arcs "
        "that matter, until no other prices in"
    )


ENGINES: Sequence[Engine] = (
    Engine(NETWORK, network.supports, _network, _flow_over),
    Engine(
        "core", core.supports, core.solve, lambda _: "prices, the exact relaxation, then search and branch and bound"
    ),
)


TRANSPORT_STRENGTH = "pure counts: prices, then shortest paths over the reps, exact at any size"


@dataclass(frozen=True)
class Choice:
    """The engine and, in one sentence, why it and none before it."""

    engine: Engine
    why: str


def choose_transport(problem: AssignmentProblem, name: str | Engine = "auto") -> tuple[bool, str]:
    """Whether the engine for pure counts solves the problem, and in one sentence why or why not (nothing where it was
    not asked for). UsageError where it is named and cannot."""
    if isinstance(name, Engine) or name not in ("auto", TRANSPORT):
        return False, ""
    reason = transport.supports(problem)
    if reason is not None and name == TRANSPORT:
        raise _cannot(name, reason)
    if reason is None and name == "auto":
        reason = transport.worthwhile(problem)
    return (True, TRANSPORT_STRENGTH) if reason is None else (False, f"not {TRANSPORT}, because {reason}")


def choose(form: Formulation, name: str | Engine = "auto", refused: str = "") -> Choice:
    """Give the engine of that name, or the first that supports the formulation; one that is handed in is taken.
    UsageError where the named one cannot. refused : why an engine before these was not taken."""
    if isinstance(name, Engine):
        return Choice(name, name.strength(form))
    refusals = [refused] if refused else []
    for engine in ENGINES:
        if name not in ("auto", engine.name):
            continue
        reason = engine.supports(form)
        if reason is None:
            return Choice(engine, "; ".join([engine.strength(form), *refusals]))
        if name != "auto":
            raise _cannot(name, reason)
        refusals.append(f"not {engine.name}, because {reason}")
    known = ", ".join(repr(known) for known in (TRANSPORT, *(engine.name for engine in ENGINES)))
    raise UsageError(f"engine must be 'auto' or one of {known}. Got {name!r}.")


def _cannot(name: str, reason: str) -> UsageError:
    return UsageError(f"engine {name!r} cannot solve this problem: {reason}. Use engine='auto'.")
