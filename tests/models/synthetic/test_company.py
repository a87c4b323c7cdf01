from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from apportion_models.synthetic import sample_company
from apportion_models.synthetic.company import SCREENED_DOMAINS
from apportion_models.synthetic.cover import TERRITORIES, territory_of
from apportion_models.synthetic.oracle import able_pairs, covers

NEW = pd.Timedelta(days=90)


def test_the_company_has_the_size_that_it_claims(company):
    """60 reps in 5 teams, 8 territories, 20,000 past leads over 18 months, a batch of 1,200."""
    assert len(company.reps) == 60
    assert set(company.reps["team_id"]) == set(company.teams["team_id"])
    assert len(company.teams) == 5
    assert company.territories["territory"].nunique() == len(TERRITORIES) == 8
    assert len(company.history) == 20_000
    assert len(company.leads) == 1_200
    months = (company.at - company.history["assigned_at"].min()) / pd.Timedelta(days=30.4)
    assert 17.5 < months < 18.5
    assert company.history["assigned_at"].max() < company.at.normalize()


def test_ids_are_unique_and_refer_to_something(company):
    """Every account, parent, rep and team that a table names is in its own table; leavers are only in history."""
    accounts, reps = set(company.accounts["account_id"]), set(company.reps["rep_id"])
    for table, key in ((company.leads, "lead_id"), (company.history, "lead_id"), (company.accounts, "account_id")):
        assert table[key].is_unique
    assert company.accounts["name"].is_unique
    for table in (company.leads, company.history):
        assert set(table["account_id"].dropna()) <= accounts
    for table in (company.leads, company.accounts):
        assert set(table["parent_account_id"].dropna()) <= accounts
        assert set(table["owner_rep_id"].dropna()) <= reps
    assert set(company.calendar["rep_id"]) <= reps
    assert set(company.reps["manager_id"]) == set(company.teams["manager_id"])
    assert not set(company.leads["lead_id"]) & set(company.history["lead_id"])
    assert len(set(company.history["rep_id"]) - reps) == 3


def test_families_are_one_level_deep_and_in_one_industry(company):
    """A parent has no parent, no account is its own, and a lead names its account's parent."""
    accounts = company.accounts.set_index("account_id")
    children = accounts[accounts["parent_account_id"].notna()]
    parents = accounts.loc[children["parent_account_id"]]
    assert len(children) > 400
    assert parents["parent_account_id"].isna().all()
    assert (children["industry"].to_numpy() == parents["industry"].to_numpy()).all()
    known = company.leads[company.leads["account_id"].notna()]
    for column in ("parent_account_id", "owner_rep_id", "country", "company_size"):
        expected = accounts.loc[known["account_id"], column].reset_index(drop=True)
        pd.testing.assert_series_equal(known[column].reset_index(drop=True), expected)


def test_new_reps_and_unseen_reps(company):
    """9 reps started in the last 90 days; 2 of them start on the batch day and have no history, no open lead."""
    age = company.at.normalize() - company.reps["start_date"]
    assert (age < NEW).sum() == 9
    unseen = company.reps[age == pd.Timedelta(0)]
    assert len(unseen) == 2
    assert not company.history["rep_id"].isin(unseen["rep_id"]).any()
    assert (unseen["open_leads"] == 0).all()
    assert (unseen["open_pipeline"] == 0).all()


def test_leavers_get_nothing_after_they_left(company):
    """The three who left stopped getting leads at least 150 days before the batch, and worked hundreds before."""
    gone = company.history[~company.history["rep_id"].isin(company.reps["rep_id"])]
    assert gone["assigned_at"].max() <= company.at.normalize() - pd.Timedelta(days=150)
    assert gone["rep_id"].value_counts().min() > 20


def test_predicates_split_the_leads_into_territories(company):
    """The documented predicates hold for exactly one territory a lead, the one that the generator used."""
    for table in (company.leads, company.history):
        holds = np.column_stack([table.eval(t.predicate) for t in TERRITORIES])
        assert (holds.sum(axis=1) == 1).all()
        names = np.array([t.territory for t in TERRITORIES])
        assert (names[holds.argmax(axis=1)] == territory_of(table)).all()


def test_every_territory_has_primary_and_overflow_cover(company):
    """Primary cover in territories.csv is the reps' own column, overflow is beside it, each territory has both."""
    reps, table = company.reps, company.territories
    primary, overflow = table[table["cover"] == "primary"], table[table["cover"] == "overflow"]
    told = {(rep, name) for rep, names in zip(reps["rep_id"], reps["territories"], strict=True) for name in names}
    assert set(zip(primary["rep_id"], primary["territory"], strict=True)) == told
    assert primary["territory"].nunique() == overflow["territory"].nunique() == 8
    assert len(primary) + len(overflow) == len(table) == len(table.drop_duplicates(["territory", "rep_id"]))
    assert set(table["rep_id"]) == set(reps["rep_id"])


def test_nearly_every_wanted_lead_has_somebody(company):
    """Cover, product and language leave under 5 % of leads without an eligible rep, and leave some."""
    primary, overflow = covers(company)
    wanted = ~company.leads["email_domain"].isin(SCREENED_DOMAINS)
    alone = ~(able_pairs(company) & (primary | overflow)).any(axis=1)[wanted]
    assert 0 < alone.sum() < 0.05 * wanted.sum()


def test_workload_is_that_of_the_history(company):
    """open_leads counts a rep's open rows of history; who has open leads has a pipeline."""
    opened = company.history[company.history["outcome"] == "open"].groupby("rep_id").size()
    expected = opened.reindex(company.reps["rep_id"]).fillna(0).to_numpy()
    assert np.array_equal(company.reps["open_leads"], expected)
    assert np.array_equal(company.reps["open_pipeline"] > 0, expected > 0)


def test_owners_cover_what_they_own(company):
    """An account's owner still works here, won it last, and covers its territory."""
    owned = company.accounts[company.accounts["owner_rep_id"].notna()]
    won = company.history[company.history["outcome"] == "won"].sort_values(["closed_at", "lead_id"])
    last = won.groupby("account_id")["rep_id"].last()
    assert (last.loc[owned["account_id"]].to_numpy() == owned["owner_rep_id"].to_numpy()).all()
    cover = set(zip(company.territories["rep_id"], company.territories["territory"], strict=True))
    assert set(zip(owned["owner_rep_id"], territory_of(owned), strict=True)) <= cover


def test_absences_are_of_every_kind(company):
    """Somebody is away the whole window, for a part, just back, or later; ends follow starts; two reps are paused."""
    start, end = company.calendar["start"], company.calendar["end"]
    window_end = company.at.normalize() + pd.Timedelta(days=28)
    assert (end > start).all()
    assert ((start <= company.at) & (end >= window_end)).any()
    assert ((start > company.at) & (end < window_end)).any()
    assert ((end < company.at) & (end > company.at - pd.Timedelta(days=14))).any()
    assert (start > window_end).any()
    assert company.calendar["rep_id"].is_unique
    assert company.reps["paused"].sum() == 2
    assert (company.reps["capacity"] < company.reps["capacity"].max()).sum() >= 5


def test_the_batch_has_its_hard_cases(company):
    """Several leads of one account, owned accounts, leads without account, and a few of each screened kind."""
    counts = company.leads["account_id"].value_counts()
    assert (counts > 1).sum() > 100
    assert counts.max() <= 12
    assert 0.05 < company.leads["owner_rep_id"].notna().mean() < 0.2
    domains = company.leads["email_domain"].value_counts()
    assert (domains[list(SCREENED_DOMAINS)] >= 3).all()
    assert domains["gmail.com"] > 10
    odd = company.leads["email_domain"].isin([*SCREENED_DOMAINS, "gmail.com", "outlook.com"])
    assert company.leads.loc[odd, "account_id"].isna().all()
    assert company.leads.loc[~odd, "account_id"].notna().all()


def test_truth_of_the_batch(company):
    """Screened leads convert with nobody, all others with everybody, the unseen reps too; revenue is their product."""
    fit = company.true_fit()
    assert fit.shape == (1_200, 60)
    screened = company.leads["email_domain"].isin(SCREENED_DOMAINS).to_numpy()
    assert (fit[screened] == 0).all()
    assert ((fit[~screened] > 0) & (fit[~screened] < 1)).all()
    assert np.array_equal(company.true_revenue(), fit * company.true_deal_value()[:, None])


def test_row_order_permutes_the_truth(company):
    """Given in another order, leads and reps keep their truth."""
    leads, reps = company.leads.iloc[::-1], company.reps.iloc[::-1]
    assert np.array_equal(company.true_fit(leads, reps), company.true_fit()[::-1, ::-1])


def test_columns_follow_the_contract(company):
    """Times are UTC, numbers float64, lists tuples of str, flags bool, every index a RangeIndex."""
    for name, table in company.tables.items():
        assert isinstance(table.index, pd.RangeIndex), name
        for column in table:
            if column.endswith("_at") or column in ("start", "end", "start_date"):
                assert str(table[column].dtype) == "datetime64[us, UTC]", (name, column)
            elif pd.api.types.is_numeric_dtype(table[column]) and column != "paused":
                assert table[column].dtype == np.float64, (name, column)
    assert company.reps["paused"].dtype == bool
    for column in ("territories", "skills", "languages"):
        assert all(isinstance(value, tuple) and all(value) for value in company.reps[column])


@pytest.mark.slow
def test_another_seed_is_another_company_with_the_same_shape():
    """Any seed gives a company of the same size; its leads are others."""
    other = sample_company(seed=1)
    assert len(other.reps) == 60
    assert len(other.calendar) == 6
    assert not other.leads["engagement"].equals(sample_company().leads["engagement"])
