from __future__ import annotations

import numpy as np
import pytest

from apportion_models.fit.given import quality_given


def test_blind_dealing_gives_nothing() -> None:
    """Where leads are dealt without regard to their quality, the luck of the draw is shrunk away."""
    rng = np.random.default_rng(0)
    rep = np.sort(rng.integers(0, 40, 4000))
    found = quality_given(rng.normal(size=4000), rep, 40)
    assert np.abs(found).max() < 0.12


def test_trust_is_seen() -> None:
    """Reps who are given better leads are told apart, the more surely the more leads they had."""
    rng = np.random.default_rng(1)
    trust = rng.normal(0, 0.5, 40)
    rep = np.sort(rng.integers(0, 40, 4000))
    found = quality_given(rng.normal(size=4000) + trust[rep], rep, 40)
    assert np.corrcoef(found, trust)[0, 1] > 0.95
    assert np.abs(found).max() < np.abs(trust - trust.mean()).max() + 0.3


@pytest.mark.parametrize("reps", [1, 5])
def test_too_little_to_tell(reps: int) -> None:
    """One rep, or as many reps as leads: nothing."""
    assert not quality_given(np.arange(5.0), np.arange(5) % reps, reps).any()
