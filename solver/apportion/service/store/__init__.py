"""The store: one schema, SQLite or PostgreSQL, whole transactions, nothing lost and nothing twice."""

from apportion.service.store.assignments import Assignment, Placement
from apportion.service.store.audit import Entry, Trail
from apportion.service.store.desk import Page
from apportion.service.store.errors import AwayError, LostError
from apportion.service.store.idempotency import Answer, OtherBodyError, StillRunningError
from apportion.service.store.keys import SCOPES, ApiKey
from apportion.service.store.leads import Lead, Upserted, Waiting
from apportion.service.store.leases import Lease
from apportion.service.store.models import ModelVersion
from apportion.service.store.outbox import Letter
from apportion.service.store.outcomes import Outcome
from apportion.service.store.overrides import Override
from apportion.service.store.policies import PolicyVersion
from apportion.service.store.reps import Rep
from apportion.service.store.runs import Run
from apportion.service.store.store import Store, open_store
from apportion.service.store.transaction import Tx

__all__ = [
    "SCOPES",
    "Answer",
    "ApiKey",
    "Assignment",
    "AwayError",
    "Entry",
    "Lead",
    "Lease",
    "Letter",
    "LostError",
    "ModelVersion",
    "OtherBodyError",
    "Outcome",
    "Override",
    "Page",
    "Placement",
    "PolicyVersion",
    "Rep",
    "Run",
    "StillRunningError",
    "Store",
    "Trail",
    "Tx",
    "Upserted",
    "Waiting",
    "open_store",
]
