"""How a group of reps is called."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem
from apportion.reasons.words import listed

Ints = NDArray[np.int64]
WORDS = {"team_id": "team"}


def group_words(
    problem: AssignmentProblem, by: object, index: Ints, n_groups: int, reps: pd.DataFrame | None = None
) -> tuple[str, ...]:
    """(G,) names: the rep, the team, the value of the reps' column that makes the groups, or the reps that are in it.

    index : (R,) group of each rep, -1 none. reps : the table with `rep_id`, in any order; without it columns are not
    known.
    """
    sizes = np.bincount(index[index >= 0], minlength=n_groups)
    if (isinstance(by, str) and by == "all") or (n_groups == 1 and sizes.sum() == problem.n_reps > 1):
        return ("all reps together",)
    if n_groups and sizes.max() > 1 and reps is not None:
        named = _by_column(reps.set_index(reps["rep_id"].astype(str)).loc[list(problem.rep_ids)], index, n_groups)
        if named is not None:
            return named
    return tuple(_group(problem, by, np.flatnonzero(index == group)) for group in range(n_groups))


def _by_column(reps: pd.DataFrame, index: Ints, n_groups: int) -> tuple[str, ...] | None:
    """The names by the first column, the teams' before others, whose values are the groups; None where none is."""
    inside = index >= 0
    columns = [name for name in ("team_id", *reps.columns) if name in reps.columns and name != "rep_id"]
    for column in dict.fromkeys(columns):
        values = reps[column].map(lambda cell: None if isinstance(cell, tuple) or pd.isna(cell) else str(cell))[inside]
        pairs = {(group, value) for group, value in zip(index[inside].tolist(), values, strict=True)}
        if values.notna().all() and len(pairs) == n_groups == values.nunique():
            word = WORDS.get(str(column), str(column).replace("_", " "))
            of = dict(pairs)
            return tuple(f"{word} {of[group]}" for group in range(n_groups))
    return None


def _group(problem: AssignmentProblem, by: object, members: Ints) -> str:
    if len(members) == 1:
        return str(problem.rep_ids[members[0]])
    if isinstance(by, str) and by == "team" and problem.team is not None:
        return f"team {problem.team[members[0]]}"
    return f"the {len(members)} reps {listed([problem.rep_ids[rep] for rep in members])}"
