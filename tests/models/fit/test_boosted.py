from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from apportion_models.features.leads import LeadEncoder
from apportion_models.fit import boosted
from apportion_models.fit.boosted import BoostedLead


def table(rows: int = 3000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"x": rng.normal(size=rows), "z": rng.exponential(size=rows), "kind": rng.choice(list("abc"), rows)}
    )
    frame.loc[::17, "x"] = np.nan
    logit = np.where((frame["x"] > 0) & (frame["kind"] == "b"), 1.0, -1.5) + 0.5 * (frame["z"] > 1)
    return frame, (rng.random(rows) < expit(logit)).astype(float)


def test_copied_trees_score_as_scikit_learn_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arrays give the logits that the fitted booster gives on the rows it was grown on."""
    kept: list[tuple[HistGradientBoostingClassifier, np.ndarray]] = []
    plain = HistGradientBoostingClassifier.fit

    def watched(self: HistGradientBoostingClassifier, X: np.ndarray, *args: object, **more: object) -> object:
        kept.append((self, np.asarray(X)))
        return plain(self, X, *args, **more)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", watched)
    frame, label = table()
    encoder, _ = LeadEncoder.learn(frame, ["kind", "x", "z"])
    trees, _ = BoostedLead.learn(encoder, encoder.encode(frame), label)
    model, design = kept[0]
    np.testing.assert_allclose(trees.score(encoder, encoder.encode(frame)), model.decision_function(design), atol=1e-5)


def test_rows_are_scored_by_trees_that_did_not_see_them() -> None:
    """Out of fold: on labels that are noise the score has no skill, where trees that saw them would have."""
    frame, _ = table()
    noise = (np.random.default_rng(1).random(3000) < 0.3).astype(float)
    encoder, _ = LeadEncoder.learn(frame, ["kind", "x", "z"])
    encoded = encoder.encode(frame)
    trees, out = BoostedLead.learn(encoder, encoded, noise)
    assert abs(np.corrcoef(out, noise)[0, 1]) < 0.06 < np.corrcoef(trees.score(encoder, encoded), noise)[0, 1]


def test_shares_of_a_win_count_as_shares() -> None:
    """Labels between 0 and 1 are weighted: all at .3 give a chance of .3."""
    frame, _ = table(800)
    encoder, _ = LeadEncoder.learn(frame, ["x"])
    _, out = BoostedLead.learn(encoder, encoder.encode(frame), np.full(800, 0.3))
    assert expit(out).mean() == pytest.approx(0.3, abs=0.01)


def test_state_is_the_trees() -> None:
    """Saved and restored, the same scores; arrays that do not fit are refused."""
    frame, label = table(1000)
    encoder, _ = LeadEncoder.learn(frame, ["kind", "x"])
    trees, _ = BoostedLead.learn(encoder, encoder.encode(frame), label)
    state, arrays = trees.state()
    again = BoostedLead.from_state(state, arrays)
    strange = encoder.encode(pd.DataFrame({"kind": ["new", None, "a"], "x": [np.nan, 1e9, 0.0]}))
    assert again.score(encoder, strange).tobytes() == trees.score(encoder, strange).tobytes()
    with pytest.raises(ValueError, match="shape"):
        BoostedLead.from_state(state, {**arrays, "feature": arrays["feature"][:, :3]})
    assert np.isfinite(again.score(encoder, strange)).all() and len(again.value) == boosted.TREES
