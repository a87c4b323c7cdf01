"""The command: `python -m benchmarks [names…] [--quick] [--huge] [--out DIR] [--repeat N]`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from benchmarks import plots, report, watch
from benchmarks.case import Case, Result
from benchmarks.curves import CURVES, Curve, grow, taking_part
from benchmarks.harness import Limits, run_case
from benchmarks.machine import machine
from benchmarks.rows import START, How, Row, all_rows

SHARE_OF_MEMORY = 0.8  # of what is free at the start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, one case after another; write after each, so that an end at any time loses one case."""
    asked = _parser().parse_args(arguments)
    rows, curves, unknown = chosen(asked.names, huge=asked.huge or asked.quick, quick=asked.quick)
    if unknown:
        names = ", ".join([row.name for row in all_rows()] + [curve.name for curve in CURVES])
        print(f"No row is called {', '.join(unknown)}. There are: {names}.", file=sys.stderr)
        return 2
    if asked.list:
        for name, title in [(row.name, row.title) for row in rows] + [(curve.name, curve.title) for curve in curves]:
            print(f"{name:22} {title}")
        return 0
    how = How(quick=asked.quick, limit=asked.limit, repeat=asked.repeat, threads=asked.threads, seed=asked.seed)
    memory = int(2**30 * asked.memory if asked.memory else SHARE_OF_MEMORY * watch.available())
    command = " ".join(["python -m benchmarks", *(sys.argv[1:] if arguments is None else arguments)])
    shown = command.replace(str(asked.out), asked.out.name)  # a folder's place is nobody's business
    curves = [taking_part(curve, how) for curve in curves]
    book = report.Book(machine(), shown, asked.quick, rows if asked.no_start else [*START, *rows], curves, [])
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended politely, we end our case as well
    with tempfile.TemporaryDirectory(prefix="apportion-bench-cache-") as caches:
        try:
            _run(book, how, Limits(memory=memory, caches=Path(caches)), asked.out)
        except KeyboardInterrupt:
            print(f"Interrupted; what is finished is in {asked.out}.", file=sys.stderr)
            return 130
        finally:
            signal.signal(signal.SIGTERM, before)
            report.write(book, asked.out)
            plots.write(book, asked.out)
    print(asked.out / "results.md")
    return 0


def chosen(names: Sequence[str], *, huge: bool, quick: bool = False) -> tuple[list[Row], list[Curve], list[str]]:
    """The rows and curves that the names (or patterns) mean, and the names that mean none. All where none is named.

    A huge row runs when it is named, or when huge ones are wanted.
    """
    rows, curves = all_rows(quick=quick and not names), CURVES
    known = [row.name for row in rows] + [curve.name for curve in curves]
    patterns = [name if name in known or "*" in name else f"{name}*" for name in names]
    unknown = [
        name for name, pattern in zip(names, patterns, strict=True) if not any(fnmatch(k, pattern) for k in known)
    ]

    def wanted(name: str) -> bool:
        return not patterns or any(fnmatch(name, pattern) for pattern in patterns)

    taken = [row for row in rows if wanted(row.name) and (not row.huge or huge or row.name in names)]
    return taken, [curve for curve in curves if wanted(curve.name)], unknown


def _run(book: report.Book, how: How, limits: Limits, out: Path) -> None:
    def run(case: Case) -> Result:
        result = run_case(case, limits)
        book.results.append(result)
        report.write(book, out)
        print(_said(result), file=sys.stderr, flush=True)
        return result

    for row in book.rows:
        for case in row.cases(how):
            run(case)
    for curve in book.curves:
        for _ in grow(curve, how, run):
            pass


def _said(result: Result) -> str:
    taken = report.seconds(result.seconds())
    told = ", ".join(word for word in (taken, result.verdict, result.reason) if word)
    sizes = " × ".join(f"{size:,}" for size in result.case.sizes.values() if isinstance(size, int))
    return f"{result.case.row:22} {sizes:20} {result.title:28} {told or result.outcome}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Apportion beside what a user would pick."
    )
    parser.add_argument("names", nargs="*", help="rows or curves, whole or as they begin; all without")
    parser.add_argument("--quick", action="store_true", help="each row in a small size, two minutes in all")
    parser.add_argument("--huge", action="store_true", help="also the rows of 1,000,000 × 1,000")
    parser.add_argument("--no-start", action="store_true", help="leave out the rows that compile and warm up")
    parser.add_argument("--list", action="store_true", help="only list what would be run")
    parser.add_argument("--out", type=Path, default=Path("out/benchmarks"), help="folder for tables and plots")
    parser.add_argument("--repeat", type=_positive, default=2, help="calls on the same instance (2)")
    parser.add_argument("--limit", type=float, help="seconds for a call, instead of each row's own")
    parser.add_argument("--memory", type=float, help="GiB for a case; four fifths of what is free without")
    parser.add_argument("--threads", type=_positive, default=len(os.sched_getaffinity(0)), help="cores for the rivals")
    parser.add_argument("--seed", type=int, default=0, help="of the instances")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Got {text}.")
    return number


if __name__ == "__main__":
    sys.exit(main())
