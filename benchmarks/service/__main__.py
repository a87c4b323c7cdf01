"""The command: `python -m benchmarks.service [--leads N] [--clients N] [--repeat N] [--out DIR]`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.service.batch import Whole, compared
from benchmarks.service.load import Load, bodies, company, routed
from benchmarks.service.server import TURN

ROUTE = "/v1/leads:route"
HEAD = "| | leads a second | p50, ms | p99, ms | CPU-ms a lead | errors | lost or doubled | reps above capacity |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the table."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="apportion-load-") as folder:
        template = Path(folder) / "template.db"
        secret, sent = company(template), bodies(asked.leads)
        loads = []
        for name, endpoint in (("optimal", ROUTE), ("round robin", TURN)):
            path = Path(folder) / f"{endpoint[-4:]}.db"
            shutil.copy(template, path)
            loads.append(routed(path, secret, sent, name=name, endpoint=endpoint, clients=asked.clients))
        _write(table(loads, None, asked.clients), asked.out)  # a batch that fails does not lose them
        if asked.repeat:
            whole = compared(template, secret, leads=asked.batch[0], reps=asked.batch[1], repeat=asked.repeat)
            _write(table(loads, whole, asked.clients), asked.out)
    return 0


def _write(text: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "service.md").write_text(text, encoding="utf-8")
    print(text, flush=True)


def table(loads: Sequence[Load], whole: Whole | None, clients: int) -> str:
    """What was measured, the ratios first."""
    ours, turns = loads
    rows = [
        f"| {one.name} | {one.a_second:.0f} | {1e3 * one.p50:.0f} | {1e3 * one.p99:.0f} | "
        f"{1e3 * one.cpu_seconds / one.leads:.1f} | {one.errors} | {one.lost} | {one.above} |"
        for one in loads
    ]
    first = f"Beside round robin: {ours.a_second / turns.a_second:.2f} × the leads a second, "
    first += f"{ours.p99 / turns.p99:.2f} × the p99."
    if whole is not None:
        first += f" A batch of {whole.leads:,} × {whole.reps} over HTTP: {whole.ratio:.2f} × the time in process "
        first += f"({whole.http:.2f} s, {whole.inside:.2f} s; a body of {whole.megabytes:.1f} MiB)."
    lines = [
        first,
        "",
        f"{clients} clients at once, {ours.leads:,} leads, one server process on SQLite.",
        "",
        HEAD,
        "|" + "---|" * 8,
        *rows,
        "",
        f"Machine: {json.dumps(machine())}",
    ]
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--leads", type=int, default=4_000, help="single leads to each endpoint (4000)")
    parser.add_argument("--clients", type=int, default=200, help="clients at once (200)")
    parser.add_argument("--batch", type=int, nargs=2, default=(1_000, 50), metavar=("LEADS", "REPS"))
    parser.add_argument("--repeat", type=int, default=5, help="whole batches each way (5); 0 for none")
    parser.add_argument("--out", type=Path, default=Path("out/benchmarks"), help="folder for the table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
