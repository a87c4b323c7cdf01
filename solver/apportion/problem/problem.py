"""AssignmentProblem: the one contract between what people want and what engines solve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.problem.checked import Checker
from apportion.problem.owned import owned, owned_rule
from apportion.problem.pairs import Pairs, read_pairs
from apportion.problem.rules import Groups, Rule, with_unique_names

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AssignmentProblem:
    """One batch as immutable arrays, validated once. Build it with `from_arrays`; change it with `replace`.

    L leads, R reps, P eligible pairs. Pairs are stored lead by lead in rep order: those of lead i are
    `pairs.start[i]:pairs.start[i + 1]`.

    value : (P,) what the plan gains by a pair, in currency. revenue : (P,) what equity counts as expected revenue.
    effort : (P,) effort units. capacity, min_load : (R,) effort units. nurture : (L,) currency.
    must_assign : (L,) bool. tier, parcel : (L,) labels or None. team : (R,) labels or None. opportunity : (L,)
    currency.
    """

    pairs: Pairs
    value: Floats
    revenue: Floats
    effort: Floats
    capacity: Floats
    nurture: Floats
    must_assign: NDArray[np.bool_]
    min_load: Floats
    tier: Ints | None
    team: Ints | None
    parcel: Ints | None
    opportunity: Floats
    equity: tuple[Rule, ...]
    limits: tuple[Rule, ...]
    lead_ids: tuple[str, ...]
    rep_ids: tuple[str, ...]
    given: Mapping[str, Any]

    @classmethod
    def from_arrays(
        cls,
        value: Any,
        *,
        capacity: Any,
        effort: Any = None,
        eligible: Any = None,
        nurture: Any = None,
        must_assign: Any = False,
        min_load: Any = None,
        tier: Any = None,
        team: Any = None,
        parcel: Any = None,
        opportunity: Any = None,
        revenue: Any = None,
        equity: Sequence[Rule] = (),
        limits: Sequence[Rule] = (),
        lead_ids: Sequence[Any] | None = None,
        rep_ids: Sequence[Any] | None = None,
    ) -> AssignmentProblem:
        """Check the arrays and build the problem.

        value : (L, R) array, or scipy.sparse whose stored entries are the eligible pairs; finite; currency.
        capacity : (R,) effort units, finite, >= 0.
        effort : (L,), (L, R) or sparse with an entry for each eligible pair; >= 0; default 1.
        eligible : (L, R) bool; default all (of the stored entries).
        nurture : (L,) or scalar, value of leaving a lead to nurture; default 0.
        must_assign : bool or (L,) bool; True: the lead needs a rep.
        min_load : (R,) lower bound on each rep's load, effort units.
        tier, parcel : (L,) integer labels; leads of one parcel stay together. team : (R,) integer labels.
        opportunity : (L,) rep-neutral value, >= 0 is usual; default the mean revenue over each lead's eligible pairs.
        revenue : as `value`; what equity counts as expected revenue where bonuses or costs are part of `value`; default
            `value`.
        equity : RevenueShare, OpportunityShare, LeadShare, MaxMin. limits : Limit.
        lead_ids, rep_ids : unique names; ties break by them, so that the order of rows changes no plan.

        Raises ProblemError with every fault that was found.
        """
        given = {key: owned(item) for key, item in locals().items() if key not in ("cls", "equity", "limits")}
        check = Checker()
        pairs, entries = read_pairs(check, value=value, eligible=eligible, effort=effort, revenue=revenue)
        n_leads, n_reps = pairs.n_leads, pairs.n_reps
        team_labels = check.labels("team", team, n_reps)
        tier_labels = check.labels("tier", tier, n_leads)
        fields: dict[str, Any] = {
            **entries,
            "capacity": check.vector("capacity", capacity, n_reps, minimum=0.0),
            "min_load": check.vector("min_load", 0.0 if min_load is None else min_load, n_reps, minimum=0.0),
            "nurture": check.vector("nurture", 0.0 if nurture is None else nurture, n_leads),
            "must_assign": check.mask("must_assign", must_assign, n_leads),
            "opportunity": check.vector("opportunity", _offered(pairs, entries, opportunity), n_leads),
            "parcel": check.labels("parcel", parcel, n_leads),
            "lead_ids": check.ids("lead_ids", lead_ids, n_leads),
            "rep_ids": check.ids("rep_ids", rep_ids, n_reps),
        }
        equity = check.sequence("equity", equity)
        limits = check.sequence("limits", limits)
        check.rules("equity", equity, n_leads=n_leads, n_reps=n_reps, team=team_labels, tier=tier_labels)
        check.rules("limits", limits, n_leads=n_leads, n_reps=n_reps, team=team_labels, tier=tier_labels)
        check.finish()
        kept = [owned_rule(rule) for rule in (*equity, *limits)]
        named = with_unique_names(kept)
        split = len(equity)
        return cls(
            pairs=pairs,
            **fields,
            team=team_labels,
            tier=tier_labels,
            equity=named[:split],
            limits=named[split:],
            given={**given, "equity": tuple(kept[:split]), "limits": tuple(kept[split:])},
        )

    def replace(self, **changes: Any) -> AssignmentProblem:
        """Give a new, validated problem in which the named arguments of `from_arrays` are changed. This *is*
        what-if."""
        unknown = sorted(set(changes) - set(self.given))
        if unknown:
            raise TypeError(f"replace() takes the arguments of from_arrays; it has no {', '.join(unknown)}")
        arguments = {**self.given, **changes}
        return type(self).from_arrays(arguments.pop("value"), **arguments)

    @property
    def n_leads(self) -> int:
        """L."""
        return self.pairs.n_leads

    @property
    def n_reps(self) -> int:
        """R."""
        return self.pairs.n_reps

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Equity rules, then limits; each has a name that no other has."""
        return self.equity + self.limits

    @cached_property
    def fair_share(self) -> Floats:
        """(R,) each rep's part of the capacity; zeros when there is no capacity at all."""
        return shares_of(self.capacity)

    def groups(self, by: Groups) -> tuple[Ints, tuple[str, ...]]:
        """(R,) group index of each rep, -1 for none, and the groups' names."""
        if isinstance(by, str):
            if by == "rep":
                return np.arange(self.n_reps), self.rep_ids
            if by == "all":
                return np.zeros(self.n_reps, dtype=np.int64), ("all reps",)
            assert self.team is not None  # checked by from_arrays
            labels = self.team
            word = "team"
        else:
            labels, word = np.asarray(by, dtype=np.int64), "group"
        names, index = np.unique(labels, return_inverse=True)
        if len(names) and names[0] < 0:
            index = index - int((names < 0).sum())
            index[labels < 0] = -1
            names = names[names >= 0]
        return index.astype(np.int64), tuple(f"{word} {name}" for name in names)

    def __repr__(self) -> str:
        rules = ", ".join(str(rule.name) for rule in self.rules) or "none"
        size = f"{self.n_leads} leads × {self.n_reps} reps, {self.pairs.n_pairs} eligible pairs"
        return f"AssignmentProblem({size}, rules: {rules})"


def _offered(pairs: Pairs, entries: Mapping[str, Floats], opportunity: Any) -> Any:
    """What is given, or the mean revenue; where that cannot be computed, revenue has been told as the fault."""
    if opportunity is not None:
        return opportunity
    revenue = entries["revenue"]
    return pairs.mean_by_lead(np.where(np.isfinite(revenue), revenue, 0.0))


def shares_of(weights: Floats) -> Floats:
    """Scale weights to sum to one; zeros stay zeros."""
    total = weights.sum()
    return weights / total if total > 0 else np.zeros_like(weights)
