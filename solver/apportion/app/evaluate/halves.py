"""Two halves of a history that share no account, drawn by a hash, so that the order of rows decides nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pandas as pd

FEWEST_ACCOUNTS = 50  # fewer accounts make halves too unequal: leads are drawn instead


@dataclass(frozen=True, eq=False)
class Halves:
    """The two parts of the history, and what was drawn: "account" or "lead"."""

    first: pd.DataFrame
    second: pd.DataFrame
    drawn_by: str


def split_history(history: pd.DataFrame, *, seed: int) -> Halves:
    """Halve the history. All rows of a lead, and where accounts are many enough all leads of one, stay together."""
    lead = history["lead_id"].astype(str)
    key, drawn_by = "lead " + lead, "lead"
    if "account_id" in history.columns:
        account = history["account_id"].astype("str").groupby(lead).transform("min")  # rows of one lead may differ
        if account.nunique() >= FEWEST_ACCOUNTS:
            key, drawn_by = ("account " + account.astype(str)).where(account.notna(), key), "account"
    side = {one: _coin(one, seed) for one in key.unique()}
    heads = key.map(side).to_numpy(dtype=bool)
    return Halves(history.loc[heads], history.loc[~heads], drawn_by)


def _coin(key: str, seed: int) -> bool:
    return hashlib.sha256(f"{seed}\0{key}".encode()).digest()[0] % 2 == 0
