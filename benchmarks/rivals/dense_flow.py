"""OR-Tools' SimpleMinCostFlow with an arc for each eligible pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from ortools.graph.python import min_cost_flow

from benchmarks.contender import Answer, Ask, Contender
from benchmarks.instances import Instance
from benchmarks.rivals.sums import Listed, listed, more_than_counts, nurture_of


def prepare(instance: Instance) -> tuple[Any, Listed, Any, int]:
    """Leads, reps, one sink; a lead may go to the sink by itself, for its nurture value."""
    pairs = listed(instance)
    n_leads, n_reps = instance.n_leads, instance.n_reps
    sink = n_leads + n_reps
    gain = pairs.value - nurture_of(instance)[pairs.lead]
    unit = 2**30 / max(float(np.abs(gain).max(initial=0.0)), 1e-9)  # integers: floats would be cut to whole numbers
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        pairs.lead.astype(np.int32),
        (n_leads + pairs.rep).astype(np.int32),
        np.ones(len(pairs.lead), dtype=np.int64),
        np.rint(-unit * gain).astype(np.int64),
    )
    reps, leads = np.arange(n_reps, dtype=np.int32), np.arange(n_leads, dtype=np.int32)
    to_sink = np.full(n_reps, sink, dtype=np.int32)
    flow.add_arcs_with_capacity_and_unit_cost(
        (n_leads + reps).astype(np.int32), to_sink, np.floor(instance.capacity).astype(np.int64), np.zeros(n_reps, int)
    )
    if not instance.must_assign:
        aside = np.full(n_leads, sink, dtype=np.int32)
        flow.add_arcs_with_capacity_and_unit_cost(leads, aside, np.ones(n_leads, int), np.zeros(n_leads, int))
    flow.set_nodes_supplies(leads, np.ones(n_leads, dtype=np.int64))
    flow.set_nodes_supplies(np.array([sink], dtype=np.int32), np.array([-n_leads], dtype=np.int64))
    return flow, pairs, arcs, n_leads


def solve(model: tuple[Any, Listed, Any, int], ask: Ask) -> Answer:
    """Knows no time limit."""
    flow, pairs, arcs, n_leads = model
    status = flow.solve()
    if status != flow.OPTIMAL:
        return Answer(None, str(status))
    used = flow.flows(arcs) > 0
    rep = np.full(n_leads, -1, dtype=np.int64)
    rep[pairs.lead[used]] = pairs.rep[used]
    return Answer(rep, "OPTIMAL")


CONTENDER = Contender("OR-Tools dense flow", prepare, solve, more_than_counts)
