"""What is written in an afternoon: `simple:greedy` takes the best pair first, `simple:robin` deals leads in turn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance
from benchmarks.rivals.sums import Listed, listed, nurture_of

Model = tuple[Instance, Listed]


def cannot(instance: Instance) -> str | None:
    """Eligibility, effort and capacity, and no more; a lead that finds no room stays with nurture."""
    if instance.equity or instance.limits:
        return f"cannot state {type((*instance.equity, *instance.limits)[0]).__name__}"
    if instance.parcel is not None:
        return "cannot state that leads stay together"
    return "cannot state a minimum load" if instance.min_load is not None else None


def prepare(instance: Instance) -> Model:
    """The list of pairs."""
    return instance, listed(instance)


def _greedy(model: Model, ask: Ask) -> Answer:
    instance, pairs = model
    gain = pairs.value - nurture_of(instance)[pairs.lead]
    room = instance.capacity.tolist()
    rep = [-1] * instance.n_leads
    order = np.argsort(-gain, kind="stable")
    if not instance.must_assign:
        order = order[gain[order] > 0]
    columns = (pairs.lead[order].tolist(), pairs.rep[order].tolist(), pairs.effort[order].tolist())
    for lead, one, effort in zip(*columns, strict=True):
        if rep[lead] < 0 and effort <= room[one]:
            rep[lead] = one
            room[one] -= effort
    return Answer(np.array(rep, dtype=np.int64), "done")


def _robin(model: Model, ask: Ask) -> Answer:
    instance, pairs = model
    start = np.searchsorted(pairs.lead, np.arange(instance.n_leads + 1)).tolist()
    may, effort = pairs.rep.tolist(), pairs.effort.tolist()
    room = instance.capacity.tolist()
    chosen, turn, n_reps = [-1] * instance.n_leads, 0, instance.n_reps
    for lead in range(instance.n_leads):
        best, cost = n_reps, 0.0
        for k in range(start[lead], start[lead + 1]):
            wait = (may[k] - turn) % n_reps
            if wait < best and effort[k] <= room[may[k]]:
                best, cost = wait, effort[k]
                if wait == 0:
                    break
        if best < n_reps:
            chosen[lead] = (turn + best) % n_reps
            room[chosen[lead]] -= cost
            turn = (chosen[lead] + 1) % n_reps
    return Answer(np.array(chosen, dtype=np.int64), "done")


def contender(option: str) -> Contender:
    """`greedy` or `robin`."""
    how: dict[str, tuple[str, Callable[[Model, Ask], Answer]]] = {
        "greedy": ("greedy, best pair first", _greedy),
        "robin": ("round robin", _robin),
    }
    title, run = how[option]
    return Contender(title, prepare, run, cannot)
