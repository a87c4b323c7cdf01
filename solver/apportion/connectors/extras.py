"""Libraries that only an extra of the distribution brings: loaded when they are needed, or named to the user."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apportion_models.errors import UsageError

OURS = ("apportion", "apportion_models")


@contextmanager
def needs(extra: str = "service") -> Iterator[None]:
    """Around imports of an extra's libraries: UsageError, with the command that installs it, where one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        raise UsageError(f"This needs {error.name}: run `pip install 'apportion[{extra}]'`.") from None


def need(module: str, *, extra: str = "service") -> Any:
    """The module. Raises UsageError, with what to install, where it is missing."""
    with needs(extra):
        return importlib.import_module(module)
