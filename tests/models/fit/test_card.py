from __future__ import annotations

import json

import pytest

from apportion_models.fit import FitModel
from apportion_models.fit.card import card_markdown, fingerprint
from apportion_models.fit.history import read_cases
from tests.models.worlds import World


@pytest.mark.parametrize("rows", [20, 1200])
def test_card_is_plain_json_and_a_page(rows: int) -> None:
    """The card travels as JSON without NaN, and as a page that tells window, evidence and limits."""
    model = FitModel().fit(World().history(rows), World().reps())
    again = json.loads(json.dumps(model.card_, allow_nan=False))
    assert again["training"]["leads"] == rows
    page = card_markdown(model.card_)
    for part in (model.level_, "2024-", "## Limits", "## What there is evidence for", model.evidence_.reason):
        assert part in page
    assert ("Nothing could be tested" in page) == (rows == 20)


def test_fingerprint_is_of_the_data_not_of_their_order() -> None:
    """The same history has the same fingerprint in any order; one changed outcome changes it."""
    history = World().history(100)
    mixed = history.sample(frac=1.0, random_state=0)
    changed = history.copy()
    changed.loc[0, "outcome"] = "lost" if history.loc[0, "outcome"] == "won" else "won"
    one, two, three = (fingerprint(read_cases(table)[0]) for table in (history, mixed, changed))
    assert one == two != three


def test_the_user_may_choose_the_level() -> None:
    """A forced level is used and the card says who chose; the evidence stays what it is."""
    model = FitModel(level="rep x segment").fit(World().history(1200), World().reps())
    assert model.level_ == "rep x segment" and model.card_["level_chosen_by"] == "the user"
    assert not model.evidence_["rep x segment"].held
