"""Generators of leads × reps, seeded: the same arguments give the same bytes. All rows draw from here.

The market behind them all. A lead and a rep each have four latent traits; the fit is a logistic function of how well
they match, of the lead's own warmth (mean log-odds -2: one in eight converts) and of the rep's skill. Deal values are
lognormal with log-mean 8 (a median of about 3,000 in currency): `tail` is their log-deviation. 1.0 is heavy, as
business deals are: the top hundredth of leads holds about a tenth of the value; 0.5 is milder, as subscriptions are.
Capacities vary by a third between reps and sum to `tight` of the leads; every fifth rep ramps and has a third of it.
There are `territories` territories with equally many leads each on average; a rep covers one to three.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from apportion import AssignmentProblem, LeadShare, Limit, OpportunityShare, RevenueShare

LATENT = 4
CHUNK = 1 << 24  # pairs computed at once, so that a huge instance needs little more than itself
BANDS = RevenueShare(0.8, 1.25)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Instance:
    """One problem as plain arrays, named as in `AssignmentProblem.from_arrays`; None means its default.

    before : the instance as it was before a change, for what starts warm. optimum : the best objective, where it is
    known from outside. workload : the scale of a workload that brings its own data; the arrays are then empty.
    """

    value: Any
    capacity: Floats
    effort: Any = None
    eligible: NDArray[np.bool_] | None = None
    nurture: Floats | None = None
    must_assign: bool = False
    min_load: Floats | None = None
    tier: NDArray[np.int64] | None = None
    team: NDArray[np.int64] | None = None
    parcel: NDArray[np.int64] | None = None
    equity: tuple[Any, ...] = ()
    limits: tuple[Any, ...] = ()
    before: Instance | None = None
    optimum: float | None = None
    workload: float | None = None

    @property
    def n_leads(self) -> int:
        """L."""
        return int(self.value.shape[0])

    @property
    def n_reps(self) -> int:
        """R."""
        return int(self.value.shape[1])

    @property
    def n_pairs(self) -> int:
        """Eligible pairs."""
        if bool(sp.issparse(self.value)):
            return int(self.value.nnz)
        return int(self.value.size if self.eligible is None else self.eligible.sum())

    def problem(self) -> AssignmentProblem:
        """Build it for `solve` and `verify`."""
        return AssignmentProblem.from_arrays(
            self.value,
            capacity=self.capacity,
            effort=self.effort,
            eligible=self.eligible,
            nurture=self.nurture,
            must_assign=self.must_assign,
            min_load=self.min_load,
            tier=self.tier,
            team=self.team,
            parcel=self.parcel,
            equity=self.equity,
            limits=self.limits,
        )


@dataclass(frozen=True)
class _Market:
    """Leads and reps before they meet."""

    lead_traits: NDArray[np.float32]
    rep_traits: NDArray[np.float32]
    warmth: NDArray[np.float32]
    skill: NDArray[np.float32]
    deal_value: NDArray[np.float32]
    capacity: Floats

    def values(self, leads: Any, reps: Any) -> NDArray[np.float32]:
        """Expected revenue of the leads with the reps, float32."""
        logit = self.lead_traits[leads] @ self.rep_traits[reps].T
        logit += self.warmth[leads, None]
        logit += self.skill[reps]
        np.negative(logit, out=logit)
        np.exp(logit, out=logit)
        logit += 1
        result: NDArray[np.float32] = np.divide(self.deal_value[leads, None], logit, out=logit)
        return result


def _market(rng: np.random.Generator, leads: int, reps: int, tail: float, tight: float) -> _Market:
    capacity = np.maximum(1.0, np.round(rng.lognormal(0, 0.3, reps) * leads * tight / reps))
    ramping = rng.random(reps) < 0.2
    capacity[ramping] = np.maximum(1.0, capacity[ramping] // 3)
    return _Market(
        lead_traits=rng.standard_normal((leads, LATENT), dtype=np.float32),
        rep_traits=0.35 * rng.standard_normal((reps, LATENT), dtype=np.float32),
        warmth=rng.normal(-2, 0.7, leads).astype(np.float32),
        skill=rng.normal(0, 0.35, reps).astype(np.float32),
        deal_value=np.exp(rng.normal(8, tail, leads)).astype(np.float32),
        capacity=capacity,
    )


def _dense(market: _Market) -> NDArray[np.float32]:
    leads, reps = len(market.warmth), len(market.skill)
    value = np.empty((leads, reps), dtype=np.float32)
    step = max(1, CHUNK // reps)
    for first in range(0, leads, step):
        value[first : first + step] = market.values(slice(first, first + step), slice(None))
    return value


def _covered(rng: np.random.Generator, reps: int, territories: int) -> NDArray[np.bool_]:
    """(R, T) which rep covers which territory: one to three each, and none is left without a rep if reps suffice."""
    cover = np.zeros((reps, territories), dtype=bool)
    cover[np.arange(reps), np.arange(reps) % territories] = True
    for rep in range(reps):
        more = int(rng.integers(0, 3))
        cover[rep, rng.choice(territories, size=min(more, territories), replace=False)] = True
    return cover


def _value_tiers(value: NDArray[np.float32], eligible: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """(L,) hot 0, warm 1, cold 2: the best fifth by mean value over the eligible reps, the next 30 %, the rest."""
    mean = value.mean(axis=1) if eligible is None else np.where(eligible, value, 0).sum(axis=1) / len(value[0])
    rank = np.argsort(np.argsort(-mean, kind="stable"), kind="stable")
    return np.digitize(rank, [0.2 * len(mean), 0.5 * len(mean)]).astype(np.int64)


def counts(*, leads: int, reps: int, seed: int, tail: float = 1.0, tight: float = 0.9) -> Instance:
    """Dense counts: every rep may get every lead, capacity counts leads. A pure network."""
    market = _market(np.random.default_rng(seed), leads, reps, tail, tight)
    return Instance(_dense(market), market.capacity)


def dense_bands(*, leads: int, reps: int, seed: int, tail: float = 1.0, tight: float = 0.9) -> Instance:
    """Every pair eligible, and each rep's expected revenue within 0.8 to 1.25 of the fair share."""
    return replace(counts(leads=leads, reps=reps, seed=seed, tail=tail, tight=tight), equity=(BANDS,))


def bands(*, leads: int, reps: int, seed: int, tail: float = 1.0, tight: float = 0.9, territories: int = 8) -> Instance:
    """Territories, and each rep's expected revenue within 0.8 to 1.25 of the fair share."""
    rng = np.random.default_rng(seed)
    market = _market(rng, leads, reps, tail, tight)
    cover = _covered(rng, reps, territories)
    eligible = cover.T[rng.integers(0, territories, leads)]
    return Instance(_dense(market), market.capacity, eligible=eligible, equity=(BANDS,))


def tiered_bands(*, leads: int, reps: int, seed: int, tail: float = 1.0, territories: int = 8) -> Instance:
    """Territories, revenue bands, and tiers: each rep gets 0.5 to 2 times the fair share of the hot leads."""
    instance = bands(leads=leads, reps=reps, seed=seed, tail=tail, territories=territories)
    tier = _value_tiers(instance.value, instance.eligible)
    return replace(instance, tier=tier, equity=(BANDS, LeadShare(0.5, 2.0, tier=0)))


def all_rules(*, leads: int, reps: int, seed: int, tail: float = 0.5) -> Instance:
    """Every rule at once, in a batch small enough for one team meeting.

    Capacity in effort units with ramp; an effort of 1, or 2 for each tenth lead; territories (half as many as reps, at
    most eight); pairs of leads of one account that stay together (a tenth of the leads); a value of nurture; a minimum
    load of a quarter; three tiers, the hot ones shared by count; two teams, of which neither gets more than 70 % of the
    capacity; opportunity of at least 0.5 of the fair share; revenue within 0.5 to 1.8 of it; and a soft goal on warm
    leads. Bands are wide because few leads a rep make narrow ones impossible.
    """
    rng = np.random.default_rng(seed)
    market = _market(rng, leads, reps, tail, 0.9)
    territories = max(1, min(8, reps // 2))
    value, cover = _dense(market), _covered(rng, reps, territories)
    territory = rng.integers(0, territories, leads)
    parcel = np.arange(leads)
    mates = 2 * rng.choice(leads // 2, leads // 20, replace=False)
    parcel[mates + 1], territory[mates + 1] = parcel[mates], territory[mates]
    eligible = cover.T[territory]
    tier = _value_tiers(value, eligible)
    warm = LeadShare(0.5, tier=1, price=50.0, name="warm leads shared")
    return Instance(
        value,
        market.capacity,
        effort=np.where(rng.random(leads) < 0.1, 2.0, 1.0),
        eligible=eligible,
        nurture=np.round(0.02 * market.deal_value.astype(float), 2),
        min_load=np.floor(0.25 * market.capacity),
        tier=tier,
        team=np.arange(reps) % 2,
        parcel=parcel,
        equity=(RevenueShare(0.5, 1.8), OpportunityShare(0.5), LeadShare(0.25, 2.5, tier=0), warm),
        limits=(Limit(measure="effort", high=np.ceil(0.7 * market.capacity.sum()), by="team"),),
    )


def sparse_bands(
    *, leads: int, reps: int, seed: int, tail: float = 1.0, territories: int = 40, covers: int = 2
) -> Instance:
    """Territory-sparse revenue bands: each rep covers `covers` of `territories`, the rest is never stored.

    With 2 of 40, a twentieth of the pairs. Built territory by territory; no dense matrix exists at any time.
    """
    rng = np.random.default_rng(seed)
    market = _market(rng, leads, reps, tail, 0.9)
    cover = np.zeros((reps, territories), dtype=bool)
    for k in range(covers):
        cover[np.arange(reps), (np.arange(reps) + k * (territories // covers + 1)) % territories] = True
    territory = rng.integers(0, territories, leads)
    start = np.concatenate([[0], np.cumsum(cover.sum(axis=0)[territory])])
    wide = np.int32 if start[-1] < 2**31 else np.int64
    data, column = np.empty(start[-1], dtype=np.float32), np.empty(start[-1], dtype=wide)
    for one in range(territories):
        inside, covering = np.flatnonzero(territory == one), np.flatnonzero(cover[:, one])
        if not len(covering):
            continue
        step = max(1, CHUNK // len(covering))
        for first in range(0, len(inside), step):
            some = inside[first : first + step]
            place = start[some][:, None] + np.arange(len(covering))
            data[place], column[place] = market.values(some, covering), covering
    value = sp.csr_matrix((data, column, start.astype(wide)), shape=(leads, reps))
    return Instance(value, market.capacity, equity=(BANDS,))


def rep_leaves(*, leads: int, reps: int, seed: int, tail: float = 1.0) -> Instance:
    """`bands`, after the rep of median capacity has left; `before` is the batch with that rep."""
    before = bands(leads=leads, reps=reps, seed=seed, tail=tail)
    capacity = before.capacity.copy()
    capacity[np.argsort(capacity, kind="stable")[reps // 2]] = 0.0
    return replace(before, capacity=capacity, before=before)


def workload(*, scale: float, seed: int) -> Instance:
    """No arrays: a workload that generates its own data at this scale (1.0 is the row's full size)."""
    return Instance(np.zeros((0, 1)), np.zeros(1), workload=scale)
