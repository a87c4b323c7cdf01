"""What people and earlier batches decided: locks, bans, caps that count, accounts that stay together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tests.solver.cli.conftest import POLICY, Company, call, read_rows

Write = Callable[..., Path]


def test_locks_and_bans_hold_and_are_explained(company: Company, plan: Path, tmp_path: Path, write: Write) -> None:
    """A lead locked to another rep goes there, a banned pair is not made; the reasons say that a person decided."""
    before = read_rows(plan).set_index("lead_id")
    placed = before[before["rep_id"] != ""]
    locked, banned = placed.index[0], placed.index[1]
    rep = next(one for one in placed["rep_id"].unique() if one != placed.loc[locked, "rep_id"])
    table = pd.DataFrame(
        {"lead_id": [locked, banned], "rep_id": [rep, placed.loc[banned, "rep_id"]], "kind": ["lock", "ban"]}
    )
    folder = tmp_path / "out"
    options = company.options(overrides=write("overrides.csv", table))
    called = call("assign", *options, "--out", folder)
    assert called.code == 0, called.err
    rows = read_rows(folder).set_index("lead_id")
    assert rows.loc[locked, "rep_id"] == rep and "lock" in rows.loc[locked, "reason"].lower()
    assert rows.loc[banned, "rep_id"] != placed.loc[banned, "rep_id"]
    assert call("verify", folder, *options).code == 0


def test_an_override_of_nobody_is_refused(company: Company, tmp_path: Path, write: Write) -> None:
    """A lock to a rep that the table lacks is told with column and value."""
    table = pd.DataFrame({"lead_id": ["L-none"], "rep_id": ["R-none"], "kind": ["lock"]})
    called = call("assign", *company.options(overrides=write("o.csv", table)), "--out", tmp_path / "out")
    assert called.code == 3 and "overrides" in called.err and "column 'rep_id'" in called.err and "R-none" in called.err


def test_earlier_batches_count_against_caps(company: Company, plan: Path, tmp_path: Path, write: Write) -> None:
    """With a cap of 6 a day, a rep who got 4 earlier that day gets 2 at most; one who got 6 gets none."""
    policy = write("policy.yaml", POLICY + "capacity: {caps: [{name: six, per: day, at_most: 6}]}\n")
    reps = sorted(set(read_rows(plan)["rep_id"]) - {""})[:2]
    at = "2026-03-02T12:00:00Z"
    given = [reps[0]] * 4 + [reps[1]] * 6
    earlier = pd.DataFrame(
        {"lead_id": [f"E{i}" for i in range(10)], "rep_id": given, "assigned_at": "2026-03-02T09:00:00Z"}
    )
    counts = {}
    for name, more in {"alone": {}, "after": {"earlier": write("earlier.csv", earlier)}}.items():
        called = call("assign", *company.options(policy=policy, at=at, **more), "--out", tmp_path / name)
        assert called.code == 0, called.err
        counts[name] = read_rows(tmp_path / name)["rep_id"].value_counts()
    assert counts["alone"].drop("", errors="ignore").max() <= 6
    assert counts["alone"].get(reps[0], 0) > 2 and counts["alone"].get(reps[1], 0) > 0
    assert counts["after"].get(reps[0], 0) <= 2 and counts["after"].get(reps[1], 0) == 0


def test_leads_of_one_account_go_to_one_rep(company: Company, tmp_path: Path, write: Write) -> None:
    """Twenty accounts of three leads each: each account has one rep, or stays whole in nurture."""
    leads = company.table("leads")
    leads["account_id"] = [f"A{number % 20:02d}" for number in np.arange(len(leads))]
    folder = tmp_path / "out"
    options = company.options(leads=write("leads.csv", leads))
    assert call("assign", *options, "--gap", 0.5, "--out", folder).code == 0
    rows = read_rows(folder)
    assert (rows.groupby("account_id")["rep_id"].nunique() == 1).all()
    assert rows["rep_id"].nunique() > 3
