"""What an extra brings is loaded late; where it is missing, the command that installs it is named, by one rule."""

from __future__ import annotations

import math

import pytest

from apportion.connectors.extras import need, needs
from apportion_models.errors import UsageError


def test_what_is_there_is_given() -> None:
    """The module itself."""
    assert need("math") is math


def test_what_is_missing_is_named_with_its_command() -> None:
    """Asked for by name, or imported inside the block."""
    with pytest.raises(UsageError, match=r"needs no_such_library: run `pip install 'apportion\[service\]'`"):
        need("no_such_library")
    with pytest.raises(UsageError, match=r"apportion\[console\]"), needs("console"):
        import no_such_library  # noqa: F401


def test_a_part_of_ours_that_is_missing_is_a_bug_and_no_extra() -> None:
    """No command of the user's would mend it."""
    with pytest.raises(ModuleNotFoundError), needs("service"):
        import apportion.no_such_part  # noqa: F401
