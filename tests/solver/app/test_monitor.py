"""Monitoring from files: what `apportion assign` wrote, as text, table or folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from apportion.app.monitor import MonitorRequest, assignments_of, monitor_plans, read_plan
from apportion_models import load_mapping
from apportion_models.errors import InputError, UsageError
from tests.models.drift.worlds import world


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(assignments, history) as files; reps are numbered, with leading zeros."""
    folder = tmp_path_factory.mktemp("files")
    plan, history, _ = world(3, days=60, factor=0.4)
    for table in (plan, history):
        table["rep_id"] = table["rep_id"].str.replace("R", "00")
    plan.assign(outcome="assigned", reason="said so").to_csv(folder / "assignments.csv", index=False)
    history.to_csv(folder / "history.csv", index=False)
    return folder / "assignments.csv", folder / "history.csv"


def test_ids_stay_text(files: tuple[Path, Path]) -> None:
    """Rep 001 is no 1: the pairs are found again, and the model that is off is alarmed."""
    table = read_plan(files[0])
    assert set(table["rep_id"]) == {f"00{i}" for i in range(8)}
    report = monitor_plans(MonitorRequest((str(files[0]),), files[1]))
    assert report.ripe > 500 and "conversions" in {alarm.kind for alarm in report.alarms}
    assert not [alarm for alarm in report.alarms if alarm.kind == "records"]


def test_a_folder_a_parquet_file_and_several_are_alike(files: tuple[Path, Path], tmp_path: Path) -> None:
    """The folder that `assign` wrote, the same rows as Parquet, the same rows in two files: the same report."""
    whole = pd.read_csv(files[0], dtype={"rep_id": str})
    whole.to_parquet(tmp_path / "plan.parquet")
    whole.iloc[:500].to_csv(tmp_path / "one.csv", index=False)
    whole.iloc[500:].to_csv(tmp_path / "two.csv", index=False)
    reports = [
        monitor_plans(MonitorRequest(assignments_of(paths), files[1])).sentences()
        for paths in ([files[0].parent], [tmp_path / "plan.parquet"], [tmp_path / "two.csv", tmp_path / "one.csv"])
    ]
    assert reports[0] == reports[1] == reports[2]


def test_what_cannot_be_read_is_told_at_once(files: tuple[Path, Path], tmp_path: Path) -> None:
    """A missing plan and a table that is none: two findings. No plan at all, a model without reps: wrong calls."""
    (tmp_path / "other.csv").write_text("lead_id,colour\nL1,red\n")
    with pytest.raises(InputError) as caught:
        monitor_plans(MonitorRequest((str(tmp_path / "none.csv"), str(tmp_path / "other.csv")), files[1]))
    assert len(caught.value.findings) == 2
    with pytest.raises(UsageError):
        monitor_plans(MonitorRequest((), files[1]))
    with pytest.raises(UsageError, match="--reps"):
        monitor_plans(MonitorRequest((str(files[0]),), files[1], model=tmp_path))


def test_a_plan_under_the_sources_own_names_is_read(files: tuple[Path, Path], tmp_path: Path) -> None:
    """`assign` gives the leads back under the source's names: a mapping reads them, and ids are found without."""
    whole = pd.read_csv(files[0], dtype=str, keep_default_na=False)
    ids = whole.pop("lead_id")
    whole = whole.rename(columns={"industry": "Sector"})
    whole.insert(0, "Lead Number", ids)
    whole.insert(whole.columns.get_loc("rep_id"), "lead_id", ids)
    whole.to_csv(tmp_path / "plan.csv", index=False)
    mapping = load_mapping({"leads": {"columns": {"lead_id": "Lead Number", "industry": "Sector"}}})
    mapped = read_plan(tmp_path / "plan.csv", mapping)
    assert mapped["lead_id"].tolist() == ids.tolist() and "industry" in mapped
    plain = read_plan(tmp_path / "plan.csv")
    assert plain["lead_id"].tolist() == ids.tolist() and {"industry", "Lead Number"} & set(plain.columns)
