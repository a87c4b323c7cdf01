"""What changes reps as one: a lead with a rep, or all leads of a parcel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion.problem import AssignmentProblem, Plan
from apportion.problem.pairs import Ints
from apportion.problem.sums import effort_of, sum_by

KEY_SEED = 20_221  # of the reps' random keys; any number does
LARGEST_KEY = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Units:
    """U units that may take part, in an order in which those that can take each other's place stand together.

    rep : (U,) the plan's rep. members : the leads of each. kind : (U,) units of one kind have the same effort and size,
    count under the same rules and may go to the same reps; -1 for those that few others are like.
    """

    rep: Ints
    members: tuple[Ints, ...]
    kind: Ints


def units_of(problem: AssignmentProblem, plan: Plan, may_swap: NDArray[np.bool_], *, few: int) -> Units:
    """The units of which every lead may take part, sorted by kind, then by what they offer, then by id.

    may_swap : (L,) leads that may take part. few : a kind with fewer units is no kind. Swaps between leads that offer
    alike hardly move what each rep is offered, and so need little of the room under an equity rule.
    """
    labels = np.arange(problem.n_leads) if problem.parcel is None else np.unique(problem.parcel, return_inverse=True)[1]
    n_units = int(labels.max(initial=-1)) + 1
    out = np.bincount(labels, weights=~(may_swap & (plan.rep >= 0)), minlength=n_units) > 0
    order = np.argsort(labels, kind="stable")
    members = np.split(order, np.searchsorted(labels[order], np.arange(1, n_units)))
    first = _first_id(problem, labels, n_units)
    kind = _kinds(problem, plan, labels, n_units)
    standing = np.flatnonzero(~out)
    _, kind_of, many = np.unique(kind[standing], axis=0, return_inverse=True, return_counts=True)
    kind_of = np.where(many[kind_of] >= few, kind_of, -1)
    offer = sum_by(labels, problem.opportunity, n_units)[standing]
    effort = kind[standing, 0]
    rest = np.where(kind_of < 0, effort, 0.0)  # units of no kind: those of like effort together
    ranked = np.lexsort((first[standing], -offer, rest, kind_of))
    held = [members[unit] for unit in standing[ranked].tolist()]
    rep = np.array([plan.rep[leads[0]] for leads in held], dtype=np.int64)
    return Units(rep=rep, members=tuple(held), kind=kind_of[ranked].astype(np.int64))


def _first_id(problem: AssignmentProblem, labels: Ints, n_units: int) -> Ints:
    """(U,) rank of each unit's smallest lead id, so that the order of rows decides nothing."""
    rank = np.argsort(np.argsort(np.array(problem.lead_ids, dtype=str), kind="stable"), kind="stable")
    first = np.full(n_units, len(rank), dtype=np.int64)
    np.minimum.at(first, labels, rank)
    return first


def _kinds(problem: AssignmentProblem, plan: Plan, labels: Ints, n_units: int) -> NDArray[np.float64]:
    """(U, k) numbers that are equal for units that can take each other's place: effort first."""
    leads = np.arange(problem.n_leads)
    pair = problem.pairs.position(leads, plan.rep)
    effort = np.where(pair >= 0, effort_of(problem).at(np.maximum(pair, 0), leads), 0.0)
    columns = [sum_by(labels, effort, n_units), np.bincount(labels, minlength=n_units).astype(float)]
    if problem.tier is not None:
        columns.append(sum_by(labels, problem.tier.astype(float), n_units))
    for rule in problem.rules:
        counted = getattr(rule, "leads", None)
        if rule.price is None and counted is not None:
            columns.append(sum_by(labels, np.asarray(counted, dtype=float), n_units))
    columns.append(_eligible_print(problem, labels, n_units))
    return np.column_stack(columns)


def _eligible_print(problem: AssignmentProblem, labels: Ints, n_units: int) -> NDArray[np.float64]:
    """(U,) a number that is equal for units that may go to the same reps, and differs otherwise, but for chance."""
    if problem.pairs.is_dense:
        return np.zeros(n_units)
    keys = np.random.default_rng(KEY_SEED).integers(0, LARGEST_KEY, problem.n_reps, dtype=np.int64)
    rank = np.argsort(np.argsort(np.array(problem.rep_ids, dtype=str), kind="stable"), kind="stable")
    total = np.zeros(n_units, dtype=np.uint64)
    np.add.at(total, labels[problem.pairs.lead], keys[rank][problem.pairs.rep].astype(np.uint64))
    return (total >> np.uint64(11)).astype(np.float64)  # 53 bits: as many as a float holds
