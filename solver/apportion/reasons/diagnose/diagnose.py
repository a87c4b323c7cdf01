"""diagnose: from a problem without a plan to its conflict and the ways out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apportion.build.batch import Batch
from apportion.engines.clock import Clock
from apportion.problem import AssignmentProblem
from apportion.reasons.diagnose.changes import Relaxation, read_relaxation
from apportion.reasons.diagnose.conflict import Finder
from apportion.reasons.diagnose.diagnosis import Diagnosis
from apportion.reasons.diagnose.elastic import least_broken
from apportion.reasons.diagnose.elements import Bools, Universe, read_universe
from apportion.reasons.diagnose.sums import Counts
from apportion.reasons.words import listed
from apportion_models.errors import UsageError

CONFLICT_PART = 0.35  # of the time, for the conflict; the rest is for the ways out
ONE_TEST, ONE_TRY = 0.05, 0.07  # of the time: for one test of a conflict, for one way out
SINGLE_RULES = 3


def diagnose(problem: AssignmentProblem, *, time_limit: float = 30.0, batch: Batch | None = None) -> Diagnosis:
    """Say why no plan keeps the hard rules, and what would make one.

    time_limit : seconds; what is known by then is given, and said to be so. batch : the problem's batch; with it
    the rules of eligibility and the locks take part by name. Of a pair that several rules forbid, only the first
    is known, so that a way out through such a pair names that rule alone. Raises UsageError where there is a plan.
    """
    if not time_limit > 0:
        raise UsageError(f"time_limit must be positive, in seconds. Got {time_limit!r}.")
    clock = Clock(time_limit)
    universe = read_universe(problem, batch)
    counts = Counts(universe)
    finder = Finder(universe, counts, Clock(CONFLICT_PART * time_limit), ONE_TEST * time_limit)
    conflict, plan = finder.find()
    if plan is not None:
        raise UsageError(
            "There is nothing to diagnose: a plan keeps all hard rules. Call `solve`, with more time if it found none."
        )
    elements = tuple(universe.elements[index] for index in np.flatnonzero(conflict.active))
    return Diagnosis(
        conflict=elements,
        minimal=conflict.minimal,
        relaxations=tuple(_ways_out(universe, counts, conflict.active, clock, time_limit)),
        notes=tuple(_notes(conflict.proved, conflict.minimal, universe, conflict.active)),
        rules={str(rule.name): rule for rule in problem.rules},
    )


def _ways_out(
    universe: Universe, counts: Counts, active: Bools, clock: Clock, time_limit: float
) -> Iterator[Relaxation]:
    """The cheapest way out, then those by one rule alone.

    Tried: each rule in conflict alone, all of them, and all rules whatsoever.
    """
    nothing = np.zeros(len(universe.elements), dtype=bool)
    together = np.array([element.kind == "parcel" for element in universe.elements], dtype=bool)
    families = [universe.of_family(family) for family in universe.families]
    families = [members for members in families if (members & active).any()]
    tries = [(members & ~together, members & active & together) for members in families]
    if len(families) > 1:
        tries.append((np.logical_or.reduce(families) & ~together, nothing))
    tries.append((~together, nothing))
    found: list[Relaxation] = []
    for place, (soft, dropped) in enumerate(tries):
        seconds = min(clock.left() / (len(tries) - place), ONE_TRY * time_limit)
        relaxation = _relaxed(universe, counts, soft, dropped, seconds)
        if relaxation is not None:
            found.append(relaxation)
    ranked = sorted(found, key=lambda each: (round(each.cost, 9), len(each.rules), each.rules))
    best_of = {relaxation.rules: relaxation for relaxation in reversed(ranked)}
    yield from ranked[:1]
    single = [each for each in ranked[1:] if len(each.rules) == 1 and best_of[each.rules] is each]
    yield from [each for each in single if each.changes != ranked[0].changes][:SINGLE_RULES]


def _relaxed(universe: Universe, counts: Counts, soft: Bools, dropped: Bools, seconds: float) -> Relaxation | None:
    if seconds <= 0:
        return None
    answer = least_broken(universe, counts, soft, dropped=dropped, seconds=seconds)
    if answer is None:
        return None
    rep, proved = answer
    return read_relaxation(universe, counts, rep, may=soft | dropped, proved=proved)


def _notes(proved: bool, minimal: bool, universe: Universe, active: Bools) -> Iterator[str]:
    if not proved:
        yield "It could not be proved in the time given that there is no plan."
    elif not minimal:
        yield "The time given did not suffice to show that every one of these demands is needed for the conflict."
    lonely = [
        element.where
        for element in (universe.elements[index] for index in np.flatnonzero(active))
        if element.kind in ("must_assign", "lock") and not (universe.wide.pairs.lead == element.place).any()
    ]
    if lonely:
        yield f"No rep may take {'lead' if len(lonely) == 1 else 'leads'} {listed(lonely)}."
    if any(universe.elements[index].kind == "eligibility" for index in np.flatnonzero(active)):
        yield "Where several rules forbid a pair, only the first of them is known here."
