"""Comparison of scenarios: what differs, how sure that is, and where it comes from."""

from apportion.whatif.compare.compare import BASE, Done, Ground, How, compare, lay_ground
from apportion.whatif.compare.comparison import VERDICTS, Comparison, Difference
from apportion.whatif.compare.outcome import Outcome
from apportion.whatif.compare.sources import PARTS, Part, Sources
from apportion_models.policy_value.intervals import Interval

__all__ = [
    "BASE",
    "PARTS",
    "VERDICTS",
    "Comparison",
    "Difference",
    "Done",
    "Ground",
    "How",
    "Interval",
    "Outcome",
    "Part",
    "Sources",
    "compare",
    "lay_ground",
]
