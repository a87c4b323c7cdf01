"""Pairs that are scored when a pass looks at them: leads × reps never exists at once.

A part scores its leads anew for each pass (or a worker keeps what it scored), answers, and forgets. Only the pairs that
lose little are kept. The verifier scores all of them once more, part by part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion.engines.clock import Clock
from apportion.engines.distributed.crew import Crew
from apportion.engines.distributed.part import Part
from apportion.engines.distributed.solve import NAME, Found, crew_of, solve_spread
from apportion.engines.distributed.spread import Spread
from apportion.engines.formulate import formulate
from apportion.engines.formulation import Formulation
from apportion.engines.solve import plan_of, told
from apportion.problem import AssignmentProblem, MaxMin, Plan, Prices, RuleVerdict, Share, verify
from apportion.problem.bound import best_of_each, charges
from apportion_models.errors import UnverifiedPlanError, UsageError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Score = Callable[[int, int], Any]

PAIRS = 1 << 20  # of a part
FEWEST = 8  # parts
OF_LEADS = ("effort", "nurture", "must_assign", "tier", "opportunity")


@dataclass(frozen=True, eq=False)
class Scored:
    """A batch whose pairs are scored on demand.

    score : gives (last − first, R) values of the leads first:last, in currency; NaN where a pair is not eligible. It
    must give the same numbers each time, and be thread-safe. n_leads, n_reps : L, R. given : the other arguments of
    `AssignmentProblem.from_arrays`.
    """

    score: Score
    n_leads: int
    n_reps: int
    given: dict[str, Any]

    def part(self, first: int, last: int) -> AssignmentProblem:
        """The problem of some leads in a row, all reps and rules with them."""
        values = np.asarray(self.score(first, last))
        if values.shape != (last - first, self.n_reps):
            raise UsageError(
                f"score({first}, {last}) must give shape {(last - first, self.n_reps)}. Got {values.shape}."
            )
        eligible = ~np.isnan(values)
        return AssignmentProblem.from_arrays(
            np.where(eligible, values, 0), eligible=eligible, **self._of(slice(first, last))
        )

    def with_pairs(self, lead: Ints, rep: Ints, value: Floats, opportunity: Floats) -> AssignmentProblem:
        """The problem of all leads with some of their pairs alone."""
        shape = (self.n_leads, self.n_reps)
        order = np.concatenate([[0], np.cumsum(np.bincount(lead, minlength=self.n_leads))])
        matrix = sp.csr_matrix((value, rep, order), shape=shape)
        return AssignmentProblem.from_arrays(matrix, **{**self.given, "opportunity": opportunity})

    def _of(self, leads: slice) -> dict[str, Any]:
        """The arguments for some leads."""
        own = {name: item[leads] if name in OF_LEADS and np.ndim(item) else item for name, item in self.given.items()}
        for kind in ("equity", "limits"):
            own[kind] = [
                rule if getattr(rule, "leads", None) is None else replace(rule, leads=np.asarray(rule.leads)[leads])
                for rule in own.get(kind, ())
            ]
        return own


class _Reader:
    """Reads the formulation of a part, with bounds and scales of the whole once these are known."""

    def __init__(self, scored: Scored, first: int, last: int, whole: Formulation | None = None) -> None:
        self.scored, self.first, self.last, self.whole = scored, first, last, whole

    def __call__(self) -> Formulation:
        """The units with all of their pairs."""
        form = formulate(self.scored.part(self.first, self.last), whole=False)
        assert self.whole is not None
        families = tuple(
            replace(bounds, measure=own.measure) for bounds, own in zip(self.whole.families, form.families, strict=True)
        )
        return replace(form, families=families, known_scale=self.whole.known_scale)


class _Survey(Part):
    """A part that is asked about its problem, not its prices: by the first pass, and by the verifier."""

    def __init__(self, scored: Scored, first: int, last: int) -> None:
        super().__init__(_Reader(scored, first, last), first)
        self._scored, self._last = scored, last

    def sizes(self) -> tuple[Floats, Floats, float]:
        """(n,) opportunity; sum and count of sizes of the values, then of each family's measure; the least value."""
        problem = self._scored.part(self.first, self._last)
        form = formulate(problem, whole=False)
        rows = [np.concatenate([form.value, form.rest[np.isfinite(form.rest)]]), *(f.measure for f in form.families)]
        sizes = np.array([[np.abs(row).sum(), np.count_nonzero(row)] for row in rows])
        return problem.opportunity, sizes, float(problem.value.min(initial=0.0))

    def verified(self, rep: Ints, prices: Prices) -> tuple[float, float, Floats]:
        """Sum of the leads' best at these prices, size of all values, and (n,) the values of a plan's pairs, NaN where
        there is none."""
        problem = self._scored.part(self.first, self._last)
        pair = problem.pairs.position(np.arange(problem.n_leads), rep)
        values = np.full(problem.n_leads, np.nan)
        values[pair >= 0] = problem.value[pair[pair >= 0]]
        return best_of_each(problem, charges(problem, prices)), problem.entries("value").size, values


def solve_scored(
    score: Score,
    *,
    n_leads: int,
    n_reps: int,
    workers: int | None = None,
    parts: int | None = None,
    keep: bool = False,
    gap: float = 1e-3,
    time_limit: float = 60.0,
    seed: int = 0,
    **given: Any,
) -> Plan:
    """Solve a batch whose pairs are scored block after block, and verify the plan the same way.

    score : (first, last) -> (last − first, R) values of these leads, currency, NaN where not eligible; called many
    times, in several threads or processes, and always to give the same. parts : blocks; default, of a million pairs.
    keep : whether what was scored stays in memory (of the workers, say). given : capacity, effort (L,), nurture,
    must_assign, min_load, tier, team, opportunity, equity and limits as in `AssignmentProblem.from_arrays`.

    Rows are in the order of their ids. Raises UsageError for what cannot be had this way: parcels, MaxMin, revenue
    apart from value, effort that depends on the rep, shares of revenue where values are negative.
    """
    _check(given)
    scored, clock = Scored(score, n_leads, n_reps, given), Clock(time_limit)
    count = max(FEWEST, -(-n_leads * n_reps // PAIRS)) if parts is None else parts
    cuts = np.unique(np.linspace(0, n_leads, count + 1).astype(np.int64))
    surveys = [_Survey(scored, a, b) for a, b in pairwise(cuts.tolist())]
    with crew_of(surveys, workers) as crew:
        opportunity, whole = _surveyed(scored, crew, len(surveys))
    readers = [Part(_Reader(scored, a, b, whole), a, keep=keep) for a, b in pairwise(cuts.tolist())]
    with crew_of(readers, workers) as crew:
        found = solve_spread(Spread(whole, cuts, crew), gap=gap, clock=clock, seed=seed, report=lambda *_: None)
    with crew_of(surveys, workers) as crew:
        return _verified(scored, found, opportunity, cuts, crew, gap, clock)


def _check(given: dict[str, Any]) -> None:
    unknown = sorted(set(given) - {"capacity", "min_load", "team", "equity", "limits", *OF_LEADS})
    if unknown:
        raise UsageError(f"solve_scored does not take {', '.join(unknown)}. Use solve for such a problem.")
    if np.ndim(given.get("effort", 1.0)) > 1:
        raise UsageError("effort must be one a lead, (L,), where pairs are scored on demand.")
    if any(isinstance(rule, MaxMin) for rule in given.get("equity", ())):
        raise UsageError("MaxMin is not supported where pairs are scored on demand. Use solve.")


def _surveyed(scored: Scored, crew: Crew, count: int) -> tuple[Floats, Formulation]:
    """(L,) opportunity, and the formulation without pairs: bounds, rests and scales of the whole."""
    asked: dict[int, Sequence[Any]] = dict.fromkeys(range(count), ())
    found = list(crew.ask("sizes", asked))
    opportunity = np.concatenate([np.zeros(0), *(own for own, _, _ in found)])
    rules = scored.given.get("equity", ())
    if min((low for _, _, low in found), default=0.0) < 0 and any(isinstance(r, Share) for r in rules):
        raise UsageError("shares are not supported where scored values are negative. Use solve.")
    none = np.zeros(0, dtype=np.int64)
    form = formulate(scored.with_pairs(none, none, np.zeros(0), opportunity), whole=False)
    total, used = sum((sizes for _, sizes, _ in found), np.zeros((len(form.families) + 1, 2))).T
    scale = np.where(used > 0, total / np.maximum(used, 1), 1.0).tolist()
    families = tuple(replace(family, known_scale=own) for family, own in zip(form.families, scale[1:], strict=True))
    return opportunity, replace(form, families=families, known_scale=scale[0])


def _verified(
    scored: Scored, found: Found, opportunity: Floats, cuts: Ints, crew: Crew, gap: float, clock: Clock
) -> Plan:
    """The plan, checked against pairs that are scored anew: every rule on its own pairs, its bound on all."""
    rep = np.full(scored.n_leads, -1, dtype=np.int64)
    if found.chosen is not None:
        rep = np.append(found.form.rep, np.full(scored.n_leads, -1))[found.chosen]
    lead = np.flatnonzero(rep >= 0)
    own = scored.with_pairs(lead, rep[lead], np.zeros(len(lead)), opportunity)
    leads, reps = np.arange(scored.n_leads), np.arange(scored.n_reps)
    outcome = found.outcome(gap)
    prices = plan_of(own, own, found.form, outcome, leads, reps).prices
    asked = {k: (rep[a:b], prices) for k, (a, b) in enumerate(pairwise(cuts.tolist()))}
    answers = list(crew.ask("verified", asked))
    value = np.concatenate([np.zeros(0), *(values for _, _, values in answers)])
    lead = np.flatnonzero(~np.isnan(value))
    own = scored.with_pairs(lead, rep[lead], value[lead], opportunity)
    plan = plan_of(own, own, found.form, outcome, leads, reps)
    bound = math.fsum([charge.constant for charge in charges(own, prices)] + [best for best, _, _ in answers])
    why = f"asked for: pairs scored on demand, in {len(cuts) - 1} parts"
    plan = told(plan, NAME, why, clock)
    if not plan.status.has_plan:
        return plan
    verdict = verify(own, plan)
    missing = bound - plan.bound
    allowed = 1e-9 * abs(bound) + 1e-12 * sum(size for _, size, _ in answers)
    proved = RuleVerdict("bound is proved by the prices of all pairs", missing <= allowed, max(missing, 0.0), "bound")
    verdict = replace(verdict, rules=(*verdict.rules, proved), price_bound=bound)
    if not verdict.ok:
        raise UnverifiedPlanError(f"the plan failed verification: {verdict}. This is a bug; please report it.")
    return replace(plan, certificate=replace(plan.certificate, price_bound=bound, proof="prices", verdict=verdict))
