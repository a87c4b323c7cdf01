"""The policy as a page for people: every rule in plain words, and the way of a lead as a diagram."""

from __future__ import annotations

from apportion.policy.document.page import document_policy

__all__ = ["document_policy"]
