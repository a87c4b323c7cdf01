"""The exception tree, drawn first.

    ApportionError            bug           exit 1   HTTP 500
    ├── UsageError            usage         exit 2   HTTP 400
    │   ├── NotFoundError     not_found     exit 2   HTTP 404
    │   └── ConflictError     conflict      exit 2   HTTP 409   another was first
    ├── InputError            bad_input     exit 3   HTTP 422   carries findings: table, row, column, value, remedy
    │   ├── TableError        bad_table
    │   ├── PolicyError       bad_policy
    │   ├── ModelError        bad_model
    │   └── ProblemError      bad_problem
    ├── InfeasibleError       infeasible    exit 4   HTTP 409
    ├── LimitError            limit         exit 5   HTTP 504
    ├── ServiceError          service       exit 6   HTTP 502   a service beyond us failed
    └── UnverifiedPlanError   unverified    exit 1   HTTP 500   a plan failed verification: a bug, never an answer

A message says what must be, what was got, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

STOPS, CLOSING = (".", "!", "?", "…"), ")]}\"'”’»"


def sentence(text: str) -> str:
    """The text with a full stop, where it does not end as a sentence already, be it in quotes or brackets."""
    return text if not text or text.rstrip(CLOSING)[-1:] in STOPS else f"{text}."


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing seen in an input: refused (`error`), mended and told (`repair`), or only told (`notice`).

    Message and remedy become sentences here, so that whoever writes one need not think of what is shown behind it.
    """

    severity: Literal["error", "repair", "notice"]
    table: str
    message: str
    remedy: str = ""
    row: int | None = None  # 1-based line of data (the header is not counted); None: the whole table or column
    column: str | None = None
    value: Any = None
    count: int = 1  # how many rows the same finding holds for; `row` and `value` are the first

    def __post_init__(self) -> None:
        for name in ("message", "remedy"):
            object.__setattr__(self, name, sentence(getattr(self, name)))

    def __str__(self) -> str:
        place = [self.table]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column '{self.column}'")
        shown = "" if self.value is None else f" Got {self.value!r}."
        more = "" if self.count == 1 else f" ({self.count} rows.)"
        remedy = "" if not self.remedy else f" {self.remedy}"
        return f"{', '.join(place)}: {self.message}{shown}{more}{remedy}"


class ApportionError(Exception):
    """Whatever Apportion raises on purpose."""

    code: ClassVar[str] = "bug"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class UsageError(ApportionError):
    """The call itself is wrong: an unknown option, two that exclude each other."""

    code = "usage"
    exit_code = 2
    http_status = 400


class NotFoundError(UsageError):
    """There is no such thing."""

    code = "not_found"
    http_status = 404


class ConflictError(UsageError):
    """It cannot be done as things stand: another was first, or it was done before."""

    code = "conflict"
    http_status = 409


class InputError(ApportionError):
    """An input cannot be used. `findings` names every place at fault, all at once."""

    code = "bad_input"
    exit_code = 3
    http_status = 422

    def __init__(self, findings: str | Finding | Iterable[Finding]) -> None:
        if isinstance(findings, str):
            findings = Finding(severity="error", table="input", message=findings)
        self.findings: Sequence[Finding] = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class TableError(InputError):
    """A table of leads, reps, history and the like breaks its contract."""

    code = "bad_table"


class PolicyError(InputError):
    """A policy file cannot be understood, or contradicts itself."""

    code = "bad_policy"


class ModelError(InputError):
    """A saved model is damaged, of another version, or does not fit the tables."""

    code = "bad_model"


class ProblemError(InputError):
    """The arrays of an assignment problem do not fit together."""

    code = "bad_problem"


class InfeasibleError(ApportionError):
    """No plan keeps all hard rules."""

    code = "infeasible"
    exit_code = 4
    http_status = 409


class LimitError(ApportionError):
    """Stopped at a limit of time or memory before any plan was found."""

    code = "limit"
    exit_code = 5
    http_status = 504


class ServiceError(ApportionError):
    """A service beyond us (a database, a web address) failed."""

    code = "service"
    exit_code = 6
    http_status = 502


class UnverifiedPlanError(ApportionError):
    """A plan failed verification. Report it as a bug; no plan is given out."""

    code = "unverified"
