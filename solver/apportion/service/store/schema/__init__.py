"""The schema, once for both databases. `migrations/` makes it; a test holds that both agree.

Leads and reps are known to all other tables by a number of their own (`lead_key`, `rep_key`), so that the id that the
user gave, which may name a person, stands in one place and can be erased there.
"""

from apportion.service.store.schema.known import (
    activations,
    leads,
    model_files,
    models,
    outcomes,
    overrides,
    policies,
    reference_rows,
    reps,
)
from apportion.service.store.schema.parts import REFERENCE_TABLES, metadata
from apportion.service.store.schema.runs import assignments, claims, run_inputs, runs, snapshots, ticks
from apportion.service.store.schema.service import api_keys, audit, idempotency, leases, outbox, scenarios

__all__ = [
    "REFERENCE_TABLES",
    "activations",
    "api_keys",
    "assignments",
    "audit",
    "claims",
    "idempotency",
    "leads",
    "leases",
    "metadata",
    "model_files",
    "models",
    "outbox",
    "outcomes",
    "overrides",
    "policies",
    "reference_rows",
    "reps",
    "run_inputs",
    "runs",
    "scenarios",
    "snapshots",
    "ticks",
]
