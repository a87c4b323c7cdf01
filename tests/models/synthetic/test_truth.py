from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from apportion_models.synthetic import World
from apportion_models.synthetic.market import encode
from apportion_models.synthetic.truth import average_over_quality


@given(st.floats(-8, 8), st.floats(0, 1.5))
def test_quadrature_agrees_with_integration(logit, spread):
    """The average over the unseen quality is the integral, to a few millionths."""
    exact = quad(lambda z: expit(logit + spread * z) * norm.pdf(z), -9, 9)[0]
    assert abs(average_over_quality(np.array([logit]), spread)[0] - exact) < 3e-6


def test_chosen_is_the_cell_of_pairs():
    """The effect of one rep for each lead is the matching cell of the matrix of all pairs, misspecified or not."""
    for misspecified in (False, True):
        world = World(seed=4, n_reps=30, misspecified=misspecified)
        codes = encode(world.leads(200))
        rep = np.arange(200) % 30
        pairs = world.rep_truth.pairs(codes, np.arange(30))
        np.testing.assert_allclose(pairs[np.arange(200), rep], world.rep_truth.chosen(codes, rep), atol=1e-12)


def test_ramp_falls_with_tenure_and_not_before_the_start():
    """What a rep lacks is largest on the first day, falls for ever, and does not grow before the start."""
    loss = World().rep_truth.ramp_loss(np.array([-50.0, 0, 45, 90, 900]))
    assert loss[0] == loss[1] > loss[2] > loss[3] > loss[4] > 0


def test_nothing_linear_explains_the_lead_index():
    """The lead's logit holds a real nonlinear part: a linear model of the same numbers leaves a tenth unexplained."""
    world = World(seed=2)
    leads = world.leads(4000)
    codes = encode(leads)
    names = (codes.industry, codes.source, codes.region, codes.size, codes.product)
    dummies = [np.eye(code.max() + 1)[code] for code in names]
    design = np.hstack([*dummies, np.column_stack([codes.engagement, codes.visits, codes.age])])
    index = world.lead_truth.index(codes)
    left = index - design @ np.linalg.lstsq(design, index, rcond=None)[0]
    assert left.var() / index.var() > 0.1
