"""A batch's leads as rules see them: with their territory and their tier as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.policy.asked import Asked
from apportion.policy.schema import Policy
from apportion.policy.schema.routing import Band
from apportion_models.errors import Finding, PolicyError, UsageError

ONE_TIER = ("all",)


@dataclass(frozen=True)
class LeadContext:
    """The leads with the columns `territory` and `tier` where the policy has them, and both as labels."""

    leads: pd.DataFrame
    territory: NDArray[np.int64]  # (L,) index into policy.territories.cover, -1 none
    tier: NDArray[np.int64]  # (L,) index into tier_names
    tier_names: tuple[str, ...]


def lead_context(
    policy: Policy,
    leads: pd.DataFrame,
    *,
    at: object,
    tier: NDArray[np.int64] | None = None,
    needs_tier: bool = False,
) -> LeadContext:
    """Prepare the leads for rules; `tier` as `tiers` gives it. Raises PolicyError, or UsageError where `tier` is
    missing."""
    placed, territory = with_territory(policy, leads, at=at)
    names = tuple(band.name for band in policy.tiers.bands) or ONE_TIER
    if tier is None and not policy.tiers.bands:
        tier = np.zeros(len(leads), dtype=np.int64)
    if tier is None and policy.tiers.by != "expected":
        tier = band_labels(policy, placed, None, at=at)
    if tier is None:
        if needs_tier or any(name == "tier" for _, p in policy.predicates() for _, name in p.columns):
            raise UsageError(
                "The policy's tiers are by expected revenue: pass tier=, as tiers(policy, leads, expected) gives it."
            )
        return LeadContext(placed, territory, np.full(len(leads), len(names) - 1, dtype=np.int64), names)
    tier = np.asarray(tier, dtype=np.int64)
    if policy.tiers.bands:
        placed = placed.assign(tier=pd.Series(names, dtype=object).to_numpy()[tier])
    return LeadContext(placed, territory, tier, names)


def with_territory(policy: Policy, leads: pd.DataFrame, *, at: object) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The leads with the column `territory`, and (L,) the index of each lead's territory, -1 where it has none."""
    cover = policy.territories.cover
    if not cover:
        return leads, np.full(len(leads), -1)
    asked = Asked(policy, at=at, leads=leads)
    asked.check("territories.cover")
    found = asked.first(((f"territories.cover[{k}].when", item.when) for k, item in enumerate(cover)), len(leads))
    names = np.array([*(item.name for item in cover), None], dtype=object)
    return leads.assign(territory=names[found]), found


def tiers(
    policy: Policy, leads: pd.DataFrame, expected: NDArray[np.floating] | None = None, *, at: object
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(L,) tier of each lead, and the tiers' names, best first; one tier `all` where the policy has none.

    `expected` is (L,) the leads' expected revenue, needed where tiers are by it.
    A lead whose measure is missing falls into the last tier. Raises PolicyError, UsageError.
    """
    names = tuple(band.name for band in policy.tiers.bands) or ONE_TIER
    if not policy.tiers.bands:
        return np.zeros(len(leads), dtype=np.int64), names
    if policy.tiers.by == "expected" and expected is None:
        raise UsageError("The policy's tiers are by expected revenue: pass expected=, (L,) in currency.")
    placed, _ = with_territory(policy, leads, at=at)
    return band_labels(policy, placed, expected, at=at), names


def band_labels(
    policy: Policy, leads: pd.DataFrame, expected: NDArray[np.floating] | None, *, at: object
) -> NDArray[np.int64]:
    """(L,) index of the first band that takes each lead."""
    asked = Asked(policy, at=at, leads=leads)
    asked.check("tiers")
    measure = _measure(asked, expected)
    labels = np.full(len(leads), len(policy.tiers.bands) - 1)
    free = np.ones(len(leads), dtype=bool)
    for index, (band, path) in enumerate(_bands(policy)):
        takes = free & _takes(asked, band, path, measure)
        labels[takes] = index
        free &= ~takes
    return labels


def _bands(policy: Policy) -> Iterator[tuple[Band, str]]:
    for index, band in enumerate(policy.tiers.bands):
        yield band, f"tiers.bands[{index}]"


def _measure(asked: Asked, expected: NDArray[np.floating] | None) -> NDArray[np.float64]:
    assert asked.leads is not None
    rule = asked.policy.tiers
    if rule.by == "expected" and expected is not None:
        return np.asarray(expected, dtype=float)
    if not any(band.at_least is not None or band.top is not None for band in rule.bands):
        return np.full(len(asked.leads), np.nan)
    if rule.by not in asked.leads.columns or not pd.api.types.is_numeric_dtype(asked.leads[rule.by]):
        known = ", ".join(str(name) for name in asked.leads.select_dtypes("number").columns)
        remedy = f"Write expected, or a number column of the leads: {known}."
        raise PolicyError(_fault(asked, "must name a number column of the leads", rule.by, remedy))
    return asked.leads[rule.by].to_numpy(dtype=float, na_value=np.nan)


def _fault(asked: Asked, message: str, value: object, remedy: str) -> Finding:
    return asked.policy.finding("error", "tiers.by", message, value=value, remedy=remedy)


def _takes(asked: Asked, band: Band, path: str, measure: NDArray[np.float64]) -> NDArray[np.bool_]:
    if band.when is not None:
        return asked.holds(band.when, f"{path}.when")
    if band.at_least is not None:
        return np.asarray(measure >= band.at_least)
    if band.top is None:
        return np.ones(len(measure), dtype=bool)
    known = np.sort(measure[~np.isnan(measure)])[::-1]
    if not len(known):
        return np.zeros(len(measure), dtype=bool)
    # Leads of equal measure are of one tier: the threshold is the value of the last lead that the share reaches.
    rank = max(int(np.ceil(band.top * len(known) - 1e-9)), 1) - 1
    return np.asarray(measure >= known[rank])
