"""An independent checker: no OR-Tools, no code of the engines, one pass over the plan and one over the pairs.

Every sum is taken anew from the problem's arrays. A bound `a <= b` holds when it is broken by less than `TOLERANCE` of
the largest number in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from apportion.problem.plan import Plan, Prices, RuleVerdict, Verdict
from apportion.problem.problem import AssignmentProblem, shares_of
from apportion.problem.rules import LeadShare, Limit, MaxMin, Rule, Share

TOLERANCE = 1e-7

Floats = NDArray[np.float64]


def verify(problem: AssignmentProblem, plan: Plan) -> Verdict:
    """Check every rule of the problem on the plan, its objective and its bound.

    Soft rules always hold; what their violation costs is part of the objective that is recomputed. The bound must not
    lie below the objective, and a bound said to be proved by prices must not lie below what the prices prove.
    """
    if not plan.status.has_plan:
        return Verdict((RuleVerdict("has a plan", False, math.inf, str(plan.status)),), math.nan, math.inf)
    shape = _shape(problem, plan)
    if not shape.holds:
        return Verdict((shape,), math.nan, math.inf)
    fit = _prices_fit(problem, plan.prices)
    if not fit.holds:
        return Verdict((shape, fit), math.nan, math.inf)
    book = _Book(problem, plan)
    rules = [shape, fit, book.eligibility(), book.must_assign(), book.capacity(), book.min_load(), book.parcels()]
    rules += [book.rule(rule) for rule in problem.rules]
    objective = book.objective()
    bound = price_bound(problem, plan.prices, plan.certificate.worst_off)
    numbers = float(np.abs(problem.value).sum() + np.abs(problem.nurture).sum())
    rules += list(_claims(plan, objective, bound, numbers))
    return Verdict(tuple(rules), objective, bound)


def _shape(problem: AssignmentProblem, plan: Plan) -> RuleVerdict:
    rep = np.asarray(plan.rep)
    name = "each lead exactly once"
    if not isinstance(plan.rep, np.ndarray):
        return RuleVerdict(name, False, math.inf, f"plan.rep is {type(plan.rep).__name__}, no array")
    if rep.shape != (problem.n_leads,) or not np.issubdtype(rep.dtype, np.integer):
        return RuleVerdict(name, False, math.inf, f"plan.rep is {rep.dtype} of shape {rep.shape}")
    wrong = (rep < -1) | (rep >= problem.n_reps)
    return _first(name, wrong, np.abs(rep).astype(float), problem.lead_ids)


def _prices_fit(problem: AssignmentProblem, prices: Prices) -> RuleVerdict:
    """Whether there is one finite price for each bound that is priced."""
    sizes = {str(rule.name): len(problem.groups(rule.by)[1]) for rule in problem.rules}
    given = [("capacity", prices.capacity, problem.n_reps), ("minimum load", prices.min_load, problem.n_reps)]
    for name, price in prices.rules.items():
        given += [(name, price.low, sizes.get(name, -1)), (name, price.high, sizes.get(name, -1))]
    for name, array, size in given:
        if np.shape(array) != (size,) or not np.isfinite(np.asarray(array, dtype=float)).all():
            return RuleVerdict("prices fit the problem", False, math.inf, name)
    return RuleVerdict("prices fit the problem", True)


def _first(name: str, wrong: NDArray[np.bool_], amount: Floats, names: tuple[str, ...]) -> RuleVerdict:
    if not wrong.any():
        return RuleVerdict(name, True)
    worst = int(np.argmax(np.where(wrong, amount, -np.inf)))
    return RuleVerdict(name, False, float(amount[worst]), names[worst])


class _Book:
    """The plan's pairs, entered once; each rule is read from the sums."""

    def __init__(self, problem: AssignmentProblem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        leads = np.arange(problem.n_leads)
        pair = problem.pairs.position(leads, plan.rep)
        self.placed = plan.rep >= 0
        self.eligible = pair >= 0
        self.lead = leads[self.eligible]  # the leads whose pair counts
        self.rep = plan.rep[self.eligible]
        self.pair = pair[self.eligible]
        self.penalty = 0.0
        self.reward = 0.0

    def eligibility(self) -> RuleVerdict:
        wrong = self.placed & ~self.eligible
        return _first("eligibility", wrong, np.ones(len(wrong)), self.problem.lead_ids)

    def must_assign(self) -> RuleVerdict:
        wrong = self.problem.must_assign & ~self.placed
        return _first("must assign", wrong, np.ones(len(wrong)), self.problem.lead_ids)

    def _loads(self) -> Floats:
        return _sum_by(self.rep, self.problem.effort[self.pair], self.problem.n_reps)

    def capacity(self) -> RuleVerdict:
        return _compare("capacity", self._loads(), self.problem.capacity, self.problem.rep_ids)

    def min_load(self) -> RuleVerdict:
        return _compare("minimum load", self.problem.min_load, self._loads(), self.problem.rep_ids)

    def parcels(self) -> RuleVerdict:
        labels, rep = self.problem.parcel, self.plan.rep
        if labels is None:
            return RuleVerdict("parcels stay together", True)
        _, first, member = np.unique(labels, return_index=True, return_inverse=True)
        wrong = rep != rep[first][member]
        return _first("parcels stay together", wrong, np.ones(len(wrong)), self.problem.lead_ids)

    def rule(self, rule: Rule) -> RuleVerdict:
        index, names = self.problem.groups(rule.by)
        sums = self._sums(rule, index, len(names))
        if isinstance(rule, MaxMin):
            return self._max_min(rule, index, names, sums)
        low, high, size = self._bounds(rule, index, sums)
        short, over = np.maximum(low - sums, 0), np.maximum(sums - high, 0)
        if rule.price is not None:
            cost = float(rule.price * (short.sum() + over.sum()))
            self.penalty += cost
            return RuleVerdict(str(rule.name), True, float(max(short.max(initial=0), over.max(initial=0))))
        below = _compare(str(rule.name), low, sums, names, size)
        return below if not below.holds else _compare(str(rule.name), sums, high, names, size)

    def _sums(self, rule: Rule, index: NDArray[np.int64], n_groups: int) -> Floats:
        group = index[self.rep]
        inside = group >= 0
        return _sum_by(group[inside], self._measured(rule)[inside], n_groups)

    def _measured(self, rule: Rule) -> Floats:
        return _measure(self.problem, rule)[self.pair]

    def _bounds(self, rule: Limit | Share, index: NDArray[np.int64], sums: Floats) -> tuple[Floats, Floats, Floats]:
        """(G,) bounds of each group, and the size of what was added up to compare with them."""
        low = np.broadcast_to(-np.inf if rule.low is None else np.asarray(rule.low, dtype=float), sums.shape)
        high = np.broadcast_to(np.inf if rule.high is None else np.asarray(rule.high, dtype=float), sums.shape)
        measured = np.abs(self._measured(rule))
        group = index[self.rep]
        size = _sum_by(group[group >= 0], measured[group >= 0], len(sums))
        if isinstance(rule, Limit):
            return low, high, size
        fair = _fair(self.problem, rule, index, len(sums))
        earlier = np.zeros(len(sums)) if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
        total = math.fsum(self._measured(rule)) + earlier.sum()
        size = np.maximum(size, np.abs(earlier)) + 1e-6 * fair * measured.sum()  # of the total only its last digits
        return _scaled(low, fair * total) - earlier, _scaled(high, fair * total) - earlier, size

    def _max_min(self, rule: MaxMin, index: NDArray[np.int64], names: tuple[str, ...], sums: Floats) -> RuleVerdict:
        fair = _fair(self.problem, rule, index, len(sums))
        worst = float(np.min(sums[fair > 0] / fair[fair > 0], initial=np.inf))
        if rule.price is not None:
            self.reward += 0.0 if math.isinf(worst) else rule.price * worst
            return RuleVerdict(str(rule.name), True)
        promised = self.plan.certificate.worst_off
        if promised is None or math.isinf(worst):
            return RuleVerdict(str(rule.name), promised is None or math.isinf(worst))
        return _compare(str(rule.name), np.where(fair > 0, promised * fair, -np.inf), sums, names)

    def objective(self) -> float:
        """Sum anew; call it after the rules, whose penalties it takes."""
        value = math.fsum(self.problem.value[self.pair]) + math.fsum(self.problem.nurture[~self.placed])
        return value - self.penalty + self.reward


def _compare(
    name: str, small: Floats, large: Floats, names: tuple[str, ...], size: Floats | float = 0.0
) -> RuleVerdict:
    """Whether small <= large everywhere, within the tolerance. size : of what was added up, which may have cancelled.

    Each row is measured against its own numbers only: a large capacity elsewhere excuses nothing here.
    """
    excess = np.where(np.isneginf(small) | np.isposinf(large), -np.inf, small - large)
    scale = np.maximum(np.where(np.isfinite(small), np.abs(small), 0), np.where(np.isfinite(large), np.abs(large), 0))
    allowed = TOLERANCE * np.maximum(scale, size)
    return _first(name, excess > allowed, excess, names)


def _scaled(multiple: Floats, fair: Floats) -> Floats:
    """multiple × fair share, where no bound stays no bound even for a share of zero."""
    return np.where(np.isfinite(multiple), np.where(np.isfinite(multiple), multiple, 0.0) * fair, multiple)


def _fair(problem: AssignmentProblem, rule: Share | MaxMin, index: NDArray[np.int64], n_groups: int) -> Floats:
    weights = problem.capacity if rule.weights is None else np.asarray(rule.weights, dtype=float)
    shares = shares_of(weights)
    return _sum_by(index[index >= 0], shares[index >= 0], n_groups)


def _sum_by(group: NDArray[np.int64], amount: Floats, n_groups: int) -> Floats:
    return np.bincount(group, weights=amount, minlength=n_groups).astype(np.float64, copy=False)


def _measure(problem: AssignmentProblem, rule: Rule) -> Floats:
    """(P,) what the rule counts for each pair."""
    lead = problem.pairs.lead
    measure = "revenue" if isinstance(rule, MaxMin) else rule.measure
    if measure == "leads":
        counted = np.ones(problem.pairs.n_pairs)
    elif measure == "opportunity":
        counted = problem.opportunity[lead]
    else:
        counted = problem.effort if measure == "effort" else problem.revenue
    if isinstance(rule, LeadShare) and rule.tier is not None and problem.tier is not None:
        counted = counted * (problem.tier[lead] == rule.tier)
    if not isinstance(rule, MaxMin) and rule.leads is not None:
        counted = counted * np.asarray(rule.leads)[lead]
    return counted


def _claims(plan: Plan, objective: float, bound: float, numbers: float) -> Iterator[RuleVerdict]:
    """The plan's objective and bound against ours. `numbers` is the size of all that was added up: its last digits are
    noise."""
    noise = 1e-12 * numbers
    allowed = 1e-9 * max(abs(objective), abs(plan.objective)) + noise
    difference = abs(objective - plan.objective)
    yield RuleVerdict("objective is what the plan earns", difference <= allowed, difference, "objective")
    if math.isnan(plan.bound):
        yield RuleVerdict("bound is a number", False, math.nan, "bound")
        return
    below = objective - plan.bound
    yield RuleVerdict("bound is not below the objective", below <= allowed, max(below, 0.0), "bound")
    if plan.certificate.proof in ("network", "prices"):
        missing = bound - plan.bound
        allowed = 1e-9 * abs(bound) + noise + (plan.certificate.resolution or 0.0) * len(plan.rep)
        yield RuleVerdict("bound is proved by the prices", missing <= allowed, max(missing, 0.0), "bound")


def price_bound(problem: AssignmentProblem, prices: Prices, worst_off: float | None = None) -> float:
    """Re-derive the upper bound that prices prove, in one pass over the pairs (Lagrangian weak duality).

    Each rule-side bound is charged at its price; each lead (or parcel) then takes the best of its charged pairs and
    nurture. Whatever the prices are, no plan is worth more than this sum. `worst_off` is the floor that a hard MaxMin
    was held to.
    """
    rep = problem.pairs.rep
    charge = (np.maximum(prices.capacity, 0) - np.maximum(prices.min_load, 0))[rep] * problem.effort
    least, most = _whole(problem.min_load, problem.capacity, problem.effort, rep)
    constant = float(np.maximum(prices.capacity, 0) @ most - np.maximum(prices.min_load, 0) @ least)
    for rule in problem.rules:
        price = prices.rules.get(str(rule.name))
        if price is None and not (isinstance(rule, MaxMin) and rule.price):
            continue
        rule_charge, rule_constant = _charged(problem, rule, price, worst_off)
        charge = charge + rule_charge
        constant += rule_constant
    return constant + _best_of_each(problem, problem.value - charge)


def _charged(problem: AssignmentProblem, rule: Rule, price: object, worst_off: float | None) -> tuple[Floats, float]:
    """(P,) what a pair is charged for the rule, and the constant that the bounds themselves add."""
    index, names = problem.groups(rule.by)
    n_groups = len(names)
    cap = np.inf if rule.price is None or isinstance(rule, MaxMin) else rule.price
    low_price = np.clip(getattr(price, "low", np.zeros(n_groups)), 0, cap)
    high_price = np.clip(getattr(price, "high", np.zeros(n_groups)), 0, cap)
    measure = _measure(problem, rule)
    group_price = np.append(high_price - low_price, 0.0)[index]  # index -1 finds the appended zero
    charge = group_price[problem.pairs.rep] * measure
    if isinstance(rule, MaxMin):
        return charge, _max_min_constant(problem, rule, low_price, index, n_groups, measure, worst_off)
    low = np.broadcast_to(-np.inf if rule.low is None else np.asarray(rule.low, dtype=float), (n_groups,))
    high = np.broadcast_to(np.inf if rule.high is None else np.asarray(rule.high, dtype=float), (n_groups,))
    fair = earlier = np.zeros(n_groups)
    if isinstance(rule, Share):
        fair = _fair(problem, rule, index, n_groups)
        earlier = earlier if rule.earlier is None else np.asarray(rule.earlier, dtype=float)
        total = _known_total(problem, rule)
        if total is not None:
            total += float(earlier.sum())
            low, high = _scaled(low, fair * total) - earlier, _scaled(high, fair * total) - earlier
    if isinstance(rule, Limit) or total is not None:
        if rule.price is None:
            low, high = _whole(low, high, measure, index[problem.pairs.rep])
        return charge, _pay(high_price, high) - _pay(low_price, low)
    per_total = _pay(high_price, _scaled(high, fair)) - _pay(low_price, _scaled(low, fair))
    constant = per_total * earlier.sum() - float((high_price - low_price) @ earlier)
    return charge - per_total * measure, constant


def _known_total(problem: AssignmentProblem, rule: Share) -> float | None:
    """What every plan places of the measure: known where each lead needs a rep and the measure is the lead's own."""
    if rule.measure == "revenue" or not _must_all(problem):
        return None
    own = problem.opportunity if rule.measure == "opportunity" else np.ones(problem.n_leads)
    if rule.leads is not None:
        own = own * np.asarray(rule.leads, dtype=bool)
    if isinstance(rule, LeadShare) and rule.tier is not None and problem.tier is not None:
        own = own * (problem.tier == rule.tier)
    return math.fsum(own)


def _must_all(problem: AssignmentProblem) -> bool:
    """Whether no lead can be left to nurture: it, or one that stays together with it, must be assigned."""
    if problem.parcel is None:
        return bool(problem.must_assign.all())
    return bool(np.isin(problem.parcel, problem.parcel[problem.must_assign]).all())


def _whole(low: Floats, high: Floats, measure: Floats, group: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Tighten bounds on sums of one and the same amount to multiples of it: no sum lies between two of them."""
    counted = (measure != 0) & (group >= 0)
    least, most = np.full(len(low), np.inf), np.full(len(low), -np.inf)
    np.minimum.at(least, group[counted], measure[counted])
    np.maximum.at(most, group[counted], measure[counted])
    same = (least == most) & (least > 0)
    amount = np.where(same, least, 1.0)
    tight_low, tight_high = same & np.isfinite(low), same & np.isfinite(high)
    up = np.ceil(np.where(tight_low, low, 0.0) / amount * (1 - 1e-9)) * amount
    down = np.floor(np.where(tight_high, high, 0.0) / amount * (1 + 1e-9)) * amount
    return np.where(tight_low, np.maximum(low, up), low), np.where(tight_high, np.minimum(high, down), high)


def _pay(price: Floats, bound: Floats) -> float:
    """price · bound, where a bound that does not exist has no price."""
    return float(np.where(np.isfinite(bound), price, 0.0) @ np.where(np.isfinite(bound), bound, 0.0))


def _max_min_constant(
    problem: AssignmentProblem,
    rule: MaxMin,
    low_price: Floats,
    index: NDArray[np.int64],
    n_groups: int,
    measure: Floats,
    worst_off: float | None,
) -> float:
    fair = _fair(problem, rule, index, n_groups)
    charged = float(low_price @ fair)
    if rule.price is None:
        return 0.0 if worst_off is None else -charged * worst_off
    # soft: the worst-off value t is free between what the groups can possibly get, and earns `price`, less what is
    # charged for it
    most, least = _reachable(problem, index, n_groups, measure)
    counted = fair > 0
    if not counted.any():
        return 0.0
    rest = rule.price - charged
    reach = most if rest > 0 else least
    return rest * float(np.min(reach[counted] / fair[counted]))


def _reachable(
    problem: AssignmentProblem, index: NDArray[np.int64], n_groups: int, measure: Floats
) -> tuple[Floats, Floats]:
    """(G,) the most and the least that each group's sum could be, with every lead placed at its best or worst for
    it."""
    pair_group = index[problem.pairs.rep]
    key = problem.pairs.lead * (n_groups + 1) + pair_group
    extremes = []
    for sign in (1.0, -1.0):
        best = np.zeros(problem.n_leads * (n_groups + 1) + 1)
        np.maximum.at(best, np.where(pair_group >= 0, key, len(best) - 1), sign * measure)
        extremes.append(sign * best[:-1].reshape(problem.n_leads, n_groups + 1).sum(axis=0)[:n_groups])
    return extremes[0], extremes[1]


def _best_of_each(problem: AssignmentProblem, worth: Floats) -> float:
    """Sum over leads (parcels) of the best of the charged pairs and nurture."""
    lead, rep = problem.pairs.lead, problem.pairs.rep
    labels = np.arange(problem.n_leads) if problem.parcel is None else np.unique(problem.parcel, return_inverse=True)[1]
    n_parcels = int(labels.max(initial=-1)) + 1
    size = np.bincount(labels, minlength=n_parcels)
    nurture = np.bincount(labels, weights=problem.nurture, minlength=n_parcels)
    best = np.where(np.bincount(labels, weights=problem.must_assign, minlength=n_parcels) > 0, -np.inf, nurture)
    key, together = np.unique(labels[lead] * problem.n_reps + rep, return_inverse=True)
    members = np.bincount(together, minlength=len(key))
    sums = np.bincount(together, weights=worth, minlength=len(key))
    parcel = key // problem.n_reps
    whole = members == size[parcel]  # a rep must be eligible for every lead of the parcel
    np.maximum.at(best, parcel[whole], sums[whole])
    return math.fsum(best) if np.isfinite(best).all() else -math.inf
