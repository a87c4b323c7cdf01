"""The past as the ground of a replay: models that know what the history knew then, and closing times drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Batch, Estimates, Tables
from apportion.policy import Policy, people_rules
from apportion.whatif.estimates import estimate
from apportion.whatif.replay.book import Book
from apportion.whatif.replay.closing import Delays, luck_of
from apportion.whatif.replay.known import known_history
from apportion.whatif.replay.stage import Ends
from apportion_models import FitModel

Ints = NDArray[np.int64]
Step = Callable[[str], None]


def retrain_moments(at: Sequence[pd.Timestamp], days: float) -> tuple[pd.Timestamp, ...]:
    """Those of the batches at which the model is fitted anew: the first, then the first after each `days` days."""
    found = [at[0]]
    for moment in at:
        if moment - found[-1] >= pd.Timedelta(days=days):
            found.append(moment)
    return tuple(found)


def latest(moments: Sequence[pd.Timestamp], at: pd.Timestamp) -> pd.Timestamp:
    """The last of the moments that is not after `at`."""
    return max(moment for moment in moments if moment <= at)


def fitted_row(track: str, at: str, model: FitModel) -> dict[str, Any]:
    """What is told of a fit: for which track, when, its level, and how many leads it has learnt from."""
    training = model.card_["training"]
    return {
        "track": track,
        "at": at,
        "level": model.level_,
        "leads": int(training["leads"]),
        "won": int(training["won"]),
    }


class PastGround:
    """What a replay is played on. All tracks share the models, for all learn from what really happened.

    The model of a batch is fitted on what the history knew at the last retraining; a lead's closing time is drawn from
    the delays that were known then, by its own luck; its worth is judged in hindsight, by one model over all history.
    """

    worth_is = "expected revenue as one model over the whole history holds it, in hindsight"

    def __init__(
        self,
        history: pd.DataFrame,
        reps: pd.DataFrame,
        policy: Policy,
        *,
        retrain: Sequence[pd.Timestamp],
        seed: int,
        step: Step = lambda _: None,
    ) -> None:
        self._history, self._reps, self._policy, self._retrain, self._seed = history, reps, policy, retrain, seed
        self._step = step
        self._fitted: dict[pd.Timestamp, tuple[FitModel, Delays]] = {}
        step("Learning from the whole history, to judge in hindsight")
        self._judge = FitModel(random_state=seed, **people_rules((policy,))).fit(history, reps)
        self._last: tuple[Any, Any] = (None, None)
        self._judged: tuple[Any, Any] = (None, None)

    @property
    def models(self) -> pd.DataFrame:
        """When the model was fitted, at which level, on how many leads; the judge last."""
        rows = [fitted_row("all", at.isoformat(), model) for at, (model, _) in self._fitted.items()]
        return pd.DataFrame([*rows, fitted_row("judge", "in hindsight", self._judge)])

    def known(self, at: pd.Timestamp) -> tuple[FitModel, Delays]:
        """The model and the delays of the last retraining before `at`."""
        moment = latest(self._retrain, at)
        if moment not in self._fitted:
            self._step(f"Learning what was known on {moment.date()}")
            known = known_history(self._history, moment)
            rules = people_rules((self._policy,))
            model = FitModel(random_state=self._seed, **rules).fit(known, self._reps, until=moment)
            self._fitted[moment] = model, Delays.learn(known, moment)
        return self._fitted[moment]

    def model(self, track: str, book: Book, at: pd.Timestamp) -> FitModel:
        """The same for every track."""
        return self.known(at)[0]

    def estimates(self, track: str, model: FitModel, tables: Tables, at: pd.Timestamp) -> Estimates:
        """What the model believes; asked once where tracks have the same leads before them."""
        key = (at, tuple(tables.leads["lead_id"]))
        if self._last[0] != key:
            self._last = key, estimate(model, tables, self._policy, at=at)
        return self._last[1]  # type: ignore[no-any-return]

    def ends(self, batch: Batch, lead: Ints, rep: Ints, at: pd.Timestamp) -> Ends:
        """Closing times by the lead's luck and the chance that was believed; worth by the judge."""
        rows = batch.rows[lead]
        ids = batch.leads["lead_id"].astype(str).to_numpy()[rows]
        chance = batch.fit[lead, rep].astype(np.float64)
        won = luck_of(ids, seed=self._seed, of="won") < chance
        days = self.known(at)[1].days(won, luck_of(ids, seed=self._seed, of="days"))
        return Ends(days=days, worth=self._worth(batch, at)[rows, rep] if len(rows) else np.zeros(0))

    def _worth(self, batch: Batch, at: pd.Timestamp) -> NDArray[np.float64]:
        key = (at, tuple(batch.leads["lead_id"]))
        if self._judged[0] != key:
            chance = self._judge.predict_fit(batch.leads, batch.reps, at=at).astype(np.float64)
            self._judged = key, chance * self._judge.predict_deal_value(batch.leads)[:, None]
        return self._judged[1]  # type: ignore[no-any-return]
