"""The contract: the problem, its rules, the plan with its certificate, and the independent verifier."""

from apportion.problem.bound import price_bound
from apportion.problem.plan import (
    Certificate,
    Plan,
    Prices,
    RulePrice,
    RuleVerdict,
    Status,
    Swaps,
    Verdict,
    relative_gap,
)
from apportion.problem.problem import AssignmentProblem
from apportion.problem.rules import LeadShare, Limit, MaxMin, OpportunityShare, RevenueShare, Rule, Share
from apportion.problem.verify import verify

__all__ = [
    "AssignmentProblem",
    "Certificate",
    "LeadShare",
    "Limit",
    "MaxMin",
    "OpportunityShare",
    "Plan",
    "Prices",
    "RevenueShare",
    "Rule",
    "RulePrice",
    "RuleVerdict",
    "Share",
    "Status",
    "Swaps",
    "Verdict",
    "price_bound",
    "relative_gap",
    "verify",
]
