"""What takes part: ours and the rivals, each behind the same four steps."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # a rival's process loads nothing of ours before it must
    from apportion import Plan
    from benchmarks.instances import Instance


@dataclass(frozen=True)
class Ask:
    """What a solve is asked for. gap : relative gap to stop at. time_limit : seconds left for this call."""

    time_limit: float
    gap: float
    seed: int
    threads: int


@dataclass(frozen=True)
class Answer:
    """What came back.

    rep : (L,) index of the rep, -1 for nurture; None without a plan.
    status : in the contender's own words. bound : an upper bound on the objective, where it claims one.
    relaxed : the bound is the value of a relaxation that was solved to its optimum, so it holds for everybody.
    split : leads that a fractional answer gives to several reps; `rep` is then its largest part.
    plan : ours only; its certificate is verified with it. told : numbers of a workload that is no single plan.
    """

    rep: NDArray[np.int64] | None
    status: str
    bound: float | None = None
    relaxed: bool = False
    split: int = 0
    plan: Plan | None = None
    told: dict[str, float] = field(default_factory=dict)


def _able(instance: Instance) -> str | None:
    return None


def _itself(instance: Instance) -> Any:
    return instance


@dataclass(frozen=True)
class Contender:
    """One way to solve an instance.

    cannot : None, or which rule of the instance it is not able to state. setup : what is there before the clock runs.
    prepare : builds the model from it; timed. solve : timed.
    """

    title: str
    prepare: Callable[[Any], Any]
    solve: Callable[[Any, Ask], Answer]
    cannot: Callable[[Instance], str | None] = _able
    setup: Callable[[Instance], Any] = _itself


def load(name: str) -> Contender:
    """Import a contender: `package.module`, or `package.module:option` for a module that makes one of an option."""
    module_name, _, option = name.partition(":")
    module = importlib.import_module(module_name)
    made: Contender = module.contender(option) if option else module.CONTENDER
    return made
