"""Growth: each contender on doubled sizes until it passes a limit of time or memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.case import Case, Result
from benchmarks.rows import COUNTS, CPSAT, FLOW, LINPROG, LP, MAKE, MILP, MIP, OURS, How, package_of

QUICK_LIMIT = 0.5


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The sizes are `first`, `times` as much and so on, `steps` of them; `fixed` is what stays."""

    name: str
    title: str
    recipe: str
    axis: str
    fixed: dict[str, int]
    first: int
    steps: int
    contenders: Sequence[str]
    gap: float
    limit: float = 20.0

    def points(self, how: How) -> list[int]:
        """The sizes along the axis."""
        return [self.first * 2**step for step in range(2 if how.quick else self.steps)]

    def case(self, contender: str, size: int, how: How) -> Case:
        """One point."""
        most = QUICK_LIMIT if how.quick else self.limit
        return Case(
            row=self.name,
            contender=contender,
            package=package_of(contender),
            recipe=self.recipe,
            sizes={**self.fixed, self.axis: size},
            seeds=[how.seed] * how.repeat,
            gap=self.gap,
            limit=most if how.limit is None else how.limit,
            threads=how.threads,
        )


BANDS = (OURS, LP, LINPROG, MIP, MILP, CPSAT)
CURVES = (
    Curve(
        name="curve-counts-leads",
        title="counts, 50 reps, growing leads",
        recipe=f"{MAKE}:counts",
        axis="leads",
        fixed={"reps": 50},
        first=500,
        steps=12,
        contenders=COUNTS,
        gap=0.0,
    ),
    Curve(
        name="curve-counts-reps",
        title="counts, 5,000 leads, growing reps",
        recipe=f"{MAKE}:counts",
        axis="reps",
        fixed={"leads": 5000},
        first=10,
        steps=8,
        contenders=COUNTS,
        gap=0.0,
    ),
    Curve(
        name="curve-bands-leads",
        title="territories and revenue bands, 20 reps, growing leads",
        recipe=f"{MAKE}:bands",
        axis="leads",
        fixed={"reps": 20},
        first=250,
        steps=12,
        contenders=BANDS,
        gap=1e-3,
    ),
    Curve(
        name="curve-bands-reps",
        title="territories and revenue bands, 5,000 leads, growing reps",
        recipe=f"{MAKE}:bands",
        axis="reps",
        fixed={"leads": 5000},
        first=10,
        steps=7,
        contenders=BANDS,
        gap=1e-3,
    ),
)


def engines() -> tuple[str, ...]:
    """Our engines by name, as contenders of their own."""
    from apportion.engines.choose import ENGINES

    return tuple(f"{OURS}:{engine.name}" for engine in ENGINES)


def taking_part(curve: Curve, how: How) -> Curve:
    """Our engines one by one after `auto`; only the first rival when quick."""
    if how.quick:
        return replace(curve, contenders=(OURS, FLOW if FLOW in curve.contenders else LP))
    return replace(curve, contenders=(OURS, *engines(), *curve.contenders[1:]))


def grow(curve: Curve, how: How, run: Callable[[Case], Result]) -> Iterator[Result]:
    """Double until a contender gives no plan any more, is ended, or needs longer than the limit."""
    for contender in curve.contenders:
        for size in curve.points(how):
            case = curve.case(contender, size, how)
            result = run(case)
            yield result
            seconds = result.seconds()
            if result.outcome != "done" or result.verdict == "no plan" or seconds is None or seconds > case.limit:
                break
