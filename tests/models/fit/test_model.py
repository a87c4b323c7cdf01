from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from apportion_models.errors import InputError, TableError
from apportion_models.fit import FitModel
from apportion_models.fit.card import card_markdown
from tests.models.worlds import LAST, World


@pytest.fixture(scope="module")
def strong() -> tuple[World, pd.DataFrame, FitModel]:
    """A world where reps differ, alone and by industry."""
    world = World(rep_sd=0.7, segment_sd=0.7, seed=1)
    history = world.history(6000)
    return world, history, FitModel().fit(history, world.reps())


def test_strong_reps_are_found(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Where reps differ and differ by segment, all three effects hold and the full model is in use."""
    _, _, model = strong
    assert model.level_ == "rep x segment"
    assert [effect.held for effect in model.evidence_.effects] == [True, True, True]
    assert model.evidence_.homogeneity.p_value < 0.001


def test_identical_reps_are_not_told_apart() -> None:
    """Where reps are alike, at most one world in six is called different, and what stays in use moves little."""
    called = 0
    for seed in range(6):
        world = World(seed=seed)
        model = FitModel().fit(world.history(1500), world.reps())
        called += model.evidence_.reps_differ
        assert model.evidence_["lead"].held
        chances = model.predict_fit(world.leads(100), world.reps(), at=LAST)
        assert chances.std(axis=1).mean() < 0.03 < chances.mean(axis=1).std()
    assert called <= 1


def test_estimates_decide_well(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Giving each lead to its best rep by estimate earns most of what the truth would allow beyond the mean rep."""
    world, _, model = strong
    leads = world.draw(600)
    truth, found = world.truth(leads), model.predict_fit(leads, world.reps(), at=LAST)
    chosen = truth[np.arange(600), found.argmax(axis=1)].mean()
    captured = (chosen - truth.mean()) / (truth.max(axis=1).mean() - truth.mean())
    assert captured > 0.75
    assert found.dtype == np.float32 and found.shape == (600, 12)


def test_rows_of_the_history_may_come_in_any_order(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Shuffled history, reps and columns: the same bytes."""
    world, history, model = strong
    mixed = history.sample(frac=1.0, random_state=5)[sorted(history.columns, reverse=True)]
    again = FitModel().fit(mixed, world.reps().sample(frac=1.0, random_state=6))
    leads = world.leads(100)
    one, two = (m.predict_fit(leads, world.reps(), at=LAST) for m in (model, again))
    assert one.tobytes() == two.tobytes()
    assert model.card_ == again.card_


def test_order_of_leads_and_reps_only_permutes(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Permuted tables give the permuted matrix, to the last bit."""
    world, _, model = strong
    leads, reps = world.leads(333), world.reps()
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(333), rng.permutation(12)
    straight = model.predict_fit(leads, reps, at=LAST)
    mixed = model.predict_fit(leads.iloc[rows], reps.iloc[columns], at=LAST)
    assert mixed.tobytes() == np.ascontiguousarray(straight[rows][:, columns]).tobytes()


def test_revenue_is_fit_times_value(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Expected revenue is the product; chunks hold every lead once and agree."""
    world, _, model = strong
    leads, reps = world.leads(250), world.reps()
    fit, value = model.predict_fit(leads, reps, at=LAST), model.predict_deal_value(leads)
    assert value.shape == (250,) and value.dtype == np.float64
    revenue = model.predict_revenue(leads, reps, at=LAST)
    assert revenue.dtype == np.float32 and np.allclose(revenue, fit * value[:, None], rtol=1e-6)
    seen = np.zeros(250, dtype=int)
    for rows, chances, values in model.predict_chunks(leads, reps, at=LAST, rows=64):
        seen[rows] += 1
        assert chances.shape == (rows.size, 12) and np.allclose(chances, fit[rows], atol=1e-6)
        assert (values == value[rows]).all()
    assert (seen == 1).all()


def test_deal_values_follow_the_leads(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Large companies are worth 8,000, small ones 1,000, and the model knows."""
    world, _, model = strong
    leads = world.draw(300)
    value = model.predict_deal_value(leads)
    for size, mean in (("large", 8000.0), ("small", 1000.0)):
        assert value[leads["company_size"].to_numpy() == size].mean() == pytest.approx(mean, rel=0.15)


def test_chances_are_calibrated_out_of_time(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """The card holds the calibration on later leads, and it is good."""
    _, _, model = strong
    measures = model.card_["out_of_time"][model.level_]
    assert measures["calibration_error"] < 0.03 and measures["rows"] > 2500
    assert measures["expected_rate"] == pytest.approx(measures["observed_rate"], abs=0.025)


def history(rows: int = 1200, **changes: object) -> pd.DataFrame:
    return World(seed=2).history(rows).assign(**changes)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (history(outcome="won"), "all 1200 closed leads are won"),
        (history(outcome="lost"), "none of the 1200 closed leads is won"),
        (history(30), "30 closed leads"),
        (history(assigned_at=pd.NaT, created_at=pd.NaT), "no dates"),
        (history(assigned_at=pd.Timestamp("2024-03-01", tz="UTC")), "too short"),
    ],
)
def test_thin_histories_fall_back_and_say_so(table: pd.DataFrame, told: str) -> None:
    """All won, all lost, 30 rows, no dates, one day: the base rate, with the reason in a sentence."""
    model = FitModel().fit(table, World().reps())
    assert model.level_ == "base rate" and told in model.evidence_.reason
    assert all("no such effect is believed" in effect.sentence for effect in model.evidence_.effects)
    chances = model.predict_fit(World().leads(5), World().reps(), at=LAST)
    assert np.ptp(chances) == 0 and 0 < chances[0, 0] < 1


def test_one_rep() -> None:
    """With one rep the lead's effect can hold, the rep's cannot be tested, and the sentences say so."""
    model = FitModel().fit(history(rep_id="R01"), World().reps())
    assert model.level_ == "lead"
    assert not model.evidence_["rep"].tested
    assert any("Only one rep" in sentence for sentence in model.evidence_.sentences)


def test_duplicated_leads_count_once() -> None:
    """Every row twice: the same model as once, and a finding."""
    table, reps, leads = history(), World().reps(), World().leads(20)
    once, twice = FitModel().fit(table, reps), FitModel().fit(pd.concat([table, table]), reps)
    assert once.predict_fit(leads, reps, at=LAST).tobytes() == twice.predict_fit(leads, reps, at=LAST).tobytes()
    assert any("first owner" in finding.message for finding in twice.findings_)


def test_no_attributes_at_all() -> None:
    """A history of ids, dates and outcomes gives a base rate or a rate by rep."""
    bare = World(rep_sd=1.0, seed=3).history(3000)[["lead_id", "rep_id", "assigned_at", "closed_at", "outcome"]]
    model = FitModel().fit(bare, World().reps()[["rep_id"]])
    assert model.level_ == "rep"
    assert model.deal_value_.source == "none"
    assert model.predict_revenue(World().leads(3), World().reps(), at=LAST).shape == (3, 12)


def test_a_leak_is_left_out_and_told() -> None:
    """A column that gives the outcome away is no feature unless it is named."""
    table = history()
    table["signature_days"] = np.where(table["outcome"] == "won", 3.0, np.nan)
    model = FitModel().fit(table, World().reps())
    assert "signature_days" not in model.card_["features"]["lead"]
    assert any(finding.column == "signature_days" for finding in model.findings_)
    kept = FitModel(columns=["signature_days", "score"]).fit(table, World().reps())
    assert "signature_days" in kept.card_["features"]["lead"]


def test_what_was_earned_is_never_a_feature() -> None:
    """The history's deal value is what was earned: a feature of the fit it must not be."""
    model = FitModel().fit(history(), World().reps())
    assert set(model.card_["features"]["lead"]) == {"company_size", "industry", "score"}


def test_protected_attributes_are_refused_and_recorded() -> None:
    """A rep's gender is never used silently: told when present, refused when asked for, on record when overridden."""
    reps = World().reps().assign(gender=["f", "f", "m", "m"] * 3)
    quiet = FitModel(level="rep").fit(history(), reps)
    assert any(finding.column == "gender" for finding in quiet.findings_)
    assert quiet.card_["features"]["rep"] == ["level", "team_id", "tenure"]
    assert quiet.card_["protected"]["refused"] == ["gender"] and "age" in quiet.card_["protected"]["deny_list"]
    with pytest.raises(InputError, match="protected"):
        FitModel(rep_columns=["gender"]).fit(history(), reps)
    record = {"gender": {"who": "works council", "when": "2024-06-01", "why": "audit only"}}
    allowed = FitModel(level="rep", rep_columns=["gender"], override=record).fit(history(), reps)
    assert "gender" in allowed.card_["features"]["rep"]
    assert allowed.card_["protected"]["overrides"] == record
    assert "works council, 2024-06-01: audit only" in card_markdown(allowed.card_)


def test_proxies_are_refused_and_recorded() -> None:
    """A feature that tells the reps' gender is not used, by itself or when asked for, unless somebody puts it on
    record; the predictions then do not depend on it."""
    world = World()
    reps = world.reps()
    reps = reps.assign(gender=np.where(reps["level"] == "senior", "m", "f"), region_code=["n", "s"] * 6)
    model = FitModel(level="rep").fit(history(), reps)
    assert model.card_["features"]["rep"] == ["team_id", "tenure"]
    assert any(finding.column == "level" and "stands for" in finding.message for finding in model.findings_)
    swapped = reps.assign(level=reps["level"].map({"senior": "junior", "junior": "senior"}))
    leads = world.leads(20)
    same = (model.predict_fit(leads, table, at=LAST) for table in (reps, swapped))
    assert next(same).tobytes() == next(same).tobytes()
    with pytest.raises(InputError, match="region_code"):
        FitModel(level="rep", rep_columns=["region_code"]).fit(history(), reps)
    record = {"level": {"who": "works council", "when": "2024-06-01", "why": "pay grades"}}
    allowed = FitModel(level="rep", override=record).fit(history(), reps)
    assert "level" in allowed.card_["features"]["rep"]


def test_declared_columns_are_no_features_even_by_default() -> None:
    """A column that a person declares as protected is left out, also where it is a feature without being asked for."""
    model = FitModel(level="rep", protected=["team_id", "Start_Date"]).fit(history(), World().reps())
    assert model.card_["features"]["rep"] == ["level"] and model.card_["features"]["matches"]
    assert model.card_["protected"]["refused"] == ["start_date", "team_id"]
    skilless = FitModel(level="rep", protected=["skills"]).fit(history(), World().reps())
    assert skilless.card_["features"]["matches"] == []


def test_until_knows_nothing_of_later() -> None:
    """Fitting until a date gives the same as cutting the history there by hand."""
    table, reps = history(2000), World().reps()
    moment = pd.Timestamp("2024-09-01", tz="UTC")
    cut = table[table["assigned_at"] <= moment]
    one = FitModel(level="lead").fit(table, reps, until="2024-09-01").scorer_.beta
    two = FitModel(level="lead").fit(cut, reps, until=moment).scorer_.beta
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize(
    ("parameters", "told"),
    [({"level": "best"}, "'level'"), ({"margin": -1.0}, "'margin'"), ({"gap_days": float("nan")}, "'gap_days'")],
)
def test_parameters_are_checked_at_fit(parameters: dict[str, object], told: str) -> None:
    """A wrong parameter is named with what it must be."""
    with pytest.raises(InputError, match=told):
        FitModel(**parameters).fit(history(50), World().reps())  # type: ignore[arg-type]


def test_tables_are_checked_at_the_border(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """Missing id columns, doubled ids and unreadable dates are refused with their place."""
    world, table, model = strong
    leads, reps = world.leads(3), world.reps()
    with pytest.raises(TableError, match="reps, row 2, column 'rep_id'"):
        FitModel().fit(table, reps.assign(rep_id="R00"))
    with pytest.raises(TableError, match="leads, column 'lead_id'"):
        model.predict_fit(leads.drop(columns="lead_id"), reps, at=LAST)
    with pytest.raises(TableError, match="leads, row 2"):
        model.predict_fit(leads.assign(lead_id="same"), reps, at=LAST)
    for when in ("soon", None, pd.NaT):
        with pytest.raises(InputError, match="'at' must be a date"):
            model.predict_fit(leads, reps, at=when)
    with pytest.raises(InputError, match="rows"):
        next(model.predict_chunks(leads, reps, at=LAST, rows=0))


def test_absent_columns_are_told(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """A column that the model uses and the leads lack counts as missing, and can be asked for beforehand."""
    world, _, model = strong
    assert model.check_leads(world.leads(3)) == ()
    findings = model.check_leads(world.leads(3).drop(columns="score"))
    assert [finding.column for finding in findings] == ["score"]


def test_empty_tables_give_empty_matrices(strong: tuple[World, pd.DataFrame, FitModel]) -> None:
    """No leads or no reps is an answer of the right shape."""
    world, _, model = strong
    assert model.predict_fit(world.leads(3).iloc[:0], world.reps(), at=LAST).shape == (0, 12)
    assert model.predict_fit(world.leads(3), world.reps().iloc[:0], at=LAST).shape == (3, 0)


def test_an_empty_reps_table() -> None:
    """Without a single known rep the history still teaches."""
    model = FitModel().fit(history(400), World().reps().iloc[:0])
    assert np.isfinite(model.predict_fit(World().leads(2), World().reps(), at=LAST)).all()


def test_departed_and_new_reps() -> None:
    """Reps of the history that the reps table lacks still teach; reps without history are scored as peers."""
    world = World(rep_sd=0.5)
    model = FitModel().fit(world.history(2000), world.reps().iloc[:8])
    assert any("not in the reps table" in finding.message for finding in model.findings_)
    assert np.isfinite(model.predict_fit(world.leads(4), world.reps(), at=LAST)).all()


def test_scikit_learn_contract() -> None:
    """__init__ only stores, clone keeps the parameters, and an unfitted model says that it is."""
    model = FitModel(random_state=3, level="lead", columns=("score",))
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        model.predict_deal_value(World().leads(1))


def test_inputs_are_left_as_they_were() -> None:
    """Fitting and scoring change no table."""
    table, reps, leads = history(400), World().reps(), World().leads(10)
    before = [frame.copy(deep=True) for frame in (table, reps, leads)]
    FitModel().fit(table, reps).predict_revenue(leads, reps, at=LAST)
    for frame, copy in zip((table, reps, leads), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
