"""Experiments: designs that survive shared capacity, plans, and intervals that hold however often one looks."""

from apportion_models.experiment.design import Allocation, Design, allocate
from apportion_models.experiment.look import Comparison, Look, Reading, look
from apportion_models.experiment.planning import Forecast, Past, forecast, past_of
from apportion_models.experiment.rules import Guardrail, Metric, MetricRules, Rules
from apportion_models.experiment.sequence import Sequence, confidence_sequence, single_look
from apportion_models.experiment.tilt import TiltTest, tilt_interval, tilt_test
from apportion_models.experiment.words import sentences

__all__ = [
    "Allocation",
    "Comparison",
    "Design",
    "Forecast",
    "Guardrail",
    "Look",
    "Metric",
    "MetricRules",
    "Past",
    "Reading",
    "Rules",
    "Sequence",
    "TiltTest",
    "allocate",
    "confidence_sequence",
    "forecast",
    "look",
    "past_of",
    "sentences",
    "single_look",
    "tilt_interval",
    "tilt_test",
]
