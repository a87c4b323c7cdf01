"""The list of routers: one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion.whatif.baselines import routers
from apportion.whatif.baselines.context import RouterContext
from apportion.whatif.baselines.desk import Desk, Ints
from apportion.whatif.baselines.measures import BaselineResult, score


@dataclass(frozen=True)
class Baseline:
    """A rule-based router. `name` is for files, `title` and `sentence` are for people."""

    name: str
    title: str
    sentence: str
    route: Callable[[Desk], Ints]

    def assign(self, problem: AssignmentProblem, context: RouterContext | None = None) -> NDArray[np.int64]:
        """(L,) rep index of each lead, -1 unplaced."""
        desk = Desk.open(problem, (context or RouterContext()).checked(problem))
        return desk.answer(self.route(desk))


BASELINES: tuple[Baseline, ...] = (
    Baseline("round_robin", "Round robin", "Each lead goes to the next rep in turn.", routers.round_robin),
    Baseline("weighted", "Weighted round robin", "In turn, in proportion to weights or capacity.", routers.weighted),
    Baseline(
        "territory", "Territory round robin", "In turn inside the lead's territory.", routers.territory_round_robin
    ),
    Baseline("least_loaded", "Least loaded", "Each lead goes to the rep with the least load.", routers.least_loaded),
    Baseline("score_tiered", "Score-tiered", "The best scores go to the best-ranked reps.", routers.score_tiered),
    Baseline(
        "cherry_pick", "Cherry-pick", "The most valuable pair is taken first, then the next.", routers.cherry_pick
    ),
    Baseline("shotgun", "Shotgun", "Offered to the best few reps; the first to answer takes it.", routers.shotgun),
    Baseline("incumbent", "Incumbent", "The current owner keeps the lead; others go in turn.", routers.incumbent),
)


def run_baselines(
    problem: AssignmentProblem,
    context: RouterContext | None = None,
    *,
    baselines: tuple[Baseline, ...] = BASELINES,
) -> tuple[BaselineResult, ...]:
    """Route the batch by each baseline, and measure it."""
    return tuple(
        score(problem, baseline.assign(problem, context), name=baseline.name, title=baseline.title)
        for baseline in baselines
    )
