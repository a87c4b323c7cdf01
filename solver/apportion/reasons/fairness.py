"""The price of fairness: what the equity rules cost against the plan without them, and how surely that is known."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from apportion.problem import AssignmentProblem, MaxMin, Plan
from apportion.reasons.words import listed, money, percent, quoted


@dataclass(frozen=True, kw_only=True)
class Fairness:
    """What the equity rules cost, in currency. NaN throughout where `skipped` says why nothing is known.

    rules : their names. without : the best objective that is known without them; without_bound : no plan has more.
    objective : of the plan, with what it pays where soft equity rules yield. lost : without − objective; least, most :
        the true cost lies between, whatever the searches left open. part : lost / |without|.
    given_up : how much less the plan's own worth is than `without`; paid : the rest of `lost`, the price of what soft
        equity rules still miss. revenue_without : expected revenue of that other plan; revenue : of this one.
    """

    rules: tuple[str, ...]
    without: float = math.nan
    without_bound: float = math.nan
    objective: float = math.nan
    lost: float = math.nan
    least: float = math.nan
    most: float = math.nan
    part: float = math.nan
    given_up: float = math.nan
    paid: float = math.nan
    revenue_without: float = math.nan
    revenue: float = math.nan
    skipped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not known is null."""
        return {
            key: list(value) if isinstance(value, tuple) else None if _unknown(value) else value
            for key, value in asdict(self).items()
        }

    def words(self, currency: str) -> tuple[str, ...]:
        """Sentences for a manager; the least and the most are the honest part."""
        one = len(self.rules) == 1
        names = listed([quoted(name) for name in self.rules])
        cost, them = ("costs", "it") if one else ("cost", "them")
        if self.skipped:
            return (f"What equity ({names}) costs was not worked out: {self.skipped}.",)
        what = f"The equity {'rule' if one else 'rules'} {names} {cost}"
        if self.most <= 1e-9 * max(abs(self.without), 1.0):
            return (f"{what} nothing here: without {them} no plan is worth more.",)
        first = (
            f"{what} {money(self.lost, currency)} ({percent(self.part)}): without {them} the best plan that was found "
            f"is worth {money(self.without, currency)}. By the gaps of both plans the true cost lies between "
            f"{money(self.least, currency)} and {money(self.most, currency)}."
        )
        if self.paid <= 1e-9 * max(abs(self.without), 1.0):
            return (first,)
        given, paid = money(self.given_up, currency), money(self.paid, currency)
        return (
            first,
            f"Of that, {given} is given up for more even shares, and {paid} is the price of what is still missing.",
        )


def equity_cost(
    problem: AssignmentProblem, plan: Plan, free: Plan, *, worth: float, revenue: tuple[float, float]
) -> Fairness:
    """Compare a plan with the one without the equity rules.

    worth : the plan's objective on the problem without them. revenue : expected revenue of the plan and of `free`.
    """
    rewarded = any(isinstance(rule, MaxMin) and rule.price is not None for rule in problem.equity)
    # A soft max-min pays the plan for evenness: its objective and bound are no amounts that another plan could have.
    objective, bound = (worth, math.inf) if rewarded else (plan.objective, plan.bound)
    own = worth >= free.objective  # the plan itself is one without the rules, and searches leave gaps
    best = max(worth, free.objective)
    lost = _not_below_zero(best - objective)
    return Fairness(
        rules=tuple(str(rule.name) for rule in problem.equity),
        without=best,
        without_bound=max(free.bound, best),
        objective=objective,
        lost=lost,
        least=min(_not_below_zero(best - bound), lost),
        most=max(_not_below_zero(free.bound - objective), lost),
        part=lost / abs(best) if best else 0.0,
        given_up=_not_below_zero(best - worth),
        paid=_not_below_zero(worth - objective),
        revenue_without=revenue[0] if own else revenue[1],
        revenue=revenue[0],
    )


def _not_below_zero(amount: float) -> float:
    return max(0.0, amount)


def _unknown(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
