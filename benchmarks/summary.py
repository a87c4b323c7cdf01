"""From results to lines: gaps against the best bound that holds, ratios against ours, targets met or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.case import Call, Result
from benchmarks.rows import OURS, Row, Target

CHIEF = (".ratio", ".per_second")  # of what a workload tells; results.json has all of it
NOISE = 1e-5  # relative; what is closer than that is the same number, as rivals round


@dataclass(frozen=True, kw_only=True)
class Line:
    """One contender in one row.

    ratio : its seconds over ours; a floor if `at_least` (it was ended, or never got there). seconds : model building
    and solving, in the middle of the calls after the first. gap : of the worst verified plan, against the smallest
    bound that holds for everybody; own_gap : against its own bound. notes : what a reader must know.
    """

    result: Result
    ratio: float | None
    at_least: bool
    seconds: float | None
    cpu: float | None
    p50: float | None
    p99: float | None
    gap: float | None
    own_gap: float | None
    verdict: str
    notes: tuple[str, ...]


def lines(results: Sequence[Result]) -> list[Line]:
    """Sum up the results of one row, in their order."""
    bounds, best = _bounds(results), _best(results)
    ours = _ours(results)
    if ours is not None:  # where only a relaxation's bound is known, a gap would tell of the bound, and not of the plan
        bounds = {call.seed: bounds[call.seed] for call in ours.calls if call.seed in bounds}
    base = None if ours is None else ours.seconds()
    return [_line(result, bounds, best, base) for result in results]


def _line(result: Result, bounds: dict[int, float], best: dict[int, float], base: float | None) -> Line:
    seconds = result.seconds()
    ended = result.outcome in ("killed", "raised", "crashed") and not result.calls
    spent = result.case.limit if result.reason.startswith("killed") and " s" in result.reason else None
    at_least = (ended and spent is not None) or (result.verdict == "no plan" and not _told(result))
    timed = seconds if not ended else spent
    return Line(
        result=result,
        ratio=timed / base if timed is not None and base else None,
        at_least=at_least,
        seconds=seconds,
        cpu=result.seconds(cpu=True),
        p50=result.percentile(0.5),
        p99=result.percentile(0.99),
        gap=_worst([_gap(call, bounds.get(call.seed)) for call in result.calls if call.ok]),
        own_gap=_worst([_gap(call, call.bound) for call in result.calls if call.ok]),
        verdict=result.verdict,
        notes=tuple(_notes(result, bounds, best)),
    )


def _bounds(results: Sequence[Result]) -> dict[int, float]:
    """By seed, the smallest bound that holds: ours where verified, a relaxation's optimum, or a known optimum."""
    found: dict[int, float] = {}
    for result in results:
        for call in result.calls:
            held = [call.bound] if call.bound is not None and call.bound_holds else []
            held += [result.optimum] if result.optimum is not None else []
            if held:
                found[call.seed] = min([*held, found.get(call.seed, math.inf)])
    return found


def _best(results: Sequence[Result]) -> dict[int, float]:
    """By seed, what the best verified plan earns."""
    found: dict[int, float] = {}
    for call in (call for result in results for call in result.calls):
        if call.ok and call.objective is not None:
            found[call.seed] = max(call.objective, found.get(call.seed, -math.inf))
    return found


def _ours(results: Sequence[Result]) -> Result | None:
    """The first of ours that was timed; a row may start with a further way of ours."""
    timed = [result for result in results if result.seconds() is not None]
    return next((result for result in timed if result.case.contender.startswith(OURS)), None)


def _gap(call: Call, bound: float | None) -> float | None:
    if bound is None or call.objective is None:
        return None
    return max(0.0, bound - call.objective) / max(abs(bound), 1e-12)


def _worst(gaps: list[float | None]) -> float | None:
    known = [gap for gap in gaps if gap is not None]
    return max(known) if known else None


def _told(result: Result) -> bool:
    return any(call.told for call in result.calls)


def _notes(result: Result, bounds: dict[int, float], best: dict[int, float]) -> list[str]:
    calls, notes = result.calls, [result.reason] if result.reason else []
    without = [call for call in calls if call.ok is None and not call.told]
    if without:
        notes.append(f"{_of(without, calls)}: no verified plan, {without[0].status[:60]}")
    wrong = [call for call in calls if call.ok is False]
    if wrong:
        word = "" if wrong[0].broken.startswith("claims") else "breaks "
        notes.append(f"{_of(wrong, calls)}: {word}{wrong[0].broken}")
    split = max((call.split for call in calls), default=0)
    if split:
        notes.append(f"fractional: {split} leads split")
    for call in calls:
        known, top = bounds.get(call.seed), best.get(call.seed)
        if call.ok and known is not None and call.objective is not None and _above(call.objective, known):
            notes.append(f"earns {call.objective:.8g}, above the best bound {known:.8g}: one of them is wrong")
            break
        # a rival's "optimal" may mean within the gap that was asked for
        if call.bound is not None and top is not None and _above(top, call.bound, result.case.gap):
            notes.append(f"claims that none can earn more than {call.bound:.8g}; a verified plan earns {top:.8g}")
            break
    if len({call.seed for call in calls}) == 1 and len({call.objective for call in calls if call.ok}) > 1:
        notes.append("the same question, different plans")
    told = calls[-1].told if calls else {}
    chief = {name: number for name, number in told.items() if name.endswith(CHIEF)}
    return notes + [f"{name} {number:.6g}" for name, number in (chief or told).items()]


def _of(some: Sequence[Call], calls: Sequence[Call]) -> str:
    return f"{len(some)} of {len(calls)} calls"


def _above(number: float, bound: float, more: float = 0.0) -> bool:
    return number > bound + (NOISE + more) * abs(bound)


def met(row: Row, found: Sequence[Line]) -> tuple[str, bool | None]:
    """What was reached of the row's target, and whether that is enough; None where it was not measured."""
    line = next((line for line in found if line.result.case.contender == row.contenders[0]), None)
    if row.target is None or line is None:
        return "", None
    if line.seconds is None:
        return line.result.reason or line.result.outcome, None if line.result.outcome == "cannot" else False
    many = row.seeds > 1
    seconds = line.p99 if many else line.seconds
    assert seconds is not None
    parts, enough = [f"{'p99 ' if many else ''}{_time(seconds)}"], [line.verdict == "verified"]
    target: Target = row.target
    if target.seconds is not None:
        enough.append(seconds <= target.seconds)
    if target.gap is not None:
        parts.append("no bound" if line.gap is None else f"gap {100 * line.gap:.3g} %")
        enough.append(line.gap is not None and line.gap <= max(target.gap, 1e-9))
    if target.gib is not None and line.result.peak_mib is not None:
        parts.append(f"{line.result.peak_mib / 1024:.2f} GiB")
        enough.append(line.result.peak_mib <= 1024 * target.gib)
    if target.ratio is not None:
        other = next((one for one in found if one.result.case.contender == target.than), None)
        ratio = _times(other, line.seconds)
        parts.append("no ratio" if ratio is None else f"{ratio:.3g} ×")
        enough.append(ratio is not None and ratio >= target.ratio)
    if line.verdict != "verified":
        parts.append(line.verdict)
    return ", ".join(parts), all(enough)


def _times(other: Line | None, seconds: float) -> float | None:
    """How many times longer the other took; ended at a limit counts as the limit."""
    if other is None:
        return None
    spent = other.seconds if other.seconds is not None else other.result.case.limit if other.at_least else None
    return None if spent is None else spent / seconds


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
