"""Past leads as they were dealt, beside how a plan that knew nothing of them would have dealt them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from apportion_models.errors import Finding, InputError
from apportion_models.policy_value.intervals import Groups, groups_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Log:
    """n past leads. The model that planned them, and says `base` and the advantages, had no part in them.

    label : in [0, 1], whether the lead converted (a share of a win where it is open).
    worth : what it is worth if it does, in currency, by what was known beforehand.
    rep, planned : index of the rep that had the lead, and of the one the plan gives it to.
    base : logit by the lead. advantage, planned_advantage : what the one rep and the other add to it.
    given : how good the leads were that the lead's rep was given (`fit.given`); zeros where nothing is known.
    unit : leads of one unit (an account) share more than chance; a label of its own for each lead where there are none.
    chance, planned_chance : with which history gave the lead to the one rep, and to the other; in (0, 1] and [0, 1].
    randomised : whether the lead was dealt by a known chance (a holdout, or a logged propensity).
    fold : by which model the lead was judged, where several were fitted, each on the other folds. agreement : the
    correlation of what these models take for advantages (see `Groups`); 1 where one model judges all.
    """

    label: Floats
    worth: Floats
    rep: Ints
    planned: Ints
    base: Floats
    advantage: Floats
    planned_advantage: Floats
    given: Floats
    unit: NDArray[np.object_]
    chance: Floats
    planned_chance: Floats
    randomised: Bools
    fold: Ints
    agreement: float = 1.0

    def __post_init__(self) -> None:
        wrong = [
            one.name
            for one in fields(self)
            if one.name != "agreement" and np.shape(getattr(self, one.name)) != np.shape(self.label)
        ]
        rules = [(name, "must have one entry a lead, as `label` has.") for name in wrong]
        if not wrong and self.size:
            rules += [
                (name, rule)
                for name, rule, holds in (
                    ("label", "must lie in [0, 1].", ((self.label >= 0) & (self.label <= 1)).all()),
                    ("chance", "must lie above 0 and be at most 1.", ((self.chance > 0) & (self.chance <= 1)).all()),
                    ("worth", "must be finite and 0 or more.", (np.isfinite(self.worth) & (self.worth >= 0)).all()),
                )
                if not holds
            ]
        if rules:
            raise InputError(
                Finding(severity="error", table="log", column=name, message=message) for name, message in rules
            )

    @property
    def size(self) -> int:
        """n."""
        return int(np.size(self.label))

    @property
    def hit(self) -> Bools:
        """(n,) whether the plan gives the lead to the rep who had it."""
        return np.asarray(self.rep == self.planned)

    @cached_property
    def groups(self) -> Groups:
        """Which leads share more than chance."""
        return Groups(unit=groups_of(self.unit), rep=groups_of(self.rep), fold=self.fold, agreement=self.agreement)
