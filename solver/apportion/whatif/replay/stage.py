"""What all tracks of a run share: rules, people, leads, moments; and what is asked of the ground they are played on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apportion.build import Batch, Estimates, Tables
from apportion.policy import Policy
from apportion.whatif.replay.arrivals import Arrivals
from apportion.whatif.replay.book import Book
from apportion_models import FitModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """What every track of a run is given alike. R reps, in order of rep_id.

    earlier : what was handed out before the first batch, with `book.COLUMNS`. carry : effort that was given in a window
    that still runs is taken out of the capacity; else each batch has the whole capacity.
    """

    policy: Policy
    reps: pd.DataFrame
    arrivals: Arrivals
    moments: tuple[pd.Timestamp, ...]
    accounts: pd.DataFrame | None = None
    territories: pd.DataFrame | None = None
    calendar: pd.DataFrame | None = None
    earlier: pd.DataFrame | None = None
    carry: bool = True
    seed: int = 0
    gap: float = 0.01
    time_limit: float = 60.0

    @cached_property
    def rep_ids(self) -> tuple[str, ...]:
        """The reps, in their order."""
        return tuple(self.reps["rep_id"].astype(str))

    def tables(self, leads: pd.DataFrame, book: Book, at: pd.Timestamp) -> Tables:
        """The tables of one track's batch at `at`: open leads, pipeline and past assignments are the track's own."""
        reps = self.reps.assign(open_leads=book.open_leads(at), open_pipeline=book.open_pipeline(at))
        return Tables(
            leads=leads,
            reps=reps,
            accounts=self.accounts,
            territories=self.territories,
            calendar=self.calendar,
            assigned=book.assigned(at),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Ends:
    """What becomes of n leads that were given at a moment. Amounts in currency.

    days : until each is closed, inf for never. worth : what each is worth in expectation, as the ground holds it.
    won, earned : how it ends, where the ground knows; else None.
    """

    days: Floats
    worth: Floats
    won: Bools | None = None
    earned: Floats | None = None


class Ground(Protocol):
    """What the tracks are played on: who believes what, and how leads end."""

    worth_is: str  # what `worth` means, in words

    def model(self, track: str, book: Book, at: pd.Timestamp) -> FitModel:
        """The fit model of a track at a moment."""

    def estimates(self, track: str, model: FitModel, tables: Tables, at: pd.Timestamp) -> Estimates:
        """What the track believes of a batch."""

    def ends(self, batch: Batch, lead: Ints, rep: Ints, at: pd.Timestamp) -> Ends:
        """What becomes of leads (positions in the problem) given to reps at `at`."""


@dataclass(frozen=True, eq=False)
class Choice:
    """What a track does with a batch. rep : (L,) index, -1 nobody. status : OPTIMAL and the like, or ROUTED.

    cut_short : the time limit ended the search, so that another run may differ.
    """

    rep: Ints
    status: str = "ROUTED"
    gap: float = float("nan")
    has_plan: bool = True
    cut_short: bool = False


@dataclass(frozen=True, eq=False)
class Situation:
    """What a track knows beyond its batch: the model, the open effort of each rep, number of the batch, seed."""

    model: FitModel
    already: Floats
    number: int
    seed: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Track:
    """One way of assigning, with its own state. choose : may remember whose turn it is: one track, one chooser."""

    name: str
    title: str
    choose: Callable[[Batch, Situation], Choice]
    book: Book
    waiting: list[int] = field(default_factory=list)  # leads (of the arrivals) for which no plan was found yet
