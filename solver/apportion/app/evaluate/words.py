"""An evaluation in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from apportion.app.evaluate.past_words import past_words
from apportion.app.evaluate.phrases import amount_words, percent_words
from apportion.app.evaluate.report import Checks, Comparison, EvaluateReport, PlanValue

COVERS = (
    "The intervals (90 %) cover which leads happen to come, how much of the reps' advantages is true, and what deals "
    "bring. They do not cover residual confounding: where good reps were given good leads for reasons that are not in "
    "the table, part of that is still taken for skill. Only leads dealt at random measure a gain."
)
COVERS_RANDOM = (
    "The intervals (90 %) cover which leads happen to come, what deals bring, and how much of the reps' advantages is "
    "true, by the leads that were dealt by a known chance as far as these can tell. What is left of confounding is in "
    "them."
)
HALVES = (
    "The plans rest on half of the history each; the plan that `apportion assign` makes rests on all of it. "
    "No evidence of a gain is no proof that there is none."
)


def sentences(report: EvaluateReport) -> tuple[str, ...]:
    """The verdict first, then what it rests on."""
    if report.value is None:
        told = [f"The value of a plan: not applicable, because {report.not_applicable}."]
        told += [] if report.batch is None else [f"To be planned were {report.batch}."]
    else:
        value = report.value
        told = [*_verdict(report, value), *_value(report, value), *_checks(report, report.checks)]
        told += past_words(report.checks.past, report.currency, doubts(report))
        told += [COVERS if value.discount is None else COVERS_RANDOM, HALVES]
    notes = (f"Note: {finding}" for finding in report.findings)
    return (*told, *_quality(report), *report.model.evidence_.sentences, *notes)


def doubts(report: EvaluateReport) -> tuple[str, ...]:
    """Why no gain by who gets which lead may be claimed; () where nothing speaks against it."""
    value, checks = report.value, report.checks
    if value is None:
        return (f"the value of a plan is not applicable: {report.not_applicable}",)
    found = []
    if not report.model.evidence_.reps_differ:
        found.append("there is no evidence that reps differ")
    if value.best.matching.low <= 0.0:
        found.append("the other half of the history does not show it")
    elif not report.model.evidence_["rep x segment"].held and value.best.sources.fit > value.best.sources.stars:
        found.append("most of it would come from strengths by kind of lead, of which there is no evidence")
    if checks.claim is not None and checks.claim.low <= 0.0:
        found.append("later leads do not show it")
    if checks.placebo is not None and checks.placebo.low > 0.0:
        found.append("as much is found where reps are dealt at random")
    return tuple(found)


def _verdict(report: EvaluateReport, value: PlanValue) -> Iterator[str]:
    best = value.best
    rival = f"the best router ({best.title})"
    if best.broken_rules:
        rival = f"the best router ({best.title}, which breaks: {', '.join(best.broken_rules)})"
    against = doubts(report)
    if best.gain.has_zero:
        yield f"No evidence that reassigning helps: against {rival} the plan's uplift is {_percent(best)}."
    elif best.gain.high < 0:
        yield f"The plan is worth less than {rival}: {_percent(best)}."
    elif not against:
        yield f"The plan beats {rival} by {_percent(best)}, also by who gets which lead."
    elif best.sources.placed > 0.5 * best.gain.value:
        yield (
            f"The plan beats {rival} by {_percent(best)}, through which leads are placed. "
            f"No evidence that it matters which rep gets which lead: {'; '.join(against)}."
        )
    else:
        yield (
            f"No evidence that reassigning helps: against {rival} the plan's uplift would be {_percent(best)}, but "
            f"{'; '.join(against)}."
        )
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
        f"The plan is worth {value.cross_fitted:,.0f} {money} by what the other half of the history bears out "
        f"(halves by {value.drawn_by}); "
        f"the model that made it claims {value.predicted:,.0f} {money} (optimism {value.optimism:+.1%})."
    )
    if value.share is None:
        yield (
            "To the models all reps are alike, so nothing is gained by who gets which lead, and what plans of past "
            "leads would have earned is not applicable."
        )
    else:
        told = percent_words(value.share)
        yield f"Of the advantages that reps seemed to have in one half, {told} is true in the other."
    if value.stated:
        yield (
            f"Of {value.stated:,} leads the own deal value is believed half way, and what won deals of such leads "
            "brought for the other half: how far such values hold, the history does not say, and plans give the best "
            "reps to those that are put too high. The intervals span from all of it to none."
        )
    if value.discount is not None:
        found = value.discount
        yield (
            f"All leads together say {found.confounded:.0%}; the {found.leads:,} that were dealt by a known chance say "
            f"{percent_words(found.randomised)}, and the two are weighed by how sure each is."
        )
    for other in value.comparisons:
        yield (
            f"Against {other.title.lower()}: {_percent(other)}, {amount_words(other.gain, money)}; "
            f"of it from who gets which lead {amount_words(other.matching, money)}."
        )
    if value.share is None:
        return
    parts = value.best.sources
    yield (
        f"Against the best router the gain comes from other leads being placed ({parts.placed:+,.0f} {money}), the "
        f"best reps on the most valuable leads ({parts.stars:+,.0f} {money}), and reps on leads that suit them "
        f"({parts.fit:+,.0f} {money})."
    )


def _checks(report: EvaluateReport, checks: Checks) -> Iterator[str]:
    if checks.claim is not None:
        claim = checks.claim
        said = "later leads bear a gain out" if claim.claimed > 0 else "nothing may be claimed"
        counted = "all effects" if report.model.evidence_["rep x segment"].held else "what reps are good at altogether"
        yield (
            f"By what came true on later leads, counting {counted}, the plan on all of the history is "
            f"{claim.uplift:+.1%} ({claim.low:+.1%} to {claim.high:+.1%}) above dealing the same leads blindly: {said}."
        )
    if checks.placebo is not None:
        found = percent_words(checks.placebo, "+.1%")
        yield (
            f"Placebo: where reps are dealt at random, the same procedure finds {found} over round robin, of which "
            "nothing is true."
        )
    if checks.assigned is not None:
        one = checks.assigned
        held = "as well as chance allows" if one.holds else "by more than chance"
        yield (
            f"Past leads whose rep seemed best for them ({one.rows:,}): {one.expected:.1%} expected and "
            f"{one.observed:.1%} converted, {'which agree' if one.holds else 'which differ'} {held}."
        )


def _quality(report: EvaluateReport) -> Iterator[str]:
    measured = report.out_of_time
    if not measured:
        yield "The fit: nothing could be tested on later leads."
        return
    area = "" if measured["auc"] is None else f", area under the curve {measured['auc']:.3f}"
    yield (
        f"The fit in use ({report.model.level_}) on {measured['rows']:,} later leads: "
        f"{measured['expected_rate']:.1%} expected and {measured['observed_rate']:.1%} converted, "
        f"log loss {measured['log_loss']:.4f}{area}, calibration error {measured['calibration_error']:.1%}."
    )


def _percent(one: Comparison) -> str:
    return "not in per cent, for the router earns nothing" if one.uplift is None else percent_words(one.uplift, "+.1%")
