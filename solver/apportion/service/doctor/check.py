"""Check: what one look found, in plain words, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from apportion.service.outbox import Route
from apportion_models.errors import InputError, ServiceError, UsageError

State = Literal["ok", "warning", "wrong", "unknown"]
USAGE, AWAY, BAD = UsageError.exit_code, ServiceError.exit_code, InputError.exit_code


@dataclass(frozen=True)
class Check:
    """One line. state : "unknown" where something else that is wrong kept it from being looked at.

    remedy : what to do; empty where nothing is to be done. exit_code : of the command, where it is wrong.
    """

    name: str
    state: State
    sentence: str
    remedy: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class Report:
    """Everything that was looked at, in the order in which it was."""

    checks: Sequence[Check]

    @property
    def exit_code(self) -> int:
        """0 where nothing is wrong; else 2 where a setting is, 6 where the store is away or not set up, 3 for all
        else."""
        found = {check.exit_code for check in self.checks if check.state == "wrong"}
        return next((code for code in (USAGE, AWAY, BAD) if code in found), 0)

    def counts(self) -> dict[State, int]:
        """How many checks came out how."""
        states: tuple[State, ...] = ("ok", "warning", "wrong", "unknown")
        return {state: sum(check.state == state for check in self.checks) for state in states}

    def document(self) -> dict[str, Any]:
        """For programs."""
        checks = [{name: told for name, told in asdict(check).items() if name != "exit_code"} for check in self.checks]
        return {"schema": "apportion.doctor/1", "counts": self.counts(), "checks": checks}


@dataclass(frozen=True)
class Look:
    """What checks of the store know besides it. routes : the sinks; None where their file cannot be read."""

    routes: Mapping[str, Route] | None


def ok(name: str, sentence: str) -> Check:
    """As it should be."""
    return Check(name, "ok", sentence)


def warning(name: str, sentence: str, remedy: str) -> Check:
    """It works, and will not for ever, or not as well as it could."""
    return Check(name, "warning", sentence, remedy)


def wrong(name: str, sentence: str, remedy: str, *, exit_code: int = BAD) -> Check:
    """It does not work."""
    return Check(name, "wrong", sentence, remedy, exit_code)


def unknown(name: str, why: str) -> Check:
    """It could not be looked at."""
    return Check(name, "unknown", f"Not looked at: {why}.")


def span(gone: dt.timedelta) -> str:
    """3 days, 5 hours, 12 minutes, 40 seconds: the largest that is at least two, and rounded down."""
    seconds = max(0, int(gone.total_seconds()))
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} seconds"


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 key, 2 keys; 2 entries where the plural is told."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
