"""Cron expressions of five fields: checked, and counted out as instants in UTC. Needs cronsim, of the extra `service`.

Clock changes go as in Debian's cron. Where minute and hour are both fixed, a time that the clock skips is taken at the
first minute after, and a time that comes twice is taken the first time. With a star in either, it is real time that
passes: `*/30 * * * *` is every 30 minutes also that night.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

SHAPE = re.compile(r"[0-9A-Za-z*/,\-#]+( +[0-9A-Za-z*/,\-#]+){4}")
SETTLING = dt.timedelta(hours=26)  # begun so much earlier, a count does not depend on where in a clock change it begins
EXAMPLE = '"0 8,13 * * mon-fri"'  # in quotes, for YAML takes a comma between braces for the next key


def check_cron(text: str) -> str:
    """The expression, with single spaces. Raises ValueError where it is none, or never comes.

    Without cronsim only its shape is checked: it cannot run there either.
    """
    plain = " ".join(text.split())
    message = f"must be minute, hour, day, month and weekday, such as {EXAMPLE}"
    if not SHAPE.fullmatch(plain):
        raise ValueError(message)
    cronsim = _cronsim()
    if cronsim is None:
        return plain
    try:
        next(cronsim.CronSim(plain, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    except cronsim.CronSimError as error:
        raise ValueError(f"{message}. {error}") from None
    except StopIteration:
        raise ValueError("must be a time that comes; this one never does") from None
    return plain


def can_count() -> bool:
    """Whether cronsim is installed."""
    return _cronsim() is not None


def instants(cron: str, zone: str, *, after: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
    """The times of `cron` in `zone`, as instants in UTC, rising, each once: after < instant <= until.

    Raises RuntimeError where cronsim is not installed.
    """
    last = after
    for instant in _all_from(cron, zone, after):
        if instant > until:
            return
        if instant > last:
            last = instant
            yield instant


def next_instant(cron: str, zone: str, *, after: dt.datetime) -> dt.datetime:
    """The first time of `cron` after this instant, in UTC."""
    return next(instant for instant in _all_from(cron, zone, after) if instant > after)


def cron_words(cron: str) -> str:
    """`At 08:00 and 13:00 on Monday through Friday`; the expression itself where cronsim is not installed."""
    cronsim = _cronsim()
    return cron if cronsim is None else str(cronsim.CronSim(cron, dt.datetime(2026, 1, 1)).explain())


def _all_from(cron: str, zone: str, after: dt.datetime) -> Iterator[dt.datetime]:
    """Times from somewhat before `after` on; around a clock change not all rising, and some twice."""
    cronsim = _cronsim()
    if cronsim is None:
        raise RuntimeError("cronsim is not installed")
    begin = (after - SETTLING).astimezone(ZoneInfo(zone))
    for local in cronsim.CronSim(cron, begin):
        yield local.astimezone(dt.UTC)


def _cronsim() -> Any:
    try:
        import cronsim
    except ImportError:
        return None
    return cronsim
