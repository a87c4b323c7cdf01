from __future__ import annotations

import numpy as np
import pandas as pd

from apportion_models.features.leaks import find_leaks

RNG = np.random.default_rng(0)
OUTCOME = (RNG.random(600) < 0.3).astype(np.int8)


def found(**columns: object) -> set[str]:
    table = pd.DataFrame(columns)
    return set(find_leaks(table, list(table.columns), OUTCOME[: len(table)]))


def test_columns_that_give_the_outcome_away_are_found() -> None:
    """A reason noted on lost leads, a count that only won ones reach, a number filled in on wins: all leak."""
    assert found(reason=np.where(OUTCOME == 1, None, "price")) == {"reason"}
    assert found(meetings=OUTCOME * 5.0 + RNG.random(600)) == {"meetings"}
    assert found(contract=np.where(OUTCOME == 1, 7.0 + RNG.random(600), np.nan)) == {"contract"}


def test_honest_columns_are_not_suspected() -> None:
    """Noise, a useful score, and an id-like column with many levels are no leaks."""
    useful = OUTCOME + RNG.normal(0, 1.0, 600)
    assert found(noise=RNG.normal(size=600), useful=useful, many=[f"v{i}" for i in range(600)]) == set()


def test_columns_filled_in_at_closing_are_found() -> None:
    """Missing on open leads and filled in on closed ones: a new lead cannot have it, whatever it says."""
    outcome = OUTCOME.copy()
    outcome[-200:] = -1
    table = pd.DataFrame({"sector": np.where(outcome < 0, None, "x")})
    findings = find_leaks(table, ["sector"], outcome)
    assert "open leads" in findings["sector"].message and findings["sector"].severity == "notice"


def test_too_few_rows_claim_nothing() -> None:
    """A handful of rows is told apart by any column."""
    assert found(perfect=OUTCOME[:30].astype(float)) == set()
