"""Copies of what a caller hands in, so that nothing they change later changes a problem."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from apportion.problem.rules import Rule

LARGE = 256 * 2**20  # bytes of an array that is held as it is: a copy could be what does not fit


def owned(item: Any) -> Any:
    """Copy an argument; arrays become read-only. What is larger than LARGE is held, not copied."""
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    if bool(sp.issparse(item)):
        return item if item.nnz * item.dtype.itemsize > LARGE else item.copy()
    if isinstance(item, np.ndarray):
        array = item.view(np.ndarray) if item.nbytes > LARGE else np.array(item)
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
