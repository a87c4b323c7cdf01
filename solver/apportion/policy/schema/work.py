"""Sections on how much a rep can take: window, capacity, ramp, throttle, availability."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from apportion.policy.daysoff import known_country
from apportion.policy.hours import WeeklyHours, read_hours
from apportion.policy.schema.common import (
    EVERY_REP,
    Amount,
    Count,
    LeadPredicate,
    Name,
    Positive,
    Price,
    RepPredicate,
    Section,
    Share,
    Text,
    Unique,
    increasing,
)

WEEKDAYS_9_TO_5 = "mon-fri 09:00-17:00"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("must be a time zone of the IANA list, such as Europe/Stockholm or UTC") from None
    return name


def _hours(text: str) -> str:
    read_hours(text)
    return text


def _country(code: str) -> str:
    if not known_country(code):
        raise ValueError("must be a country with known public holidays, such as SE, or with its part, such as US-CA")
    return code


Zone = Annotated[Text, AfterValidator(_zone)]
Hours = Annotated[Text, AfterValidator(_hours)]
Country = Annotated[Text, AfterValidator(_country)]


class Window(Section):
    """The stretch of work that one batch plans for."""

    days: Positive = Field(1.0, description="Working days that a batch plans for; a capacity is stated per window.")


class EffortRule(Section):
    """What some leads cost."""

    name: Name
    when: LeadPredicate = Field(description="The leads that cost this effort; the first rule that holds counts.")
    effort: Positive = Field(description="Effort units of each such lead.")


class Effort(Section):
    """What a lead costs of a rep's capacity, in effort units."""

    column: Text = Field("effort", description="Column of the leads with their effort, used where it has a value.")
    default: Positive = Field(1.0, description="Effort of a lead for which neither a rule nor the column has one.")
    rules: Annotated[tuple[EffortRule, ...], Unique] = Field(
        (), description="Effort by predicate; goes before the column."
    )


class Cap(Section):
    """At most so many leads handed to a rep in an hour, day, week or month, or open at once."""

    name: Name
    per: Literal["hour", "day", "week", "month", "open"] = Field(
        description="hour: the last 60 minutes; day, week, month: of the calendar where the rep is; open: open at once."
    )
    at_most: Count = Field(description="Number of leads.")
    reps: RepPredicate = Field(EVERY_REP, description="The reps that it holds for.")
    price: Price = Field("hard", description="hard, or the currency that each lead above it costs.")


class Backlog(Section):
    """How leads that are already open use up capacity."""

    effort_each: Amount = Field(0.0, description="Effort units of this window that each open lead takes.")
    at_most: Share = Field(1.0, description="Share of the capacity that the backlog may take at most.")


class Adjustment(Section):
    """Capacity times a factor for some reps, such as those who answer late."""

    name: Name
    reps: RepPredicate = Field(description="The reps that it holds for, such as response_rate < 0.5 or workload > 1.2.")
    factor: Annotated[Amount, Field(le=10)] = Field(description="The capacity is multiplied by this.")


class Overtime(Section):
    """How far capacity may be exceeded, at a price."""

    share: Annotated[Amount, Field(le=10)] = Field(description="Share of the capacity that may come on top.")
    price: Amount = Field(description="Currency that each effort unit above the capacity costs.")


class Capacity(Section):
    """How much work a rep can take in a window, in effort units."""

    default: Amount = Field(10.0, description="Effort units in a window for a rep whose table has no capacity.")
    by_level: dict[Text, Amount] = Field({}, description="The same by the rep's level; goes before the default.")
    effort: Effort = Effort()
    caps: Annotated[tuple[Cap, ...], Unique] = Field(
        (), description="Bounds on the number of leads; all that apply hold."
    )
    backlog: Backlog = Backlog()
    adjust: Annotated[tuple[Adjustment, ...], Unique] = Field((), description="Factors; all that apply are multiplied.")
    overtime: Overtime | None = Field(None, description="Absent: capacity is hard.")


class RampPoint(Section):
    """The share of the full capacity from a day on."""

    day: Count = Field(description="Days since the rep's start_date.")
    share: Share = Field(description="Share of the full capacity.")


class RampProfile(Section):
    """How a new rep grows into the full capacity, and into the tiers."""

    name: Name
    reps: RepPredicate = Field(
        EVERY_REP, description="The reps that it holds for; the first profile that holds counts."
    )
    shape: Literal["steps", "linear"] = Field("steps", description="steps: the last point reached; linear: in between.")
    points: Annotated[tuple[RampPoint, ...], AfterValidator(partial(increasing, attribute="day")), Field(min_length=1)]
    tier_from: dict[Text, Count] = Field(
        {}, description="Day from which a rep may get a tier; a tier not named: at once."
    )
    price: Price = Field("hard", description="For tier_from: hard, or what a lead of a tier too early costs.")


class ThrottleStep(Section):
    """From an amount on, capacity times a factor."""

    above: Amount = Field(description="The amount that must be exceeded.")
    factor: Share = Field(description="The capacity is multiplied by this.")


class Throttle(Section):
    """Fewer leads for reps whose open pipeline is large."""

    name: Name
    reps: RepPredicate = Field(EVERY_REP, description="The reps that it holds for.")
    column: Text = Field("open_pipeline", description="Column of the reps with the amount.")
    steps: Annotated[
        tuple[ThrottleStep, ...], AfterValidator(partial(increasing, attribute="above")), Field(min_length=1)
    ]


class WorkingHours(Section):
    """The working week of some reps."""

    name: Name
    reps: RepPredicate = Field(description="The reps that it holds for; the first that holds counts.")
    week: Hours = Field(description="Such as mon-thu 09:00-12:00 13:00-17:00; fri 09:00-13:00.")


class Holidays(Section):
    """Public holidays, by the rep's country."""

    column: Text = Field("country", description="Column of the reps with their country: SE, or with a part: US-CA.")
    default: Country | None = Field(
        None, description="Country of reps without one; absent: they have no public holidays."
    )
    extra: tuple[dt.date, ...] = Field((), description="Further days on which nobody works.")
    worked: tuple[dt.date, ...] = Field((), description="Public holidays on which people work all the same.")


class ReturnPoint(Section):
    """The share of the capacity from a working day after the return on."""

    day: Count = Field(description="Working days since the return; 0 is the first day back.")
    share: Share = Field(description="Share of the capacity.")


class Return(Section):
    """After leave, leads come back gradually and not as a flood."""

    after_days: Positive = Field(5.0, description="Working days that an absence must have lasted.")
    points: Annotated[
        tuple[ReturnPoint, ...], AfterValidator(partial(increasing, attribute="day")), Field(min_length=1)
    ]


class Availability(Section):
    """When reps work, and when they are away."""

    time_zone: Zone = Field("UTC", description="Time zone of reps whose table has none, and of the window's calendar.")
    week: Hours = Field(WEEKDAYS_9_TO_5, description="Working hours of reps for whom nothing else is said.")
    column: Text = Field("working_hours", description="Column of the reps with their own hours; goes before all else.")
    hours: Annotated[tuple[WorkingHours, ...], Unique] = Field((), description="Working hours by predicate.")
    holidays: Holidays = Holidays()
    gradual_return: Return | None = Field(None, description="Absent: full capacity from the first day back.")

    @model_validator(mode="after")
    def _some_work(self) -> Availability:
        if not weekly(self.week).total:
            raise ValueError("week must have some working hours, such as mon-fri 09:00-17:00")
        return self


def weekly(text: str) -> WeeklyHours:
    """Read hours that the schema has checked."""
    return read_hours(text)
