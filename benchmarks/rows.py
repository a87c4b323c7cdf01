"""The rows: which work, in which size, against whom, and what it must reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import gap
from benchmarks.case import Case

MAKE = "benchmarks.instances"
OURS = "benchmarks.ours"
RIVALS = "benchmarks.rivals"
CPSAT, CAREFUL = f"{RIVALS}.cpsat:plain", f"{RIVALS}.cpsat:careful"
FLOW, LSA = f"{RIVALS}.dense_flow", f"{RIVALS}.scipy_lsa"
LP, MIP = f"{RIVALS}.highs:lp", f"{RIVALS}.highs:mip"
LINPROG, MILP = f"{RIVALS}.scipy_highs:linprog", f"{RIVALS}.scipy_highs:milp"
GREEDY, ROBIN = f"{RIVALS}.simple:greedy", f"{RIVALS}.simple:robin"

QUICK_LIMIT = 1.0  # seconds a call

ALL = (OURS, CPSAT, LP, MIP, LINPROG, MILP, LSA, FLOW, GREEDY, ROBIN)
COUNTS = (OURS, FLOW, LSA, LP, CPSAT, GREEDY, ROBIN)
LARGE = (OURS, FLOW, LP, GREEDY, ROBIN)

LIBRARIES = {
    "benchmarks.ours": "apportion",
    "benchmarks.ours_warm": "apportion",
    "benchmarks.ours_online": "apportion",
    f"{RIVALS}.cpsat": "ortools.sat.python.cp_model",
    FLOW: "ortools.graph.python.min_cost_flow",
    LSA: "scipy.optimize",
    f"{RIVALS}.highs": "ortools.linear_solver.python.model_builder",
    f"{RIVALS}.scipy_highs": "scipy.optimize",
}


def package_of(contender: str) -> str:
    """What a user of the contender imports."""
    return LIBRARIES.get(contender, LIBRARIES.get(contender.partition(":")[0], "numpy"))


@dataclass(frozen=True, kw_only=True)
class How:
    """How rows are run. limit : seconds a call, instead of each row's own. repeat : calls on the same instance."""

    quick: bool = False
    limit: float | None = None
    repeat: int = 2
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the row must reach. gap : of the worst plan. seconds : of a call, model building included; p99 for a row of
    many. ratio : how many times faster than `than`."""

    gap: float | None = None
    seconds: float | None = None
    gib: float | None = None
    ratio: float | None = None
    than: str = ""

    def __str__(self) -> str:
        parts = []
        if self.gap is not None:
            parts.append("exact" if self.gap == 0 else f"gap ≤ {100 * self.gap:g} %")
        if self.seconds is not None:
            parts.append(f"≤ {self.seconds:g} s" if self.seconds >= 1 else f"≤ {1000 * self.seconds:g} ms")
        if self.gib is not None:
            parts.append(f"≤ {self.gib:g} GiB")
        if self.ratio is not None:
            parts.append(f"{self.than.rpartition('.')[2]} takes ≥ {self.ratio:g} times as long")
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Row:
    """name : to ask for it by. full, quick : arguments of the recipe in both sizes. limit : seconds a call, full size.

    seeds : distinct instances; more than one makes a row of many calls, whose percentiles are told. group : rows that
    are summed up together; "" for a row that stands alone.
    """

    name: str
    title: str
    recipe: str
    full: dict[str, Any]
    quick: dict[str, Any]
    contenders: Sequence[str]
    gap: float = 1e-3
    limit: float = 60.0
    target: Target | None = None
    seeds: int = 1
    huge: bool = False
    group: str = ""

    def cases(self, how: How) -> list[Case]:
        """One case a contender."""
        if self.seeds > 1:
            seeds = list(range(how.seed, how.seed + (min(self.seeds, 5) if how.quick else self.seeds)))
        else:
            seeds = [how.seed] * how.repeat
        most = QUICK_LIMIT if how.quick and self not in START else self.limit
        return [
            Case(
                row=self.name,
                contender=one,
                package=package_of(one),
                recipe=self.recipe,
                sizes=self.quick if how.quick else self.full,
                seeds=seeds,
                gap=self.gap,
                limit=most if how.limit is None or self in START else how.limit,
                threads=how.threads,
            )
            for one in self.taking_part(how)
        ]

    def taking_part(self, how: How) -> Sequence[str]:
        """Everybody; when quick, in all rows but the one where all can be seen, the first few."""
        if not how.quick or self.contenders is ALL:
            return self.contenders
        return self.contenders[: 2 if self.group else 3]


def _sized(leads: int, reps: int, **more: Any) -> dict[str, Any]:
    return {"leads": leads, "reps": reps, **more}


START: tuple[Row, ...] = tuple(
    Row(
        name=name,
        title=title,
        recipe=f"{MAKE}:bands",
        full=_sized(300, 10, tail=0.3, territories=4),
        quick=_sized(300, 10, tail=0.3, territories=4),
        contenders=(OURS,),
        limit=120,
    )
    for name, title in (
        ("start-first", "the first solve after installing: what is compiled, is compiled here (300 × 10, bands)"),
        ("start-again", "the first solve in a new process, and the second (300 × 10, bands)"),
    )
)

TABLE: tuple[Row, ...] = (
    Row(
        name="small-50x5",
        title="50 × 5, all rules, many batches in one process",
        recipe=f"{MAKE}:all_rules",
        full=_sized(50, 5),
        quick=_sized(50, 5),
        contenders=(OURS, CPSAT, CAREFUL, LP, MIP, MILP),
        limit=30,
        seeds=200,
        target=Target(gap=1e-3, seconds=0.020),
    ),
    Row(
        name="small-200x20",
        title="200 × 20, all rules, many batches in one process",
        recipe=f"{MAKE}:all_rules",
        full=_sized(200, 20),
        quick=_sized(100, 10),
        contenders=(OURS, CPSAT, CAREFUL, LP, MIP, MILP),
        limit=30,
        seeds=100,
        target=Target(gap=1e-3, seconds=0.100),
    ),
    Row(
        name="bands-1000x50",
        title="1,000 × 50, territories, revenue bands 0.8–1.25, heavy tail",
        recipe=f"{MAKE}:bands",
        full=_sized(1000, 50),
        quick=_sized(100, 5, territories=2, tail=0.5),
        contenders=ALL,
        limit=45,
        target=Target(gap=1e-3, seconds=0.3),
    ),
    Row(
        name="bands-mild-1000x50",
        title="1,000 × 50, territories, revenue bands 0.8–1.25, milder tail",
        recipe=f"{MAKE}:bands",
        full=_sized(1000, 50, tail=0.5),
        quick=_sized(120, 6, territories=2, tail=0.5),
        contenders=(OURS, CPSAT, LP, MIP, MILP),
        limit=45,
        target=Target(gap=1e-3, seconds=0.3),
    ),
    Row(
        name="counts-10000x100",
        title="10,000 × 100 dense, counts",
        recipe=f"{MAKE}:counts",
        full=_sized(10_000, 100),
        quick=_sized(300, 10),
        contenders=(*COUNTS, LINPROG),
        gap=0.0,
        target=Target(gap=0.0, seconds=0.15, ratio=5, than=FLOW),
    ),
    Row(
        name="bands-dense-10000x50",
        title="10,000 × 50 dense, revenue bands",
        recipe=f"{MAKE}:dense_bands",
        full=_sized(10_000, 50),
        quick=_sized(150, 6, tail=0.5),
        contenders=(OURS, LP, LINPROG, MIP, CPSAT),
        gap=5e-4,
        target=Target(gap=5e-4, seconds=2.0),
    ),
    Row(
        name="counts-100000x100",
        title="100,000 × 100 dense, counts",
        recipe=f"{MAKE}:counts",
        full=_sized(100_000, 100),
        quick=_sized(1000, 10),
        contenders=LARGE,
        gap=0.0,
        limit=120,
        target=Target(gap=0.0, seconds=0.7, gib=0.5, ratio=10, than=FLOW),
    ),
    Row(
        name="tiers-100000x200",
        title="100,000 × 200, territories, tiers and revenue bands",
        recipe=f"{MAKE}:tiered_bands",
        full=_sized(100_000, 200),
        quick=_sized(200, 8, territories=2, tail=0.5),
        contenders=(OURS, LP, GREEDY),
        limit=240,
        target=Target(gap=1e-3, seconds=15, gib=1.5),
    ),
    Row(
        name="counts-1000000x1000",
        title="1,000,000 × 1,000 dense, counts",
        recipe=f"{MAKE}:counts",
        full=_sized(1_000_000, 1000),
        quick=_sized(2000, 20),
        contenders=(OURS, FLOW, GREEDY),
        limit=300,
        huge=True,
        target=Target(gap=1e-3, seconds=10, gib=6),
    ),
    Row(
        name="sparse-1000000x1000",
        title="1,000,000 × 1,000, territory-sparse (a twentieth of the pairs), revenue bands",
        recipe=f"{MAKE}:sparse_bands",
        full=_sized(1_000_000, 1000),
        quick=_sized(200, 8, territories=8, tail=0.5),
        contenders=(OURS, LP),
        gap=3e-3,
        limit=600,
        huge=True,
        target=Target(gap=3e-3, seconds=180, gib=8),
    ),
    Row(
        name="resolve-10000x100",
        title="10,000 × 100 with bands, solved again after one rep has left",
        recipe=f"{MAKE}:rep_leaves",
        full=_sized(10_000, 100),
        quick=_sized(200, 8, tail=0.5),
        contenders=("benchmarks.ours_warm", OURS, LP),
        limit=120,
        target=Target(ratio=5, than=OURS),
    ),
    Row(
        name="online-100000",
        title="online: 100,000 arrivals, 200 reps",
        recipe=f"{MAKE}:workload",
        full={"scale": 1.0},
        quick={"scale": 0.01},
        contenders=("benchmarks.ours_online",),
        limit=300,
    ),
)


def generated_gap_rows() -> tuple[Row, ...]:
    """Own instances of types a to e, 20 agents × 100 jobs; 5 × 20 when quick."""
    return tuple(
        Row(
            name=f"gap-own-{kind}",
            title=f"GAP type {kind}, own, 20 agents × 100 jobs",
            recipe="benchmarks.gap:generated",
            full={"kind": kind, "agents": 20, "jobs": 100},
            quick={"kind": kind, "agents": 5, "jobs": 20},
            contenders=(OURS, MIP, CPSAT),
            gap=0.0,
            target=Target(gap=1e-3, seconds=60),
            group=f"GAP own, type {kind}",
        )
        for kind in "abcde"
    )


def public_gap_rows() -> tuple[Row, ...]:
    """A row for each public instance that is there; gap1-0 alone stands for them when quick."""
    return tuple(
        Row(
            name=f"gap-{name}",
            title=f"GAP {name}, {agents} agents × {jobs} jobs",
            recipe="benchmarks.gap:public",
            full={"name": name},
            quick={"name": name},
            contenders=(OURS, MIP, CPSAT),
            gap=0.0,
            target=Target(gap=1e-3, seconds=60),
            group=f"GAP {'gap1–gap12' if name.startswith('gap') else 'type ' + name[0]}",
        )
        for name, agents, jobs in gap.public_names()
    )


def all_rows(*, quick: bool = False) -> tuple[Row, ...]:
    """Every row that this machine has the data for; of the public instances only the first when quick."""
    return (*TABLE, *generated_gap_rows(), *public_gap_rows()[: 1 if quick else None])
