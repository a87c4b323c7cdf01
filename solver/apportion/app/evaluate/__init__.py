"""What the plan that a history leads to is worth, honestly: out of time and cross-fitted, never in sample."""

from apportion.app.evaluate.report import Checks, Comparison, EvaluateReport, PlanValue
from apportion.app.evaluate.run import EvaluateRequest, evaluate
from apportion_models.policy_value import Interval

__all__ = ["Checks", "Comparison", "EvaluateReport", "EvaluateRequest", "Interval", "PlanValue", "evaluate"]
