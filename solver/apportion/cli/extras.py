"""What needs an extra is loaded late, and says which extra is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apportion_models.errors import UsageError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around imports of an extra's libraries: UsageError, with the command that installs it, where one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("apportion", "apportion_models"):
            raise
        raise UsageError(f"This needs {error.name}: run `pip install 'apportion[{extra}]'`.") from None
