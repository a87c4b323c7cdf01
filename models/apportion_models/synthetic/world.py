"""A seeded world in which the conversion probability of every pair is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit

from apportion_models.errors import Finding, TableError, UsageError
from apportion_models.synthetic import market, past, people
from apportion_models.synthetic.draws import Floats, Ints, Stream
from apportion_models.synthetic.truth import (
    BASE,
    LeadTruth,
    RepTruth,
    average_over_quality,
    draw_lead_truth,
    draw_rep_truth,
)

BATCH_AT = pd.Timestamp("2026-03-02T08:00:00Z")
BATCH_DAYS = 28
HOME_SHARE = 0.85


@dataclass(frozen=True, kw_only=True)
class World:
    """A market, a roster of reps and the truth about both. Equal parameters give equal bytes.

    Args:
        seed: seeds the truth and every draw.
        n_reps: reps in the roster.
        n_new: of these, how many started in the last 90 days before `at`.
        n_unseen: of the new ones, how many start on the day of `at` and have no history.
        strength: scales all that differs between reps, the ramp included; 0 makes reps identical.
        exploration: share of past leads that were given to a present rep at random, 0 to 1.
        quality_spread: spread, on the logit, of the lead quality that managers see and no column tells.
        misspecified: rep skill in industry × size cells and behind a threshold, and lognormal deal values.
        days: length of the history.
        at: the batch time, with a time zone; history ends with the day before, leads not closed by then are open.

    Raises:
        UsageError: a parameter is out of its range.
    """

    seed: int = 0
    n_reps: int = 60
    n_new: int = 15
    n_unseen: int = 3
    strength: float = 1.0
    exploration: float = 0.0
    quality_spread: float = 0.5
    misspecified: bool = False
    days: int = 365
    at: pd.Timestamp = BATCH_AT

    def __post_init__(self) -> None:
        rules = {
            f"seed must be >= 0. Got {self.seed}.": self.seed >= 0,
            f"n_reps must be > n_new. Got {self.n_reps} and {self.n_new}.": self.n_reps > self.n_new,
            f"n_new must be >= n_unseen >= 0. Got {self.n_new} and {self.n_unseen}.": self.n_new >= self.n_unseen >= 0,
            f"strength must be >= 0. Got {self.strength}.": self.strength >= 0,
            f"exploration must be from 0 to 1. Got {self.exploration}.": 0 <= self.exploration <= 1,
            f"quality_spread must be >= 0. Got {self.quality_spread}.": self.quality_spread >= 0,
            f"days must be >= 1. Got {self.days}.": self.days >= 1,
            f"at must carry a time zone. Got {self.at}.": self.at.tzinfo is not None,
        }
        broken = [message for message, holds in rules.items() if not holds]
        if broken:
            raise UsageError(" ".join(broken))

    @property
    def midnight(self) -> float:
        """The start of the batch day, UTC, in seconds since 1970."""
        return float(self.at.timestamp() // past.DAY * past.DAY)

    @cached_property
    def roster(self) -> people.Roster:
        """The reps as arrays."""
        return people.draw_roster(
            Stream(self.seed, "roster"),
            n_reps=self.n_reps,
            n_new=self.n_new,
            n_unseen=self.n_unseen,
            midnight=self.midnight,
            days=self.days,
        )

    @cached_property
    def lead_truth(self) -> LeadTruth:
        """The effects that hold whoever works the lead."""
        return draw_lead_truth(Stream(self.seed, "lead effects"))

    @cached_property
    def rep_truth(self) -> RepTruth:
        """The effects of each rep, in roster order."""
        return draw_rep_truth(
            Stream(self.seed, "rep effects"),
            level=self.roster.level,
            specialism=self.roster.specialism,
            strength=self.strength,
            misspecified=self.misspecified,
        )

    def reps(self) -> pd.DataFrame:
        """The roster as a table of reps, one row a rep, in order of rep_id."""
        return self.roster.frame()

    def leads(self, n: int, *, draw: int = 0) -> pd.DataFrame:
        """A batch of n leads of the last 28 days as a table of leads; another `draw` gives other leads."""
        stream = Stream(self.seed, f"batch {draw}")
        leads = market.draw_inquiries(stream, market.draw_companies(stream, n))
        since = self.midnight - BATCH_DAYS * past.DAY
        leads = self.identified(leads, stream, prefix=f"B{draw}-", since=since)
        return self.estimated(self.scored(leads, stream), stream)

    def history(self, n: int) -> pd.DataFrame:
        """The last n leads before the batch day, over `days` days, as a table of history."""
        return self.logged(n).frame

    def logged(self, n: int) -> past.Logged:
        """The same history with what its table hides: probabilities, propensities, the unseen quality."""
        stream = Stream(self.seed, "history")
        leads = market.draw_inquiries(stream, market.draw_companies(stream, n))
        since = self.midnight - self.days * past.DAY
        leads = self.scored(self.identified(leads, stream, prefix="H", since=since), stream)
        homes = np.array([market.MARKETS[home] for home in self.roster.home])

        def at_home(part: pd.DataFrame) -> past.Bools:
            return np.asarray(part["region"].map(market.MARKET_OF_REGION).to_numpy()[:, None] == homes)

        return past.work(self.setting(pods=((HOME_SHARE, at_home),)), leads, stream)

    def setting(
        self, *, pods: tuple[past.Pod, ...], left: Floats | None = None, share: Floats | None = None
    ) -> past.Setting:
        """What past.work needs of this world; `left` (seconds) and `share` are (R,), by default never and equal."""
        return past.Setting(
            lead_truth=self.lead_truth,
            rep_truth=self.rep_truth,
            rep_ids=self.roster.rep_ids,
            level=self.roster.level,
            start=self.roster.start,
            left=np.full(self.n_reps, np.inf) if left is None else left,
            share=np.ones(self.n_reps) if share is None else share,
            pods=pods,
            quality_spread=self.quality_spread,
            exploration=self.exploration,
            lognormal=self.misspecified,
            cutoff=self.at.timestamp(),
        )

    def identified(self, leads: pd.DataFrame, stream: Stream, *, prefix: str, since: float) -> pd.DataFrame:
        """The leads with lead_id and created_at in front, arriving from `since` until the batch day."""
        created = past.arrival_times(stream, len(leads), since=since, until=self.midnight)
        identified = leads.copy()
        identified.insert(0, "lead_id", [f"{prefix}{number + 1:06d}" for number in range(len(leads))])
        identified["lead_id"] = identified["lead_id"].astype("str")
        identified.insert(1, "created_at", past.to_times(created))
        return identified

    def scored(self, leads: pd.DataFrame, stream: Stream) -> pd.DataFrame:
        """The leads with a score, 0 to 100: a noisy view of the rep-neutral conversion, blind to the unseen quality."""
        index = self.lead_truth.index(market.encode(leads)) - BASE + 0.6 * stream.normal(len(leads))
        return leads.assign(score=np.round(100 * expit(1.2 * index)))

    def estimated(self, leads: pd.DataFrame, stream: Stream) -> pd.DataFrame:
        """The leads with a deal_value: an unbiased estimate of what a win is worth, off by about a third."""
        noise = np.exp(0.35 * stream.normal(len(leads)) - 0.35**2 / 2)
        return leads.assign(deal_value=np.maximum(np.round(self.true_deal_value(leads) * noise, -2), 100.0))

    def true_fit(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: pd.Timestamp) -> Floats:
        """P(convert | lead, rep) of every pair at time `at`, (L, R), rows and columns in the tables' order.

        The unseen quality is integrated out. Reps are known by their rep_id; their other columns do not matter.

        Raises:
            TableError: a lead lacks a column or has a value unknown to the market; a rep is not of this world.
        """
        chosen = self._positions(reps)
        codes = market.encode(leads)
        tenure = (at.timestamp() - self.roster.start[chosen]) / past.DAY
        logit = self.lead_truth.index(codes)[:, None] + self.rep_truth.pairs(codes, chosen)
        logit -= self.rep_truth.ramp_loss(tenure)
        return average_over_quality(logit, self.quality_spread)

    def true_deal_value(self, leads: pd.DataFrame) -> Floats:
        """E[deal value | lead, converted] in currency, (L,)."""
        return self.lead_truth.deal_value(market.encode(leads))

    def true_revenue(self, leads: pd.DataFrame, reps: pd.DataFrame, *, at: pd.Timestamp) -> Floats:
        """Expected revenue of every pair in currency, (L, R): true fit × true deal value."""
        return self.true_fit(leads, reps, at=at) * self.true_deal_value(leads)[:, None]

    def _positions(self, reps: pd.DataFrame) -> Ints:
        positions = pd.Index(self.roster.rep_ids).get_indexer(pd.Index(reps["rep_id"]))
        findings = [
            Finding(
                severity="error",
                table="reps",
                row=int(row) + 1,
                column="rep_id",
                message="must be a rep of this world",
                value=reps["rep_id"].iloc[row],
            )
            for row in np.flatnonzero(positions < 0)
        ]
        if findings:
            raise TableError(findings)
        return np.asarray(positions, dtype=np.int64)
