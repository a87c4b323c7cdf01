"""The use cases: each takes one request and returns one report."""

from apportion.app.assign import AssignReport, AssignRequest, assign
from apportion.app.check import CheckReport, check
from apportion.app.evaluate import EvaluateReport, EvaluateRequest, evaluate
from apportion.app.lint import lint
from apportion.app.sources import Sources
from apportion.app.train import TrainReport, train

__all__ = [
    "AssignReport",
    "AssignRequest",
    "CheckReport",
    "EvaluateReport",
    "EvaluateRequest",
    "Sources",
    "TrainReport",
    "assign",
    "check",
    "evaluate",
    "lint",
    "train",
]
