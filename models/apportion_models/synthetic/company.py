"""The shipped sample company: a world with known truth in the dress of a real sales organisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from apportion_models.synthetic import accounts as accounts_
from apportion_models.synthetic import cover, market, past, staff
from apportion_models.synthetic.draws import Floats, Ints, Stream
from apportion_models.synthetic.world import BATCH_DAYS, World

SEED = 2026
N_HISTORY = 20_000
N_LEADS = 1_200
N_ACCOUNTS = 4_800
MOST_POPULAR = 15.0  # how many times as many leads as the least popular account
STRENGTH = 0.75
HISTORY_DAYS = 547  # 2024-09-01 to 2026-03-01
PRIMARY_SHARE, OVERFLOW_SHARE = 0.82, 0.15
FREE_DOMAINS = ("gmail.com", "outlook.com")
STUDENT_DOMAINS = ("student.example",)
COMPETITOR_DOMAINS = ("leadferry.example", "routewise.example")
TEST_DOMAINS = ("test.example",)
SCREENED_DOMAINS = STUDENT_DOMAINS + COMPETITOR_DOMAINS + TEST_DOMAINS
# What share of the batch writes from such domains; the others write from their company's.
_ODD_DOMAINS = (*zip(FREE_DOMAINS, (0.025, 0.015), strict=True), ("student.example", 0.012))
_ODD_DOMAINS += (("leadferry.example", 0.005), ("routewise.example", 0.004), ("test.example", 0.008))


@dataclass(frozen=True, kw_only=True)
class SampleCompany:
    """The tables of the sample company at `at`, by the contract of "Tables", and the truth behind them."""

    world: World
    leads: pd.DataFrame
    reps: pd.DataFrame
    history: pd.DataFrame
    accounts: pd.DataFrame
    teams: pd.DataFrame
    territories: pd.DataFrame
    calendar: pd.DataFrame

    @property
    def at(self) -> pd.Timestamp:
        """The batch time, UTC."""
        return self.world.at

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, in the order in which they are written."""
        names = ("leads", "reps", "history", "accounts", "teams", "territories", "calendar")
        return {name: getattr(self, name) for name in names}

    def true_fit(self, leads: pd.DataFrame | None = None, reps: pd.DataFrame | None = None) -> Floats:
        """P(convert | lead, rep) at `at`, (L, R), of the batch and the reps unless others are given.

        Nobody converts a student, a competitor or a test: rows of leads from such domains are 0.
        """
        leads = self.leads if leads is None else leads
        fit = self.world.true_fit(leads, self.reps if reps is None else reps, at=self.at)
        if "email_domain" in leads:
            fit[leads["email_domain"].isin(SCREENED_DOMAINS).to_numpy()] = 0.0
        return fit

    def true_deal_value(self, leads: pd.DataFrame | None = None) -> Floats:
        """E[deal value | lead, converted] in euros, (L,)."""
        return self.world.true_deal_value(self.leads if leads is None else leads)

    def true_revenue(self, leads: pd.DataFrame | None = None, reps: pd.DataFrame | None = None) -> Floats:
        """Expected revenue of every pair in euros, (L, R): true fit × true deal value."""
        return self.true_fit(leads, reps) * self.true_deal_value(leads)[:, None]


def sample_company(*, seed: int = SEED) -> SampleCompany:
    """Make the sample company. The shipped files are those of the default seed."""
    seats = len(cover.ENTERPRISE_SEATS) + len(cover.OTHER_SEATS) + cover.LEAVERS
    world = World(seed=seed, n_reps=seats, n_new=9, n_unseen=2, strength=STRENGTH, days=HISTORY_DAYS)
    everyone, left = staff.draw_staff(world, Stream(seed, "staff"))
    accounts = accounts_.draw_accounts(Stream(seed, "accounts"), N_ACCOUNTS)
    popularity = np.minimum(Stream(seed, "popularity").uniform(N_ACCOUNTS) ** -0.6, MOST_POPULAR)
    logged = _work(world, everyone, left, accounts, popularity)
    history = logged.frame.drop(columns="company_revenue")
    reps = _with_workload(everyone, logged, world).loc[np.isinf(left), staff.COLUMNS].reset_index(drop=True)
    territories = staff.cover_frame(everyone[np.isinf(left)])
    accounts.insert(3, "owner_rep_id", accounts_.owners(accounts, history, territories))
    return SampleCompany(
        world=world,
        leads=_batch(world, accounts, popularity),
        reps=reps,
        history=history,
        accounts=accounts,
        teams=cover.teams_frame(),
        territories=territories,
        calendar=staff.draw_calendar(reps, world, Stream(seed, "calendar")),
    )


def _of_accounts(stream: Stream, accounts: pd.DataFrame, chosen: Ints) -> pd.DataFrame:
    companies = accounts.drop(columns=["name", "parent_account_id"])
    return market.draw_inquiries(stream, companies.iloc[chosen])


def _work(
    world: World, everyone: pd.DataFrame, left: Floats, accounts: pd.DataFrame, popularity: Floats
) -> past.Logged:
    """Play the past: most leads inside primary cover, some inside overflow cover, a few with anyone."""
    stream = Stream(world.seed, "history")
    leads = _of_accounts(stream, accounts, accounts_.draw_visits(stream, popularity, N_HISTORY))
    since = world.midnight - world.days * past.DAY
    leads = world.scored(world.identified(leads, stream, prefix="H", since=since), stream)
    names = [territory.territory for territory in cover.TERRITORIES]

    def members(column: str) -> past.Members:
        covers = np.array([[name in cover_ for name in names] for cover_ in everyone[column]])
        return lambda part: covers.T[pd.Index(names).get_indexer(pd.Index(cover.territory_of(part)))]

    pods = ((PRIMARY_SHARE, members("territories")), (OVERFLOW_SHARE, members("overflow_territories")))
    share = everyone["capacity"].to_numpy(dtype=np.float64) / staff.FULL_TIME
    return past.work(world.setting(pods=pods, left=left, share=share), leads, stream)


def _with_workload(everyone: pd.DataFrame, logged: past.Logged, world: World) -> pd.DataFrame:
    """The reps with open_leads and open_pipeline: how many leads of theirs are open, and what these may be worth."""
    is_open = (logged.frame["outcome"] == "open").to_numpy()
    worth = world.true_deal_value(logged.frame[is_open])
    count = np.bincount(logged.rep[is_open], minlength=len(everyone))
    pipeline = np.bincount(logged.rep[is_open], weights=worth, minlength=len(everyone))
    return everyone.assign(open_leads=count.astype(np.float64), open_pipeline=np.round(pipeline, -2))


def _batch(world: World, accounts: pd.DataFrame, popularity: Floats) -> pd.DataFrame:
    """The leads of the last 28 days that nobody has been given yet."""
    stream = Stream(world.seed, "batch")
    chosen = accounts_.draw_visits(stream, popularity, N_LEADS)
    leads = _of_accounts(stream, accounts, chosen)
    leads = world.identified(leads, stream, prefix="L", since=world.midnight - BATCH_DAYS * past.DAY)
    leads = world.estimated(world.scored(leads, stream), stream)
    names, shares = zip(*_ODD_DOMAINS, strict=True)
    drawn = stream.choice((*shares, 1 - sum(shares)), N_LEADS)
    odd = drawn < len(names)
    own = np.array([accounts_.domain(name) for name in accounts["name"].iloc[chosen]], dtype=object)
    leads["email_domain"] = pd.Series(np.where(odd, np.array([*names, ""], dtype=object)[drawn], own), dtype="str")
    parents = accounts["parent_account_id"].iloc[chosen].reset_index(drop=True)
    leads.insert(3, "parent_account_id", parents)
    leads["owner_rep_id"] = leads.pop("owner_rep_id")
    # Who writes from a private or made-up address is not known to belong to an account.
    leads.loc[odd, ["account_id", "parent_account_id", "owner_rep_id"]] = np.nan
    return leads
