"""The core on plain arrays, as a scikit-learn classifier: one column names the rep, the others describe the lead.

`FitModel` takes tables, dates and open leads, which scikit-learn's conventions have no place for; this is what passes
scikit-learn's estimator checks, and what can stand in a pipeline or a grid search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from apportion_models.fit.hierarchy import SCALE_FIXED, SCALE_VARYING, Design, fit_hierarchy

Floats = NDArray[np.float64]

CLIP = 8.0  # standardised numbers are held within this


class HierarchicalClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Random-coefficient logistic regression with variances from the data; chances are posterior means.

    Parameters
    ----------
    group: the column of X that names the group (the rep); None: there are no groups, only shrunken coefficients.
    varying: whether each group also has coefficients of its own, beside its own intercept.
    scale_fixed, scale_varying: prior scales of the standard deviation of common and of the groups' own coefficients,
        for columns in units of their standard deviation.

    Attributes
    ----------
    classes_: (2,). groups_: (R,) values of the group column. coef_: (p,) and intercept_: common coefficients, columns
    standardised. group_coef_: (R, K) the groups' own. spread_: (K,) standard deviations of these between groups.
    """

    def __init__(
        self,
        *,
        group: int | None = None,
        varying: bool = True,
        scale_fixed: float = SCALE_FIXED,
        scale_varying: float = SCALE_VARYING,
    ) -> None:
        self.group = group
        self.varying = varying
        self.scale_fixed = scale_fixed
        self.scale_varying = scale_varying

    def __sklearn_tags__(self) -> Any:
        """Two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> HierarchicalClassifier:
        """Learn from X (n, f) and two classes y (n,). Raises ValueError for other input."""
        checked, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, label = np.unique(y, return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError("This classifier needs samples of 2 classes in the data, but the data contains one class.")
        keys, x = self._split(checked)
        self._mean, scale = x.mean(axis=0), x.std(axis=0)
        self._scale = np.where(scale > 0, scale, 1.0)
        self.groups_, of = np.unique(keys, return_inverse=True)
        order = np.lexsort((*self._columns(x).T[::-1], label, of))  # the order of the rows changes nothing
        columns, of = self._columns(x)[order], of[order]
        won: Floats = label[order].astype(np.float64)
        varying = self._own(columns)
        design = Design(
            fixed=columns,
            fixed_group=np.minimum(np.arange(columns.shape[1]), 1),
            varying=varying,
            varying_group=np.arange(varying.shape[1]),
            starts=np.searchsorted(of, np.arange(self.groups_.size + 1)).astype(np.int64),
            fixed_scale=np.full(2 if columns.shape[1] > 1 else 1, float(self.scale_fixed)),
            varying_scale=np.full(varying.shape[1], float(self.scale_varying)),
        )
        with threadpool_limits(limits=1):
            found = fit_hierarchy(design, lambda _: won, float((won.sum() + 0.5) / (won.size + 1.0)))
        self.intercept_, self.coef_ = float(found.beta[0]), found.beta[1:]
        self.group_coef_, self.spread_ = found.b, np.sqrt(found.varying_variance)
        self._covariance = found.covariance
        return self

    def decision_function(self, X: ArrayLike) -> Floats:
        """(n,) logits of the second class."""
        check_is_fitted(self, "coef_")
        keys, x = self._split(validate_data(self, X, dtype=np.float64, reset=False))
        columns = self._columns(x)
        own = self._own(columns)
        eta = self.intercept_ + (columns[:, 1:] * self.coef_).sum(axis=1)
        if not own.shape[1]:
            return np.asarray(eta, dtype=np.float64)
        place = np.minimum(np.searchsorted(self.groups_, keys), self.groups_.size - 1)
        known = self.groups_[place] == keys
        eta = eta + np.where(known, (own * self.group_coef_[place]).sum(axis=1), 0.0)
        seen = np.einsum("nk,nkl,nl->n", own, self._covariance[place], own)
        variance = np.where(known, seen, (own**2 * self.spread_**2).sum(axis=1))
        return np.asarray(eta / np.sqrt(1.0 + np.pi / 8.0 * variance), dtype=np.float64)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """(n, 2) chances of the two classes."""
        chance = expit(self.decision_function(X))
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """(n,) the likelier class."""
        second = self.decision_function(X) > 0.0
        return np.asarray(self.classes_[second.astype(np.intp)])

    def _split(self, X: Floats) -> tuple[Floats, Floats]:
        if self.group is None:
            return np.zeros(len(X)), X
        if not -X.shape[1] <= self.group < X.shape[1]:
            raise ValueError(f"'group' must be a column of X, which has {X.shape[1]}. Got {self.group}.")
        return X[:, self.group], np.delete(X, self.group, axis=1)

    def _columns(self, x: Floats) -> Floats:
        return np.column_stack([np.ones(len(x)), np.clip((x - self._mean) / self._scale, -CLIP, CLIP)])

    def _own(self, columns: Floats) -> Floats:
        if self.group is None:
            return np.zeros((len(columns), 0))
        return columns if self.varying else columns[:, :1]
