"""Whether a model that was learnt anew may take the place of the one in use: on leads that neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from apportion.policy import Policy, people_rules
from apportion_models import FitModel
from apportion_models.fit.history import read_cases
from apportion_models.validation.metrics import log_losses

FEWEST = 100  # leads won or lost, below which nothing can be said
DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """rows : leads that were compared. used, new : mean log loss of the model in use and of one learnt anew, in nats.

    live : whether the new model may go live. why : in a sentence.
    """

    rows: int
    used: float | None
    new: float | None
    live: bool
    why: str


def judge(
    history: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    in_use: FitModel,
    tolerance: float,
    seed: int = 0,
    policies: Sequence[Policy] = (),
) -> Judgement:
    """Compare the model in use with one that is learnt from today's tables up to the same day, on the leads since.

    So a history that was damaged, or a column that means something else now, is noticed before it decides anything;
    and neither model is asked about leads that it learnt from. policies : whose protected attributes are no features.
    Raises TableError where the history cannot be used.
    """
    last = in_use.card_["training"]["last_assigned"]
    if last is None:
        return _unknown(0, "the model in use was learnt from leads without dates")
    cases, _ = read_cases(history)
    end = pd.Timestamp(str(last), tz="UTC") + pd.Timedelta(days=1)
    later = cases.take(cases.resolved & (cases.assigned >= end.timestamp() / DAY))
    if len(later) < FEWEST:
        return _unknown(len(later), f"only {len(later)} leads were won or lost since; {FEWEST} are needed")
    rival = FitModel(random_state=seed, **people_rules(policies)).fit(history, reps, until=end)
    by_id = reps.sort_values("rep_id", key=lambda ids: ids.astype(str), kind="stable").reset_index(drop=True)
    label = (later.outcome == 1).astype(np.float64)
    used, new = (float(log_losses(label, m.scorer_.score_rows(later, by_id)).mean()) for m in (in_use, rival))
    live = new <= used * (1.0 + tolerance)
    told = f"log loss on {len(later)} later leads is {new:.4f}, and {used:.4f} of the model in use"
    why = f"{told}: not worse." if live else f"{told}: worse by more than {tolerance:.1%}."
    return Judgement(rows=len(later), used=used, new=new, live=live, why=why[0].upper() + why[1:])


def _unknown(rows: int, why: str) -> Judgement:
    return Judgement(rows=rows, used=None, new=None, live=False, why=f"Not compared: {why}.")
