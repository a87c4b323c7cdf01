"""The sample company's accounts: made-up companies, some owning others, the best customers with an owner."""

from __future__ import annotations

import numpy as np
import pandas as pd

from apportion_models.synthetic import cover, market
from apportion_models.synthetic.draws import Ints, Stream

PARENTS = 250
LARGEST_FAMILY = 4
OWNED = 250
_HEADS = """
Al Bren Cor Dal El Fen Gar Hol Is Jor Kal Lum Mar Nor Ost Pel Quin Ros Sol Tor Ul Ven Wes Yar Zel
""".split()  # noqa: SIM905 - quoted words are harder to read
_MIDDLES = "a be ca de fa ga lo me ni po ra so te vi".split()  # noqa: SIM905
_TAILS = "dane field gate holm land mark nova port ridge stad ton vale wick worth".split()  # noqa: SIM905
_FORMS = {"SE": "AB", "NO": "AS", "DK": "A/S", "FI": "Oy", "GB": "Ltd", "IE": "Ltd", "DE": "GmbH", "AT": "GmbH"}
_FORMS |= {
    "CH": "AG",
    "FR": "SA",
    "NL": "BV",
    "BE": "NV",
    "ES": "SL",
    "IT": "SpA",
    "PT": "Lda",
    "US": "Inc",
    "CA": "Inc",
}


def draw_accounts(stream: Stream, n: int) -> pd.DataFrame:
    """Draw n accounts (at most 4,900): account_id, name, parent_account_id, then the company's columns.

    A subsidiary is in its parent's industry.
    """
    accounts = market.draw_companies(stream, n)
    stems = [head + middle + tail for head in _HEADS for middle in _MIDDLES for tail in _TAILS]
    names = [
        f"{stems[stem]} {_FORMS[c]}"
        for stem, c in zip(stream.permutation(len(stems))[:n], accounts["country"], strict=True)
    ]
    accounts.insert(0, "account_id", [f"A{number + 1:04d}" for number in range(n)])
    accounts.insert(1, "name", names)
    order = stream.permutation(n)
    children = 1 + stream.integers(LARGEST_FAMILY, PARENTS)
    parent = np.full(n, -1)
    members = order[PARENTS : PARENTS + children.sum()]
    parent[members] = np.repeat(order[:PARENTS], children)
    ids, industry = accounts["account_id"].to_numpy(dtype=object), accounts["industry"].to_numpy(dtype=object)
    accounts.insert(2, "parent_account_id", pd.Series(np.where(parent >= 0, ids[parent], np.nan), dtype="str"))
    accounts["industry"] = pd.Series(np.where(parent >= 0, industry[parent], industry), dtype="str")
    return accounts


def draw_visits(stream: Stream, popularity: np.ndarray, n: int) -> Ints:
    """Which account each of n leads belongs to; popular accounts send several."""
    return stream.choice(popularity, n)


def domain(name: str) -> str:
    """The e-mail domain of an account's name."""
    return name.split()[0].lower() + ".example"


def owners(accounts: pd.DataFrame, history: pd.DataFrame, territories: pd.DataFrame) -> pd.Series:
    """The owner_rep_id of each account, in its order: of the accounts that earned most, the rep of the last win.

    `territories` says who covers what. Nobody owns an account that they do not cover; who left covers nothing.
    """
    won = history[history["outcome"] == "won"].sort_values(["closed_at", "lead_id"])
    by_account = won.groupby("account_id")
    earned = by_account["deal_value"].sum().sort_index().sort_values(ascending=False, kind="stable")
    last = by_account["rep_id"].last()
    territory = dict(zip(accounts["account_id"], cover.territory_of(accounts), strict=True))
    covered = set(zip(territories["rep_id"], territories["territory"], strict=True))
    best = [account for account in earned.index if (last[account], territory[account]) in covered][:OWNED]
    return accounts["account_id"].map({account: last[account] for account in best}).astype("str")
