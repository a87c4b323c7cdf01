"""Hostile histories through `evaluate`: each gives a clear answer, and no claim that the data cannot carry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apportion.app.evaluate import EvaluateReport, EvaluateRequest, evaluate
from apportion.app.sources import Sources
from apportion_models.errors import InputError
from benchmarks.claims import PLAIN, small_world

WORLD = small_world(3, 1.0)
REPS = WORLD.reps()
FIRST, OTHER = REPS["rep_id"].iloc[0], REPS["rep_id"].iloc[1]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "policy.yaml"
    path.write_text(PLAIN)
    return path


@pytest.fixture
def history() -> pd.DataFrame:
    return WORLD.history(500)


def asked(policy: Path, history: pd.DataFrame, *, reps: pd.DataFrame = REPS, new: bool = True) -> EvaluateReport:
    leads = WORLD.leads(30) if new else None
    sources = Sources(leads=leads, reps=reps, history=history)
    return evaluate(EvaluateRequest(sources, policy, at=WORLD.at if new else None, placebo=False))


def text(found: EvaluateReport) -> str:
    return " ".join(found.sentences())


def closed(history: pd.DataFrame) -> pd.DataFrame:
    """The leads that are older than a week, closed a day after they were assigned."""
    old = history[history["assigned_at"] < WORLD.at - pd.Timedelta(days=7)]
    return old.assign(closed_at=old["assigned_at"] + pd.Timedelta(days=1))


@pytest.mark.parametrize(("outcome", "says"), [("lost", "none of the "), ("won", "closed leads are won")])
def test_one_outcome_only(policy: Path, history: pd.DataFrame, outcome: str, says: str) -> None:
    """No conversion at all, or every lead converts: no value of any plan is told, and why."""
    found = asked(policy, closed(history).assign(outcome=outcome, deal_value=100.0 if outcome == "won" else np.nan))
    assert found.value is None and says in str(found.not_applicable)
    assert found.sentences()[0].startswith("The value of a plan: not applicable, because the history is too thin")


@pytest.mark.slow
def test_one_rep(policy: Path, history: pd.DataFrame) -> None:
    """Nobody can be compared: nothing is gained by who gets which lead, whatever else a plan may do better."""
    found = asked(policy, history.assign(rep_id=FIRST), reps=REPS.iloc[:1])
    assert found.value is not None and found.value.share is None
    assert all(abs(one.matching.value) < 1e-6 for one in found.value.comparisons)
    assert "To the models all reps are alike" in text(found) and "Only one rep has closed leads" in text(found)
    assert "there is no evidence that reps differ" in found.doubts and found.checks.past is None


def test_a_rep_with_one_lead_a_leak_a_constant_and_rows_that_stand_twice(policy: Path, history: pd.DataFrame) -> None:
    """The star of one won lead is no star; a leak and a constant are named and left out; equal rows are read once."""
    star = closed(history).iloc[[-1]].assign(lead_id="star", rep_id=FIRST, outcome="won", deal_value=5000.0)
    table = pd.concat([history[history["rep_id"] != FIRST], star])
    table = table.assign(planet="earth", signed=np.where(table["outcome"] == "won", "yes", "no"))
    found = asked(policy, pd.concat([table, table.iloc[:100]]))
    told = text(found)
    assert "'signed'" in told and "Suspected leak" in told and "'planet'" in told and "same value" in told
    assert not {"signed", "planet"} & set(found.model.card_["features"]["lead"])
    assert "row stands more than once; read once" in told and "(100 rows.)" in told
    rates = found.model.evidence_.rates.set_index("rep_id")
    assert rates.loc[FIRST, "raw_rate"] == 1.0 and rates.loc[FIRST, "shrunk_rate"] < 0.5
    assert found.out_of_time["auc"] < 0.9


def test_leads_listed_twice_with_other_reps_are_refused(policy: Path, history: pd.DataFrame) -> None:
    """Whose lead it was nobody can tell: the row, the column and the way out are named."""
    again = history[history["rep_id"] != OTHER].iloc[:50].assign(rep_id=OTHER)
    with pytest.raises(
        InputError, match=r"row 501, column 'lead_id'.*differ in rep_id.*\(50 rows.\) Keep the right row"
    ):
        asked(policy, pd.concat([history, again]))


def test_a_date_in_the_future(policy: Path, history: pd.DataFrame) -> None:
    """One lead of 2031: its "latest month" has one lead, which is too few, and the note names the date to mend."""
    odd = np.arange(len(history)) == 5
    for column in ("assigned_at", "closed_at"):
        history[column] = history[column].where(~odd, pd.Timestamp("2031-01-02", tz="UTC"))
    found = asked(policy, history, new=False)
    told = text(found)
    assert found.value is None and "the batch has 1 lead, and 20 are the least" in str(found.not_applicable)
    assert "To be planned were the leads that the history saw assigned from 2030-12-04 to 2031-01-02" in told
    assert "2031-01-02" in told and "far after all others" in told and "Mend the date" in told


def test_history_shorter_than_the_sales_cycle(policy: Path, history: pd.DataFrame) -> None:
    """Three weeks of leads, hardly one closed: nothing is told, and that the history is short is said."""
    young = WORLD.history(3000)
    young = young[young["assigned_at"] > WORLD.at - pd.Timedelta(days=21)]
    found = asked(policy, young)
    assert found.value is None and "too thin" in str(found.not_applicable)
    assert "short against the sales cycle" in text(found)


@pytest.mark.slow
def test_a_shift_of_the_base_rate(policy: Path) -> None:
    """The rate doubles half way: the note says both rates, and no gain by who gets which lead is claimed of it."""
    table = WORLD.history(900)
    late = (table["assigned_at"] > WORLD.at - pd.Timedelta(days=180)) & (table["outcome"] == "lost")
    now_won = late & (np.random.default_rng(0).random(len(table)) < 0.5)
    table["outcome"] = table["outcome"].where(~now_won, "won")
    table["deal_value"] = table["deal_value"].where(~now_won, 5000.0)
    found = asked(policy, table)
    assert "the base rate moved" in text(found) and found.doubts
    assert found.out_of_time["observed_rate"] > found.out_of_time["expected_rate"] + 0.1
