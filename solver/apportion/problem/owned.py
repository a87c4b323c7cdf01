"""Copies of what a caller hands in, so that nothing they change later changes a problem."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from apportion.problem.rules import Rule


def owned(item: Any) -> Any:
    """Copy an argument; arrays become read-only."""
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    if bool(sp.issparse(item)):
        return item.copy()
    if isinstance(item, np.ndarray):
        array = item.copy()
        array.setflags(write=False)
        return array
    return copy.deepcopy(item)


def owned_rule(rule: Rule) -> Rule:
    """Copy a rule; what it holds for each lead, rep or group becomes a read-only array."""
    changes = {}
    for field in fields(rule):
        held = getattr(rule, field.name)
        if held is not None and not isinstance(held, str) and np.ndim(held):
            changes[field.name] = owned(np.asarray(held))
    return replace(rule, **changes)
