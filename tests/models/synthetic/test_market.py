from __future__ import annotations

import numpy as np
import pytest

from apportion_models.errors import TableError
from apportion_models.synthetic import World
from apportion_models.synthetic.market import EFFORT_BY_SIZE, PLACES, encode, size_band


def test_size_bands_close_below():
    """A band begins with its edge: 49 is small, 50 medium, 999 large, 1000 enterprise."""
    assert size_band(np.array([2.0, 49, 50, 249, 250, 999, 1000])).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_every_fault_is_named_at_once():
    """A table with several faults is refused with all of them: column, first row, value and what would be right."""
    leads = World().leads(5).drop(columns="visits")
    leads.loc[2, "industry"] = "mining"
    leads.loc[[1, 3], "engagement"] = np.nan
    with pytest.raises(TableError) as caught:
        encode(leads)
    found = {finding.column: finding for finding in caught.value.findings}
    assert set(found) == {"visits", "industry", "engagement"}
    assert (found["industry"].row, found["industry"].value) == (3, "mining")
    assert "software" in found["industry"].message
    assert (found["engagement"].row, found["engagement"].count) == (2, 2)


def test_leads_are_consistent_in_themselves():
    """Country and region belong together, language is English or the country's, effort follows size."""
    leads = World(seed=3).leads(3000)
    places = {(place.country, place.region) for place in PLACES}
    spoken = {place.country: place.language for place in PLACES}
    assert set(zip(leads["country"], leads["region"], strict=True)) == places
    assert all(lang in ("en", spoken[c]) for c, lang in zip(leads["country"], leads["language"], strict=True))
    assert np.array_equal(leads["effort"], np.array(EFFORT_BY_SIZE)[size_band(leads["company_size"].to_numpy())])
    assert leads["engagement"].between(0, 100).all()
    assert leads["score"].between(0, 100).all()
    assert (leads["deal_value"] >= 100).all()
