"""From a letter, which names a run or an assignment, to the message that is sent."""

from __future__ import annotations

from collections.abc import Iterator

from apportion.connectors import Message, message_key
from apportion.connectors.contract import Scalar, utc_text
from apportion.service.outbox.report import run_report
from apportion.service.store import Assignment, Letter, Tx

MESSAGE, RUN, REPORT, ASSIGNMENT = "message", "run_id", "report", "assignment_id"  # what a payload may hold
TOLD = ("expected_revenue", "deal_value", "fit", "propensity", "effort")
A_PAGE = 5000


def message_of(tx: Tx, letter: Letter) -> Message | None:
    """What the letter tells, read now; None where there is nothing to tell: a run without leads, a lead erased."""
    if MESSAGE in letter.payload:
        return Message.from_document(letter.payload[MESSAGE])
    rows: tuple[dict[str, Scalar], ...] = ()
    if RUN in letter.payload:
        rows = tuple(_row(one) for one in _of_run(tx, str(letter.payload[RUN])))
    elif REPORT in letter.payload:
        rows = (run_report(tx, str(letter.payload[REPORT])),)
    elif ASSIGNMENT in letter.payload:
        number = int(letter.payload[ASSIGNMENT])
        found = tx.assignments.page(after=str(number - 1), limit=1).items
        rows = tuple(_row(one) for one in found if one.id == number)
    return Message(kind=letter.topic, at=letter.created_at, rows=rows) if rows else None


def parts_of(message: Message, key: str, most_rows: int | None) -> Iterator[tuple[str, Message]]:
    """The message, in parts of so many rows, each under a key that is always the same."""
    if most_rows is None or len(message.rows) <= most_rows:
        yield key, message
        return
    for start in range(0, len(message.rows), most_rows):
        part = Message(kind=message.kind, at=message.at, rows=message.rows[start : start + most_rows])
        yield message_key(key, str(start)), part


def _of_run(tx: Tx, run_id: str) -> Iterator[Assignment]:
    after: str | None = None
    while True:
        page = tx.assignments.page(run_id=run_id, after=after, limit=A_PAGE)
        yield from page
        if page.after is None:
            return
        after = page.after


def _row(one: Assignment) -> dict[str, Scalar]:
    """One lead: who has it now, or why nobody."""
    numbers: dict[str, Scalar] = {name: getattr(one, name) for name in TOLD}
    return {
        "lead_id": one.lead_id,
        "rep_id": one.rep_id,
        "outcome": one.outcome,
        "reason": one.reason,
        "tier": one.tier,
        **numbers,
        "assigned_at": utc_text(one.assigned_at),
        "run_id": one.run_id,
    }
