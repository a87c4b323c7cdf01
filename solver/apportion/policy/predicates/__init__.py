"""Predicates: the sentences over leads and reps that rules are made of. Parsed, never executed.

`parse(text, scope=...)` gives a `Predicate`; `holds(predicate, tables)` says for which leads, reps or pairs it is true.
"""

from __future__ import annotations

from apportion.policy.predicates.evaluate import Tables, holds
from apportion.policy.predicates.parse import Predicate, Scope, parse
from apportion.policy.predicates.values import PredicateError

__all__ = ["Predicate", "PredicateError", "Scope", "Tables", "holds", "parse"]
