"""A boosted lead part: trees on the leads' columns alone, as arrays, so that nothing needs to be unpickled.

scikit-learn's histogram boosting grows the trees; their nodes are copied out. Levels of a category enter in order of
their win rate, so that every split is a threshold on a number. In training each row is scored by trees that never saw
it: otherwise the model that takes the score up would trust it too much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from apportion_models.features.columns import NumberCoder
from apportion_models.features.leads import Encoded, LeadEncoder

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

TREES = 100
DEPTH = 4
LEAVES = 12
LEARNING_RATE = 0.08
PENALTY = 5.0
FOLDS = 3
MOST_ROWS = 60_000  # rows that trees are grown on; the curve is flat by then
SMOOTHING = 20.0  # rows of the mean that a level's win rate is mixed with
BLOCK = 2048


@dataclass(frozen=True, kw_only=True)
class BoostedLead:
    """Trees as arrays. Build it with `BoostedLead.learn`; nodes of all trees stand in one row, leaves lead to themselves."""

    ranks: tuple[Floats, ...]  # per category, in the encoder's order: (width + 1,) place of each code; the last is of -1
    baseline: float
    roots: Ints  # (T,)
    feature: Ints  # (N,)
    threshold: Floats  # (N,) at most: left
    left: Ints  # (N,)
    right: Ints  # (N,)
    value: Floats  # (N,)

    @classmethod
    def learn(cls, encoder: LeadEncoder, encoded: Encoded, label: Floats) -> tuple[BoostedLead, Floats]:
        """The trees, and (n,) logits of the rows by trees that did not see them. `label` (n,) in [0, 1], by time."""
        some = np.unique(np.linspace(0, label.size - 1, min(label.size, MOST_ROWS)).astype(np.intp))
        whole = cls._grow(encoder, encoded, label, some)
        out = whole.score(encoder, encoded)
        fold = np.arange(some.size) % FOLDS
        for part in range(FOLDS):
            rest = cls._grow(encoder, encoded, label, some[fold != part])
            mine = some[fold == part]
            out[mine] = rest.score(encoder, encoded.pick(mine))
        return whole, out

    @classmethod
    def _grow(cls, encoder: LeadEncoder, encoded: Encoded, label: Floats, rows: NDArray[np.intp]) -> BoostedLead:
        y, picked = label[rows], encoded.pick(rows)
        ranks = tuple(
            _rank(picked.codes(coder.name), y, coder.width)
            for coder in encoder.coders
            if not isinstance(coder, NumberCoder)
        )
        x = _matrix(encoder, picked, ranks)
        part = np.flatnonzero((y > 0.0) & (y < 1.0))  # a share of a win is a win and a loss, each with its weight
        design = np.vstack([x, x[part]])
        target = np.concatenate([y > 0.0, np.zeros(part.size, dtype=bool)])
        weight = np.concatenate([np.where(y > 0.0, y, 1.0), 1.0 - y[part]])
        model = HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE,
            max_iter=TREES,
            max_leaf_nodes=LEAVES,
            max_depth=DEPTH,
            min_samples_leaf=max(20, rows.size // 500),
            l2_regularization=PENALTY,
            early_stopping=False,
            random_state=0,
        ).fit(design, target, sample_weight=weight)
        return cls._copied(model, ranks)

    @classmethod
    def _copied(cls, model: HistGradientBoostingClassifier, ranks: tuple[Floats, ...]) -> BoostedLead:
        """The nodes of scikit-learn's trees, in one row. The one place that knows where it keeps them."""
        trees = [stage[0].nodes for stage in model._predictors]
        starts = np.cumsum([0, *(nodes.size for nodes in trees)])
        own = np.arange(starts[-1])
        nodes = np.concatenate(trees)
        shift = np.repeat(starts[:-1], np.diff(starts))
        leaf = nodes["is_leaf"].astype(bool)
        return cls(
            ranks=ranks,
            baseline=float(np.ravel(model._baseline_prediction)[0]),
            roots=starts[:-1].astype(np.int32),
            feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int32),
            threshold=np.where(leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
            left=np.where(leaf, own, nodes["left"] + shift).astype(np.int32),
            right=np.where(leaf, own, nodes["right"] + shift).astype(np.int32),
            value=np.where(leaf, nodes["value"], 0.0).astype(np.float64),
        )

    def score(self, encoder: LeadEncoder, encoded: Encoded) -> Floats:
        """(n,) logits."""
        out = np.empty(encoded.rows)
        for first in range(0, encoded.rows, BLOCK):
            x = _matrix(encoder, encoded.cut(first, first + BLOCK), self.ranks)
            out[first : first + len(x)] = self._walk(x)
        return out

    def _walk(self, x: Floats) -> Floats:
        flat, base = x.ravel(), (np.arange(len(x), dtype=np.int32) * np.int32(x.shape[1]))[:, None]
        at = np.repeat(self.roots[None], len(x), axis=0)
        for _ in range(DEPTH):
            below = flat.take(base + self.feature.take(at)) <= self.threshold.take(at)
            at = np.where(below, self.left.take(at), self.right.take(at))
        return np.asarray(self.baseline + self.value.take(at).sum(axis=1), dtype=np.float64)

    def state(self) -> tuple[dict[str, Any], dict[str, Floats]]:
        """The JSON form and the arrays."""
        arrays = {name: getattr(self, name).astype(np.float64) for name in _ARRAYS}
        return {"baseline": self.baseline, "ranks": [rank.tolist() for rank in self.ranks]}, arrays

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, Floats]) -> BoostedLead:
        """The trees that `state` and `arrays` describe. Raises ValueError when they lead out of bounds."""
        fields: dict[str, Any] = {name: arrays[name].astype(kind) for name, kind in _ARRAYS.items()}
        size = fields["value"].size
        for name in ("left", "right", "roots"):
            if fields[name].size and not (0 <= fields[name].min() and fields[name].max() < size):
                raise ValueError(f"a tree's '{name}' leads nowhere")
        if len({fields[name].shape for name in ("feature", "threshold", "left", "right", "value")}) > 1:
            raise ValueError("the arrays of the trees must be equally long")
        ranks = tuple(np.array(rank, dtype=np.float64) for rank in state["ranks"])
        return cls(baseline=float(state["baseline"]), ranks=ranks, **fields)


_ARRAYS = {
    "roots": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "value": np.float64,
}


def _rank(codes: NDArray[np.int64], label: Floats, width: int) -> Floats:
    """(width + 1,) place of each code in order of its smoothed win rate; unknown ones stand at the mean."""
    mean = float(label.mean())
    rows = np.bincount(codes[codes >= 0], minlength=width)
    wins = np.bincount(codes[codes >= 0], weights=label[codes >= 0], minlength=width)
    rate = (wins + SMOOTHING * mean) / (rows + SMOOTHING)
    place = np.empty(width)
    place[np.argsort(rate, kind="stable")] = np.arange(width)
    return np.append(place, float((rate < mean).sum()) - 0.5)


def _matrix(encoder: LeadEncoder, encoded: Encoded, ranks: tuple[Floats, ...]) -> Floats:
    """(n, F) columns of the trees: numbers, whether each is missing, and the places of categories."""
    columns: list[Floats] = []
    left = iter(ranks)
    for coder in encoder.coders:
        if isinstance(coder, NumberCoder):
            z, missing = encoded.number(coder.name)
            columns += [z, missing.astype(np.float64)] if coder.missing else [z]
        else:
            columns.append(next(left)[encoded.codes(coder.name)])
    return np.column_stack(columns) if columns else np.zeros((encoded.rows, 1))
