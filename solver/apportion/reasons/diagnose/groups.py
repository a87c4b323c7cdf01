"""How a group of reps is called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion.reasons.words import listed


def group_words(problem: AssignmentProblem, by: object, index: NDArray[np.int64], n_groups: int) -> tuple[str, ...]:
    """(G,) names: the rep, the team, or the reps that are in it."""
    if isinstance(by, str) and by == "all":
        return ("all reps together",)
    return tuple(_group(problem, by, np.flatnonzero(index == group)) for group in range(n_groups))


def _group(problem: AssignmentProblem, by: object, members: NDArray[np.int64]) -> str:
    if len(members) == 1:
        return str(problem.rep_ids[members[0]])
    if isinstance(by, str) and by == "team" and problem.team is not None:
        return f"team {problem.team[members[0]]}"
    return f"the {len(members)} reps {listed([problem.rep_ids[rep] for rep in members])}"
