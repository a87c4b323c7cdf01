"""What is to be told to somebody, and what they should do: a pure function of what was seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from apportion.policy.schema.schedule import Alerts
from apportion.service.feed import Unread
from apportion.service.schedule import Learnt
from apportion_models.drift.alarms import Alarm

FEW_RUNS = 3  # earlier runs below which a rise of nurture is not told
FEW_LEADS = 20  # leads of a run below which its share in nurture says nothing


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One run that is over. day : when. gap : proved, None where it failed. leads, nurture : counts."""

    run_id: str
    state: str
    day: str
    error: str = ""
    gap: float | None = None
    leads: int = 0
    nurture: int = 0

    @property
    def share(self) -> float | None:
        """The share of its leads in nurture; None where they are too few."""
        return self.nurture / self.leads if self.leads >= FEW_LEADS else None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was seen. last_lead : when a lead last came. runs : the newest first. dead : letters given up, by sink.

    monitored : what `monitor` found. learnt : what became of learning anew. unread : tables that could not be read.
    """

    now: dt.datetime
    last_lead: dt.datetime | None = None
    runs: Sequence[Finished] = ()
    dead: dict[str, int] = field(default_factory=dict)
    monitored: Sequence[Alarm] = ()
    learnt: Sequence[Learnt] = ()
    unread: Sequence[Unread] = ()


@dataclass(frozen=True)
class Raised:
    """An alarm: what was seen where, and what to do. about : the same kind about the same is told once."""

    kind: str
    where: str
    sentence: str
    action: str
    about: str


def alarms(rules: Alerts, facts: Facts) -> tuple[Raised, ...]:
    """Every alarm that the rules want for these facts."""
    ways = (_silence, _failures, _gaps, _nurture, _dead_letters, _calibration, _models, _sources)
    return tuple(raised for way in ways for raised in way(rules, facts))


def _silence(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    if rules.no_leads_hours is None or facts.last_lead is None:
        return
    hours = (facts.now - facts.last_lead).total_seconds() / 3600.0
    if hours >= rules.no_leads_hours:
        sentence = f"No lead has come for {hours:.0f} hours; {rules.no_leads_hours:g} are allowed."
        action = "See whether the form, the import or its key still works; send one lead by hand to test the way."
        yield Raised("no leads", "leads", sentence, action, facts.last_lead.isoformat())


def _failures(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    for run in facts.runs:
        if run.state == "failed":
            sentence = f"Run {run.run_id} failed ({run.error}). Its leads wait again."
            action = "Read the run's error, mend the table or policy that it names, and ask for a run anew."
            yield Raised("run failed", run.run_id, sentence, action, f"{run.error}:{run.day}")


def _gaps(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    for run in facts.runs:
        if run.gap is not None and run.gap > rules.gap_at_most:
            sentence = f"Run {run.run_id} has a proved gap of {run.gap:.2%}; {rules.gap_at_most:.2%} are allowed."
            action = (
                "Raise solve.time_limit, or run more often with fewer leads. The plan holds every rule all the same."
            )
            yield Raised("gap", run.run_id, sentence, action, run.day)


def _nurture(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    told = [(run, run.share) for run in facts.runs if run.share is not None]
    if len(told) <= FEW_RUNS:
        return
    (newest, share), *earlier = told
    before = sum(part or 0.0 for _, part in earlier) / len(earlier)
    if share is not None and share - before > rules.nurture_rise:
        sentence = (
            f"{share:.0%} of the leads of run {newest.run_id} went to nurture; {before:.0%} did in the runs before."
        )
        action = "See in its report why: reps away, capacity used up, leads without territory, or another kind of lead."
        yield Raised("nurture", newest.run_id, sentence, action, newest.day)


def _dead_letters(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    for sink, count in sorted(facts.dead.items()):
        sentence = f"{count} message{'s' if count > 1 else ''} to {sink} could not be delivered."
        action = "Read why at the dead letters, mend the receiver, and replay them: nothing is lost."
        about = f"{sink}:{count.bit_length()}:{facts.now:%Y-%m-%d}"  # told again when they are twice as many: the alarm
        yield Raised("dead letters", sink, sentence, action, about)  # itself may be one more, where nobody can be told


def _calibration(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    week = "{}-{}".format(*facts.now.isocalendar()[:2])
    for alarm in facts.monitored:
        yield Raised(alarm.kind, alarm.where, alarm.sentence, alarm.action, f"{alarm.where}:{week}")


def _models(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    for learnt in facts.learnt:
        if not learnt.live:
            sentence = f"The model that was learnt anew ({learnt.slot}) does not go live. {learnt.why}"
            action = (
                "The model in use stays. See whether the history is whole; if so, activate the new version by hand."
            )
            yield Raised("model not live", learnt.slot, sentence, action, learnt.slot)


def _sources(rules: Alerts, facts: Facts) -> Iterator[Raised]:
    for unread in facts.unread:
        sentence = f"The sources ({unread.tables}) could not be read: {unread.why}. Batches go without."
        action = "Try `apportion store load` with the same places: it shows each fault. They are read again in minutes."
        yield Raised("sources", unread.tables, sentence, action, f"{unread.why}:{facts.now:%Y-%m-%d}")
