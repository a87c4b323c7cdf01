"""What the history gives evidence for, in numbers and in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from apportion_models.validation.homogeneity import Homogeneity
from apportion_models.validation.realised import Realised

EFFECTS = ("lead", "rep", "rep x segment")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Whether an effect held out of time, by how much, and what that means.

    held : there is evidence of it. in_use : it is in the model, shrunk, for the simpler model did not beat it.
    """

    name: str
    tested: bool
    held: bool
    in_use: bool
    gain: float | None  # fall of the log loss in nats a lead, against the simpler model
    standard_error: float | None
    auc_before: float | None
    auc_after: float | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The gate's verdict. Look an effect up by name: `evidence["rep"]`."""

    level: str  # the model in use: base rate | lead | rep | rep x segment
    reason: str  # why this one, in a sentence
    effects: tuple[Effect, ...]
    homogeneity: Homogeneity  # all reps convert alike, whatever leads they were given (closed leads)
    homogeneity_given_leads: Homogeneity | None  # all reps convert alike, given their leads; None: not tested
    rates: pd.DataFrame  # rep_id, leads, wins, raw_rate, shrunk_rate
    tested_rows: int
    realised: Realised | None = None  # how much of the reps' estimated advantages came true on later leads

    @property
    def reps_differ(self) -> bool:
        """Whether there is evidence of any effect of the rep; without it no gain by matching may be claimed."""
        return any(effect.held for effect in self.effects if effect.name != "lead")

    def __getitem__(self, name: str) -> Effect:
        for effect in self.effects:
            if effect.name == name:
                return effect
        raise KeyError(name)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict in plain words."""
        told = [effect.sentence for effect in self.effects]
        if self.realised is not None:
            told.append(realised_sentence(self.realised))
        return (self.reason, *told, homogeneity_sentence(self))

    def state(self) -> dict[str, Any]:
        """The JSON form."""
        given = self.homogeneity_given_leads
        return {
            "level": self.level,
            "reason": self.reason,
            "effects": [asdict(effect) for effect in self.effects],
            "homogeneity": asdict(self.homogeneity),
            "homogeneity_given_leads": None if given is None else asdict(given),
            "rates": {str(column): self.rates[column].tolist() for column in self.rates.columns},
            "tested_rows": self.tested_rows,
            "realised": None if self.realised is None else self.realised.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Evidence:
        """The evidence that `state` describes."""
        fields = dict(state)
        fields["effects"] = tuple(Effect(**effect) for effect in state["effects"])
        fields["homogeneity"] = Homogeneity(**state["homogeneity"])
        given = state["homogeneity_given_leads"]
        fields["homogeneity_given_leads"] = None if given is None else Homogeneity(**given)
        fields["rates"] = pd.DataFrame(state["rates"])
        realised = state["realised"]
        fields["realised"] = None if realised is None else Realised(**realised)
        return cls(**fields)


def realised_sentence(realised: Realised) -> str:
    """What became of the reps' estimated advantages."""
    span = f"{realised.share:.0%} (90 % interval {realised.low:.0%} to {realised.high:.0%})"
    told = f"Of the advantages that reps seemed to have, {span} came true on later leads"
    if realised.low <= 0.0:
        return f"{told}: that may be none of it."
    return f"{told}, apart from what goes with being given better leads."


def homogeneity_sentence(evidence: Evidence) -> str:
    """What the test of equal rates says."""
    rates, p_value = evidence.rates, evidence.homogeneity.p_value
    if len(rates) < 2:
        return "Only one rep has closed leads, so reps cannot be compared."
    raw, posterior = rates["raw_rate"], rates["shrunk_rate"]
    spread = f"raw rates run from {raw.min():.1%} to {raw.max():.1%}"
    shrunk = f"shrunk by how much reps really differ, from {posterior.min():.1%} to {posterior.max():.1%}"
    if p_value >= 0.05:
        return f"The reps' differences are not distinguishable from noise (p = {p_value:.2g}): {spread}; {shrunk}."
    return (
        f"The reps' rates differ by more than chance (p = {p_value:.2g}): {spread}; {shrunk}. "
        "Part of it may be the leads they were given."
    )
