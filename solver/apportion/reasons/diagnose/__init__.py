"""Why there is no plan: the rules in conflict, in the policy's own words, and the cheapest ways out."""

from apportion.reasons.diagnose.changes import Change, Relaxation
from apportion.reasons.diagnose.diagnose import diagnose
from apportion.reasons.diagnose.diagnosis import Diagnosis
from apportion.reasons.diagnose.elements import Element

__all__ = ["Change", "Diagnosis", "Element", "Relaxation", "diagnose"]
