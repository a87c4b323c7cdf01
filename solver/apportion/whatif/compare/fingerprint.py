"""The fingerprint of a problem: equal problems, equal print, so that what was solved is not solved again."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np

from apportion.problem import AssignmentProblem


def problem_print(problem: AssignmentProblem) -> str:
    """SHA-256 over every array, rule and id of the problem, in its own order."""
    digest = hashlib.sha256()

    def add(name: str, item: object) -> None:
        digest.update(f"{name}:".encode())
        if item is None or isinstance(item, (str, int, float, bool)):
            digest.update(repr(item).encode())
        elif isinstance(item, tuple) and all(isinstance(part, str) for part in item):
            digest.update("\x1f".join(item).encode())
        else:
            array = np.ascontiguousarray(np.asarray(item))
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())

    add("start", problem.pairs.start)
    add("rep", problem.pairs.rep)
    for name in ("value", "revenue", "effort", "capacity", "nurture", "must_assign", "min_load"):
        add(name, getattr(problem, name))
    for name in ("tier", "team", "parcel", "opportunity", "lead_ids", "rep_ids"):
        add(name, getattr(problem, name))
    for rule in problem.rules:
        add("rule", type(rule).__name__)
        for field in fields(rule):
            add(field.name, getattr(rule, field.name))
    return digest.hexdigest()
