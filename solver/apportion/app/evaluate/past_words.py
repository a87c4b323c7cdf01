"""What plans of past leads would have earned, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apportion.app.evaluate.phrases import percent_words
from apportion_models.policy_value import Estimate, PolicyValue


def past_words(value: PolicyValue | None, money: str, doubts: Sequence[str]) -> Iterator[str]:
    """The question, the two answers or why there is none, and how much of the plan history can tell."""
    if value is None:
        return
    yield (
        f"{value.leads:,} past leads planned anew, every rep with as many as they had, by a model that had no part in "
        f"them; as they were dealt they brought {value.dealt:,.0f} {money}."
    )
    known = value.discount is not None
    gain = "a gain" if known else "a gain, if leads were dealt by nothing that the table does not show"
    gain = f"none of it claimed, for {'; '.join(doubts)}" if doubts else gain
    yield _answer(
        "By the model, its reps' part scaled by what came true (direct method)", value.direct, value.direct_fault, gain
    )
    yield _answer(
        "By the leads that were dealt as planned, and the model for the rest (switch-DR)",
        value.switch,
        value.switch_fault,
        gain,
    )
    overlap = value.overlap
    yield (
        f"Overlap: {overlap.matched:.1%} of the leads were dealt as planned, {overlap.within:.0%} of the plan is "
        f"within reach of what history did, the effective sample is {overlap.effective:,.0f} leads."
    )


def _answer(what: str, found: Estimate | None, fault: str | None, gain: str) -> str:
    if found is None:
        return f"{what}: not applicable, because {fault}."
    verdict = "no evidence of a gain" if found.uplift.low <= 0 else gain
    return f"{what}: {percent_words(found.uplift, '+.1%')} over how they were dealt, {verdict}."
