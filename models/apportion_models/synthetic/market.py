"""The market: which companies and leads there are, and how a lead's columns are coded for the truth.

Everything that the truth depends on is a column of the leads, rounded before use. So the truth of a table that went
through a CSV file is the truth of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from apportion_models.errors import Finding, TableError
from apportion_models.synthetic.draws import Floats, Ints, Stream


class Place(NamedTuple):
    """Where an account sits, and the share of accounts there."""

    country: str
    region: str
    market: str
    language: str
    time_zone: str
    weight: float


PLACES = (
    Place("SE", "Nordics", "nordics", "sv", "Europe/Stockholm", 8),
    Place("NO", "Nordics", "nordics", "no", "Europe/Oslo", 4),
    Place("DK", "Nordics", "nordics", "da", "Europe/Copenhagen", 4),
    Place("FI", "Nordics", "nordics", "fi", "Europe/Helsinki", 3),
    Place("GB", "UK & Ireland", "uk_ireland", "en", "Europe/London", 19),
    Place("IE", "UK & Ireland", "uk_ireland", "en", "Europe/Dublin", 3),
    Place("DE", "DACH", "dach", "de", "Europe/Berlin", 11),
    Place("AT", "DACH", "dach", "de", "Europe/Vienna", 2),
    Place("CH", "DACH", "dach", "de", "Europe/Zurich", 2),
    Place("FR", "France & Benelux", "france_benelux", "fr", "Europe/Paris", 7),
    Place("NL", "France & Benelux", "france_benelux", "nl", "Europe/Amsterdam", 4),
    Place("BE", "France & Benelux", "france_benelux", "fr", "Europe/Brussels", 2),
    Place("ES", "Southern Europe", "south_europe", "es", "Europe/Madrid", 4),
    Place("IT", "Southern Europe", "south_europe", "it", "Europe/Rome", 4),
    Place("PT", "Southern Europe", "south_europe", "pt", "Europe/Lisbon", 1),
    Place("US", "Northeast", "us_east", "en", "America/New_York", 10),
    Place("US", "South", "us_east", "en", "America/New_York", 5),
    Place("US", "Midwest", "us_west", "en", "America/Chicago", 4),
    Place("US", "West", "us_west", "en", "America/Los_Angeles", 7),
    Place("CA", "Canada", "us_west", "fr", "America/Vancouver", 2),
)
MARKETS = tuple(dict.fromkeys(place.market for place in PLACES))
REGIONS = tuple(dict.fromkeys(place.region for place in PLACES))
MARKET_OF_REGION = {place.region: place.market for place in PLACES}
INDUSTRIES = ("software", "retail", "manufacturing", "finance", "health", "logistics", "media", "education")
INDUSTRY_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 1)
SOURCES = ("web", "referral", "event", "outbound", "partner", "webinar")
SOURCE_WEIGHTS = (30, 12, 14, 20, 10, 14)
PRODUCTS = ("core", "analytics", "payments", "security")
PRODUCT_WEIGHTS = (45, 25, 18, 12)
SIZE_EDGES = (50, 250, 1000)  # employees: small, medium, large, enterprise
SIZE_LOW = (2, 50, 250, 1000)
SIZE_HIGH = (50, 250, 1000, 20000)
SIZE_WEIGHTS = (40, 30, 20, 10)
ENTERPRISE = 3
EFFORT_BY_SIZE = (0.5, 1.0, 1.0, 2.0)
LOCAL_LANGUAGE_SHARE = (0.7, 0.6, 0.5, 0.3)  # by size; the others write in English


@dataclass(frozen=True, kw_only=True)
class Codes:
    """The leads' columns as the truth uses them: positions in the tuples above, and standardised numbers, each (L,)."""

    industry: Ints
    size: Ints
    source: Ints
    region: Ints
    product: Ints
    engagement: Floats
    visits: Floats
    age: Floats

    def __len__(self) -> int:
        return len(self.industry)


def encode(leads: pd.DataFrame) -> Codes:
    """Code a table of leads. Raises TableError naming every missing column and every value unknown to the market."""
    known = {"industry": INDUSTRIES, "source": SOURCES, "region": REGIONS, "product": PRODUCTS}
    numeric = ("company_size", "engagement", "visits", "years_in_business")
    missing = [column for column in (*known, *numeric) if column not in leads]
    findings = [_finding(column, "the truth needs this column") for column in missing]
    codes: dict[str, Ints] = {}
    for column, values in known.items():
        if column not in missing:
            codes[column] = np.asarray(pd.Index(values).get_indexer(pd.Index(leads[column])), dtype=np.int64)
            unknown = np.flatnonzero(codes[column] < 0)
            if len(unknown):
                remedy = f"must be one of {', '.join(values)}"
                findings.append(_finding(column, remedy, int(unknown[0]), leads[column].iloc[unknown[0]], len(unknown)))
    numbers: dict[str, Floats] = {}
    for column in numeric:
        if column not in missing:
            # Contiguous, because numpy rounds the last bit of a sine differently on strided views.
            numbers[column] = np.ascontiguousarray(leads[column].to_numpy(dtype=np.float64))
            bad = np.flatnonzero(~np.isfinite(numbers[column]) | (numbers[column] < 0))
            if len(bad):
                first = int(bad[0])
                findings.append(_finding(column, "must be a number >= 0", first, numbers[column][first], len(bad)))
    if findings:
        raise TableError(findings)
    return Codes(
        **codes,
        size=size_band(numbers["company_size"]),
        engagement=(numbers["engagement"] - 50) / 15,
        visits=(np.log1p(numbers["visits"]) - 1.6) / 0.8,
        age=(np.log1p(numbers["years_in_business"]) - 2.5) / 0.7,
    )


def _finding(column: str, message: str, row: int | None = None, value: object = None, count: int = 1) -> Finding:
    line = None if row is None else row + 1
    return Finding(severity="error", table="leads", column=column, message=message, row=line, value=value, count=count)


def size_band(company_size: Floats) -> Ints:
    """0 small, 1 medium, 2 large, 3 enterprise, by number of employees."""
    return np.searchsorted(SIZE_EDGES, company_size, side="right").astype(np.int64)


def draw_companies(stream: Stream, n: int) -> pd.DataFrame:
    """Draw n companies: country, region, industry, company_size, company_revenue, years_in_business."""
    place = stream.choice([place.weight for place in PLACES], n)
    size = stream.choice(SIZE_WEIGHTS, n)
    low, high = np.array(SIZE_LOW, dtype=float)[size], np.array(SIZE_HIGH, dtype=float)[size]
    employees = np.floor(low * (high / low) ** stream.uniform(n))
    revenue = employees * 150_000 * np.exp(0.5 * stream.normal(n))
    return pd.DataFrame(
        {
            "country": [PLACES[p].country for p in place],
            "region": [PLACES[p].region for p in place],
            "industry": [INDUSTRIES[i] for i in stream.choice(INDUSTRY_WEIGHTS, n)],
            "company_size": employees,
            "company_revenue": np.round(revenue, -4),
            "years_in_business": np.floor(np.exp(np.clip(2.5 + 0.7 * stream.normal(n), 0.0, 4.8))) - 1,
        }
    )


def draw_inquiries(stream: Stream, companies: pd.DataFrame) -> pd.DataFrame:
    """One lead a row of companies: the company's columns, product, source, language, effort, engagement, visits."""
    n = len(companies)
    size = size_band(companies["company_size"].to_numpy(dtype=np.float64))
    spoken = {place.country: place.language for place in PLACES}
    local = stream.uniform(n) < np.array(LOCAL_LANGUAGE_SHARE)[size]
    leads = companies.reset_index(drop=True)
    leads["product"] = [PRODUCTS[p] for p in stream.choice(PRODUCT_WEIGHTS, n)]
    leads["source"] = [SOURCES[s] for s in stream.choice(SOURCE_WEIGHTS, n)]
    leads["language"] = [spoken[c] if own else "en" for c, own in zip(leads["country"], local, strict=True)]
    leads["effort"] = np.array(EFFORT_BY_SIZE)[size]
    leads["engagement"] = np.round(np.clip(50 + 15 * stream.normal(n), 0, 100), 1)
    leads["visits"] = np.floor(np.exp(1.6 + 0.8 * stream.normal(n)))
    return leads
