"""The sample company's reps: seats, skills, part-time, pause and leave on top of a world's roster."""

from __future__ import annotations

import numpy as np
import pandas as pd

from apportion_models.synthetic.cover import ENTERPRISE_SEATS, LEAVERS, OTHER_SEATS, TERRITORIES, Seat
from apportion_models.synthetic.draws import Floats, Ints, Stream
from apportion_models.synthetic.market import PRODUCTS
from apportion_models.synthetic.past import DAY, to_times
from apportion_models.synthetic.people import NEW_DAYS
from apportion_models.synthetic.world import World

COLUMNS = """
rep_id name team_id manager_id start_date level specialism capacity territories skills languages
country time_zone response_rate open_leads open_pipeline paused
""".split()  # noqa: SIM905 - quoted words are harder to read
FULL_TIME = 22.0
PART_TIME = (11.0, 11.0, 13.2, 13.2, 17.6, 17.6)
FEWEST_SKILLED = 3  # tenured reps in each territory for each product
# kind, first and last day relative to the batch day, share of capacity that is left, note
LEAVE = (
    ("leave", -20, 45, 0.0, "away for the whole window"),
    ("leave", 7, 20, 0.0, "two weeks away"),
    ("leave", 14, 18, 0.0, "one week away"),
    ("leave", -24, -3, 0.0, "just back: returns gradually"),
    ("training", 2, 3, 0.5, "two half days of training"),
    ("leave", 40, 54, 0.0, "away after the window"),
)


def draw_staff(world: World, stream: Stream) -> tuple[pd.DataFrame, Floats]:
    """Everyone who ever worked here, in roster order, as a table of reps, and when each left (seconds, or infinite).

    The table has `overflow_territories`, `country` and `response_rate` beside the contract's columns.
    """
    roster = world.roster
    tenure = (world.midnight - roster.start) / DAY
    order = stream.permutation(world.n_reps)
    gone = order[tenure[order] > world.days][:LEAVERS]
    left = np.full(world.n_reps, np.inf)
    left[gone] = world.midnight - np.array([150, 210, 300][: len(gone)]) * DAY
    seats = _seat(world, [rep for rep in order if rep not in gone], gone)
    reps = roster.frame().drop(columns=["territories", "languages", "country", "time_zone"])
    reps["team_id"] = [seat.team_id for seat in seats]
    reps["manager_id"] = ["M" + seat.team_id[1:] for seat in seats]
    reps["capacity"] = _capacity(stream, tenure)
    reps["territories"] = [tuple(seat.primary.split(";")) for seat in seats]
    reps["overflow_territories"] = _overflow(seats, roster.level)
    reps["skills"] = _skills(stream, seats, tenure, left)
    reps["languages"] = [tuple(seat.languages.split(";")) for seat in seats]
    reps["country"] = [seat.country for seat in seats]
    reps["time_zone"] = [seat.time_zone for seat in seats]
    reps["response_rate"] = np.round(0.6 + 0.39 * stream.uniform(world.n_reps), 2)
    settled = [rep for rep in order if tenure[rep] > NEW_DAYS and np.isinf(left[rep]) and seats[rep] in OTHER_SEATS]
    reps["paused"] = np.isin(np.arange(world.n_reps), settled[:2])
    return reps, left


def draw_calendar(reps: pd.DataFrame, world: World, stream: Stream) -> pd.DataFrame:
    """Leave and training as a table of calendar: rep_id, start, end (exclusive), kind, capacity (share left), note."""
    tenured = reps["start_date"] < world.at - pd.Timedelta(days=NEW_DAYS)
    free = reps.loc[tenured & ~reps["paused"], "rep_id"].to_numpy(dtype=object)
    kind, first, last, capacity, note = zip(*LEAVE, strict=True)
    calendar = pd.DataFrame(
        {
            "rep_id": list(free[stream.permutation(len(free))[: len(LEAVE)]]),
            "start": to_times(world.midnight + np.array(first) * DAY),
            "end": to_times(world.midnight + (np.array(last) + 1.0) * DAY),
            "kind": list(kind),
            "capacity": list(capacity),
            "note": list(note),
        }
    )
    return calendar.sort_values("rep_id", ignore_index=True)


def cover_frame(reps: pd.DataFrame) -> pd.DataFrame:
    """Who covers what as a table of territories: territory, rep_id, cover (primary or overflow); as the reps say."""
    sides = (("primary", "territories"), ("overflow", "overflow_territories"))
    rows = [
        (territory.territory, rep_id, side)
        for territory in TERRITORIES
        for side, column in sides
        for rep_id, covered in zip(reps["rep_id"], reps[column], strict=True)
        if territory.territory in covered
    ]
    return pd.DataFrame(rows, columns=["territory", "rep_id", "cover"])


def _seat(world: World, staying: list[int], gone: Ints) -> list[Seat]:
    """Enterprise seats to the most senior, the others in drawn order; leavers sat where somebody else sits now."""
    by_level = sorted(staying, key=lambda rep: -int(world.roster.level[rep]))  # stable: the drawn order within a level
    enterprise = by_level[: len(ENTERPRISE_SEATS)]
    others = [rep for rep in staying if rep not in enterprise]
    pairs = [*zip(enterprise, ENTERPRISE_SEATS, strict=True), *zip(others, OTHER_SEATS, strict=True)]
    pairs += [(int(rep), OTHER_SEATS[12 * place]) for place, rep in enumerate(gone)]
    seats = dict(pairs)
    return [seats[rep] for rep in range(world.n_reps)]


def _capacity(stream: Stream, tenure: Floats) -> Floats:
    capacity = np.full(len(tenure), FULL_TIME)
    order = stream.permutation(len(tenure))
    part_time = order[tenure[order] > NEW_DAYS][: len(PART_TIME)]
    capacity[part_time] = PART_TIME
    return capacity


def _overflow(seats: list[Seat], level: Ints) -> list[tuple[str, ...]]:
    """A seat's overflow cover; outside the enterprise team seniors also stand in for enterprise."""
    cover = []
    for seat, known in zip(seats, level, strict=True):
        own = tuple(filter(None, seat.overflow.split(";")))
        stands_in = known == 1 and seat.primary != "enterprise"
        cover.append((*own, "enterprise") if stands_in else own)
    return cover


def _skills(stream: Stream, seats: list[Seat], tenure: Floats, left: Floats) -> list[tuple[str, ...]]:
    """Products that each rep may sell: core, the others by chance (new reps fewer), and nowhere too few."""
    chance = np.where(tenure > NEW_DAYS, 0.75, 0.25)
    skilled = stream.uniform(len(seats), len(PRODUCTS)) < chance[:, None]
    skilled[:, 0] = True
    settled = (tenure > NEW_DAYS) & np.isinf(left)
    for territory in TERRITORIES:
        members = np.flatnonzero([seat.primary == territory.territory for seat in seats] & settled)
        for product in range(1, len(PRODUCTS)):
            lacking = [rep for rep in members if not skilled[rep, product]]
            short = FEWEST_SKILLED - int(skilled[members, product].sum())
            skilled[lacking[: max(short, 0)], product] = True
    return [tuple(np.array(PRODUCTS, dtype=object)[row]) for row in skilled]
