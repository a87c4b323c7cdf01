"""Time-ordered validation: splits by date, measures, the test of equal reps, and the gate."""

from apportion_models.validation.evidence import Effect, Evidence
from apportion_models.validation.gate import OutOfTime, Verdict, judge
from apportion_models.validation.homogeneity import Homogeneity, equal_rates, shrunk_rates
from apportion_models.validation.realised import Realised, realised_share
from apportion_models.validation.splits import DateSplit, date_splits

__all__ = [
    "DateSplit",
    "Effect",
    "Evidence",
    "Homogeneity",
    "OutOfTime",
    "Realised",
    "Verdict",
    "date_splits",
    "equal_rates",
    "judge",
    "realised_share",
    "shrunk_rates",
]
