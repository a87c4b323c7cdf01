"""A case: one contender on one instance, in a process of its own; and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Outcome = Literal["done", "cannot", "raised", "killed", "crashed"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the child is told, as JSON.

    contender : see `contender.load`. package : what a user of it imports; the import is timed. recipe :
    "module:function" that makes the instance from `sizes` and a seed. seeds : one call each; a seed twice in a row is
    the same instance again. gap : asked for. limit : seconds for one call, model building included. threads : cores
    that a contender may use.
    """

    row: str
    contender: str
    package: str
    recipe: str
    sizes: dict[str, Any]
    seeds: list[int]
    gap: float
    limit: float
    threads: int


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call: seconds on the wall and of all cores, the plan's objective as verified, its own bound, the verdict.

    ok : None where there is no plan, or it could not be verified. status : in the contender's words.
    """

    seed: int
    build: float
    seconds: float  # building included
    cpu: float
    status: str
    objective: float | None = None
    bound: float | None = None
    bound_holds: bool = False  # a verified certificate, or a relaxation solved to its optimum
    proof: str = ""
    ok: bool | None = None
    broken: str = ""
    split: int = 0
    placed: int = 0
    told: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a case. reason : why it is not done, or what is missing.

    peak_mib : largest memory of the process and all it started while the calls ran, instance included; base_mib : what
    was there before the first call (interpreter, libraries, instance). others : share of the machine that other work
    used meanwhile, 0 to 1.
    """

    case: Case
    title: str
    outcome: Outcome
    reason: str = ""
    import_seconds: float | None = None
    instance_seconds: float | None = None
    base_mib: float | None = None
    peak_mib: float | None = None
    calls: tuple[Call, ...] = ()
    optimum: float | None = None
    others: float | None = None
    wall: float = 0.0

    @property
    def first(self) -> float | None:
        """Seconds of the first call: what warms up, or is compiled, is in it."""
        return self.calls[0].seconds if self.calls else None

    def seconds(self, *, cpu: bool = False) -> float | None:
        """Median seconds of the calls after the first, or of the only one."""
        times = self._times(cpu)
        return median(times) if times else None

    def percentile(self, share: float, *, cpu: bool = False) -> float | None:
        """The smallest time that at least this share of the calls after the first kept."""
        times = sorted(self._times(cpu))
        return times[max(0, math.ceil(share * len(times)) - 1)] if times else None

    def _times(self, cpu: bool) -> list[float]:
        later = self.calls[1:] or self.calls
        return [call.cpu if cpu else call.seconds for call in later]

    @property
    def verdict(self) -> str:
        """In a word: how the plans of this case fared before the verifier."""
        judged = [call for call in self.calls if call.ok is not None]
        if any(call.ok is False for call in judged):
            return "infeasible"
        return "verified" if judged else "no plan" if self.calls else ""
