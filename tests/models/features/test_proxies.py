"""Proxies are found where they are, and next to never where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.errors import InputError
from apportion_models.features.people import without_proxies
from apportion_models.features.proxies import bands, codes, cramers_v, find_proxies, list_codes

AT = 20_000.0


def staff(seed: int, count: int = 40) -> pd.DataFrame:
    """Reps whose features have nothing to do with their sex or age."""
    rng = np.random.default_rng(seed)
    languages = ["sv", "no", "ar", "fi"]
    return pd.DataFrame(
        {
            "rep_id": [f"R{i:03d}" for i in range(count)],
            "sex": rng.choice(["f", "m"], count),
            "age": rng.integers(22, 64, count).astype(float),
            "level": rng.choice(["junior", "senior", "lead"], count),
            "team_id": rng.choice(["a", "b", "c", "d"], count),
            "start_date": pd.Timestamp(0, tz="UTC") + pd.to_timedelta(AT - rng.exponential(400, count), unit="D"),
            "languages": [tuple(rng.choice(languages, 2, replace=False)) for _ in range(count)],
        }
    )


def refused(reps: pd.DataFrame, **more: object) -> set[str]:
    arguments: dict[str, object] = {"asked": (), "at_days": AT, "override": {}, **more}
    checked = without_proxies(reps, arguments.pop("asked"), **arguments)  # type: ignore[arg-type]
    return set(reps.columns) - set(checked.reps.columns) - {"sex", "age"}


def test_innocent_features_stay() -> None:
    """Of 30 companies without a proxy at most one loses a feature to chance: the level holds over all tests."""
    assert sum(bool(refused(staff(seed))) for seed in range(30)) <= 1


@pytest.mark.parametrize("faults", [0, 2])
def test_proxies_are_found(faults: int) -> None:
    """A category, an entry of a list, and tenure that tell an attribute, with two reps as exceptions or none."""
    reps = staff(1)
    woman = (reps["sex"] == "f").to_numpy()
    mixed = woman.copy()
    mixed[:faults] = ~mixed[:faults]
    assert refused(reps.assign(level=np.where(mixed, "b", "a"))) == {"level"}
    spoken = [(*own, "tagalog") if is_one else own for own, is_one in zip(reps["languages"], mixed, strict=True)]
    assert refused(reps.assign(languages=spoken)) == {"languages"}
    days = np.where(mixed, 20.0, 900.0)
    started = pd.Timestamp(0, tz="UTC") + pd.to_timedelta(AT - days, unit="D")
    assert refused(reps.assign(start_date=started)) == {"start_date"}


def test_a_number_that_tells_age_is_found() -> None:
    """Age is cut into bands; a column that follows it is refused when asked for, as an error that names it."""
    reps = staff(2).assign(points=lambda table: 3.0 * table["age"] + 1.0)
    with pytest.raises(InputError, match="points"):
        without_proxies(reps, ["points"], at_days=AT, override={})
    record = {"points": {"who": "a", "when": "2024-01-01", "why": "b"}}
    assert not refused(reps, asked=["points"], override=record)


def test_tenure_is_judged_by_what_the_ramp_can_tell() -> None:
    """Three or ten years in the job are the same to a ramp of 90 days: such a tenure gives no age away."""
    reps = staff(3)
    days = 365.0 * (reps["age"] - 20) / 4
    started = pd.Timestamp(0, tz="UTC") + pd.to_timedelta(AT - days.to_numpy() - 300, unit="D")
    assert not refused(reps.assign(start_date=started))


def test_too_few_reps_are_told() -> None:
    """With seven reps nothing can be told of proxies, and that is said."""
    checked = without_proxies(staff(4, 7), (), at_days=AT, override={})
    assert {finding.column for finding in checked.findings} == {"sex", "age"}
    assert "too few" in str(checked.findings[0])


def test_no_protected_column_no_test() -> None:
    """Without a protected attribute in the table nothing is tested and nothing dropped."""
    reps = staff(5).drop(columns=["sex", "age"])
    checked = without_proxies(reps, (), at_days=AT, override={})
    assert checked.proxies == () and list(checked.reps.columns) == list(reps.columns)


def test_cramers_v_is_unbiased_and_bounded() -> None:
    """About 0 where two columns have nothing to do with each other, 1 where one tells the other, 0 for one value."""
    rng = np.random.default_rng(0)
    blind = [
        cramers_v(np.histogram2d(rng.integers(0, 3, 60), rng.integers(0, 3, 60), bins=3)[0]).item() ** 2
        for _ in range(300)
    ]
    assert np.mean(blind) < 0.02
    assert cramers_v(np.diag([20.0, 20.0])).item() == pytest.approx(1.0)
    assert cramers_v(np.array([[5.0, 5.0]])).item() == 0.0


def test_codes() -> None:
    """Texts by value, few numbers by value, many in bands, dates in bands, missing ones apart; lists entry by entry."""
    table = pd.DataFrame(
        {
            "text": ["b", None, "a", "b"],
            "few": [2.0, np.nan, 1.0, 2.0],
            "day": pd.to_datetime(["2020-01-01", None, "2021-01-01", "2024-01-01"], utc=True),
        }
    )
    assert codes(table, "text").tolist() == [1, -1, 0, 1]
    assert codes(table, "few").tolist() == [1, -1, 0, 1]
    assert codes(table, "day")[1] == -1
    assert set(bands(np.arange(100.0)).tolist()) == {0, 1, 2, 3}
    assert bands(np.array([np.nan, np.nan])).tolist() == [-1, -1]
    assert [one.tolist() for one in list_codes([frozenset("ab"), frozenset("b")])] == [[1, 0], [1, 1]]


def test_the_strong_come_first_and_the_seed_decides() -> None:
    """The order is by strength; the same seed gives the same p."""
    reps = staff(6)
    sex = codes(reps, "sex")
    features = {"copy": [sex], "team_id": [codes(reps, "team_id")]}
    first, again = (find_proxies(features, {"sex": sex}, seed=3) for _ in range(2))
    assert first == again and first[0].column == "copy" and first[0].strong and not first[1].strong
