"""What the plan that a history leads to is worth, honestly: out of time and cross-fitted, never in sample."""

from apportion.app.evaluate.report import Comparison, EvaluateReport, Interval, PlanValue
from apportion.app.evaluate.run import EvaluateRequest, evaluate

__all__ = ["Comparison", "EvaluateReport", "EvaluateRequest", "Interval", "PlanValue", "evaluate"]
