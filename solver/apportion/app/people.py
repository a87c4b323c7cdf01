"""A saved model keeps to what policies say of protected attributes, or is refused."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.policy import Policy, people_rules
from apportion_models import FitModel
from apportion_models.errors import Finding, ModelError
from apportion_models.features.protected import attribute_of


def refuse_protected(model: FitModel, policies: Sequence[Policy]) -> None:
    """Raise ModelError where a saved model uses a column that a policy protects, without a record that allows it."""
    rules = people_rules(policies)
    allowed = {*(rules["override"] or {}), *model.card_.get("protected", {}).get("overrides", {})}
    scorer = model.scorer_
    used = [*scorer.leads.columns, *(coder.name for coder in scorer.reps.coders)]
    used += ["start_date"] if scorer.reps.tenure else []
    used += list(scorer.reps.declared) if scorer.reps.matches else []
    wrong = [name for name in used if attribute_of(name, rules["protected"]) is not None and name not in allowed]
    if wrong:
        raise ModelError(
            Finding(
                severity="error",
                table="model",
                column=name,
                message="the saved model uses a column that the policy protects.",
                remedy="Fit it again with this policy (`apportion fit --policy`), or allow the column on record.",
            )
            for name in sorted(set(wrong))
        )
