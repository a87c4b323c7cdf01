"""How numbers and names are said."""

from __future__ import annotations

import math
from collections.abc import Sequence


def money(amount: float, currency: str) -> str:
    """1,240 EUR; two decimals below ten."""
    if not math.isfinite(amount):
        return "an unknown amount" if math.isnan(amount) else "any amount"
    rounded = f"{amount:,.0f}" if abs(amount) >= 10 or abs(amount) < 0.005 else f"{amount:,.2f}"
    return f"{'0' if rounded == '-0' else rounded} {currency}".rstrip()


def percent(part: float) -> str:
    """31 %; more digits where a whole number would hide it."""
    if not math.isfinite(part):
        return "an unknown share"
    hundred = 100 * part
    if hundred == 0 or abs(hundred) >= 10:
        return f"{hundred:,.0f} %"
    digits = 1 if abs(hundred) >= 1 else min(6, 1 - math.floor(math.log10(abs(hundred))))
    return f"{hundred:.{digits}f} %"


def number(amount: float) -> str:
    """Units of effort and counts: 3, 2.5."""
    return f"{amount:,.6g}" if abs(amount) < 1e6 else f"{amount:,.0f}"


def count(amount: int, word: str) -> str:
    """1 rep, 2 reps."""
    return f"{amount:,} {word}" if amount == 1 else f"{amount:,} {word}s"


def listed(items: Sequence[str], most: int = 3) -> str:
    """a, b and c; the rest is counted."""
    items = list(items)
    if len(items) > most:
        items = [*items[:most], f"{len(items) - most} more"]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + (f" and {items[-1]}" if items else "")


def quoted(rule: str) -> str:
    """A rule in the words of the policy, marked as such."""
    return f"“{rule}”"
