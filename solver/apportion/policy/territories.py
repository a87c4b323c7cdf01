"""Who covers which territory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked, texts
from apportion.policy.schema.routing import Territory
from apportion_models.errors import Finding, TableError

NONE, OVERFLOW, PRIMARY = 0, 1, 2
NAME_COLUMNS = ("territory", "territory_id", "name")


def coverage(asked: Asked, territories: pd.DataFrame | None) -> NDArray[np.int64]:
    """(T, R) PRIMARY, OVERFLOW or NONE: how each rep covers each territory of the policy.

    By the territory's own predicates; where it has no `primary`, by the territories table (`territory`, `rep_id`,
    `cover`: primary unless it says overflow) and the reps' `territories` column.
    """
    assert asked.reps is not None
    cover = asked.policy.territories.cover
    table = _table_roles(territories)
    found = np.zeros((len(cover), len(asked.reps)), dtype=np.int64)
    for index, territory in enumerate(cover):
        path = f"territories.cover[{index}]"
        if territory.primary is not None:
            found[index, asked.holds(territory.primary, f"{path}.primary")] = PRIMARY
        else:
            found[index] = _by_tables(asked, territory, table)
        if territory.overflow is not None:
            helps = asked.holds(territory.overflow, f"{path}.overflow")
            found[index, helps] = np.maximum(found[index, helps], OVERFLOW)
    return found


def _by_tables(asked: Asked, territory: Territory, table: dict[tuple[str, str], int]) -> NDArray[np.int64]:
    assert asked.reps is not None
    role = np.array([table.get((territory.name, str(rep)), NONE) for rep in asked.reps["rep_id"]], dtype=np.int64)
    if "territories" in asked.reps.columns:
        role[[_lists(value, territory.name) for value in asked.reps["territories"]]] = PRIMARY
    return role


def _lists(value: object, name: str) -> bool:
    if isinstance(value, str):
        return value == name
    return isinstance(value, Iterable) and name in value


def _table_roles(territories: pd.DataFrame | None) -> dict[tuple[str, str], int]:
    if territories is None or "rep_id" not in territories.columns:
        return {}
    column = next((name for name in NAME_COLUMNS if name in territories.columns), None)
    if column is None:
        message = "The territories must have the column territory."
        raise TableError(
            Finding(severity="error", table="territories", message=message, value=list(territories.columns))
        )
    roles: dict[tuple[str, str], int] = {}
    rows = zip(texts(territories, column), texts(territories, "rep_id"), texts(territories, "cover"), strict=True)
    for name, rep, cover in rows:
        if name is not None and rep is not None:
            level = OVERFLOW if cover == "overflow" else PRIMARY
            roles[name, rep] = max(level, roles.get((name, rep), NONE))
    return roles
