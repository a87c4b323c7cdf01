"""What knowing the truth would be worth on the sample batch: the best plan by true values, against round robin.

Plain rules, stated here once, so that the numbers can be understood without a policy: a rep may get a lead of a
territory that they cover, whose product they sell and whose language they speak; capacity is the rep's own × ramp × the
share of the window that they are here. No equity rules, no account rules, and nurture is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from apportion_models.synthetic.company import SCREENED_DOMAINS, SampleCompany
from apportion_models.synthetic.cover import territory_of
from apportion_models.synthetic.draws import Floats
from apportion_models.synthetic.past import DAY, Bools, to_seconds
from apportion_models.synthetic.world import BATCH_DAYS

RAMP_START, RAMP_DAYS = 0.4, 90.0  # a new rep's share of capacity on the first day, and when it is whole


@dataclass(frozen=True, kw_only=True)
class OracleReport:
    """Expected revenue in euros by the truth, and how many leads each plan places."""

    oracle: float
    round_robin: float
    oracle_placed: int
    round_robin_placed: int

    @property
    def uplift(self) -> float:
        """The oracle's revenue over round robin's, minus 1."""
        return self.oracle / self.round_robin - 1


def compare(company: SampleCompany, *, territories: bool = True) -> OracleReport:
    """The oracle and round robin on the batch; `territories=False` lets every rep cover everything."""
    revenue = company.true_revenue()
    primary, overflow = covers(company)
    able = able_pairs(company)
    if not territories:
        primary, overflow = np.ones_like(able), np.zeros_like(able)
    capacity = effective_capacity(company)
    effort = company.leads["effort"].to_numpy(dtype=np.float64)
    best = best_plan(revenue, able & (primary | overflow), effort, capacity)
    ring = territory_of(company.leads) if territories else np.zeros(len(effort))
    dealt = round_robin(able & primary, able & overflow, effort, capacity, ring)
    return OracleReport(
        oracle=plan_revenue(revenue, best),
        round_robin=plan_revenue(revenue, dealt),
        oracle_placed=int((best >= 0).sum()),
        round_robin_placed=int((dealt >= 0).sum()),
    )


def plan_revenue(revenue: Floats, rep: np.ndarray) -> float:
    """Expected revenue of a plan, rep (L,), -1 for nobody."""
    placed = np.flatnonzero(rep >= 0)
    return float(revenue[placed, rep[placed]].sum())


def covers(company: SampleCompany) -> tuple[Bools, Bools]:
    """Whether each rep covers each lead as primary, and as overflow: (L, R) twice."""
    territory = territory_of(company.leads)

    def side(cover: str) -> Bools:
        rows = company.territories[company.territories["cover"] == cover]
        told = set(zip(rows["rep_id"], rows["territory"], strict=True))
        return np.array([[(rep, name) in told for rep in company.reps["rep_id"]] for name in territory])

    return side("primary"), side("overflow")


def able_pairs(company: SampleCompany) -> Bools:
    """Whether each rep can work each lead: product, language, not paused, and the lead is not screened, (L, R)."""
    leads, reps = company.leads, company.reps
    sells = np.array([[product in skills for skills in reps["skills"]] for product in leads["product"]])
    speaks = np.array([[language in known for known in reps["languages"]] for language in leads["language"]])
    wanted = ~leads["email_domain"].isin(SCREENED_DOMAINS).to_numpy()
    return np.asarray(sells & speaks & wanted[:, None] & ~reps["paused"].to_numpy())


def effective_capacity(company: SampleCompany) -> Floats:
    """Capacity × ramp × the share of the 28 days that the rep is here, (R,) effort units."""
    at = company.world.midnight
    tenure = (at - to_seconds(company.reps["start_date"])) / DAY
    ramp = np.minimum(1.0, RAMP_START + (1 - RAMP_START) * tenure / RAMP_DAYS)
    until = at + BATCH_DAYS * DAY
    away = np.zeros(len(company.reps))
    start, end = to_seconds(company.calendar["start"]), to_seconds(company.calendar["end"])
    lost = np.maximum(np.minimum(end, until) - np.maximum(start, at), 0) / (until - at)
    lost *= 1 - company.calendar["capacity"].to_numpy()
    np.add.at(away, pd.Index(company.reps["rep_id"]).get_indexer(pd.Index(company.calendar["rep_id"])), lost)
    return np.asarray(company.reps["capacity"].to_numpy() * ramp * (1 - away), dtype=np.float64)


def best_plan(revenue: Floats, allowed: Bools, effort: Floats, capacity: Floats) -> np.ndarray:
    """The rep of each lead, (L,), -1 for nobody, that maximises revenue under capacity to a gap of 0.05 %."""
    lead, rep = np.nonzero(allowed)
    pairs = np.arange(len(lead))
    once = csr_matrix((np.ones(len(lead)), (lead, pairs)), shape=(len(effort), len(lead)))
    load = csr_matrix((effort[lead], (rep, pairs)), shape=(len(capacity), len(lead)))
    solved = milp(
        -revenue[lead, rep],
        integrality=np.ones(len(lead), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(once, ub=np.ones(len(effort))), LinearConstraint(load, ub=capacity)],
        options={"mip_rel_gap": 5e-4},
    )
    if solved.x is None:
        raise RuntimeError(f"the oracle's plan was not found: {solved.message}")
    plan = np.full(len(effort), -1)
    chosen = solved.x > 0.5
    plan[lead[chosen]] = rep[chosen]
    return plan


def round_robin(primary: Bools, overflow: Bools, effort: Floats, capacity: Floats, ring: np.ndarray) -> np.ndarray:
    """Deal the leads in order of arrival: the next primary rep in the territory's ring with room, else overflow.

    Returns the rep of each lead, (L,), -1 for nobody.
    """
    free = capacity.copy()
    plan = np.full(len(effort), -1)
    turn = dict.fromkeys(ring, 0)
    for lead, name in enumerate(ring):
        order = (np.arange(len(free)) + turn[name]) % len(free)
        room = free[order] >= effort[lead] - 1e-9
        for side in (primary, overflow):
            ready = np.flatnonzero(side[lead][order] & room)
            if len(ready):
                plan[lead] = order[ready[0]]
                free[plan[lead]] -= effort[lead]
                turn[name] = int(plan[lead]) + 1
                break
    return plan
