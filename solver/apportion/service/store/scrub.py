"""Taking a name out of whatever it stands in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def scrub(content: Any, names: Mapping[str, str]) -> Any:
    """Content of JSON's types with each name replaced where it stands alone: a value, a key, a word in a sentence."""
    if not names:
        return content
    wanted = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{wanted})(?!\w)")
    return _scrubbed(content, lambda text: found.sub(lambda match: names[match.group()], text))


def _scrubbed(content: Any, change: Any) -> Any:
    if isinstance(content, str):
        return change(content)
    if isinstance(content, list):
        return [_scrubbed(item, change) for item in content]
    if isinstance(content, dict):
        return {change(key): _scrubbed(value, change) for key, value in content.items()}
    return content
