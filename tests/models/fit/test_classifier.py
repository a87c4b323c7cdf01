from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator

from apportion_models.fit.classifier import HierarchicalClassifier


@pytest.mark.parametrize("settings", [{}, {"group": 0}, {"group": 0, "varying": False}])
def test_scikit_learn_estimator_checks(settings: dict[str, Any]) -> None:
    """Every check that scikit-learn has for a classifier of two classes passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        results = check_estimator(HierarchicalClassifier(**settings), on_fail=None)
    failed = {one["check_name"]: str(one["exception"])[:200] for one in results if one["status"] == "failed"}
    assert not failed and sum(one["status"] == "passed" for one in results) > 40


def simulated(seed: int = 0, groups: int = 60, rows: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rows)
    x, own = rng.normal(size=group.size), rng.normal(size=(groups, 2)) * np.array([0.6, 0.4])
    chance = expit(-1.0 + 0.7 * x + own[group, 0] + own[group, 1] * x)
    return np.column_stack([group, x]), (rng.random(group.size) < chance).astype(int), chance


def test_groups_are_learned_and_shrunk() -> None:
    """Chances come near the truth, the spread of the groups is found, an unseen group gets the common estimate."""
    X, y, chance = simulated()
    model = HierarchicalClassifier(group=0).fit(X, y)
    found = model.predict_proba(X)[:, 1]
    assert np.corrcoef(found, chance)[0, 1] > 0.95 and abs(found.mean() - y.mean()) < 0.01
    assert model.spread_ == pytest.approx([0.6, 0.4], abs=0.12)
    strangers = X.copy()
    strangers[:, 0] = 99.0
    assert np.ptp(model.decision_function(strangers[X[:, 1].argsort()][:1].repeat(3, axis=0))) == 0.0
    logit = model.decision_function(np.array([[99.0, 0.0], [99.0, 1.0]]))
    assert logit[1] - logit[0] == pytest.approx(0.7, abs=0.2)


def test_the_order_of_rows_changes_nothing() -> None:
    """Shuffled rows: the same bits."""
    X, y, _ = simulated(groups=10)
    mixed = np.random.default_rng(1).permutation(y.size)
    one, two = (HierarchicalClassifier(group=0).fit(X[rows], y[rows]) for rows in (np.arange(y.size), mixed))
    assert one.group_coef_.tobytes() == two.group_coef_.tobytes() or np.allclose(one.group_coef_, two.group_coef_)


def test_a_group_column_that_is_not_there() -> None:
    """The error says how many columns there are."""
    X, y, _ = simulated(groups=3, rows=20)
    with pytest.raises(ValueError, match=r"has 2\. Got 7"):
        HierarchicalClassifier(group=7).fit(X, y)
