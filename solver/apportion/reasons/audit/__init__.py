"""Group audits: what groups of reps are offered, get placed and are expected to earn, with intervals and a test."""

from apportion.reasons.audit.audit import GroupAudit, audit_plan
from apportion.reasons.audit.words import audit_words

__all__ = ["GroupAudit", "audit_plan", "audit_words"]
