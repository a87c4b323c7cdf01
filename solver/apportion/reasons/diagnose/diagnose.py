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
from apportion_models.errors import UsageError

CONFLICT_PART = 0.5  # of the time, for the conflict; the rest is for the ways out
SINGLE_RULES = 3


def diagnose(problem: AssignmentProblem, *, time_limit: float = 30.0, batch: Batch | None = None) -> Diagnosis:
    """Say why no plan keeps the hard rules, and what would make one.

    time_limit : seconds; what is known by then is given, and said to be so. batch : the problem's batch; with it the rules of eligibility and
    the locks take part by name. Of a pair that several rules forbid, only the first is known, so that a way out through such a
    pair names that rule alone. Raises UsageError where there is a plan.
    """
    if not time_limit > 0:
        raise UsageError(f"time_limit must be positive, in seconds. Got {time_limit!r}.")
    clock = Clock(time_limit)
    universe = read_universe(problem, batch)
    counts = Counts(universe)
    finder = Finder(universe, counts, Clock(CONFLICT_PART * time_limit), 0.1 * time_limit)
    conflict, plan = finder.find()
    if plan is not None:
        raise UsageError(
            "There is nothing to diagnose: a plan keeps all hard rules. Call `solve`, with more time if it found none."
        )
    elements = tuple(universe.elements[index] for index in np.flatnonzero(conflict.active))
    return Diagnosis(
        conflict=elements,
        minimal=conflict.minimal,
        relaxations=tuple(_ways_out(universe, counts, conflict.active, clock)),
        notes=tuple(_notes(conflict.proved, conflict.minimal, universe, conflict.active)),
        rules={str(rule.name): rule for rule in problem.rules},
    )


def _ways_out(universe: Universe, counts: Counts, active: Bools, clock: Clock) -> Iterator[Relaxation]:
    """The cheapest way out, then those by one rule alone, each only once."""
    nothing = np.zeros(len(universe.elements), dtype=bool)
    together = np.array([element.kind == "parcel" for element in universe.elements], dtype=bool)
    families = [family for family in universe.families if (universe.of_family(family) & active).any()]
    left = len(families) + 1
    found: list[Relaxation] = []
    for family in (None, *families):
        members = ~together if family is None else universe.of_family(family)
        dropped = members & active & together if family is not None else nothing
        relaxation = _relaxed(universe, counts, members & ~together, dropped, clock.left() / left)
        left -= 1
        if relaxation is not None:
            found.append(relaxation)
    ranked = sorted(found, key=lambda each: (each.cost, len(each.rules), each.rules))
    yield from ranked[:1]
    yield from [each for each in ranked[1:] if len(each.rules) == 1 and each.rules != ranked[0].rules][:SINGLE_RULES]


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
    if any(universe.elements[index].kind == "eligibility" for index in np.flatnonzero(active)):
        yield "Where several rules forbid a pair, only the first of them is known here."
