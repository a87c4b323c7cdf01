"""The groups that an audit tells apart: never so small that a single rep is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion_models.features.columns import texts
from apportion_models.features.proxies import codes

UNKNOWN = "(unknown)"


def group_of(reps: pd.DataFrame, column: str, counted: NDArray[np.bool_], at_least: int) -> tuple[list[str], list[int]]:
    """Names of the groups, and (R,) the group of each rep, -1 for those who do not count.

    Numbers and dates of many values are cut into bands of like size; who has no value is a group too. Groups with fewer
    than `at_least` reps who count are put together, with the next smallest where they are still too few.
    """
    band = codes(reps, column)
    said = texts(reps, column)
    names = {place: _name(reps, column, band == place, said) for place in sorted(set(band.tolist())) if place >= 0}
    names[-1] = UNKNOWN
    own = [names[place] for place in band.tolist()]
    size = pd.Series(own)[counted].value_counts()
    ranked = sorted(((int(many), str(name)) for name, many in size.items()), key=lambda pair: pair)
    small: list[str] = []
    for many, name in ranked:
        held = sum(one for one, other in ranked if other in small)
        if many < at_least or 0 < held < at_least:
            small.append(name)
    together = f"(groups of fewer than {at_least})" if len(small) > 1 else None
    told = [together if together and name in small else name for name in own]
    order = list(dict.fromkeys([*_in_order(names), *([together] if together else [])]))
    groups = [name for name in order if name in {one for one, counts in zip(told, counted, strict=True) if counts}]
    place = {name: number for number, name in enumerate(groups)}
    return groups, [place[name] if counts else -1 for name, counts in zip(told, counted.tolist(), strict=True)]


def _in_order(names: dict[int, str]) -> list[str]:
    """Bands and texts in their order, the unknown last."""
    return [names[place] for place in sorted(names) if place >= 0] + [names[-1]]


def _name(reps: pd.DataFrame, column: str, inside: NDArray[np.bool_], said: NDArray[np.object_]) -> str:
    values = reps.loc[inside, column]
    if pd.api.types.is_datetime64_any_dtype(values):
        return f"{values.min():%Y-%m-%d} to {values.max():%Y-%m-%d}"
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        low, high = float(values.min()), float(values.max())
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return str(said[int(np.flatnonzero(inside)[0])])
