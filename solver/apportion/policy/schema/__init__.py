"""The schema of the policy file, section by section."""

from __future__ import annotations

from apportion.policy.schema.policy import Policy

__all__ = ["Policy"]
