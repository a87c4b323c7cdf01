"""`apportion evaluate`."""

from __future__ import annotations


def evaluate_command() -> int:
    raise NotImplementedError
