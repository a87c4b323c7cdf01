"""Logs as lines of JSON, without personal data: what may be said is listed, all else is left out."""

from __future__ import annotations

import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

from apportion.connectors.extras import need

# What a line may hold: what happened, ids that we made ourselves, counts, durations and states. Neither lead nor rep.
ALLOWED = frozenset({
    "event", "level", "timestamp", "run", "slot", "rule", "schedule", "sink", "letter", "tries", "state", "outcome",
    "kind", "code", "status", "method", "route", "seconds", "gap", "leads", "nurture", "reps", "count", "received",
    "again", "dead", "asked", "ended", "version", "model", "policy", "port", "host", "pid", "revision", "request",
    "error", "where", "frames",
})  # fmt: skip
HIDDEN = "…"
LONGEST = 300
_SECRETS = (
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"),  # e-mail addresses
    re.compile(r"(?<![\w-])\+?\d[\d ()/-]{7,}\d(?![\w-])"),  # telephone numbers
    re.compile(r"whsec_\S+|(?<=://)[^/\s@]+(?=@)|(?i:bearer|key|token|secret|password)[=: ]+\S+"),
)


def set_up_logs(*, stream: TextIO | None = None, level: str = "info") -> Any:
    """A logger that writes to `stream` (stderr): `log.info("run done", run=..., gap=...)`. Changes nothing global."""
    structlog = need("structlog")
    processors = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_traceback_text,
        without_personal_data,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    return structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def without_personal_data(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Only what is allowed, in plain values; what looks like an address, a number or a secret inside is hidden."""
    return {name: _plain(value) for name, value in line.items() if name in ALLOWED}


def without_traceback_text(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """In the place of an exception its kind and where it was raised: its words may hold a cell."""
    given = line.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["error"] = type(error).__name__
        frames, trace = [], error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        line["frames"] = frames[-8:]
    return line


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    text = str(value)
    for pattern in _SECRETS:
        text = pattern.sub(HIDDEN, text)
    return text if len(text) <= LONGEST else text[:LONGEST] + HIDDEN
