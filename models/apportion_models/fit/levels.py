"""The levels of complexity, from simple to complex."""

from __future__ import annotations

LEVELS = ("base rate", "lead", "rep", "rep x segment")
