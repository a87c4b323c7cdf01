"""The one reason for which a part of an evaluation is left out."""

from __future__ import annotations


class NotApplicable(Exception):  # noqa: N818 - an honest outcome, not an error
    """The data cannot carry this part of the evaluation; the message says why."""
