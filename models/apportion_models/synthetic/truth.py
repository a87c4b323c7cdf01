"""The truth of a world: the probability that a rep converts a lead, and what the lead is then worth.

logit P(won | lead i, rep j, time t) = f(lead i) + u_i + g(rep j, lead i) - ramp · exp(-tenure_j(t) / 90 days)

u_i ~ N(0, spread²) is a quality that managers see and no column tells. `f` holds two effects that no linear model
finds (engagement × visits in large companies; a wave in years in business). `g` is rep main effects and rep ×
industry, size, source and engagement; in a misspecified world it sits mostly in industry × size cells and a threshold
on engagement instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from apportion_models.synthetic import market
from apportion_models.synthetic.draws import Floats, Ints, Stream
from apportion_models.synthetic.market import Codes

RAMP_DAYS = 90.0
BASE = -2.4  # the logit of an average lead with an average, fully ramped rep
LEVEL_EFFECT = 0.15
SPECIALISM_EFFECT = 0.25
MAIN_SPREAD = 0.35
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, kw_only=True)
class LeadTruth:
    """What holds whoever works the lead: effects on the logit, and on the log of the deal value."""

    industry: Floats
    source: Floats
    region: Floats
    size: Floats
    product: Floats
    value_industry: Floats
    value_size: Floats
    value_product: Floats

    def index(self, codes: Codes) -> Floats:
        """The rep-neutral logit f(lead) without the unseen quality, (L,)."""
        large = codes.size >= 2
        smooth = 0.6 * codes.engagement + 0.35 * codes.visits
        curved = 0.4 * codes.engagement * codes.visits * large + 0.4 * np.sin(2 * codes.age)
        named = self.industry[codes.industry] + self.source[codes.source] + self.region[codes.region]
        return BASE + smooth + curved + named + self.size[codes.size] + self.product[codes.product]

    def deal_value(self, codes: Codes) -> Floats:
        """Expected deal value once won, in currency, (L,)."""
        named = self.value_industry[codes.industry] + self.value_product[codes.product]
        return np.asarray(6000.0 * np.exp(self.value_size[codes.size] + named), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class RepTruth:
    """What each rep adds to the logit; rows are reps. All of it scales with the world's strength."""

    main: Floats
    industry: Floats
    size: Floats
    source: Floats
    engagement: Floats
    cell: Floats  # (R, industries × sizes); zero unless the world is misspecified
    threshold: Floats
    ramp: float

    def pairs(self, codes: Codes, reps: Ints) -> Floats:
        """g(rep, lead) of all pairs of the leads with these reps, (L, R), fully ramped."""
        cell = codes.industry * len(market.SIZE_WEIGHTS) + codes.size
        skill = self.main[reps] + self.industry[reps][:, codes.industry].T + self.size[reps][:, codes.size].T
        skill += self.source[reps][:, codes.source].T + np.outer(codes.engagement, self.engagement[reps])
        skill += self.cell[reps][:, cell].T + np.outer(codes.engagement > 0.5, self.threshold[reps])
        return np.asarray(skill, dtype=np.float64)

    def chosen(self, codes: Codes, rep: Ints) -> Floats:
        """g(rep, lead) of one rep for each lead, (L,), fully ramped."""
        cell = codes.industry * len(market.SIZE_WEIGHTS) + codes.size
        skill = self.main[rep] + self.industry[rep, codes.industry] + self.size[rep, codes.size]
        skill = skill + self.source[rep, codes.source] + self.engagement[rep] * codes.engagement
        return np.asarray(skill + self.cell[rep, cell] + self.threshold[rep] * (codes.engagement > 0.5))

    def ramp_loss(self, tenure_days: Floats) -> Floats:
        """What a rep of this tenure still lacks on the logit, >= 0; the shape of the input."""
        return np.asarray(self.ramp * np.exp(-np.maximum(tenure_days, 0.0) / RAMP_DAYS), dtype=np.float64)


def draw_lead_truth(stream: Stream) -> LeadTruth:
    """Draw the lead effects of a world."""
    return LeadTruth(
        industry=0.3 * stream.normal(len(market.INDUSTRIES)),
        source=0.4 * stream.normal(len(market.SOURCES)),
        region=0.2 * stream.normal(len(market.REGIONS)),
        size=np.array([0.25, 0.1, -0.1, -0.35]),
        product=0.2 * stream.normal(len(market.PRODUCTS)),
        value_industry=0.2 * stream.normal(len(market.INDUSTRIES)),
        value_size=np.array([0.0, 0.5, 1.1, 1.8]),
        value_product=np.array([0.0, 0.2, 0.35, 0.5]),
    )


def draw_rep_truth(stream: Stream, *, level: Ints, specialism: Ints, strength: float, misspecified: bool) -> RepTruth:
    """Draw a world's rep effects. `level` is -1, 0, 1 (junior, mid, senior); `specialism` a place in INDUSTRIES."""
    n = len(level)
    kept = 0.4 if misspecified else 1.0
    main = LEVEL_EFFECT * level + MAIN_SPREAD * stream.normal(n)
    industry = 0.35 * stream.normal(n, len(market.INDUSTRIES))
    industry[np.arange(n), specialism] += SPECIALISM_EFFECT
    size = 0.25 * stream.normal(n, len(market.SIZE_WEIGHTS))
    source = 0.15 * stream.normal(n, len(market.SOURCES))
    engagement = 0.15 * stream.normal(n)
    cell = 0.45 * stream.normal(n, industry.shape[1] * size.shape[1])
    threshold = 0.3 * stream.normal(n)
    odd = float(misspecified)
    return RepTruth(
        main=strength * main,
        industry=strength * kept * industry,
        size=strength * kept * size,
        source=strength * kept * source,
        engagement=strength * (1.0 - odd) * engagement,
        cell=strength * odd * cell,
        threshold=strength * odd * threshold,
        ramp=strength * 0.6,
    )


def average_over_quality(logit: Floats, spread: float) -> Floats:
    """E[expit(logit + u)], u ~ N(0, spread²), by Gauss–Hermite quadrature of 15 nodes; the shape of the input."""
    if spread == 0:
        return np.asarray(expit(logit), dtype=np.float64)
    total = np.zeros_like(logit)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total += weight * expit(logit + spread * node)
    return total
