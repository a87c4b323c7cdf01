"""The draw that lets a few leads change reps, where the policy asks for one."""

from __future__ import annotations

from apportion.build import Batch
from apportion.policy import may_swap
from apportion.problem import Plan
from apportion.swaps import swap_some


def drawn(batch: Batch, plan: Plan, *, seed: int, gap: float) -> Plan:
    """The plan after the policy's draw, verified; the plan itself where the policy has none.

    The draw follows from the seed, the moment of the batch and the ids of its leads. gap : that the plan was asked for.
    """
    rule = batch.policy.swaps
    if rule is None:
        return plan
    leads = batch.leads.iloc[batch.rows].reset_index(drop=True)
    of_leads, of_reps = may_swap(batch.policy, leads, batch.reps, at=batch.at, tier=batch.tier)
    return swap_some(
        batch.problem,
        plan,
        share=rule.share,
        salt=f"swaps {seed} {batch.at.isoformat()}",
        gap=gap,
        may_swap=of_leads,
        may_take=of_reps,
        loss_at_most=rule.loss_at_most,
    )
