"""Past leads as a model sees them that had no part in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from apportion_models.features.columns import numbers, texts
from apportion_models.fit.history import Cases, read_cases
from apportion_models.fit.labels import Labels
from apportion_models.fit.model import FitModel
from apportion_models.policy_value.intervals import quantile
from apportion_models.validation.realised import LEAST_SPREAD

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY = 86_400.0
MOST_ALIKE = 0.999
MATURE = 0.9  # share of wins that have come by a lead's age, above which the lead can tell
# Columns of the history that tell how a lead was dealt. A propensity of 1 is no chance, but the plan's own word.
HOLDOUT, PROPENSITY, ARM = "holdout", "propensity", "arm"


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """n leads, by time, seen by `model`. The arrays are as in `Log`; `logged` is NaN where no chance was logged.

    hoped : (n,) what the model that plans takes a lead to be worth; `worth` is told by others, for a plan picks leads
    whose value it takes for too much.
    """

    model: FitModel
    reps: pd.DataFrame
    cases: Cases
    label: Floats
    worth: Floats
    hoped: Floats
    expected: Floats  # (n,) chance that the model gave each lead with its rep
    base: Floats
    advantage: Floats
    given: Floats
    unit: NDArray[np.object_]
    logged: Floats
    randomised: NDArray[np.bool_]

    @property
    def rep_id(self) -> NDArray[np.object_]:
        """(n,) who had each lead first."""
        return self.cases.rep_id

    def advantage_of(self, rep_id: NDArray[np.object_]) -> Floats:
        """(n,) what these reps, one a lead, would add to its logit."""
        if rep_id is self.cases.rep_id:
            return self.advantage
        with threadpool_limits(limits=1):
            return self.model.scorer_.rows(replace(self.cases, rep_id=rep_id), self.reps).advantage

    def of_others(self, others: Seen) -> Floats:
        """(n,) what this model says that their reps add to the leads of `others`."""
        with threadpool_limits(limits=1):
            return self.model.scorer_.rows(others.cases, self.reps).advantage

    def revenue(self, rows: NDArray[np.intp], reps: pd.DataFrame) -> Floats:
        """(l, R) expected revenue of some leads with each of `reps`, at the time when most of them were dealt."""
        leads = beforehand(self.cases.frame.iloc[rows])
        at = pd.Timestamp(float(np.median(self.cases.assigned[rows])) * DAY, unit="s", tz="UTC")
        return self.model.predict_fit(leads, reps, at=at).astype(np.float64) * self.hoped[rows, None]


def see(
    model: FitModel,
    history: pd.DataFrame,
    reps: pd.DataFrame,
    *,
    valued_by: FitModel,
    until: pd.Timestamp,
    by_account: bool,
    most: int,
) -> Seen:
    """The latest `most` leads of a history of which `model` knows nothing, by what was known at `until`.

    Leads too young to tell are left out, by their age alone; an older one that is still open counts as the share of a
    win that its age leaves, whoever has it: what the model says of the rep must not come back as an outcome.
    valued_by : the model of which deals' values count; one that `model` had no part in, such as that of this history.
    by_account : leads of one account are one unit; otherwise, and without an account, each lead is its own.
    Raises TableError where no lead is closed by then.
    """
    cases, _ = read_cases(history, until=until)
    labels = Labels.of(cases)
    grown = np.flatnonzero(labels.came >= MATURE * labels.came.max())[-most:]
    cases, labels = cases.take(grown), labels.take(grown)
    with threadpool_limits(limits=1):
        rows = model.scorer_.rows(cases, reps)
    lead = "lead " + cases.frame["lead_id"].astype(str)
    unit = lead
    if by_account:
        account = pd.Series(texts(cases.frame, "account_id"), index=lead.index)
        unit = ("account " + account.astype(str)).where(account.notna(), lead)
    logged = _logged(cases.frame)
    return Seen(
        model=model,
        reps=reps,
        cases=cases,
        label=labels.given(np.asarray(expit(rows.base), dtype=np.float64)),
        worth=valued_by.predict_deal_value(beforehand(cases.frame)),
        hoped=model.predict_deal_value(beforehand(cases.frame)),
        expected=rows.chance,
        base=rows.base,
        advantage=rows.advantage,
        given=rows.given,
        unit=unit.to_numpy(dtype=object),
        logged=logged,
        randomised=(logged < 1.0) | _flags(cases.frame, HOLDOUT),
    )


def agreement(halves: tuple[Seen, Seen]) -> float:
    """Correlation, 0 to 1, of the advantages that the two halves' models give past leads with their reps: the lower end
    of its 90 % interval (Fisher 1921), a rep counting as one observation, so that models do not agree by accident."""
    one, two = halves
    pairs = ((one.advantage, two.of_others(one)), (one.of_others(two), two.advantage))
    by_one, by_two = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    if min(by_one.std(), by_two.std()) < LEAST_SPREAD:
        return 0.0
    reps = np.unique(np.concatenate([one.rep_id, two.rep_id]).astype(str)).size
    found = np.arctanh(np.clip(np.corrcoef(by_one, by_two)[0, 1], -MOST_ALIKE, MOST_ALIKE))
    return float(np.clip(np.tanh(found - quantile() / np.sqrt(max(reps - 3, 1))), 0.0, 1.0))


def lead_numbers(model: FitModel, leads: pd.DataFrame) -> Floats:
    """(n, p) the leads' columns as the model's lead part has them."""
    return model.scorer_.leads.lead_part(leads).matrix


def lead_kinds(model: FitModel, leads: pd.DataFrame) -> dict[str, Ints]:
    """By column, (n,) which kind of lead each is; -1 for none."""
    return model.scorer_.leads.segment_codes(leads)


def beforehand(leads: pd.DataFrame) -> pd.DataFrame:
    """Without what was earned, which nobody knew when the lead came in."""
    return leads.assign(deal_value=np.nan)


def _logged(leads: pd.DataFrame) -> Floats:
    """(n,) by which chance each lead was given to its rep, NaN where none was logged. Beside an `arm` the chance is
    that of the arm of an experiment (`experiment.design`): who got the lead within it was no draw."""
    chance = numbers(leads, PROPENSITY)
    alone = pd.isna(texts(leads, ARM)) if ARM in leads.columns else np.ones(len(leads), dtype=np.bool_)
    return np.where((chance > 0.0) & (chance <= 1.0) & alone, chance, np.nan)


def _flags(leads: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """(n,) whether the flag is set; a missing one is not."""
    if column not in leads.columns:
        return np.zeros(len(leads), dtype=np.bool_)
    words = pd.Series(leads[column]).astype("str").str.strip().str.lower()
    return words.isin(["true", "1", "1.0", "yes", "y"]).to_numpy(dtype=np.bool_)
