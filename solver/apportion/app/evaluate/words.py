"""An evaluation in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from apportion.app.evaluate.report import Comparison, EvaluateReport, Interval, PlanValue

COVERS = (
    "The intervals (90 %) cover which leads happen to come and what is not known of the reps' own effects. "
    "They do not cover residual confounding: where good reps were given good leads for reasons that are not in the "
    "table, part of that is still taken for skill. Only a holdout measures a gain."
)
HALVES = (
    "The plans rest on half of the history each; the plan that `apportion assign` makes rests on all of it. The model "
    "that scores has half of it too, and shrinks what it sees of a rep: where the history is thin, a true gain is "
    "understated, interval included. No evidence of a gain is no proof that there is none."
)


def sentences(report: EvaluateReport) -> tuple[str, ...]:
    """The verdict first, then what it rests on."""
    if report.value is None:
        told = [f"The value of a plan: not applicable, because {report.not_applicable}."]
    else:
        told = [*_verdict(report.value), *_value(report, report.value), COVERS, HALVES]
    return (*told, *_quality(report), *report.model.evidence_.sentences)


def _verdict(value: PlanValue) -> Iterator[str]:
    best = value.best
    rival = f"the best router ({best.title})"
    if best.broken_rules:
        rival = f"the best router ({best.title}, which breaks: {', '.join(best.broken_rules)})"
    if best.gain.has_zero:
        yield f"No evidence that reassigning helps: against {rival} the plan's uplift is {_percent(best)}."
    elif best.gain.high < 0:
        yield f"The plan is worth less than {rival}: {_percent(best)}."
    elif best.matching.low <= 0:
        yield (
            f"The plan beats {rival} by {_percent(best)}, through which leads are placed. "
            "No evidence that it matters which rep gets which lead."
        )
    else:
        yield f"The plan beats {rival} by {_percent(best)}, also by who gets which lead."
    for other in value.comparisons:
        if other is not best and other.gain.value < 0:
            yield f"{other.title} would bring more (the plan's uplift is {_percent(other)}), but {_fault(other)}."


def _fault(other: Comparison) -> str:
    """Why a router that brings more is not the one to be compared with."""
    if other.broken_rules:
        return f"breaks: {', '.join(other.broken_rules)}"
    return f"breaks soft rules, for which the policy charges {other.soft_price:,.0f}"


def _value(report: EvaluateReport, value: PlanValue) -> Iterator[str]:
    money = report.currency
    yield (
        f"Planned were {report.batch}: {value.leads:,} leads, of which {value.placed:,.0f} get a rep. "
        f"The plan is worth {value.cross_fitted:,.0f} {money} by a model that had no part in it "
        f"(halves of the history by {value.drawn_by}); "
        f"the model that made it claims {value.predicted:,.0f} {money} (optimism {value.optimism:+.1%})."
    )
    for other in value.comparisons:
        yield (
            f"Against {other.title.lower()}: {_percent(other)}, {_money(other.gain, money)}; "
            f"of it from who gets which lead {_money(other.matching, money)}."
        )


def _quality(report: EvaluateReport) -> Iterator[str]:
    measured = report.out_of_time
    if not measured:
        yield "The fit: nothing could be tested on later leads."
        return
    area = "" if measured["auc"] is None else f", area under the curve {measured['auc']:.3f}"
    yield (
        f"The fit ({report.model.level_}) on {measured['rows']:,} later leads: "
        f"{measured['expected_rate']:.1%} expected and {measured['observed_rate']:.1%} converted, "
        f"log loss {measured['log_loss']:.4f}{area}, calibration error {measured['calibration_error']:.1%}."
    )


def _percent(one: Comparison) -> str:
    if one.uplift is None:
        return "not in per cent, for the router earns nothing"
    return f"{one.uplift.value:+.1%} ({one.uplift.low:+.1%} to {one.uplift.high:+.1%})"


def _money(amount: Interval, money: str) -> str:
    return f"{amount.value:+,.0f} {money} ({amount.low:+,.0f} to {amount.high:+,.0f})"
