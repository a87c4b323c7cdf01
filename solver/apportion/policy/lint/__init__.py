"""Check a policy against the data: what cannot work is an error, what is likely not meant is a notice."""

from __future__ import annotations

from apportion.policy.lint.check import check_policy

__all__ = ["check_policy"]
