"""The gate: the simplest model that is not beaten out of time is the one in use, and evidence is told apart from it.

Candidates in order: base rate, lead, rep, rep x segment. Each is trained on what was known at a date and tested on
leads assigned after it. Effects are shrunk by how much evidence there is of them, so that a candidate without evidence
is nearly the simpler one: it is left in use unless the simpler one beats it by `margin` standard errors. Whether there
*is* evidence is another question, with a stricter answer; gains are claimed from that answer alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apportion_models.validation.evidence import EFFECTS, Effect
from apportion_models.validation.metrics import area_under_curve, log_losses

Floats = NDArray[np.float64]

SIGNIFICANT = 0.05
EVIDENT = 1.0  # standard errors by which the log loss must fall before an effect is called evident
LEVELS = ("base rate", *EFFECTS)


@dataclass(frozen=True, kw_only=True)
class OutOfTime:
    """The tested rows, all splits together."""

    label: Floats  # (n,)
    rep_id: NDArray[np.object_]  # (n,)
    chances: Mapping[str, Floats]  # by candidate


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which candidate is in use, why, and what was found on the way."""

    level: str
    reason: str
    effects: tuple[Effect, ...]


def judge(tested: OutOfTime, *, margin: float, noise: Mapping[str, float]) -> Verdict:
    """Walk up the ladder; each candidate is measured against the one in use so far, and stays unless it is beaten.

    `noise` gives by effect the p-value of the test that there is none. An effect of the rep is evident when it holds
    out of time and is told from noise by that test: one standard error alone is passed by chance in one case of six.
    """
    standing = "base rate"
    effects = []
    for name in EFFECTS:
        if name not in tested.chances:
            effects.append(untested(name, "could not be tested"))
            continue
        gain, error = paired_gain(tested, standing, name)
        in_use = bool(np.isfinite(error)) and error > 0.0 and gain >= -margin * error  # no error: no difference
        better = in_use and gain > EVIDENT * error and gain > 0.0
        # Where it did not even hold out of time, the test has nothing to add.
        p_value = noise.get(name) if better else None
        held = better and (p_value is None or p_value < SIGNIFICANT)
        before, after = (area_under_curve(tested.label, tested.chances[key]) for key in (standing, name))
        effects.append(
            Effect(
                name=name,
                tested=True,
                held=held,
                in_use=in_use,
                gain=gain,
                standard_error=error if np.isfinite(error) else None,
                auc_before=before,
                auc_after=after,
                sentence=_sentence(name, held, in_use, gain, error, before, after, p_value),
            )
        )
        standing = name if in_use else standing
    return Verdict(level=standing, reason=_reason(standing), effects=tuple(effects))


def paired_gain(tested: OutOfTime, simple: str, complex_: str) -> tuple[float, float]:
    """Fall of the log loss a row, and its standard error: the larger of by row and by rep.

    Errors of a rep effect are shared by all leads of the rep, so that rows alone would claim too much.
    """
    change = log_losses(tested.label, tested.chances[simple]) - log_losses(tested.label, tested.chances[complex_])
    gain = float(change.mean())
    by_row = float(change.std(ddof=1)) / np.sqrt(change.size) if change.size > 1 else np.inf
    _, place = np.unique(tested.rep_id.astype(str), return_inverse=True)
    totals = np.bincount(place, weights=change - gain)
    groups = totals.size
    by_rep = np.sqrt(groups / (groups - 1) * float((totals**2).sum())) / change.size if groups > 4 else 0.0
    return gain, float(max(by_row, by_rep))


def untested(name: str, why: str) -> Effect:
    """An effect that nothing can be said of."""
    what = {"lead": "The leads' attributes", "rep": "Differences between reps"}.get(name, "Reps' strengths by segment")
    return Effect(
        name=name,
        tested=False,
        held=False,
        in_use=False,
        gain=None,
        standard_error=None,
        auc_before=None,
        auc_after=None,
        sentence=f"{what}: not tested out of time ({why}), so no such effect is believed.",
    )


def _reason(level: str) -> str:
    return {
        "base rate": "Every lead gets the overall conversion rate: out of time it beat everything else.",
        "lead": "A lead's chance follows from its attributes and is the same for every rep.",
        "rep": "A lead's chance follows from its attributes and the rep (own record, team, level, tenure, skills).",
        "rep x segment": "A lead's chance follows from its attributes, the rep, and how the rep does with such leads.",
    }[level]


def _sentence(
    name: str,
    held: bool,
    in_use: bool,
    gain: float,
    error: float,
    before: float | None,
    after: float | None,
    p_value: float | None,
) -> str:
    change = f"log loss {'falls' if gain > 0 else 'rises'} by {abs(gain):.4f} (standard error {error:.4f}) a lead"
    if before is not None and after is not None:
        change += f", area under the curve {before:.3f} to {after:.3f}"
    yes = {
        "lead": "The leads' attributes tell who converts",
        "rep": "Reps differ in how they convert",
        "rep x segment": "Reps differ in which kinds of leads they convert",
    }
    if held:
        return f"{yes[name]}: out of time the {change}."
    no = {
        "lead": "There is no evidence that the leads' attributes tell who converts",
        "rep": "There is no evidence that reps differ in how they convert",
        "rep x segment": "There is no evidence that reps differ in which kinds of leads they convert",
    }
    told = "" if p_value is None else f", but the test that there is no such effect gives p = {p_value:.2g}"
    kept = (
        "It stays in the model, shrunk by what little there is"
        if in_use
        else "It is left out: the simpler model beat it"
    )
    kept += "; no gain is claimed from it" if name != "lead" else ""
    return f"{no[name]}: out of time the {change}{told}. {kept}."
