"""What every reason is made of, gathered once for a batch and its plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build.batch import Batch
from apportion.problem import Plan
from apportion.reasons.pricing import Floats, Ints, Ledger, ledger
from apportion.reasons.units import Units, group_units
from apportion.reasons.words import count, listed, quoted
from apportion_models.errors import UsageError


@dataclass(frozen=True, eq=False)
class Facts:
    """A batch, its plan, and the arrays that sentences are read from.

    pair : (L,) the plan's pair of each lead, -1 for nurture. load : (R,) effort units.
    mean_fit, best_fit : (L,) over the lead's eligible pairs. people : (R,) how a rep is called in a sentence.
    """

    batch: Batch
    plan: Plan
    book: Ledger
    units: Units
    pair: Ints
    load: Floats
    fit: Floats
    mean_fit: Floats
    best_fit: Floats
    people: tuple[str, ...]
    currency: str

    @classmethod
    def gather(cls, batch: Batch, plan: Plan) -> Facts:
        """Price every pair and rank the reps of every lead. UsageError without a plan, or with another batch's."""
        problem = batch.problem
        if not plan.status.has_plan:
            raise UsageError(f"There is nothing to explain: the status is {plan.status}. Use `diagnose`.")
        if plan.rep.shape != (problem.n_leads,) or len(plan.prices.capacity) != problem.n_reps:
            raise UsageError(
                f"The plan must be of this batch, with {problem.n_leads} leads and {problem.n_reps} reps. "
                f"Got {len(plan.rep)} leads and {len(plan.prices.capacity)} reps."
            )
        book = ledger(batch, plan)
        pair = problem.pairs.position(np.arange(problem.n_leads), plan.rep)
        held = pair[pair >= 0]
        load = np.bincount(problem.pairs.rep[held], weights=problem.effort[held], minlength=problem.n_reps)
        fit = np.asarray(batch.fit, dtype=np.float64)[problem.pairs.lead, problem.pairs.rep]
        best_fit = np.zeros(problem.n_leads)
        np.maximum.at(best_fit, problem.pairs.lead, fit)
        return cls(
            batch=batch,
            plan=plan,
            book=book,
            units=group_units(problem, plan, book),
            pair=pair,
            load=np.asarray(load, dtype=np.float64),
            fit=fit,
            mean_fit=problem.pairs.mean_by_lead(fit),
            best_fit=best_fit,
            people=_people(batch),
            currency=str(getattr(batch.policy, "currency", "")),
        )

    @property
    def planned(self) -> Ints:
        """(L,) rep of each lead before any draw, -1 for nurture."""
        return self.plan.rep if self.plan.swaps is None else self.plan.swaps.planned

    @cached_property
    def swapped(self) -> NDArray[np.bool_]:
        """(L,) whether a draw moved the lead."""
        return self.plan.swapped

    @cached_property
    def tolerance(self) -> float:
        """Currency below which two amounts count as equal: rounding noise."""
        return 1e-9 * max(1.0, float(np.abs(self.book.value).max(initial=0.0)))

    @cached_property
    def rounding(self) -> float:
        """The same for values alone, without prices: they are sums of a few numbers, and engines tell them apart."""
        return 1e-3 * self.tolerance

    @cached_property
    def blocked_names(self) -> tuple[str, ...]:
        """The hard rules that forbid pairs, in the policy's words."""
        return tuple(str(rule) for rule in self.batch.eligibility.rules)

    def locked_to(self, lead: int) -> int:
        """Index of the rep to whom a person locked the lead, -1 when nobody did."""
        return int(self.batch.eligibility.lock[lead])

    def blocking(self, lead: int, rep: int) -> str | None:
        """The rule that forbids the pair, in the policy's words; None when it is allowed or no rule is known."""
        rule = int(self.batch.eligibility.blocked_by[lead, rep])
        return self.blocked_names[rule] if rule >= 0 else None

    def blocked_counts(self, lead: int) -> str:
        """40 reps by “EMEA only” and 3 reps by “senior reps only”."""
        row = np.asarray(self.batch.eligibility.blocked_by)[lead]
        found = Counter(row[row >= 0].tolist())
        ranked = sorted(found.items(), key=lambda item: (-item[1], self.blocked_names[item[0]]))
        return listed([f"{count(many, 'rep')} by {quoted(self.blocked_names[rule])}" for rule, many in ranked])

    def remaining_gap(self) -> float:
        """Currency that the best possible plan can be better than this one, at most."""
        return max(0.0, self.plan.bound - self.plan.objective)

    def mates(self, lead: int) -> int:
        """How many other leads stay together with this one."""
        return int(self.units.size[self.units.of_lead[lead]]) - 1


def _people(batch: Batch) -> tuple[str, ...]:
    """Names where each is there and unlike all others, ids otherwise."""
    ids = batch.problem.rep_ids
    if "name" not in batch.reps.columns:
        return ids
    names = batch.reps["name"].tolist()
    twice = Counter(names)
    return tuple(
        rep if pd.isna(name) or not str(name).strip() or twice[name] > 1 else str(name)
        for name, rep in zip(names, ids, strict=True)
    )
