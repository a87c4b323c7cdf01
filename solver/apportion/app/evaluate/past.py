"""The leads of one half of the history as the other half's model sees them, and how it would have dealt them.

Each lead of the past is planned by a model that had no part in it, together with the leads of the same time; every rep
gets as many of them as they had. So nothing but who gets which lead is changed, and nothing but that is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import apportion.engines as engines
from apportion.app.evaluate.errors import NotApplicable
from apportion.problem import AssignmentProblem
from apportion_models import FitModel
from apportion_models.errors import TableError
from apportion_models.policy_value import Log, estimate_propensities
from apportion_models.policy_value.past import Seen, agreement, lead_kinds, lead_numbers, see

Ints = NDArray[np.int64]

MOST_PAST = 50_000  # of each half, the latest; more would move no interval by much
BATCH, BATCH_PER_REP = 200, 5  # past leads that are planned together, at least, and for each rep
GAP = 0.005


@dataclass(frozen=True, eq=False)
class Past:
    """Both halves, each as seen by the other's model, and what was drawn as their unit."""

    seen: tuple[Seen, Seen]
    agreement: float  # of what the two models take for advantages

    @classmethod
    def of(
        cls,
        models: tuple[FitModel, FitModel],
        halves: tuple[pd.DataFrame, pd.DataFrame],
        reps: pd.DataFrame,
        until: pd.Timestamp,
        drawn_by: str,
    ) -> Past:
        """models : of the first half and of the second. Raises NotApplicable where a half has no closed lead."""
        try:
            one, two = (
                see(
                    model,
                    half,
                    reps,
                    valued_by=own,
                    until=until,
                    by_account=drawn_by == "account",
                    most=MOST_PAST,
                )
                for model, own, half in zip(models, models[::-1], halves[::-1], strict=True)
            )
        except TableError as error:
            raise NotApplicable(f"half of the history tells nothing ({error.findings[0].message})") from error
        return cls((one, two), agreement((one, two)))

    @property
    def as_dealt(self) -> Log:
        """The log whose plan is what was done: enough to tell how much of the advantages came true."""
        return self._log([seen.rep_id for seen in self.seen], None)

    def planned(self, model: FitModel, reps: pd.DataFrame, *, seed: int) -> tuple[Log, dict[str, Ints]]:
        """The log beside what the models would have done, and what kinds of leads these are.

        `model` is the whole history's; it only says which columns tell leads apart.
        """
        planned = [_plan(seen, reps, seed=seed) for seen in self.seen]
        frame = pd.concat([seen.cases.frame for seen in self.seen], ignore_index=True)
        return self._log(planned, lead_numbers(model, frame)), lead_kinds(model, frame)

    def _log(self, planned: Sequence[NDArray[np.object_]], columns: NDArray[np.float64] | None) -> Log:
        joined = {
            name: np.concatenate([getattr(seen, name) for seen in self.seen])
            for name in ("label", "worth", "base", "advantage", "given", "unit", "logged", "randomised")
        }
        ids, rep = np.unique(np.concatenate([seen.rep_id for seen in self.seen]).astype(str), return_inverse=True)
        wanted = np.searchsorted(ids, np.concatenate(planned).astype(str))
        added = np.concatenate([seen.advantage_of(who) for seen, who in zip(self.seen, planned, strict=True)])
        logged = joined.pop("logged")
        dealt, hoped = np.ones(rep.size), np.ones(rep.size)
        if columns is not None and (rep == wanted).any():
            order, period = self._by_time(ids.size)
            back = np.argsort(order, kind="stable")
            found = estimate_propensities(
                columns[order],
                rep=rep[order],
                planned=wanted[order],
                period=period,
                fold=self._fold[order],
                reps=ids.size,
            )
            dealt, hoped = found.dealt[back], found.planned[back]
        rest = np.where(np.isfinite(logged), 1.0 - logged, 1.0)  # all that is left for any other rep
        return Log(
            **joined,
            rep=rep.astype(np.int64),
            planned=wanted.astype(np.int64),
            planned_advantage=added,
            chance=np.where(np.isfinite(logged), logged, dealt),
            planned_chance=np.where(rep == wanted, hoped, np.minimum(hoped, rest)),
            fold=self._fold,
            agreement=self.agreement,
        )

    @property
    def _fold(self) -> Ints:
        """(n,) which half each lead is of."""
        return np.repeat([0, 1], [len(seen.cases) for seen in self.seen])

    def _by_time(self, reps: int) -> tuple[NDArray[np.intp], Ints]:
        """The order of all leads by time, and the period of each in that order."""
        order = np.argsort(np.concatenate([seen.cases.assigned for seen in self.seen]), kind="stable")
        return order, np.arange(order.size) // _together(reps)


def _together(reps: int) -> int:
    return max(BATCH, BATCH_PER_REP * reps)


def _plan(seen: Seen, reps: pd.DataFrame, *, seed: int) -> NDArray[np.object_]:
    """(n,) the rep's id that the model gives each lead, among the leads of its time."""
    ids = np.unique(seen.rep_id.astype(str))
    known = reps.set_index(reps["rep_id"].astype(str)).drop(columns="rep_id")
    roster = known.reindex(pd.Index(ids, name="rep_id")).reset_index()
    planned = np.empty(len(seen.cases), dtype=object)
    parts = max(1, len(seen.cases) // _together(ids.size))
    for rows in np.array_split(np.arange(len(seen.cases)), parts):
        here, counts = np.unique(seen.rep_id[rows].astype(str), return_counts=True)
        revenue = seen.revenue(rows, roster[roster["rep_id"].isin(here)])
        problem = AssignmentProblem.from_arrays(
            revenue, capacity=counts.astype(np.float64), must_assign=True, rep_ids=tuple(here)
        )
        planned[rows] = here[engines.solve(problem, gap=GAP, seed=seed).rep]
    return planned
