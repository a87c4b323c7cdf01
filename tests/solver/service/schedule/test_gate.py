"""A new model goes live only if it is not worse on leads that neither has seen; each slot is learnt once."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from apportion.policy import load_policy
from apportion.service.schedule import Slot, learning
from apportion.service.schedule.gate import FEWEST, judge
from apportion.service.schedule.learning import learn_anew, learnt_lately, learnt_since
from apportion.service.store import Store, Tx
from apportion_models import FitModel, read_history
from tests.solver.service import tables
from tests.solver.service.conftest import FakeClock

END = pd.Timestamp("2026-03-01", tz="UTC")
SLOT = Slot(dt.datetime(2026, 3, 2, 7, tzinfo=dt.UTC), "retrain", "retrain")


def _history(*, leads: int = 900, flipped_after: float = 1.0) -> pd.DataFrame:
    """A year of leads; those with a high score win. From a share of the year on, won and lost are exchanged."""
    rng = np.random.default_rng(3)
    score = rng.integers(0, 101, leads)
    won = rng.random(leads) < 0.1 + 0.6 * (score > 50)
    place = np.arange(leads) / leads
    won = np.where(place < flipped_after, won, ~won)
    given = [END - pd.Timedelta(days=float(day)) for day in np.linspace(360, 12, leads)]
    rows = {
        "lead_id": [f"H{number}" for number in range(leads)],
        "created_at": given,
        "assigned_at": given,
        "closed_at": [time + pd.Timedelta(days=5) for time in given],
        "rep_id": [f"R{number % 5 + 1}" for number in range(leads)],
        "score": score.astype(float),
        "outcome": np.where(won, "won", "lost"),
        "deal_value": np.where(won, 1000.0, np.nan),
    }
    return read_history(pd.DataFrame(rows))


REPS = tables.reps(5)


def _in_use(history: pd.DataFrame, days_ago: float = 120) -> FitModel:
    return FitModel(random_state=0).fit(history, REPS, until=END - pd.Timedelta(days=days_ago))


def test_a_model_of_the_same_history_is_not_worse() -> None:
    """Learnt from the same leads up to the same day, it is nearly the same model: it passes, on all leads since."""
    history = _history()
    verdict = judge(history, REPS, in_use=_in_use(history), tolerance=0.01)
    assert verdict.live
    assert verdict.rows > FEWEST
    assert verdict.new == pytest.approx(verdict.used, rel=0.01)
    assert "Log loss on" in verdict.why


def test_a_damaged_history_does_not_get_in() -> None:
    """Somebody exchanged won and lost in the past: what is learnt from it is worse on the leads since."""
    whole = _history()
    damaged = whole.copy()
    old = pd.to_datetime(damaged["assigned_at"], utc=True) < END - pd.Timedelta(days=120)
    damaged.loc[old, "outcome"] = damaged.loc[old, "outcome"].map({"won": "lost", "lost": "won"})
    damaged.loc[old & (damaged["outcome"] == "won"), "deal_value"] = 1000.0
    damaged.loc[old & (damaged["outcome"] == "lost"), "deal_value"] = np.nan
    verdict = judge(damaged, REPS, in_use=_in_use(whole), tolerance=0.05)
    assert not verdict.live
    assert verdict.new is not None and verdict.used is not None and verdict.new > 1.2 * verdict.used
    assert "worse by more than 5.0%" in verdict.why


def test_too_few_new_leads_change_nothing() -> None:
    """What cannot be compared does not go live, and says why."""
    history = _history()
    verdict = judge(history, REPS, in_use=_in_use(history, days_ago=20), tolerance=0.0)
    assert not verdict.live and verdict.new is None
    assert f"{FEWEST} are needed" in verdict.why


def _store_with(store: Store, model: FitModel | None) -> None:
    with store.write() as tx:
        tx.reps.upsert(REPS)
        tx.policies.activate(tx.policies.add(load_policy({"schedule": {"retrain": {"cron": "0 7 * * *"}}})).version)
        if model is not None:
            tx.models.activate(tx.models.add(model).version)


def test_the_first_model_goes_live_and_a_slot_is_learnt_once(store: Store, clock: FakeClock) -> None:
    """The second time the slot is answered already; afterwards nothing before is due."""
    _store_with(store, None)
    first = learn_anew(store, SLOT, owner="a", histories=lambda tx: _history())
    assert first is not None and first.live and first.version is not None
    assert learn_anew(store, SLOT, owner="b", histories=lambda tx: _history()) is None
    with store.read() as tx:
        assert tx.models.active_version() == first.version
        assert learnt_since(tx) == clock()


def test_a_model_that_passes_goes_live_and_can_be_taken_back(store: Store) -> None:
    """A roll-back brings the one before into use again; a model that does not pass is kept, and not used."""
    history = _history()
    _store_with(store, _in_use(history))
    good = learn_anew(store, SLOT, owner="a", histories=lambda tx: history)
    assert good is not None and good.live
    with store.write() as tx:
        assert tx.models.active_version() == good.version
        before = tx.models.roll_back()
        assert tx.models.active_version() == before != good.version


def test_what_was_activated_meanwhile_stays(store: Store) -> None:
    """Learning takes minutes; what a person chose in them is not undone by a model that was compared with another."""
    history = _history()
    _store_with(store, _in_use(history))

    real, chosen = learning._learn, list[int]()

    def learn(there: Store, histories: learning.Histories) -> object:
        done = real(there, histories)
        with there.write(actor="operator") as tx:
            chosen.append(tx.models.add(tables.model()).version)
            tx.models.activate(chosen[0])
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learning, "_learn", learn)
        learnt = learn_anew(store, SLOT, owner="a", histories=lambda tx: history)
    assert learnt is not None and learnt.version is not None and not learnt.live
    assert "another model was activated" in learnt.why
    with store.read() as tx:
        assert tx.models.active_version() == chosen[0]


def test_a_bug_in_learning_is_told_and_not_tried_each_hour(store: Store) -> None:
    """The slot is answered, with the kind of the error and none of its words, which may hold cells."""
    _store_with(store, None)

    def broken(tx: Tx) -> pd.DataFrame:
        raise ZeroDivisionError("Anna")

    with pytest.raises(ZeroDivisionError):
        learn_anew(store, SLOT, owner="a", histories=broken)
    assert learn_anew(store, SLOT, owner="b", histories=broken) is None
    with store.read() as tx:
        (learnt,) = learnt_lately(tx)
    assert "ZeroDivisionError" in learnt.why and "Anna" not in learnt.why and not learnt.live


def test_a_history_that_cannot_be_learnt_from_changes_nothing(store: Store) -> None:
    """The model in use stays; the reason is told; another runner does not try the same slot again."""
    history = _history()
    _store_with(store, _in_use(history))
    with store.read() as tx:
        before = tx.models.active_version()
    bad = learn_anew(store, SLOT, owner="a", histories=lambda tx: history.drop(columns="outcome"))
    assert bad is not None and not bad.live and bad.version is None
    assert bad.why.startswith("Could not be learnt:")
    assert learn_anew(store, SLOT, owner="b", histories=lambda tx: history) is None
    with store.read() as tx:
        assert tx.models.active_version() == before


def test_what_the_policy_protects_is_no_feature_of_a_model_learnt_anew(store: Store) -> None:
    """Nobody looks on when it is learnt: the policy in use decides, as it does for `assign`."""
    protecting = {"schedule": {"retrain": {"cron": "0 7 * * *"}}, "protected": {"columns": ["hue"]}}
    coloured = REPS.assign(hue=["red", "blue"] * (len(REPS) // 2) + ["red"] * (len(REPS) % 2))
    with store.write() as tx:
        tx.reps.upsert(coloured)
        tx.policies.activate(tx.policies.add(load_policy(protecting)).version)
    learnt = learn_anew(store, SLOT, owner="a", histories=lambda tx: _history())
    assert learnt is not None and learnt.version is not None
    with store.read() as tx:
        model = tx.models.load(learnt.version)
    assert "hue" not in [coder.name for coder in model.scorer_.reps.coders]
    assert "hue" in json.dumps(model.card_["protected"])


def test_one_that_died_while_learning_is_replaced(store: Store, clock: FakeClock) -> None:
    """Not while it may still be learning."""
    _store_with(store, None)
    with store.write() as tx:
        assert not learning._reserve(tx, SLOT)
    assert learn_anew(store, SLOT, owner="b", histories=lambda tx: _history()) is None
    clock.turn(learning.LONGEST + 1)
    learnt = learn_anew(store, SLOT, owner="b", histories=lambda tx: _history())
    assert learnt is not None and learnt.live


def test_the_store_s_own_past_is_a_history(store: Store) -> None:
    """Who was given which lead first, and what became of it; a lead without outcome is open."""
    from apportion.service.schedule.history import given_of, history_of, reps_of
    from apportion.service.store import Placement

    with store.write() as tx:
        tx.reps.upsert(REPS)
        tx.leads.upsert(tables.leads(3))
        leads, reps = tx.leads.keys(["L0001", "L0002", "L0003"]), tx.reps.keys(["R1", "R2"])
        placed = [
            Placement(lead_key=leads["L0001"], rep_key=reps["R1"], outcome="assigned", told={}, fit=0.3,
                      expected_revenue=300.0),
            Placement(lead_key=leads["L0002"], rep_key=reps["R2"], outcome="assigned", told={}, fit=0.2,
                      expected_revenue=200.0),
            Placement(lead_key=leads["L0003"], rep_key=None, outcome="nurture", told={}),
        ]  # fmt: skip
        tx.assignments.add(placed, origin="route", at=tables.START)
        outcome = {
            "lead_id": ["L0001"],
            "outcome": ["won"],
            "closed_at": ["2026-03-05T00:00:00Z"],
            "deal_value": [900.0],
        }
        tx.outcomes.upsert(pd.DataFrame(outcome))

    def told(tx: Tx) -> pd.DataFrame:
        return history_of(tx).set_index("lead_id")

    with store.read() as tx:
        history, given, reps_then = told(tx), given_of(tx), reps_of(tx)
    assert list(history.index) == ["L0001", "L0002"] or set(history.index) == {"L0001", "L0002"}
    assert history.loc["L0001", "outcome"] == "won" and history.loc["L0001", "deal_value"] == 900.0
    assert history.loc["L0002", "outcome"] == "open" and history.loc["L0002", "rep_id"] == "R2"
    assert np.isnan(history.loc["L0002", "deal_value"])
    assert list(given["fit"]) == [0.3, 0.2] and len(reps_then) == 5
