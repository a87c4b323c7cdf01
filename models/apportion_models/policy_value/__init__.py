"""What a plan would have earned on past leads, how sure that is, and where history cannot tell."""

from apportion_models.policy_value.calibration import Calibration, Discount, calibrate
from apportion_models.policy_value.estimate import Estimate, PolicyValue, direct_method, policy_value, switch_dr
from apportion_models.policy_value.intervals import Groups, Interval
from apportion_models.policy_value.log import Log
from apportion_models.policy_value.overlap import Overlap, Unsupported, overlap_of, unsupported
from apportion_models.policy_value.propensity import Propensities, estimate_propensities

__all__ = [
    "Calibration",
    "Discount",
    "Estimate",
    "Groups",
    "Interval",
    "Log",
    "Overlap",
    "PolicyValue",
    "Propensities",
    "Unsupported",
    "calibrate",
    "direct_method",
    "estimate_propensities",
    "overlap_of",
    "policy_value",
    "switch_dr",
    "unsupported",
]
