from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from apportion_models.synthetic.draws import Stream

PINNED = [0.06042747824836686, 0.37684083866720713, 0.342022355727786]


def test_bits_are_pinned():
    """The draws are those of PCG64 and of nothing that numpy may change: these numbers hold for ever."""
    assert Stream(2026, "pin").uniform(3).tolist() == PINNED


def test_streams_differ_by_name_and_by_seed():
    """Another name or another seed is another stream; the same pair is the same stream."""
    first = Stream(1, "a").uniform(50)
    assert np.array_equal(first, Stream(1, "a").uniform(50))
    assert not np.any(first == Stream(1, "b").uniform(50))
    assert not np.any(first == Stream(2, "a").uniform(50))


def test_one_draw_of_two_is_two_draws_of_one():
    """How many are drawn at once changes nothing."""
    together, apart = Stream(3, "x"), Stream(3, "x")
    assert together.uniform(2, 3).ravel().tolist() == [*apart.uniform(2), *apart.uniform(4)]


@pytest.mark.parametrize(
    ("draw", "law"),
    [
        (lambda s: s.uniform(20_000), ("uniform", ())),
        (lambda s: s.normal(20_000), ("norm", ())),
        (lambda s: s.exponential(20_000), ("expon", ())),
        (lambda s: s.gamma(2.5, 20_000), ("gamma", (2.5, 0, 1 / 2.5))),
    ],
)
def test_draws_follow_their_law(draw, law):
    """Each transform gives the distribution that it names (Kolmogorov–Smirnov)."""
    name, args = law
    assert kstest(draw(Stream(5, "law")), name, args=args).pvalue > 0.001


def test_choice_follows_weights_and_never_takes_weight_zero():
    """Shares agree with the weights; a weight of zero is never drawn, at either end."""
    drawn = Stream(6, "choice").choice([0, 1, 3, 0], 40_000)
    share = np.bincount(drawn, minlength=4) / 40_000
    assert share[0] == share[3] == 0
    assert share[2] == pytest.approx(0.75, abs=0.01)


def test_permutation_holds_each_number_once():
    """A permutation is one, and is not the identity."""
    order = Stream(7, "order").permutation(500)
    assert sorted(order) == list(range(500))
    assert order.tolist() != list(range(500))


def test_integers_are_even_and_in_range():
    """Integers stay below `high` and are equally likely."""
    share = np.bincount(Stream(8, "dice").integers(6, 60_000), minlength=6) / 60_000
    assert len(share) == 6
    assert np.abs(share - 1 / 6).max() < 0.01
