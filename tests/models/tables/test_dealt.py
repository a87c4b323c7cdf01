"""How a past lead was dealt: columns of the history without which plans cannot be judged honestly later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from apportion_models.errors import TableError
from apportion_models.fit import FitModel
from apportion_models.policy_value.past import see
from apportion_models.tables import data_dictionary, read_history
from tests.models.worlds import LAST, World

HEAD = "lead_id,rep_id,assigned_at,outcome,propensity,holdout\n"


def read(folder: Path, *rows: str) -> list[list[object]]:
    path = folder / "history.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    table = read_history(path)
    return [table["propensity"].tolist(), table["holdout"].tolist()]


def test_chances_and_flags_are_read(tmp_path: Path) -> None:
    """A chance is a number or missing, a holdout a flag in the usual words."""
    chance, holdout = read(
        tmp_path,
        "L1,R1,2025-01-01,won,0.25,yes",
        "L2,R1,2025-01-02,lost,1,no",
        "L3,R2,2025-01-03,lost,,",
    )
    assert chance[:2] == [0.25, 1.0] and np.isnan(chance[2])  # type: ignore[call-overload]
    assert [bool(one) for one in holdout[:2]] == [True, False]


def test_what_is_no_chance_is_refused(tmp_path: Path) -> None:
    """Above 1 and below 0 there is none: row, column and value are named, all at once."""
    with pytest.raises(TableError) as caught:
        read(tmp_path, "L1,R1,2025-01-01,won,1.5,yes", "L2,R1,2025-01-02,lost,-0.1,no")
    found = caught.value.findings
    assert {finding.column for finding in found} == {"propensity"}
    assert "1.5" in str(caught.value)


def test_a_file_reaches_the_evaluation_and_no_feature(tmp_path: Path) -> None:
    """Written as text and read again, they mark the leads dealt by chance, and the fit does not learn from them."""
    world = World(seed=3)
    table = world.history(600).assign(propensity=np.tile([0.5, 1.0], 300), holdout=np.tile(["yes", "", "", ""], 150))
    path = tmp_path / "history.csv"
    table.drop(columns="company_size").to_csv(path, index=False)
    history = read_history(path)
    model = FitModel(level="lead").fit(history, world.reps())
    assert not {"propensity", "holdout"} & set(model.card_["features"]["lead"])
    seen = see(model, history, world.reps(), valued_by=model, until=LAST, by_account=False, most=1000)
    assert seen.randomised.mean() == pytest.approx(0.5) and np.nanmin(seen.logged) == 0.5


def test_the_page_says_what_to_log() -> None:
    """The dictionary tells what must be logged, by name."""
    part = data_dictionary().split("## What to log")[1].split("\n## ")[0]
    assert "`propensity`" in part and "`holdout`" in part and "`arm`" in part
