"""What the routers read from a batch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from apportion.whatif import RouterContext, router_context, run_baselines
from tests.solver.reasons.cases import batch_of


def _batch() -> object:
    batch = batch_of(np.full((3, 2), 0.5), [10.0, 20.0, 30.0], capacity=[2, 2], screened=[("X1", "reject", "no")])
    batch.leads["created_at"] = pd.to_datetime(["2026-01-01", "2026-01-03", None, "2026-01-02"], utc=True)
    batch.leads["score"] = [99.0, np.nan, 5.0, 7.0]
    batch.leads["owner_rep_id"] = ["R0", "R1", np.nan, "gone"]
    return batch


def test_facts_are_those_of_the_problems_leads() -> None:
    """Screened leads take no part; a lead without a time arrives last, one without a score is scored last."""
    context = router_context(_batch(), seed=3)  # type: ignore[arg-type]
    assert context.order is not None and context.score is not None and context.owner is not None
    assert context.order.tolist() == [2, 0, 1]
    assert context.score.tolist() == [4.0, 5.0, 7.0]
    assert context.owner.tolist() == [1, -1, -1]
    assert context.seed == 3


def test_ties_of_time_go_by_lead_id() -> None:
    """Two leads of one moment: by id, whatever the order of rows."""
    batch = batch_of(np.full((3, 1), 0.5), [1.0, 1.0, 1.0], capacity=[1], lead_ids=["c", "a", "b"])
    batch.leads["created_at"] = pd.to_datetime(["2026-01-01"] * 3, utc=True)
    order = router_context(batch).order
    assert order is not None
    assert order.tolist() == [1, 2, 0]


def test_without_those_columns_the_defaults_hold() -> None:
    """A batch without times, scores and owners is routed by lead id."""
    batch = batch_of(np.full((3, 2), 0.5), [10.0, 20.0, 30.0], capacity=[2, 2])
    context = router_context(batch)
    assert context.score is None
    assert context.owner is None
    assert (context.territory == -1).all()  # type: ignore[union-attr]
    given = run_baselines(batch.problem, context)
    default = run_baselines(batch.problem, RouterContext())
    assert [result.rep.tolist() for result in given] == [result.rep.tolist() for result in default]


def test_territories_are_the_policys() -> None:
    """The policy's territory of each lead, and whoever covers it, primary or overflow."""
    batch = batch_of(
        np.full((2, 3), 0.5), [1.0, 1.0], capacity=[2, 2, 2], territory=[1, -1], covers=[[0, 0, 2], [2, 1, 0]]
    )
    context = router_context(batch)
    assert context.territory is not None and context.cover is not None
    assert context.territory.tolist() == [1, -1]
    assert context.cover.tolist() == [[False, False, True], [True, True, False]]
