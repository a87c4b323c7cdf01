"""A rep's features, without those that stand for a protected attribute of the reps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from apportion_models.errors import Finding, InputError
from apportion_models.features.protected import attribute_of
from apportion_models.features.proxies import FEWEST_REPS, Ints, Proxy, codes, find_proxies, list_codes
from apportion_models.features.reps import DECLARED, declared_skills, start_days

ON_THEIR_OWN = ("level", "team_id")  # features that nobody has to ask for, beside tenure and what is declared
RAMP_EDGES = (30.0, 90.0, 270.0)  # days in the job: what a ramp of 90 days can tell apart
NO_GROUP = "person"  # names and pictures: an attribute of one, and no group to compare


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The reps without the columns that are refused; what was tested; and what people should know."""

    reps: pd.DataFrame
    proxies: tuple[Proxy, ...]
    findings: tuple[Finding, ...]


def without_proxies(
    reps: pd.DataFrame,
    asked: Sequence[str],
    *,
    at_days: float,
    override: Mapping[str, object],
    declared: Sequence[str] = (),
    seed: int = 0,
) -> Checked:
    """Test every column that may be a rep's feature against every protected attribute of the table.

    asked : columns that are features because somebody asked. at_days : the moment that tenure is counted to. override :
    columns allowed on record, which are not tested. declared : columns that are protected whatever their name.
    Raises InputError where a column that was asked for is a proxy. The reps must be in order of their ids.
    """
    hidden = _protected(reps, override, declared)
    attributes = {name: codes(reps, name) for name, held in hidden.items() if held != NO_GROUP}
    features = _features(reps, asked, at_days)
    tested = {name: found for name, found in features.items() if name not in (*override, *hidden)}
    proxies = find_proxies(tested, attributes, seed=seed)
    strong = {proxy.column: proxy for proxy in reversed(proxies) if proxy.strong}
    wanted = [strong[column] for column in asked if column in strong]
    if wanted:
        raise InputError(
            Finding(
                severity="error", table="reps", column=one.column, message=one.sentence(), remedy=one.finding().remedy
            )
            for one in wanted
        )
    findings = [strong[column].finding() for column in sorted(strong)]
    findings += [_too_few(name) for name, held in attributes.items() if (held >= 0).sum() < FEWEST_REPS]
    gone = sorted({*strong, *hidden})
    return Checked(reps=reps.drop(columns=gone), proxies=tuple(proxies), findings=tuple(findings))


def _protected(reps: pd.DataFrame, override: Mapping[str, object], declared: Sequence[str]) -> dict[str, str]:
    """Protected columns of the reps that nobody allowed, and the attribute that each holds."""
    found = {str(name): attribute_of(str(name), declared) for name in sorted(reps.columns, key=str)}
    return {name: held for name, held in found.items() if held is not None and name not in override}


def _features(reps: pd.DataFrame, asked: Sequence[str], at_days: float) -> dict[str, list[Ints]]:
    found = {name: [codes(reps, name)] for name in (*ON_THEIR_OWN, *asked) if name in reps.columns}
    if "start_date" in reps.columns:
        days = at_days - start_days(reps)
        found["start_date"] = [np.where(np.isnan(days), -1, np.searchsorted(RAMP_EDGES, days)).astype(np.int64)]
    for name in DECLARED:
        if name in reps.columns:
            found[name] = list_codes(declared_skills(reps, (name,)))
    return {name: entries for name, entries in found.items() if entries}


def _too_few(column: str) -> Finding:
    message = f"fewer than {FEWEST_REPS} reps have a value, too few to tell which features stand for it."
    return Finding(severity="notice", table="reps", column=column, message=message)
