"""Baselines: what rule-based routers would have done with the same leads.

All of them keep eligibility, capacity in effort units, leads that stay together and, as far as room allows, leads
that must be assigned (these are routed first, those with the fewest eligible reps before the others). They keep no
equity rule, no limit and no minimum load: routers know none. `score` tells which of those rules each of them breaks.
"""

from apportion.whatif.baselines.arrival import router_context
from apportion.whatif.baselines.context import Memory, RouterContext
from apportion.whatif.baselines.measures import BaselineResult, score
from apportion.whatif.baselines.registry import BASELINES, Baseline, run_baselines

__all__ = [
    "BASELINES",
    "Baseline",
    "BaselineResult",
    "Memory",
    "RouterContext",
    "router_context",
    "run_baselines",
    "score",
]
