"""How much memory a solve will take, and how much there is: said before anything large is built.

The formulas count what each engine holds for a pair, a lead and a rep at its peak, fitted to measured peaks and then
widened by SAFETY; over the measured sizes (decision 023) the answer is 1.3 to 3 times what was taken. Only
shapes and rules are looked at.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apportion.engines import network
from apportion.engines.choose import ENGINES, NETWORK, TRANSPORT, choose_transport
from apportion.problem import AssignmentProblem, LeadShare, Limit
from apportion.problem.reorder import canonical_order, in_order
from apportion.problem.rules import Rule
from apportion_models.errors import Finding, ProblemError, UsageError

Masked = tuple[NDArray[np.bool_], NDArray[np.int64]]

SAFETY = 1.2
UNASKED = 64 << 20  # bytes up to which nobody asks what there is
MIB, GIB = 1 << 20, 1 << 30

TRANSPORT_CODE, TRANSPORT_LEAD, TRANSPORT_OPTION, TRANSPORT_REPS = 80 * MIB, 650, 22, 64
ALL_OPTIONS = 12_000_000  # pairs up to which that engine may hold all of them
FLOW_PAIR, FLOW_RULE = 130, 10  # a pair, and for each bounded measure of a pair
ARCS_PAIR, ARCS_RULE, ARCS_LEAD = 75, 7, 300
SETS = 40  # bytes a pair of bounded sets
CORE_CODE, CORE_PAIR, CORE_RULE, CORE_LEAD = 200 * MIB, 130, 20, 1_500
CODE_FROM = 400  # pairs from which that engine loads compiled code
GATHERED, MOVED = 40, 32  # a pair, where leads stay together; where rows are not in the order of their ids


def memory_needed(problem: AssignmentProblem, engine: str = "auto") -> int:
    """Bytes that `solve` takes at its peak beside the problem itself, the engine's compiled code included.

    An upper estimate from shapes and rules; the engine that "auto" will take is foreseen, and where only the
    formulation could tell, the larger is said. UsageError for an unknown engine.
    """
    known = (TRANSPORT, *(one.name for one in ENGINES))
    if engine not in ("auto", *known):
        names = ", ".join(map(repr, known))
        raise UsageError(f"engine must be 'auto' or one of {names}. Got {engine!r}.")
    if engine == TRANSPORT or (engine == "auto" and choose_transport(problem)[0]):
        return math.ceil(SAFETY * _transport(problem))
    flow = engine == NETWORK or (engine == "auto" and _is_network(problem))
    needed = _flow(problem) if flow else _core(problem)
    return math.ceil(SAFETY * (needed + _order(problem)))


def memory_free() -> int | None:
    """Bytes that this process may still take: the least that machine, control groups and its own limit leave; None
    where the system does not say."""
    found = [*_machine(), *_groups(), *_own_limit()]
    return max(0, min(found)) if found else None


def check_memory(problem: AssignmentProblem, engine: str, memory_limit: float | None) -> None:
    """Refuse a problem that will not fit. ProblemError names what it needs and what there is.

    memory_limit : bytes; None asks the machine.
    """
    if memory_limit is not None and not memory_limit > 0:
        raise UsageError(f"memory_limit must be positive, in bytes. Got {memory_limit!r}.")
    needed = memory_needed(problem, engine)
    if memory_limit is None and needed <= UNASKED:
        return
    there = memory_free() if memory_limit is None else memory_limit
    if there is None or needed <= there:
        return
    whose = "available" if memory_limit is None else "allowed by memory_limit"
    raise ProblemError(
        Finding(
            severity="error",
            table="problem",
            message=(
                f"must fit in memory. Solving {problem.n_leads} leads by {problem.n_reps} reps "
                f"({problem.pairs.n_pairs} pairs) needs up to {in_words(needed)} beside the problem itself; "
                f"{in_words(there)} {'is' if whose == 'available' else 'are'} {whose}."
            ),
            remedy="Split the batch, leave out pairs that no rep should have, give values as float32, or raise the "
            "limit (memory_limit=math.inf tries in any case).",
        )
    )


def in_words(amount: float) -> str:
    """1.5 GiB, or 20 MiB."""
    return f"{amount / GIB:,.1f} GiB" if amount >= GIB else f"{amount / MIB:,.0f} MiB"


def _transport(problem: AssignmentProblem) -> float:
    n_leads, n_reps = problem.n_leads, problem.n_reps
    options = n_leads * (1 + int(problem.pairs.count.max(initial=0)))
    held = TRANSPORT_OPTION * options if options <= ALL_OPTIONS else 0
    return TRANSPORT_CODE + TRANSPORT_LEAD * n_leads + held + TRANSPORT_REPS * (n_reps + 1) ** 2


def _flow(problem: AssignmentProblem) -> float:
    n_pairs, n_measures = problem.pairs.n_pairs, 1 + len(problem.rules)
    n_sets = problem.n_reps + sum(len(problem.groups(rule.by)[1]) for rule in problem.rules)
    sets = SETS * (n_sets + 1) ** 2
    if network.by_size(n_pairs, problem.n_leads, n_sets) is None:
        return (ARCS_PAIR + ARCS_RULE * n_measures) * n_pairs + ARCS_LEAD * problem.n_leads + sets
    return (FLOW_PAIR + FLOW_RULE * n_measures) * n_pairs + ARCS_LEAD * problem.n_leads + sets


def _core(problem: AssignmentProblem) -> float:
    n_pairs, n_measures = problem.pairs.n_pairs, 1 + len(problem.rules)
    code = CORE_CODE if n_pairs > CODE_FROM else 0
    gathered = GATHERED * n_pairs if problem.parcel is not None else 0
    n_prices = 2 * (problem.n_reps + sum(len(problem.groups(rule.by)[1]) for rule in problem.rules))
    curvature = 8 * 4 * n_prices**2
    return code + (CORE_PAIR + CORE_RULE * n_measures) * n_pairs + CORE_LEAD * problem.n_leads + gathered + curvature


def _order(problem: AssignmentProblem) -> float:
    return 0.0 if all(map(in_order, canonical_order(problem))) else float(MOVED * problem.pairs.n_pairs)


def _is_network(problem: AssignmentProblem) -> bool:
    """Whether every bound is surely a nested count."""
    together = problem.parcel is not None and len(np.unique(problem.parcel)) < problem.n_leads
    effort = problem.entries("effort").constant
    if together or effort is None or effort <= 0 or not all(_counts(problem, rule) for rule in problem.rules):
        return False
    everyone = np.ones(problem.n_leads, dtype=bool)
    sets: list[Masked] = [(everyone, np.arange(problem.n_reps))]
    sets += [(_leads(problem, rule), problem.groups(rule.by)[0]) for rule in problem.rules]
    return all(_within(a, b) or _within(b, a) or not (a[0] & b[0]).any() for a, b in combinations(sets, 2))


def _counts(problem: AssignmentProblem, rule: Rule) -> bool:
    if isinstance(rule, LeadShare):
        return rule.price is None and bool(problem.must_assign.all())
    if not isinstance(rule, Limit) or rule.measure != "leads":
        return False
    if rule.price is None:
        return True
    sides = [np.ravel(np.asarray(side, dtype=float)) for side in (rule.low, rule.high) if side is not None]
    bounds = np.concatenate(sides)
    return bool((np.rint(bounds) == bounds).all())


def _leads(problem: AssignmentProblem, rule: Any) -> NDArray[np.bool_]:
    inside = np.ones(problem.n_leads, dtype=bool) if rule.leads is None else np.asarray(rule.leads, dtype=bool)
    tier = getattr(rule, "tier", None)
    return inside if tier is None or problem.tier is None else inside & (problem.tier == tier)


def _within(inner: Masked, outer: Masked) -> bool:
    """Whether each of the inner sets lies in one of the outer, or beside them all."""
    if (inner[0] & ~outer[0]).any():
        return False
    of_group: dict[int, int] = {}
    grouped = inner[1] >= 0
    own = zip(inner[1][grouped].tolist(), outer[1][grouped].tolist(), strict=True)
    return all(of_group.setdefault(group, larger) == larger for group, larger in own)


def _machine() -> Iterator[int]:
    """What the machine can give without swapping."""
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _groups() -> Iterator[int]:
    """What the control groups of this process leave, caches that can be dropped taken as free."""
    root = Path("/sys/fs/cgroup")
    for line in _lines(Path("/proc/self/cgroup")):
        _, kinds, name = line.split(":", 2)
        if kinds == "":
            yield from _left(root, name, "memory.max", "memory.current", "inactive_file ")
        elif "memory" in kinds.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "
            yield from _left(root / "memory", name, *names)


def _left(root: Path, name: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    inside = root / name.strip("/")
    for folder in (inside, *inside.parents):
        allowed, used = _lines(folder / limit), _lines(folder / usage)
        if allowed and used and allowed[0].isdigit():
            dropped = [int(line.split()[1]) for line in _lines(folder / "memory.stat") if line.startswith(cache)]
            yield int(allowed[0]) - int(used[0]) + sum(dropped)
        if folder == root:
            return


def _own_limit() -> Iterator[int]:
    """What the process's own limit on its address space leaves."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    statm = _lines(Path("/proc/self/statm"))
    if limit != resource.RLIM_INFINITY and statm:
        yield limit - int(statm[0].split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
