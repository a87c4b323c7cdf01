"""Experiments as use cases: plan, start, assign, look, stop, promote."""

from apportion.app.experiment.assigning import ArmsReport, ArmsRequest, assign_arms
from apportion.app.experiment.loading import load_experiment
from apportion.app.experiment.plan import PlanReport, PlanRequest, plan_experiment
from apportion.app.experiment.spec import Experiment, experiment_json_schema
from apportion.app.experiment.start import StartReport, start_experiment
from apportion.app.experiment.status import (
    PromoteReport,
    StatusReport,
    experiment_status,
    promote_winner,
    stop_experiment,
)

__all__ = [
    "ArmsReport",
    "ArmsRequest",
    "Experiment",
    "PlanReport",
    "PlanRequest",
    "PromoteReport",
    "StartReport",
    "StatusReport",
    "assign_arms",
    "experiment_json_schema",
    "experiment_status",
    "load_experiment",
    "plan_experiment",
    "promote_winner",
    "start_experiment",
    "stop_experiment",
]
