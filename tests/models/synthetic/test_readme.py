from __future__ import annotations

import re

import numpy as np

from apportion_models.synthetic.company import SCREENED_DOMAINS
from apportion_models.synthetic.cover import TERRITORIES, territory_of
from apportion_models.synthetic.oracle import able_pairs, covers, effective_capacity


def sections(readme: str) -> dict[str, str]:
    parts = re.split(r"^### (\w+)\.csv.*$", readme, flags=re.MULTILINE)
    return {
        name: re.split(r"^## ", text, flags=re.MULTILINE)[0]
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_dictionary_names_every_column_of_every_file_in_order(company, data):
    """The data dictionary has a row for each column of each file, and no other."""
    documented = sections((data / "README.md").read_text(encoding="utf-8"))
    assert set(documented) == set(company.tables)
    for name, table in company.tables.items():
        assert re.findall(r"^\| `(\w+)` \|", documented[name], flags=re.MULTILINE) == list(table.columns)


def test_dictionary_states_the_territories(data):
    """Each territory stands in the dictionary with its predicate."""
    readme = (data / "README.md").read_text(encoding="utf-8")
    for territory in TERRITORIES:
        assert (
            f"| `{territory.territory}` | {territory.name} | {territory.team_id} | `{territory.predicate}` |" in readme
        )


def test_dictionary_counts_are_true(company, data):
    """The counts that the dictionary tells are those of the files."""
    readme = re.sub(r"\s+", " ", (data / "README.md").read_text(encoding="utf-8"))
    leads, outcomes = company.leads, company.history["outcome"].value_counts()
    wanted = ~leads["email_domain"].isin(SCREENED_DOMAINS).to_numpy()
    primary, overflow = covers(company)
    able = able_pairs(company) & (primary | overflow)
    owned = np.flatnonzero(leads["owner_rep_id"].notna())
    owner = company.reps.set_index("rep_id").index.get_indexer(leads["owner_rep_id"].iloc[owned])
    alone = leads[wanted & ~able.any(axis=1)]
    per_account = leads["account_id"].value_counts()
    assert set(zip(alone["country"], alone["language"], strict=True)) == {("CA", "fr")}
    for sentence in (
        f"{outcomes['lost']:,} lost, {outcomes['won']:,} won, {outcomes['open']:,} open",
        f"{(per_account > 1).sum()} accounts send several leads (up to {per_account.max()} each)",
        f"{leads['parent_account_id'].notna().sum()} leads belong to an account with a parent",
        f"{len(owned)} leads have an owner. For {(~able[owned, owner]).sum()} of them",
        f"{len(alone)} Canadian leads write in French",
        f"empty for the {leads['account_id'].isna().sum()} leads",
        f"The {wanted.sum():,} leads that are no students, competitors or tests",
        f"need {leads.loc[wanted, 'effort'].sum():,} effort units",
        f"contracts give {company.reps['capacity'].sum():,.1f}",
        f"and {effective_capacity(company).sum():,.1f} after ramp",
        f"spread between reps on one lead {100 * company.true_fit()[wanted].std(axis=1).mean():.1f} points",
        f"its mean is {company.true_fit()[wanted].mean() * 100:.0f} %",
    ):
        assert sentence in readme, sentence
    for territory in TERRITORIES:
        reps = (company.reps["territories"].str[0] == territory.territory).sum()
        count = (territory_of(leads[wanted]) == territory.territory).sum()
        assert f"`{territory.predicate}` | {reps} | {count} |" in readme
