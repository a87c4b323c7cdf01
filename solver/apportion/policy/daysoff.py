"""Public holidays by country, or by a part of a country: `SE`, `US-CA`."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import holidays


@lru_cache(maxsize=512)
def known_country(code: str) -> bool:
    """Whether there is a calendar of public holidays for `code`."""
    country, _, part = code.upper().partition("-")
    parts = holidays.list_supported_countries(include_aliases=True)
    return country in parts and (not part or part in parts[country])


@lru_cache(maxsize=512)
def public_holidays(code: str, year: int) -> frozenset[dt.date]:
    """The public holidays of `code` in `year`."""
    country, _, part = code.upper().partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=[year]))
