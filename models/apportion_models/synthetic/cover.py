"""The sample company's territories and teams, and who sits where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from apportion_models.synthetic.market import MARKET_OF_REGION


class Territory(NamedTuple):
    """A named set of leads; `predicate` is the words in which a policy would state it."""

    territory: str
    name: str
    team_id: str
    predicate: str


class Seat(NamedTuple):
    """A place in the company: the team, the cover, and what whoever sits there speaks. A rep fills each seat."""

    team_id: str
    country: str
    time_zone: str
    languages: str
    primary: str
    overflow: str


ENTERPRISE_FROM = 1000
TERRITORIES = (
    Territory("nordics", "Nordics", "T1", "country in ['SE', 'NO', 'DK', 'FI'] and company_size < 1000"),
    Territory("uk_ireland", "UK & Ireland", "T2", "country in ['GB', 'IE'] and company_size < 1000"),
    Territory("dach", "DACH", "T3", "country in ['DE', 'AT', 'CH'] and company_size < 1000"),
    Territory("france_benelux", "France & Benelux", "T3", "country in ['FR', 'NL', 'BE'] and company_size < 1000"),
    Territory("south_europe", "Southern Europe", "T3", "country in ['ES', 'IT', 'PT'] and company_size < 1000"),
    Territory("us_east", "US East", "T4", "region in ['Northeast', 'South'] and company_size < 1000"),
    Territory("us_west", "US West & Canada", "T4", "region in ['Midwest', 'West', 'Canada'] and company_size < 1000"),
    Territory("enterprise", "Enterprise", "T5", "company_size >= 1000"),
)
TEAMS = (
    ("T1", "Nordics", "M1", "Sigrid Aalto"),
    ("T2", "UK & Ireland", "M2", "Olu Bennett"),
    ("T3", "Continental", "M3", "Katrin Moreau"),
    ("T4", "Americas", "M4", "Luis Carver"),
    ("T5", "Enterprise", "M5", "Anand Whitlock"),
)
_SE, _NO, _DK, _FI = "Europe/Stockholm", "Europe/Oslo", "Europe/Copenhagen", "Europe/Helsinki"
_GB, _IE, _DE, _FR = "Europe/London", "Europe/Dublin", "Europe/Berlin", "Europe/Paris"
_NL, _ES, _IT, _NY = "Europe/Amsterdam", "Europe/Madrid", "Europe/Rome", "America/New_York"
_CHI, _LA = "America/Chicago", "America/Los_Angeles"
ENTERPRISE_SEATS = (
    Seat("T5", "SE", _SE, "en;sv;no;da", "enterprise", "nordics"),
    Seat("T5", "FI", _FI, "en;fi;sv", "enterprise", "nordics"),
    *(Seat("T5", "GB", _GB, "en", "enterprise", "uk_ireland"),) * 2,
    *(Seat("T5", "DE", _DE, "en;de", "enterprise", "dach"),) * 2,
    Seat("T5", "FR", _FR, "en;fr;nl", "enterprise", "france_benelux"),
    Seat("T5", "NL", _NL, "en;nl;de", "enterprise", "france_benelux"),
    Seat("T5", "ES", _ES, "en;es;pt", "enterprise", "south_europe"),
    Seat("T5", "IT", _IT, "en;it;es", "enterprise", "south_europe"),
    *(Seat("T5", "US", _NY, "en", "enterprise", "us_east;us_west"),) * 2,
)
OTHER_SEATS = (
    *(Seat("T1", "SE", _SE, "en;sv;no", "nordics", "uk_ireland"),) * 3,
    *(Seat("T1", "NO", _NO, "en;no;sv", "nordics", "uk_ireland"),) * 2,
    *(Seat("T1", "DK", _DK, "en;da;no", "nordics", ""),) * 2,
    *(Seat("T1", "FI", _FI, "en;fi;sv", "nordics", ""),) * 2,
    *(Seat("T2", "GB", _GB, "en", "uk_ireland", "us_east"),) * 4,
    *(Seat("T2", "GB", _GB, "en", "uk_ireland", "nordics"),) * 4,
    *(Seat("T2", "IE", _IE, "en", "uk_ireland", "us_east"),) * 2,
    *(Seat("T3", "DE", _DE, "en;de", "dach", "france_benelux"),) * 5,
    *(Seat("T3", "CH", "Europe/Zurich", "en;de;fr", "dach", "france_benelux"),) * 2,
    *(Seat("T3", "FR", _FR, "en;fr", "france_benelux", "dach"),) * 3,
    *(Seat("T3", "NL", _NL, "en;nl;de", "france_benelux", "dach"),) * 2,
    *(Seat("T3", "ES", _ES, "en;es;pt", "south_europe", "france_benelux"),) * 2,
    *(Seat("T3", "IT", _IT, "en;it;fr", "south_europe", "france_benelux"),) * 2,
    *(Seat("T4", "US", _NY, "en", "us_east", "us_west"),) * 7,
    *(Seat("T4", "US", _CHI, "en", "us_west", "us_east"),) * 2,
    *(Seat("T4", "US", _LA, "en;es", "us_west", "us_east"),) * 4,
)
LEAVERS = 3


def territory_of(leads: pd.DataFrame) -> np.ndarray:
    """The territory of each lead, (L,), by the predicates above; they overlap nowhere and leave nothing out."""
    home = leads["region"].map(MARKET_OF_REGION).to_numpy(dtype=object)
    return np.where(leads["company_size"].to_numpy() >= ENTERPRISE_FROM, "enterprise", home)


def teams_frame() -> pd.DataFrame:
    """The teams as a table: team_id, name, manager_id, manager_name."""
    return pd.DataFrame(TEAMS, columns=["team_id", "name", "manager_id", "manager_name"])
