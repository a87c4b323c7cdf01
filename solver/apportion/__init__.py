"""Apportion decides which sales rep gets which lead: a joint optimum, with its proof, its prices and its reasons."""

from apportion.engines import solve
from apportion.problem import (
    AssignmentProblem,
    Certificate,
    LeadShare,
    Limit,
    MaxMin,
    OpportunityShare,
    Plan,
    Prices,
    RevenueShare,
    Status,
    Verdict,
    verify,
)

__version__ = "0.1.0"

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
    "Status",
    "Verdict",
    "solve",
    "verify",
]
