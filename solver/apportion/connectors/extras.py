"""Libraries that only an extra of the distribution brings: loaded when they are needed, or named to the user."""

from __future__ import annotations

import importlib
from typing import Any

from apportion_models.errors import UsageError


def need(module: str, *, extra: str = "service") -> Any:
    """The module. Raises UsageError, with what to install, where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UsageError(f"This needs {module}: pip install apportion[{extra}]") from None
