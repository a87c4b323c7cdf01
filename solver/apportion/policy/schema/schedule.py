"""Section on when batches run without anybody watching, and what to raise an alarm for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from apportion.policy.cron import check_cron
from apportion.policy.schema.common import Amount, Name, Positive, Section, Share, Text, Unique
from apportion.policy.schema.work import Zone

MOST_HOURS = 744.0

Cron = Annotated[Text, AfterValidator(check_cron)]


class Times(Section):
    """Runs by the clock."""

    name: Name
    cron: Cron = Field(description='Minute, hour, day, month, weekday, in quotes: "0 8,13 * * mon-fri".')
    time_zone: Zone | None = Field(None, description="Time zone of this rule; absent: the schedule's.")


class Waiting(Section):
    """Runs as soon as leads wait."""

    name: Name = "waiting leads"
    leads: Annotated[int, Field(strict=True, ge=1)] | None = Field(None, description="As soon as so many leads wait.")
    minutes: Positive | None = Field(None, description="As soon as one lead has waited so long.")
    pause_minutes: Positive = Field(5.0, description="Least time between two runs by this rule.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Waiting:
        if self.leads is None and self.minutes is None:
            raise ValueError("waiting must have leads, or minutes, or both")
        return self


class Retrain(Section):
    """Learns the fit anew; the new model goes live only if it is not worse out of time."""

    name: Name = "retrain"
    cron: Cron = Field("0 3 * * sun", description="When, as in times.")
    time_zone: Zone | None = Field(None, description="Time zone of this rule; absent: the schedule's.")
    tolerance: Share = Field(
        0.01, description="By what share its log loss out of time may be worse and still be let in."
    )


class Alerts(Section):
    """What to raise an alarm for."""

    no_leads_hours: Positive | None = Field(None, description="No lead came for so long; absent: no alarm.")
    gap_at_most: Share = Field(0.01, description="A plan's proved gap is above this.")
    nurture_rise: Share = Field(
        0.2, description="The share of leads in nurture is so much above that of the last runs."
    )
    calibration: Amount = Field(0.1, description="Wins differ by this share from what was expected, beyond chance.")


class Schedule(Section):
    """When batches run without anybody watching; without times and waiting they are started by hand."""

    time_zone: Zone = Field("UTC", description="Time zone of rules that name none.")
    times: Annotated[tuple[Times, ...], Unique] = Field((), description="Runs by the clock.")
    waiting: Waiting | None = Field(None, description="Runs as soon as leads wait.")
    retrain: Retrain | None = Field(None, description="When the fit is learnt anew; absent: by hand.")
    missed: Literal["latest", "all", "skip"] = Field(
        "latest", description="Of times that were missed, run the latest, all, or none."
    )
    late_minutes: Positive = Field(10.0, description="A time is missed if it did not start within this.")
    catch_up_hours: Annotated[Positive, Field(le=MOST_HOURS)] = Field(
        24.0, description="Missed times that are older are left out in any case."
    )
    alerts: Alerts = Alerts()

    @model_validator(mode="after")
    def _names_differ(self) -> Schedule:
        names = [rule.name for rule in self.rules()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rules of a schedule must have distinct names. Got twice: {', '.join(twice)}")
        return self

    def rules(self) -> Iterator[Times | Waiting | Retrain]:
        """Every rule that starts something."""
        yield from self.times
        if self.waiting is not None:
            yield self.waiting
        if self.retrain is not None:
            yield self.retrain

    def zone(self, rule: Times | Retrain) -> str:
        """The time zone that a rule's cron expression is in."""
        return rule.time_zone or self.time_zone
