"""Where a predicted gain comes from, each part a difference between problems that are solved anew.

Three beliefs about one batch, all with the same mean for a lead over its eligible reps:

    F0  all reps alike: each pair earns what the lead earns on average
    F1  reps differ by one factor each: the lead's average times the rep's
    F2  the pairs as they are believed

Fk(P) is the best worth of problem P under belief k. From the base B to the scenario S in three steps: B' has the
scenario's values (fit model, deal values, nurture, costs), S' its leads, reps and capacity too, S its rules too. Then

    values   F2(B') − F2(B)
    slack    F0(S') − F0(B')                               which leads find room, whoever takes them
    reps     [F1(S') − F0(S')] − [F1(B') − F0(B')]         the best reps on the most valuable leads
    fit      [F2(S') − F1(S')] − [F2(B') − F1(B')]         this rep for this lead
    rules    F2(S) − F2(S')

and their sum is the whole difference of worth, exactly. Each part is sure up to the gaps of the solves in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apportion.build import Batch
from apportion.problem import AssignmentProblem
from apportion.whatif.baselines import BaselineResult, score
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.solving import Solved, Solver
from apportion.whatif.scenarios import Scenario, believed
from apportion.whatif.setting import Setting, pose

PARTS = ("values", "slack", "reps", "fit", "rules")
RULES = (
    "territories",
    "requirements",
    "accounts",
    "rules",
    "screening",
    "tiers",
    "equity",
    "limits",
    "reserve",
    "explore",
    "weights",
    "overrides",
)
VALUES = ("currency", "value", "nurture")


@dataclass(frozen=True)
class Part:
    """One source of a difference, in currency, and by how much the gaps of its solves leave it open at most."""

    amount: float
    gap: float


@dataclass(frozen=True)
class Sources:
    """The parts of a gain; their sum is the whole. missing : why they could not be told apart, else empty."""

    parts: dict[str, Part]
    missing: str = ""

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = {name: {"amount": part.amount, "gap": part.gap} for name, part in self.parts.items()}
        return {"parts": told, "missing": self.missing}


@dataclass(frozen=True)
class _Levels:
    """Worth and gap under the three beliefs."""

    worth: tuple[float, float, float]
    gap: tuple[float, float, float]


class _NoPlanError(Exception):
    """A problem on the way has no plan."""


def same_for_all(problem: AssignmentProblem) -> AssignmentProblem:
    """The problem under belief F0: each pair earns the lead's mean revenue over its eligible reps."""
    return _revalued(problem, problem.pairs.mean_by_lead(problem.revenue)[problem.pairs.lead])


def by_rep_alone(problem: AssignmentProblem) -> AssignmentProblem:
    """The problem under belief F1: the lead's mean times the rep's factor, scaled so that the lead's mean stays.

    A rep's factor is the revenue of their eligible pairs over the mean revenue of the same leads.
    """
    lead, rep, n_reps = problem.pairs.lead, problem.pairs.rep, problem.n_reps
    mean = problem.pairs.mean_by_lead(problem.revenue)[lead]
    own = np.bincount(rep, weights=problem.revenue, minlength=n_reps)
    usual = np.bincount(rep, weights=mean, minlength=n_reps)
    factor = np.where(usual > 0, own / np.where(usual > 0, usual, 1.0), 1.0)
    among = problem.pairs.mean_by_lead(factor[rep])[lead]
    return _revalued(problem, mean * factor[rep] / np.where(among > 0, among, 1.0))


def _revalued(problem: AssignmentProblem, revenue: Any) -> AssignmentProblem:
    """Other revenues for the pairs; what else is in a pair's value stays."""
    shape = (problem.n_leads, problem.n_reps)
    value, earned, allowed = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    at = (problem.pairs.lead, problem.pairs.rep)
    value[at], earned[at], allowed[at] = problem.value - problem.revenue + revenue, revenue, True
    return problem.replace(value=value, revenue=earned, eligible=allowed, opportunity=problem.opportunity)


class Attribution:
    """Tells the sources of differences against one base."""

    def __init__(self, base: Outcome, solver: Solver) -> None:
        self._base, self._solver = base, solver

    def of(self, outcome: Outcome) -> Sources:
        """Where the outcome's worth beyond the base's comes from."""
        base = self._base
        if outcome.solved.fingerprint == base.solved.fingerprint:
            return Sources(dict.fromkeys(PARTS, Part(0.0, 0.0)))
        try:
            start = self._restated(outcome)
            middle = self._without_rules(outcome)
            before, after = self._levels(start), self._levels(middle)
            return Sources(_parts(_ends(base.solved), before, after, _ends(outcome.solved)))
        except _NoPlanError as why:
            return Sources({}, f"no plan was found for the scenario {why}")
        except ValueError as why:
            return Sources({}, f"the base cannot be posed with the scenario's values alone: {why}")

    def over(self, router: BaselineResult) -> Sources:
        """Where the base plan's worth beyond a router's comes from. Without the equity rules, which routers do not
        know, the plan is worth more: the part `rules` is what they take back."""
        try:
            free = self._solved(self._base.solved.problem.replace(equity=()))
            after = self._levels(free)
            problems = (same_for_all(free.problem), by_rep_alone(free.problem), free.problem)
            worth = [score(problem, router.rep).objective for problem in problems]
            before = _Levels((worth[0], worth[1], worth[2]), (0.0, 0.0, 0.0))
            return Sources(_parts((worth[2], 0.0), before, after, _ends(self._base.solved)))
        except _NoPlanError as why:
            return Sources({}, f"no plan was found {why}")

    def _restated(self, outcome: Outcome) -> Solved:
        """B': the base with the scenario's values."""
        base, other = self._base.setting, outcome.setting
        changed = {name: getattr(other.policy, name) for name in VALUES}
        policy = base.policy.model_copy(update=changed)
        if policy == base.policy and other.model is base.model and not outcome.scenario.fit.shrink:
            return self._base.solved
        setting = replace(base, policy=policy, model=other.model)
        return self._solved(_posed(outcome.scenario, setting).problem)

    def _without_rules(self, outcome: Outcome) -> Solved:
        """S': the scenario under the base's rules."""
        setting, base = outcome.setting, self._base.setting
        policy = setting.policy.model_copy(update={name: getattr(base.policy, name) for name in RULES})
        if policy == setting.policy:
            return outcome.solved
        return self._solved(_posed(outcome.scenario, replace(setting, policy=policy)).problem)

    def _levels(self, solved: Solved) -> _Levels:
        change: tuple[Callable[[AssignmentProblem], AssignmentProblem], ...] = (same_for_all, by_rep_alone)
        found = [_ends(self._solved(make(solved.problem))) for make in change] + [_ends(solved)]
        (a, x), (b, y), (c, z) = found
        return _Levels((a, b, c), (x, y, z))

    def _solved(self, problem: AssignmentProblem) -> Solved:
        solved = self._solver.solve(problem, self._base.solved)
        if not solved.plan.status.has_plan:
            raise _NoPlanError("under the base's rules")
        return solved


def _posed(scenario: Scenario, setting: Setting) -> Batch:
    return pose(setting, estimates=believed(scenario, setting))


def _ends(solved: Solved) -> tuple[float, float]:
    """The worth of a plan, and what its bound leaves open."""
    return solved.plan.objective, max(0.0, solved.plan.bound - solved.plan.objective)


def _parts(start: tuple[float, float], before: _Levels, after: _Levels, end: tuple[float, float]) -> dict[str, Part]:
    b, s, open_b, open_s = before.worth, after.worth, before.gap, after.gap
    return {
        "values": _part(b[2] - start[0], (open_b[2], start[1])),
        "slack": Part(s[0] - b[0], open_s[0] + open_b[0]),
        "reps": Part((s[1] - s[0]) - (b[1] - b[0]), open_s[1] + open_s[0] + open_b[1] + open_b[0]),
        "fit": Part((s[2] - s[1]) - (b[2] - b[1]), open_s[2] + open_s[1] + open_b[2] + open_b[1]),
        "rules": _part(end[0] - s[2], (end[1], open_s[2])),
    }


def _part(amount: float, gaps: tuple[float, float]) -> Part:
    """Nothing, and nothing open, where both ends are one problem."""
    return Part(0.0, 0.0) if amount == 0.0 else Part(amount, sum(gaps))
