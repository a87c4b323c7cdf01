"""What others would do: rates by rep and by cell, boosting on the frame of pairs, logistic with interactions.

Each rival is a function of the history, the reps, the leads and the moment, and gives the (L, R) chances. They are told
the same as FitModel: the leads' columns, and the reps' level, start date and declared skill.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import betaln, expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rival = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Timestamp], Floats]

CATEGORIES = ("industry", "company_size", "source", "region")
NUMBERS = ("engagement", "visits", "years")
PENALTIES = (0.01, 0.03, 0.1, 0.3)
LATER = 0.2  # share of the history, the latest, by which a penalty is chosen


def _codes(column: pd.Series, known: pd.Series) -> Ints:
    return np.asarray(pd.Index(sorted(known.unique())).get_indexer(pd.Index(column)), dtype=np.int64)


class _Coded:
    """History and leads as codes and numbers, and a rep's level, tenure and skill for any pairing."""

    def __init__(self, history: pd.DataFrame, reps: pd.DataFrame, leads: pd.DataFrame, at: pd.Timestamp) -> None:
        history = history.sort_values(["assigned_at", "lead_id"])
        self.won = (history["outcome"] == "won").to_numpy(dtype=float)
        self.count, self.leads_count = len(reps), len(leads)
        self.rep = pd.Index(reps["rep_id"]).get_indexer(pd.Index(history["rep_id"])).astype(np.int64)
        self.widths = [history[c].nunique() for c in CATEGORIES]
        self.past = np.column_stack([_codes(history[c], history[c]) for c in CATEGORIES])
        self.new = np.column_stack([_codes(leads[c], history[c]) for c in CATEGORIES])
        self.past_numbers = history[list(NUMBERS)].to_numpy(dtype=float)
        self.new_numbers = leads[list(NUMBERS)].to_numpy(dtype=float)
        self.level = _codes(reps["level"], reps["level"])
        start = reps["start_date"]
        past_start = start.iloc[self.rep].reset_index(drop=True)
        days = (history["assigned_at"].reset_index(drop=True) - past_start).dt.total_seconds()
        self.past_tenure = np.maximum(days.to_numpy(dtype=float) / 86_400.0, 0.0)
        self.new_tenure = np.maximum((at - start).dt.total_seconds().to_numpy(dtype=float) / 86_400.0, 0.0)
        self.skill = _codes(reps["skills"].str[0], history["industry"])


def _strength(wins: Floats, rows: Floats, mean: Floats | float) -> float:
    """Beta-binomial concentration by maximum likelihood over a grid."""
    grid = np.exp(np.linspace(np.log(2), np.log(20_000), 60))
    fit = [
        (betaln(wins + a * mean, rows - wins + a * (1 - mean)) - betaln(a * mean, a * (1 - mean))).sum() for a in grid
    ]
    return float(grid[int(np.argmax(fit))])


def _rates(c: _Coded, *, by_industry: bool, shrunk: bool) -> Floats:
    mean = c.won.mean()
    rows = np.bincount(c.rep, minlength=c.count).astype(float)
    wins = np.bincount(c.rep, weights=c.won, minlength=c.count).astype(float)
    some = rows > 0
    strength = _strength(wins[some], rows[some], mean) if shrunk else 0.0
    own = np.where(rows + strength > 0, (wins + strength * mean) / np.maximum(rows + strength, 1e-9), mean)
    if not by_industry:
        return np.tile(own, (c.leads_count, 1))
    cell, width = c.rep * c.widths[0] + c.past[:, 0], c.count * c.widths[0]
    rows = np.bincount(cell, minlength=width).astype(float)
    wins = np.bincount(cell, weights=c.won, minlength=width).astype(float)
    prior, some = np.repeat(own, c.widths[0]), rows > 0
    strength = _strength(wins[some], rows[some], prior[some]) if shrunk else 0.0
    rate = np.where(rows + strength > 0, (wins + strength * prior) / np.maximum(rows + strength, 1e-9), mean)
    return np.asarray(rate.reshape(c.count, -1)[:, c.new[:, 0]].T, dtype=np.float64)


def _frame(c: _Coded, codes: Ints, numbers: Floats, rep: Ints, tenure: Floats) -> Floats:
    match = c.skill[rep] == codes[:, 0]
    return np.column_stack([numbers, codes, c.level[rep], tenure, match, rep]).astype(float)


def _boosting(c: _Coded, *, tuned: bool) -> Floats:
    categorical = [3, 4, 5, 6, 10]
    rows = c.won.size
    model = HistGradientBoostingClassifier(categorical_features=categorical, random_state=0)
    if tuned:
        model = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=200,
            max_leaf_nodes=15,
            min_samples_leaf=max(20, rows // 400),
            l2_regularization=10.0,
            categorical_features=categorical,
            early_stopping=True,
            validation_fraction=0.15,
            n_iter_no_change=15,
            random_state=0,
        )
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        model = CalibratedClassifierCV(model, method="sigmoid", cv=folds, ensemble=True)
    model.fit(_frame(c, c.past, c.past_numbers, c.rep, c.past_tenure), c.won)
    lead, rep = np.repeat(np.arange(c.leads_count), c.count), np.tile(np.arange(c.count), c.leads_count)
    pairs = _frame(c, c.new[lead], c.new_numbers[lead], rep, c.new_tenure[rep])
    return np.asarray(model.predict_proba(pairs)[:, 1].reshape(c.leads_count, c.count), dtype=np.float64)


def _hot(c: _Coded, codes: Ints) -> Floats:
    return np.hstack([np.eye(width)[codes[:, k]] for k, width in enumerate(c.widths)])


def _lead_columns(c: _Coded, codes: Ints, x: Floats) -> Floats:
    products = [x[:, [0]] * x[:, [1]], x[:, [0]] * x[:, [2]], x[:, [1]] * x[:, [2]]]
    return np.hstack([x, x**2 - 1, np.maximum(x, 0), *products, _hot(c, codes)])


def _peers(c: _Coded, codes: Ints, rep: Ints, tenure: Floats) -> Floats:
    level = np.eye(int(c.level.max()) + 1)[c.level[rep]][:, 1:]
    return np.column_stack([level, np.exp(-tenure / 90.0), c.skill[rep] == codes[:, 0]]).astype(float)


def _logistic(c: _Coded) -> Floats:
    """Rep and rep × segment columns; the penalty by the latest fifth, then a sigmoid learned there."""
    phi, rows = np.hstack([_hot(c, c.past), c.past_numbers]), np.arange(c.won.size)
    width = phi.shape[1]
    at, which = np.nonzero(phi)
    crossed = sp.csr_matrix((phi[at, which], (at, c.rep[at] * width + which)), shape=(rows.size, c.count * width))
    own = sp.csr_matrix((np.ones(rows.size), (rows, c.rep)), shape=(rows.size, c.count))
    lead, peers = _lead_columns(c, c.past, c.past_numbers), _peers(c, c.past, c.rep, c.past_tenure)
    design = sp.hstack([sp.csr_matrix(lead), own, sp.csr_matrix(peers), crossed]).tocsr()
    cut = int((1.0 - LATER) * rows.size)
    trials = [LogisticRegression(C=p, max_iter=300).fit(design[:cut], c.won[:cut]) for p in PENALTIES]
    losses = [log_loss(c.won[cut:], m.predict_proba(design[cut:])[:, 1], labels=[0.0, 1.0]) for m in trials]
    best = int(np.argmin(losses))
    margin = trials[best].decision_function(design[cut:])[:, None]
    sigmoid = LogisticRegression(C=1e6).fit(margin, c.won[cut:])
    final = LogisticRegression(C=PENALTIES[best], max_iter=300).fit(design, c.won)
    w = final.coef_[0]
    ends = np.cumsum([lead.shape[1], c.count, peers.shape[1]])
    every = np.arange(c.count)
    fixed = _peers(c, np.zeros((c.count, 1), dtype=np.int64), every, c.new_tenure)[:, :-1] @ w[ends[1] : ends[2] - 1]
    logit = final.intercept_[0] + (_lead_columns(c, c.new, c.new_numbers) @ w[: ends[0]])[:, None]
    logit = logit + w[ends[0] : ends[1]] + fixed + w[ends[2] - 1] * (c.new[:, [0]] == c.skill[None])
    logit += np.hstack([_hot(c, c.new), c.new_numbers]) @ w[ends[2] :].reshape(c.count, -1).T
    return np.asarray(expit(sigmoid.intercept_[0] + sigmoid.coef_[0, 0] * logit), dtype=np.float64)


def _rival(run: Callable[[_Coded], Floats]) -> Rival:
    def estimate(history: pd.DataFrame, reps: pd.DataFrame, leads: pd.DataFrame, at: pd.Timestamp) -> Floats:
        return run(_Coded(history, reps, leads, at))

    return estimate


RIVALS: dict[str, Rival] = {
    "rep mean, shrunk": _rival(lambda c: _rates(c, by_industry=False, shrunk=True)),
    "rep x industry, raw": _rival(lambda c: _rates(c, by_industry=True, shrunk=False)),
    "rep x industry, shrunk": _rival(lambda c: _rates(c, by_industry=True, shrunk=True)),
    "boosting on pairs, raw": _rival(lambda c: _boosting(c, tuned=False)),
    "boosting on pairs, tuned + sigmoid": _rival(lambda c: _boosting(c, tuned=True)),
    "logistic with interactions": _rival(_logistic),
}
