"""What is decided by: the policy, its schedule, and the fit model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from apportion.service.doctor.check import Check, Look, counted, ok, span, warning, wrong
from apportion.service.schedule import next_time
from apportion.service.schedule.runner import schedule_of, slots_due
from apportion.service.store import ModelVersion, Tx
from apportion_models.errors import ModelError

OLD = dt.timedelta(days=180)
SOON = dt.timedelta(minutes=3)  # within which a slot that is due is taken on where anybody looks at the clock
FEW_REPS = 0.8  # share of the reps that the model should have met
MODEL = "Run `apportion fit --history HISTORY --reps REPS --out model`, then `apportion store model model`."


def policy(tx: Tx, look: Look) -> Iterator[Check]:
    """Which policy is in use."""
    active = tx.policies.active()
    if active is None:
        said = "No policy is in use: batches go by the default rules, and only when somebody asks."
        yield warning("policy", said, "Run `apportion store policy policy.yaml`.")
    else:
        yield ok("policy", f"Policy version {active.version}, {active.name!r}, is in use.")


def schedule(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether what is due is taken on."""
    now, rules = tx.now(), schedule_of(tx)
    if not list(rules.rules()):
        yield ok("schedule", "The policy has no schedule: batches run when somebody asks.")
        return
    late = [slot for slot in slots_due(tx) if now - slot.at > SOON]
    for slot in late:
        gone = now - slot.at
        said = f"{slot.name} has been due for {span(gone)}, and nobody has taken it on."
        make = wrong if gone > dt.timedelta(minutes=rules.late_minutes) else warning
        yield make("schedule", said, "See whether `apportion serve` is up, or `apportion run-due` called each minute.")
    if not late:
        coming = next_time(rules, after=now)
        then = "nothing goes by the clock" if coming is None else f"the next run is at {coming:%Y-%m-%d %H:%M} UTC"
        yield ok("schedule", f"Nothing is overdue; {then}.")


def model(tx: Tx, look: Look) -> Iterator[Check]:
    """Whether there is a fit model, whole, young and tested."""
    active = tx.models.active()
    if active is None:
        yield wrong("model", "No fit model is in use: no batch can run.", MODEL)
        return
    try:
        tx.models.load(active.version)
    except ModelError as error:
        again = "Activate another version (`apportion store roll-back model`), or fit and store one."
        yield wrong("model", str(error).split("\n")[0], again)
        return
    yield _age(tx, active)
    yield _calibration(active)
    yield from _reps_that_it_knows(tx, active)


def _age(tx: Tx, active: ModelVersion) -> Check:
    last, name = active.card["training"]["last_assigned"], f"Model version {active.version}"
    if last is None:
        return warning("model", f"{name} was learnt from leads without dates: its age is not known.", MODEL)
    gone = tx.now() - dt.datetime.fromisoformat(str(last)).replace(tzinfo=dt.UTC)
    said = f"{name} was learnt from leads up to {last}, {span(gone)} ago."
    if gone > OLD:
        return warning("model", said, "Fit anew, or let the policy's `schedule.retrain` do it.")
    return ok("model", said)


def _calibration(active: ModelVersion) -> Check:
    measures: dict[str, Any] | None = active.card["out_of_time"].get(active.level)
    if measures is None:
        said = "The model was not tested on later leads: whether its chances hold is not known."
        return warning("calibration", said, "Fit with a longer history; until then read its plans with care.")
    error, rows = measures["calibration_error"], measures["rows"]
    return ok("calibration", f"On {counted(rows, 'later lead')} its chances were off by {error:.1%} on average.")


def _reps_that_it_knows(tx: Tx, active: ModelVersion) -> Iterator[Check]:
    reps = {rep.rep_id for rep in tx.reps.all()}
    if not reps:
        yield wrong(
            "reps", "There are no reps: every lead would go to nurture.", "Run `apportion store load --reps F`."
        )
        return
    known = set(tx.models.load(active.version).scorer_.rep_ids) & reps
    said = f"The model knows {len(known)} of {counted(len(reps), 'rep')}; the others get their peers' estimate."
    if len(known) < FEW_REPS * len(reps):
        yield warning("reps", said, "Fit anew with a recent history; see that rep ids are the same in both tables.")
    else:
        yield ok("reps", said if len(known) < len(reps) else f"The model knows all {counted(len(reps), 'rep')}.")
