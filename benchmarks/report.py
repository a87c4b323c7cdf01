"""results.json, results.csv and results.md."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.case import Result
from benchmarks.curves import Curve
from benchmarks.machine import busy
from benchmarks.rows import Row
from benchmarks.summary import Line, lines, met

COLUMNS = (
    "row",
    "contender",
    "outcome",
    "verdict",
    "ratio",
    "ratio_is_floor",
    "seconds",
    "cpu_seconds",
    "first_seconds",
    "p50_seconds",
    "p99_seconds",
    "build_seconds",
    "import_seconds",
    "peak_mib",
    "base_mib",
    "gap",
    "own_gap",
    "objective",
    "bound",
    "calls",
    "others",
    "sizes",
    "notes",
)


@dataclass(frozen=True)
class Book:
    """All of one run: the machine, the command, the rows and curves that were run, and their results so far."""

    machine: dict[str, Any]
    command: str
    quick: bool
    rows: Sequence[Row]
    curves: Sequence[Curve]
    results: list[Result]

    def of(self, name: str) -> list[Result]:
        """The results of a row or a curve."""
        return [result for result in self.results if result.case.row == name]


def write(book: Book, folder: Path) -> None:
    """Write all three, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("results.json", as_json(book)),
        ("results.csv", as_csv(book)),
        ("results.md", as_markdown(book)),
    ):
        part = folder / f".{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / name)


def as_json(book: Book) -> str:
    """Everything, each call included. Numbers that are none are null."""
    results = [asdict(result) | {"seconds": result.seconds(), "verdict": result.verdict} for result in book.results]
    targets = {}
    for row in book.rows:
        reached, enough = met(row, lines(book.of(row.name)))
        if row.target is not None and not book.quick:
            targets[row.name] = {"target": str(row.target), "reached": reached, "met": enough}
    whole = {"machine": book.machine, "command": book.command, "targets": targets, "results": results}
    return json.dumps(_finite(whole), indent=1) + "\n"


def _finite(item: Any) -> Any:
    if isinstance(item, float):
        return item if math.isfinite(item) else None
    if isinstance(item, dict):
        return {key: _finite(inner) for key, inner in item.items()}
    if isinstance(item, (list, tuple)):
        return [_finite(inner) for inner in item]
    return item


def as_csv(book: Book) -> str:
    """A line for each contender in each row, and each point of each curve."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for name in dict.fromkeys(result.case.row for result in book.results):
        for line in _lines(book, name):
            writer.writerow(_cells(line))
    return out.getvalue()


def _lines(book: Book, name: str) -> list[Line]:
    """Of a row, or of a curve size by size: only what solved the same instance is compared."""
    results = book.of(name)
    sizes = list(dict.fromkeys(json.dumps(result.case.sizes) for result in results))
    return [line for size in sizes for line in lines([one for one in results if json.dumps(one.case.sizes) == size])]


def _cells(line: Line) -> dict[str, Any]:
    result = line.result
    last = result.calls[-1] if result.calls else None
    cells = {
        "row": result.case.row,
        "contender": result.title,
        "outcome": result.outcome,
        "verdict": line.verdict,
        "ratio": line.ratio,
        "ratio_is_floor": line.at_least,
        "seconds": line.seconds,
        "cpu_seconds": line.cpu,
        "first_seconds": result.first,
        "p50_seconds": line.p50,
        "p99_seconds": line.p99,
        "build_seconds": last.build if last else None,
        "import_seconds": result.import_seconds,
        "peak_mib": result.peak_mib,
        "base_mib": result.base_mib,
        "gap": line.gap,
        "own_gap": line.own_gap,
        "objective": last.objective if last else None,
        "bound": last.bound if last else None,
        "calls": len(result.calls),
        "others": result.others,
        "sizes": json.dumps(result.case.sizes),
        "notes": "; ".join(line.notes),
    }
    return {
        key: "" if item is None else f"{item:.9g}" if isinstance(item, float) else item for key, item in cells.items()
    }


def as_markdown(book: Book) -> str:
    """For people: where and when, targets, each row, sums of groups, growth."""
    text = ["# Benchmarks", "", *_head(book), "", *_targets(book)]
    for row in (row for row in book.rows if not row.group and book.of(row.name)):
        sizes = ", ".join(f"{key} {size:,}" for key, size in book.of(row.name)[0].case.sizes.items())
        text += [
            "",
            f"## {row.name}",
            f"{row.title}. Run with {sizes}.",
            "",
            *_table(lines(book.of(row.name)), many=row.seeds > 1),
        ]
    text += _groups(book)
    for curve in (curve for curve in book.curves if book.of(curve.name)):
        text += ["", f"## {curve.name}", f"{curve.title}: seconds (MiB).", "", *_growth(curve, book.of(curve.name))]
    return "\n".join(text) + "\n"


def _head(book: Book) -> list[str]:
    m = book.machine
    versions = ", ".join(f"{name} {number}" for name, number in m["versions"].items())
    others = [result.others for result in book.results if result.others is not None]
    changed = " with changes" if m["changed"] else ""
    return [
        f"{m['date']} · `{book.command}` · commit {m['commit'] or 'unknown'}{changed}",
        "",
        f"{m['cores']} cores, {m['processor']}, {m['memory_gib']} GiB, {m['system']}; {busy(others)}. "
        f"Python {m['python']}, {versions}. OMP_NUM_THREADS: {m['threads']}.",
    ]


def _targets(book: Book) -> list[str]:
    if book.quick:
        return ["Quick sizes: they show that everything runs. Targets are for the full sizes, and are not judged here."]
    found = []
    for row in book.rows:
        reached, enough = met(row, lines(book.of(row.name)))
        if row.target is not None and not row.group and book.of(row.name):
            word = {True: "met", False: "**not met**", None: "not measured"}[enough]
            found.append(f"| {row.name} | {row.target} | {reached} | {word} |")
    return ["| row | target | reached | |", "|---|---|---|---|", *found] if found else []


def _table(found: Sequence[Line], *, many: bool) -> list[str]:
    middle = "p50 · p99" if many else "time"
    head = f"| ratio | contender | {middle} | first call | import | CPU | peak MiB | gap | plan | |"
    return [head, "|---:|---|---:|---:|---:|---:|---:|---:|---|---|", *(_row(line, many) for line in found)]


def _row(line: Line, many: bool) -> str:
    result = line.result
    times = (
        f"{seconds(line.p50)} · {seconds(line.p99)} of {len(result.calls)}"
        if many and line.p50 is not None
        else seconds(line.seconds)
    )
    cells = (
        ratio(line),
        result.title,
        times,
        seconds(result.first),
        seconds(result.import_seconds),
        seconds(line.cpu),
        "" if result.peak_mib is None else f"{result.peak_mib:,.0f}",
        percent(line.gap),
        line.verdict or result.outcome,
        "; ".join(line.notes),
    )
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def ratio(line: Line) -> str:
    """How many times as long as ours."""
    if line.ratio is None:
        return ""
    return f"{'> ' if line.at_least else ''}{line.ratio:.3g}"


def seconds(number: float | None) -> str:
    """Three digits, with the unit that suits."""
    if number is None:
        return ""
    return f"{number:.3g} s" if number >= 1 else f"{1000 * number:.3g} ms"


def percent(share: float | None) -> str:
    """Of a gap; below a billionth is nothing."""
    return "" if share is None else "0" if share < 1e-9 else f"{100 * share:.3g} %"


def _groups(book: Book) -> list[str]:
    groups = dict.fromkeys(row.group for row in book.rows if row.group and book.of(row.name))
    text: list[str] = []
    for group in groups:
        found = [(row, line) for row in book.rows if row.group == group for line in lines(book.of(row.name))]
        text += ["", f"## {group}", "", "| contender | instances | verified plan | proved | worst gap | time, all | |"]
        text += ["|---|---:|---:|---:|---:|---:|---|"]
        for title in dict.fromkeys(line.result.title for _, line in found):
            text.append(_sum([(row, line) for row, line in found if line.result.title == title], title))
    return text


def _sum(found: Sequence[tuple[Row, Line]], title: str) -> str:
    verified = [line for _, line in found if line.verdict == "verified"]
    proved = [line for line in verified if line.own_gap is not None and line.own_gap < 1e-9]
    gaps = [line.gap for line in verified if line.gap is not None]
    spent = sum(line.seconds if line.seconds is not None else line.result.case.limit for _, line in found)
    late = [row.name for row, line in found if line not in proved]
    shown = ", ".join(late[:8]) + (" …" if len(late) > 8 else "")
    worst = percent(max(gaps)) if gaps else ""
    note = f"no proof: {shown}" if late else ""
    return f"| {title} | {len(found)} | {len(verified)} | {len(proved)} | {worst} | {seconds(spent)} | {note} |"


def _growth(curve: Curve, results: Sequence[Result]) -> Iterable[str]:
    sizes = sorted({int(result.case.sizes[curve.axis]) for result in results})
    yield f"| {curve.axis} | " + " | ".join(f"{size:,}" for size in sizes) + " |"
    yield "|---|" + "---:|" * len(sizes)
    for contender in dict.fromkeys(result.case.contender for result in results):
        mine = {int(one.case.sizes[curve.axis]): one for one in results if one.case.contender == contender}
        title = next(iter(mine.values())).title
        yield f"| {title} | " + " | ".join(_point(mine.get(size)) for size in sizes) + " |"


def _point(result: Result | None) -> str:
    if result is None:
        return ""
    taken = result.seconds()
    if taken is None:
        return result.reason or result.outcome
    memory = "" if result.peak_mib is None else f" ({result.peak_mib:,.0f})"
    plan = "" if result.verdict == "verified" else f", {result.verdict}"
    return f"{seconds(taken)}{memory}{plan}"
