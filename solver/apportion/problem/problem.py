"""AssignmentProblem: the one contract between what people want and what engines solve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from apportion.problem.checked import Checker
from apportion.problem.entries import Entries
from apportion.problem.late import Late, kept
from apportion.problem.owned import owned, owned_rule
from apportion.problem.pairs import Pairs, frozen
from apportion.problem.reading import read_pairs
from apportion.problem.rules import Groups, Rule, with_unique_names

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class AssignmentProblem:
    """One batch as immutable arrays, validated once. Build it with `from_arrays`; change it with `replace`.

    L leads, R reps, P eligible pairs. Pairs are stored lead by lead in rep order: those of lead i are
    `pairs.start[i]:pairs.start[i + 1]`.

    value : (P,) what the plan gains by a pair, in currency. revenue : (P,) what equity counts as expected revenue.
    effort : (P,) effort units. capacity, min_load : (R,) effort units. nurture : (L,) currency.
    must_assign : (L,) bool. tier, parcel : (L,) labels or None. team : (R,) labels or None. opportunity : (L,)
    currency.

    What belongs to the pairs is kept as small as it came (see `entries`): `value`, `revenue` and `effort` are float64
    arrays that are worked out when somebody asks for them, as are `opportunity` and `lead_ids` by default.
    """

    pairs: Pairs
    value: Late[Floats] = Late()  # noqa: RUF009 (a descriptor, shared on purpose)
    revenue: Late[Floats] = Late()  # noqa: RUF009 (a descriptor, shared on purpose)
    effort: Late[Floats] = Late()  # noqa: RUF009 (a descriptor, shared on purpose)
    capacity: Floats
    nurture: Floats
    must_assign: NDArray[np.bool_]
    min_load: Floats
    tier: Ints | None
    team: Ints | None
    parcel: Ints | None
    opportunity: Late[Floats] = Late()  # noqa: RUF009 (a descriptor, shared on purpose)
    equity: tuple[Rule, ...]
    limits: tuple[Rule, ...]
    lead_ids: Late[tuple[str, ...]] = Late()  # noqa: RUF009 (a descriptor, shared on purpose)
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

        Arrays are copied, so that the problem cannot change, up to 256 MiB each. A larger one is held as it is, and
        must not be written to while the problem is in use; a matrix of values without a mask then costs no memory at
        all if it is float32 or float64 in row order.

        Raises ProblemError with every fault that was found.
        """
        given = {key: owned(item) for key, item in locals().items() if key not in ("cls", "equity", "limits")}
        check = Checker()
        wide = {name: given[name] for name in ("value", "eligible", "effort", "revenue")}
        pairs, entries = read_pairs(check, **wide)
        n_leads, n_reps = pairs.n_leads, pairs.n_reps
        team_labels = check.labels("team", team, n_reps)
        tier_labels = check.labels("tier", tier, n_leads)
        fields: dict[str, Any] = {
            **entries,
            "capacity": check.vector("capacity", capacity, n_reps, minimum=0.0),
            "min_load": check.vector("min_load", 0.0 if min_load is None else min_load, n_reps, minimum=0.0),
            "nurture": check.vector("nurture", 0.0 if nurture is None else nurture, n_leads),
            "must_assign": check.mask("must_assign", must_assign, n_leads),
            "opportunity": _Offered(entries["revenue"])
            if opportunity is None
            else check.vector("opportunity", opportunity, n_leads),
            "parcel": check.labels("parcel", parcel, n_leads),
            "lead_ids": RowNumbers(n_leads) if lead_ids is None else check.ids("lead_ids", lead_ids, n_leads),
            "rep_ids": RowNumbers(n_reps).whole() if rep_ids is None else check.ids("rep_ids", rep_ids, n_reps),
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

    def entries(self, name: Literal["value", "revenue", "effort"]) -> Entries:
        """What a field of the pairs holds, as small as it is kept: one number, one a lead, or one a pair."""
        held = kept(self, name)
        return held if isinstance(held, Entries) else Entries(self.pairs, held)

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

    def to_frame(self) -> pd.DataFrame:
        """One row for each eligible pair: lead_id, rep_id, value, revenue, effort."""
        from apportion.problem.tables import pair_frame  # frames and charts are loaded when somebody asks

        return pair_frame(self)

    def chart(self) -> Any:
        """A plotly figure: what the leads are worth at best, and for how much of them there is room."""
        from apportion.problem.figures import problem_figure

        return problem_figure(self)

    def _repr_html_(self) -> str:
        from apportion.problem.display import problem_html

        return problem_html(self)

    def __repr__(self) -> str:
        rules = ", ".join(str(rule.name) for rule in self.rules) or "none"
        size = f"{self.n_leads} leads × {self.n_reps} reps, {self.pairs.n_pairs} eligible pairs"
        return f"AssignmentProblem({size}, rules: {rules})"


class _Offered:
    """The mean revenue of each lead, taken when it is asked for. Where revenue is at fault, that has been told."""

    def __init__(self, revenue: Entries) -> None:
        self._revenue = revenue

    @cached_property
    def _means(self) -> Floats:
        revenue = self._revenue
        source = revenue.kept if revenue.kind == "pair" else revenue.whole()
        return frozen(revenue.pairs.mean_by_lead(source))

    def whole(self) -> Floats:
        """(L,) currency."""
        return self._means


class RowNumbers:
    """The names of leads that were given none: their row numbers, padded so that they sort as numbers."""

    def __init__(self, size: int) -> None:
        self._size = size

    @cached_property
    def _names(self) -> tuple[str, ...]:
        width = len(str(max(self._size - 1, 0)))
        return tuple(f"{row:0{width}d}" for row in range(self._size))

    def whole(self) -> tuple[str, ...]:
        """One name a row."""
        return self._names


def shares_of(weights: Floats) -> Floats:
    """Scale weights to sum to one; zeros stay zeros."""
    total = weights.sum()
    return weights / total if total > 0 else np.zeros_like(weights)
