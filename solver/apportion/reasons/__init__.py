"""Why: this rep, not that one, nurture; how good the plan is; and the tables, document and report that tell it."""

from apportion.reasons.audit import GroupAudit, audit_plan, audit_words
from apportion.reasons.certificate import certificate_words
from apportion.reasons.document import SCHEMA, plain, plan_document
from apportion.reasons.explain import Explanations, explain
from apportion.reasons.facts import Facts
from apportion.reasons.fairness import Fairness, equity_cost
from apportion.reasons.frames import PLAN_COLUMNS, assignments_frame, beside_source, reps_frame
from apportion.reasons.why_not import Answer, why_not

__all__ = [
    "PLAN_COLUMNS",
    "SCHEMA",
    "Answer",
    "Explanations",
    "Facts",
    "Fairness",
    "GroupAudit",
    "assignments_frame",
    "audit_plan",
    "audit_words",
    "beside_source",
    "certificate_words",
    "equity_cost",
    "explain",
    "plain",
    "plan_document",
    "reps_frame",
    "why_not",
]
