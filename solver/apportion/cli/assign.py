"""`apportion assign`."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from apportion.app import AssignReport, AssignRequest, assign
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.screen import money, out, ratio_words, show_json, steps, table, tell, tell_error

SHOWN_REPS = 12


@spelled_out
def assign_command(
    batch: options.Batch,
    believed: options.Believed,
    pains: options.Pains,
    shown: options.Shown,
    out_folder: options.Out,
    audit: options.Audit = None,
) -> int:
    """Assign a batch of leads to reps.

    Writes assignments.csv, report.html, policy.html and plan.json. Needs a --history to learn from, or a --model.

    Example:

    apportion assign --leads leads.csv --reps reps.csv --model m --out today
    """
    request = AssignRequest(
        sources=batch.sources(),
        at=batch.at,
        **vars(believed),
        **vars(pains),
        audits=tuple(audit or ()),
    )
    return run_assign(request, out_folder, as_json=shown.as_json, quiet=shown.quiet)


def run_assign(request: AssignRequest, folder: Path, *, as_json: bool, quiet: bool) -> int:
    """Assign, write, show; 5 where the time limit came before the gap, else 0."""
    options.check_out(folder, request.sources)
    with steps(quiet) as progress:
        report = assign(request, step=progress.step, on_progress=progress.solving)
        progress.step("Writing")
        written = report.write(folder)
    if as_json:
        show_json(report.document())
    else:
        show_report(report, written)
    if report.plan.certificate.stopped_by == "time":
        tell_error(f"Stopped at the time limit with a gap of {report.plan.gap:.3%}; the best plan was written.")
        return 5
    return 0


def show_report(report: AssignReport, written: list[Path]) -> None:
    """The readable summary."""
    console, document = out(), report.document()
    summary, currency = document["summary"], document["currency"]
    tell(
        f"{summary['leads']:,} leads: {summary['assigned']:,} assigned to {summary['reps']} reps, "
        f"{summary['nurture']:,} to nurture, {summary['reject']:,} rejected. "
        f"Expected revenue {money(summary['expected_revenue'], currency)}."
    )
    for sentence in document["certificate"]["words"]:
        tell(sentence)
    for sentence in report.fairness_words:
        tell(sentence)
    for audit in document["audits"]:
        for sentence in audit["words"]:
            tell(f"Audit: {sentence}")
    console.print()
    console.print(_against_routers(report, currency))
    tell("Predicted by the same model for all: not proof. `apportion evaluate` measures out of sample.\n")
    console.print(_busiest_reps(report, currency))
    for finding in report.batch.notes:
        tell(f"Note: {finding}")
    for sentence in document["evidence"]:
        tell(f"Evidence: {sentence}")
    tell("\nWritten: " + ", ".join(map(str, written)))


def _against_routers(report: AssignReport, currency: str) -> object:
    shown = table(
        "",
        "expected revenue",
        "plan earns",
        "leads",
        "Gini of offers",
        "worst-off offer",
        title="Beside the rule-based routers",
    )
    for result in (report.own, *report.baselines):
        ratio = (
            report.own.expected_revenue / result.expected_revenue - 1 if result.expected_revenue > 0 else float("nan")
        )
        more = "" if result is report.own else ratio_words(ratio, "+.1%")
        shown.add_row(
            result.title,
            money(result.expected_revenue, currency),
            more,
            f"{result.n_placed:,}",
            ratio_words(result.gini_opportunity, ".2f"),
            ratio_words(result.worst_off_share),
        )
    return shown


def _busiest_reps(report: AssignReport, currency: str) -> object:
    reps = report.explanations.reps
    top = reps.sort_values(["expected_revenue", "rep_id"], ascending=[False, True]).head(SHOWN_REPS)
    title = f"Reps by expected revenue (the first {len(top)} of {len(reps)}; all are in report.html)"
    shown = table(
        "rep", "leads", "load", "capacity", "expected revenue", "offer against fair share", "one more slot", title=title
    )
    for row in top.to_dict(orient="records"):
        shown.add_row(
            escape(str(row["rep_id"])),
            f"{row['leads']:,.0f}",
            f"{row['load']:,.1f}",
            f"{row['capacity']:,.1f}",
            money(row["expected_revenue"], currency),
            ratio_words(row["opportunity_share"]),
            money(row["slot_price"], currency),
        )
    return shown
