"""The rules that people write, and what they say for one batch. Knows tables and arrays, no problem and no engine."""

from __future__ import annotations

from apportion.policy.availability import rep_availability
from apportion.policy.capacity import lead_effort, overtime, rep_capacity
from apportion.policy.context import tiers
from apportion.policy.document import document_policy
from apportion.policy.eligibility import Effect, Eligibility, eligible_pairs
from apportion.policy.lint import check_policy
from apportion.policy.loading import load_policy, policy_json_schema
from apportion.policy.nurture import must_assign, nurture_values
from apportion.policy.people import people_rules
from apportion.policy.resolved import ResolvedLimit, ResolvedShare
from apportion.policy.schema import Policy
from apportion.policy.screening import parcels, screen
from apportion.policy.shares import equity, fair_weights, limits
from apportion.policy.swaps import may_swap
from apportion.policy.together import apart_effect
from apportion.policy.values import pair_costs, pair_values

__all__ = [
    "Effect",
    "Eligibility",
    "Policy",
    "ResolvedLimit",
    "ResolvedShare",
    "apart_effect",
    "check_policy",
    "document_policy",
    "eligible_pairs",
    "equity",
    "fair_weights",
    "lead_effort",
    "limits",
    "load_policy",
    "may_swap",
    "must_assign",
    "nurture_values",
    "overtime",
    "pair_costs",
    "pair_values",
    "parcels",
    "people_rules",
    "policy_json_schema",
    "rep_availability",
    "rep_capacity",
    "screen",
    "tiers",
]
