"""What policies say of protected attributes, as arguments of the fit model that is to be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apportion.policy.schema import Policy


def people_rules(policies: Sequence[Policy]) -> dict[str, Any]:
    """The arguments `protected` and `override` of FitModel: what any of the policies protects, and what all allow."""
    declared = sorted({column for policy in policies for column in policy.protected.columns})
    records = [{item.column: item for item in policy.protected.allow} for policy in policies]
    allowed = {
        column: {"who": item.who, "when": item.when.isoformat(), "why": item.why}
        for column, item in (records[0].items() if records else ())
        if all(column in record for record in records)
    }
    return {"protected": tuple(declared), "override": allowed or None}
