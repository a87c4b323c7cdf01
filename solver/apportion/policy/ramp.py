"""How new reps grow into their capacity, and into the tiers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from apportion.policy.asked import Asked, days_in_role
from apportion.policy.schema.work import RampProfile


def profile_of(asked: Asked) -> NDArray[np.int64]:
    """(R,) index of the first ramp profile that holds for each rep; -1 for none, or without a start date."""
    assert asked.reps is not None
    profiles = ((f"ramp[{index}].reps", profile.reps) for index, profile in enumerate(asked.policy.ramp))
    found = asked.first(profiles, len(asked.reps))
    found[np.isnan(days_in_role(asked.reps, asked.at))] = -1
    return found


def ramp_shares(asked: Asked) -> tuple[NDArray[np.float64], list[str]]:
    """(R,) share of the full capacity, and for each rep still on the way what to say of it."""
    assert asked.reps is not None
    profiles, days = profile_of(asked), days_in_role(asked.reps, asked.at)
    shares, names = np.ones(len(days)), [""] * len(days)
    for rep in np.flatnonzero(profiles >= 0):
        profile = asked.policy.ramp[profiles[rep]]
        shares[rep] = share_at(profile, float(days[rep]))
        if shares[rep] < 1:
            names[rep] = f"{profile.name}, day {max(0, int(np.floor(days[rep])))}"
    return shares, names


def share_at(profile: RampProfile, day: float) -> float:
    """The share of a profile on a day: before the first point that point's own, after the last the last one's."""
    days, shares = [point.day for point in profile.points], [point.share for point in profile.points]
    if profile.shape == "linear":
        return float(np.interp(day, days, shares))
    reached = [share for start, share in zip(days, shares, strict=True) if start <= day]
    return reached[-1] if reached else shares[0]


def too_early(
    asked: Asked, tier: NDArray[np.int64], names: Sequence[str]
) -> list[tuple[RampProfile, NDArray[np.bool_]]]:
    """For each profile with tiers by day: (L, R) pairs of a lead in a tier that the rep may not get yet."""
    assert asked.reps is not None
    profiles, days = profile_of(asked), days_in_role(asked.reps, asked.at)
    found = []
    for index, profile in enumerate(asked.policy.ramp):
        if not profile.tier_from:
            continue
        early = np.zeros((len(tier), len(days)), dtype=bool)
        for name, first_day in profile.tier_from.items():
            in_tier = tier == list(names).index(name)
            early |= in_tier[:, None] & ((profiles == index) & (days < first_day))[None, :]
        found.append((profile, early))
    return found
