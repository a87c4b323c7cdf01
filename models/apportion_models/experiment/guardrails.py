"""Guardrails: what a treatment must keep, whatever it gains. Facts of the log, and the other metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from apportion_models.experiment.planning import FEWEST_BLOCKS
from apportion_models.experiment.rules import Guardrail
from apportion_models.experiment.sequence import Sequence

FEWEST_LEADS = 20.0  # a rep whose fair share is fewer leads is not judged: one lead more or less would decide
TINY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Whether an arm keeps a guardrail. kept : None where it could not be measured. measured : in its units."""

    arm: str
    guardrail: Guardrail
    kept: bool | None
    measured: float | None
    sentence: str


def facts_kept(arm: str, log: pd.DataFrame, capacity: pd.DataFrame | None, guardrail: Guardrail) -> Kept:
    """Equity and load of one arm, over all that it was given so far.

    log : the arm's leads (rep_id empty for nurture, effort, opportunity). capacity : the arm's capacity by batch
    (rep_id, capacity). The worst-off rep is compared with the fair share by capacity of what was placed.
    """
    if capacity is None or not len(capacity):
        return _unmeasured(arm, guardrail, "no capacity was logged")
    room = capacity.groupby("rep_id")["capacity"].sum()
    placed = log.loc[log["rep_id"].astype(str) != ""]
    what = "opportunity" if guardrail.kind == "equity" else "effort"
    if what not in placed or placed[what].isna().any():
        return _unmeasured(arm, guardrail, f"the log has no {what}")
    got = placed.groupby("rep_id")[what].sum().reindex(room.index, fill_value=0.0)
    if guardrail.kind == "load":
        stray = float(placed.loc[~placed["rep_id"].isin(room.index), what].sum())
        return _load(arm, guardrail, got, room, stray)
    return _equity(arm, guardrail, got, room, len(placed))


def metric_kept(arm: str, guardrail: Guardrail, sequence: Sequence | None, baseline: float) -> Kept:
    """Whether the other metric has surely fallen by more than allowed: only then the guardrail is broken."""
    name = guardrail.metric
    if sequence is None or not sequence.blocks or not np.isfinite(sequence.high[-1]):
        return _unmeasured(arm, guardrail, "too few blocks are complete")
    broken = bool((sequence.high < -guardrail.limit * baseline)[FEWEST_BLOCKS - 1 :].any())
    change = float(sequence.estimate[-1]) / baseline if baseline > 0 else float("nan")
    sentence = f"{arm}: {name} {change:+.1%} against the past's mean; a fall of more than {guardrail.limit:.0%} is " + (
        "certain enough to stop." if broken else "not shown."
    )
    return Kept(arm=arm, guardrail=guardrail, kept=not broken, measured=change, sentence=sentence)


def _load(arm: str, guardrail: Guardrail, got: pd.Series, room: pd.Series, stray: float) -> Kept:
    over = got[got > room * guardrail.limit + TINY]
    with_room = room > TINY
    ratio = float((got[with_room] / room[with_room]).max()) if with_room.any() else 0.0
    worst = over.index.tolist()
    kept = not worst and stray <= TINY
    if kept:
        sentence = f"{arm}: no rep has more than {guardrail.limit:.0%} of the capacity (the most is {ratio:.0%})."
    elif worst:
        sentence = f"{arm}: {len(worst)} reps have more than {guardrail.limit:.0%} of their capacity, {worst[0]} first."
    else:
        sentence = f"{arm}: leads were given to reps without capacity in this arm."
    return Kept(arm=arm, guardrail=guardrail, kept=kept, measured=ratio, sentence=sentence)


def _equity(arm: str, guardrail: Guardrail, got: pd.Series, room: pd.Series, leads: int) -> Kept:
    fair = room / room.sum() if room.sum() > 0 else room
    judged = fair[fair * leads >= FEWEST_LEADS].index
    if not len(judged) or got.sum() <= 0:
        return _unmeasured(arm, guardrail, f"no rep's fair share is {FEWEST_LEADS:.0f} leads yet")
    share = (got[judged] / (fair[judged] * got.sum())).sort_index()
    worst = float(share.min())
    kept = worst >= guardrail.limit - TINY
    sentence = (
        f"{arm}: the worst-off rep ({share.idxmin()}) was offered {worst:.0%} of the fair share of opportunity; "
        f"at least {guardrail.limit:.0%} was asked for."
    )
    return Kept(arm=arm, guardrail=guardrail, kept=kept, measured=worst, sentence=sentence)


def _unmeasured(arm: str, guardrail: Guardrail, why: str) -> Kept:
    sentence = f"{arm}: {guardrail.kind} could not be measured ({why})."
    return Kept(arm=arm, guardrail=guardrail, kept=None, measured=None, sentence=sentence)
