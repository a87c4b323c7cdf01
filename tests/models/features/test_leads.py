from __future__ import annotations

import json

import numpy as np
import pandas as pd

from apportion_models.features.leads import SEGMENT_WIDTH, LeadEncoder, one_hot
from tests.models.worlds import World


def test_parts_have_one_group_a_column() -> None:
    """Every column of a design matrix belongs to a variance group; φ starts with the constant."""
    history = World().history(500)
    encoder, notices = LeadEncoder.learn(history, ["company_size", "industry", "score"])
    assert not notices and encoder.columns == ("company_size", "industry", "score")
    lead, segment = encoder.lead_part(history), encoder.segment_part(history)
    assert lead.matrix.shape == (500, len(lead.groups)) and segment.matrix.shape == (500, len(segment.groups))
    assert (segment.matrix[:, 0] == 1).all() and segment.groups[0] == "rep"
    assert np.isfinite(lead.matrix).all()


def test_no_columns_at_all() -> None:
    """A history without attributes has an empty lead part and φ is the constant alone."""
    encoder, _ = LeadEncoder.learn(pd.DataFrame({"lead_id": ["a", "b"]}), [])
    table = pd.DataFrame({"lead_id": ["x", "y", "z"]})
    assert encoder.lead_part(table).matrix.shape == (3, 0)
    assert encoder.segment_part(table).matrix.tolist() == [[1.0]] * 3


def test_segments_stay_within_their_width() -> None:
    """However many columns there are, a rep's posterior stays small, and the usual segments come first."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"c{i}": rng.integers(0, 9, 400).astype(str) for i in range(12)})
    table["industry"] = rng.integers(0, 40, 400).astype(str)
    encoder, _ = LeadEncoder.learn(table, sorted(table.columns))
    assert encoder.segment_part(table).matrix.shape[1] <= SEGMENT_WIDTH
    assert encoder.segment_coders()[0].name == "industry"


def test_json_round_trip_gives_the_same_matrix() -> None:
    """An encoder restored from JSON encodes to the same bytes."""
    world = World()
    history = world.history(300)
    encoder, _ = LeadEncoder.learn(history, ["industry", "score"])
    again = LeadEncoder.from_state(json.loads(json.dumps(encoder.state())))
    leads = world.leads(50)
    assert again.lead_part(leads).matrix.tobytes() == encoder.lead_part(leads).matrix.tobytes()


def test_one_hot_ignores_codes_out_of_range() -> None:
    """A code outside the width gives a row of zeros."""
    assert one_hot(np.array([-1, 0, 2, 1]), 2).tolist() == [[0, 0], [1, 0], [0, 0], [0, 1]]
