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

TREES = 100
DEPTH = 3
INNER, LEAVES = 2**DEPTH - 1, 2**DEPTH
LEARNING_RATE = 0.1
PENALTY = 5.0
FOLDS = 3
BINS = 127  # thresholds that a number is tried at
MOST_ROWS = 60_000  # rows that trees are grown on; the curve is flat by then
SMOOTHING = 20.0  # rows of the mean that a level's win rate is mixed with
BLOCK = 512  # leads walked at a time, so that the answers stay in the cache
NOWHERE = 1e30  # a threshold that nothing passes


@dataclass(frozen=True, kw_only=True)
class BoostedLead:
    """Trees as arrays, each filled up to the full depth: node k leads to 2k + 1 (at most the threshold) and 2k + 2.

    Build it with `BoostedLead.learn`.
    """

    ranks: tuple[Floats, ...]  # per category, as in the encoder: (width + 1,) place of each code, the last of -1
    baseline: float
    feature: NDArray[np.int32]  # (T, 7)
    threshold: Floats  # (T, 7)
    value: Floats  # (T, 8) of the leaves, from left to right

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
        edges = [np.unique(np.quantile(column, np.linspace(0.0, 1.0, BINS), method="lower")) for column in x]
        x = np.array([one[np.searchsorted(one[:-1], column)] for one, column in zip(edges, x, strict=True)])
        part = np.flatnonzero((y > 0.0) & (y < 1.0))  # a share of a win is a win and a loss, each with its weight
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
        ).fit(np.hstack([x, x[:, part]]).T, target, sample_weight=weight if part.size else None)
        return cls._copied(model, ranks, edges)

    @classmethod
    def _copied(
        cls, model: HistGradientBoostingClassifier, ranks: tuple[Floats, ...], edges: list[Floats]
    ) -> BoostedLead:
        """The nodes of scikit-learn's trees. The one place that knows where it keeps them."""
        trees = [stage[0].nodes for stage in model._predictors]
        feature = np.zeros((len(trees), INNER), dtype=np.int32)
        threshold = np.full((len(trees), INNER), NOWHERE)
        value = np.zeros((len(trees), LEAVES))
        for tree, nodes in enumerate(trees):
            at = np.zeros(1, dtype=np.intp)  # the node of the tree that stands at each place of the level
            for level in range(DEPTH):
                inner = nodes["is_leaf"][at] == 0
                places = 2**level - 1 + np.flatnonzero(inner)
                feature[tree, places] = nodes["feature_idx"][at[inner]]
                for place, node in zip(places, at[inner], strict=True):  # a threshold lies between two edges
                    mine = edges[feature[tree, place]]
                    threshold[tree, place] = mine[np.searchsorted(mine, nodes["num_threshold"][node], side="right") - 1]
                left, right = (np.where(inner, nodes[side][at], at) for side in ("left", "right"))
                at = np.column_stack([left, right]).ravel()
            value[tree] = nodes["value"][at]
        return cls(
            ranks=ranks,
            baseline=float(np.ravel(model._baseline_prediction)[0]),
            feature=feature,
            threshold=threshold,
            value=value,
        )

    def score(self, encoder: LeadEncoder, encoded: Encoded) -> Floats:
        """(n,) logits."""
        out = np.empty(encoded.rows)
        for first in range(0, encoded.rows, BLOCK):
            x = _matrix(encoder, encoded.cut(first, first + BLOCK), self.ranks)
            out[first : first + x.shape[1]] = self._walk(x)
        return out

    def _walk(self, x: Floats) -> Floats:
        """(n,) from the columns (F, n): every node is asked at once, which is quicker than following the answers."""
        right = x.astype(np.float32)[self.feature.T] > self.threshold.astype(np.float32).T[:, :, None]  # (7, T, n)
        at = right[0].astype(np.int32)
        for level in range(1, DEPTH):
            answers = right[2**level - 1 : 2 ** (level + 1) - 1]
            chosen = answers[0]
            for place in range(1, 2**level):
                chosen = np.where(at == place, answers[place], chosen)
            at = 2 * at + chosen
        at += (np.arange(len(self.value), dtype=np.int32) * np.int32(LEAVES))[:, None]
        return np.asarray(self.baseline + self.value.ravel().take(at).sum(axis=0), dtype=np.float64)

    def state(self) -> tuple[dict[str, Any], dict[str, Floats]]:
        """The JSON form and the arrays."""
        arrays = {name: getattr(self, name).astype(np.float64) for name in _ARRAYS}
        return {"baseline": self.baseline, "ranks": [rank.tolist() for rank in self.ranks]}, arrays

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, Floats]) -> BoostedLead:
        """The trees that `state` and `arrays` describe. Raises ValueError when they lead out of bounds."""
        fields: dict[str, Any] = {name: arrays[name].astype(kind) for name, kind in _ARRAYS.items()}
        trees = len(fields["value"])
        for name, width in (("feature", INNER), ("threshold", INNER), ("value", LEAVES)):
            if fields[name].shape != (trees, width):
                raise ValueError(f"the trees' '{name}' must have the shape {(trees, width)}")
        ranks = tuple(np.array(rank, dtype=np.float64) for rank in state["ranks"])
        return cls(baseline=float(state["baseline"]), ranks=ranks, **fields)


_ARRAYS = {"feature": np.int32, "threshold": np.float64, "value": np.float64}


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
    """(F, n) columns of the trees: numbers, whether each is missing, and the places of categories."""
    columns: list[Floats] = []
    left = iter(ranks)
    for coder in encoder.coders:
        if isinstance(coder, NumberCoder):
            z, missing = encoded.number(coder.name)
            columns += [z, missing.astype(np.float64)] if coder.missing else [z]
        else:
            columns.append(next(left)[encoded.codes(coder.name)])
    return np.array(columns) if columns else np.zeros((1, encoded.rows))
