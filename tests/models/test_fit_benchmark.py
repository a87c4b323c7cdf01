"""The benchmark of decision quality: its worlds are what they say, and it gives rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.workloads import fit, fit_plots
from benchmarks.workloads import fit_worlds as worlds


def test_truth_is_what_happens() -> None:
    """Past leads convert as often as the truth of their pairs says, and reps of strength 0 are alike."""
    world = worlds.World(worlds.WorldSpec(at_random=True), 0)
    table = world.history(40_000)
    leads = world.leads(2000, np.random.default_rng(1))
    tenured = world.hired < 0  # the truth of today holds for them all year, but for the end of their ramp
    mean = world.truth(leads)[:, tenured].mean()
    mine = table["rep_id"].isin([f"R{i:03d}" for i in np.flatnonzero(tenured)])
    assert (table.loc[mine, "outcome"] == "won").mean() == pytest.approx(mean, abs=0.012)
    alike = worlds.World(worlds.WorldSpec(strength=0.0), 0)
    assert np.ptp(alike.truth(leads), axis=1).max() < 1e-12


def test_managers_favour_good_reps() -> None:
    """In the confounded history, better reps have the better leads beyond what any column tells."""
    shares = []
    for at_random in (False, True):
        world = worlds.World(worlds.WorldSpec(strength=0.0, at_random=at_random), 3)
        table = world.history(20_000)
        rate = (table["outcome"] == "won").groupby(table["rep_id"]).mean()
        level = world.level[[int(rep[1:]) for rep in rate.index]]
        shares.append(rate[level == 2].mean() / rate[level == 0].mean())
    assert shares[0] > 1.3 and shares[1] == pytest.approx(1.0, abs=0.12)


@pytest.mark.slow
def test_a_small_run_gives_rows() -> None:
    """Every model is measured on the same worlds, with intervals, and the same run gives the same rows."""
    rows, again = (fit.run(0.01, only="known form 1000") for _ in range(2))
    timeless = [[row for row in some if row["measure"] != "cpu_seconds"] for some in (rows, again)]
    assert timeless[0] == timeless[1]
    measured = {row["model"] for row in rows if row["measure"] == "captured"}
    assert measured == {fit.OURS, *fit.RIVALS} and all(row["low"] <= row["mean"] <= row["high"] for row in rows)


def test_the_command_keeps_rows_and_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--quick --out` leaves the rows, and one page with a figure for each measure and world, that works offline."""

    def quick(spec: worlds.WorldSpec, rows: int, seed: int, models: object) -> dict[str, dict[str, float]]:
        return {fit.OURS: {"captured": 0.2 + 0.01 * seed, "optimism": 0.1}, "a rival": {"captured": 0.1}}

    monkeypatch.setattr(fit, "quality", quick)
    fit.main(["--quick", "--only", "known form 1000", "--out", str(tmp_path)])
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["model"], row["measure"], row["seeds"]) for row in rows] == [
        (fit.OURS, "captured", 2),
        (fit.OURS, "optimism", 2),
        ("a rival", "captured", 2),
    ]
    page = (tmp_path / "plots.html").read_text(encoding="utf-8")
    assert page.count('id="plot-') == 2 and "a rival" in page and "Captured" in page and "Optimism" in page
    assert fit_plots.write([], tmp_path / "none").exists()
