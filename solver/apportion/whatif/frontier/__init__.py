"""Frontier and sensitivity: worth against equity and capacity, one more slot or rep, and a fit that is wrong."""

from apportion.whatif.frontier.curve import FACTORS, FLOORS, Curve, capacity_curve, check_rule, equity_frontier
from apportion.whatif.frontier.marginal import MEANINGS, marginal_values
from apportion.whatif.frontier.sensitivity import SHRINKS, Sensitivity, sensitivity

__all__ = [
    "FACTORS",
    "FLOORS",
    "MEANINGS",
    "SHRINKS",
    "Curve",
    "Sensitivity",
    "capacity_curve",
    "check_rule",
    "equity_frontier",
    "marginal_values",
    "sensitivity",
]
