"""Desk: the part of a transaction that minds one subject; and what all of them need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import sqlalchemy as sa

if TYPE_CHECKING:
    from apportion.service.store.transaction import Tx

T = TypeVar("T")
AT_ONCE = 500  # values in one statement: below SQLite's limit of 32,766 whatever the columns
MOST_A_PAGE = 10_000
ROSTER = "roster"  # the count of changes of reps, of the tables beside them, and of the policy and model in use


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of many. after : what to ask the next page with; None on the last."""

    items: tuple[T, ...]
    after: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Desk:
    """One subject of a transaction."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def rows(self, statement: sa.Executable, parameters: Any = None) -> list[sa.Row[Any]]:
        """All rows of a statement."""
        return list(self.tx.connection.execute(statement, parameters).all())

    def first(self, statement: sa.Executable) -> sa.Row[Any] | None:
        """The first row; None where there is none."""
        return self.tx.connection.execute(statement).first()

    def changed(self, statement: sa.Executable, parameters: Any = None) -> int:
        """Do it, and give how many rows it met."""
        return int(self.tx.connection.execute(statement, parameters).rowcount)

    def inserted(self, statement: Any) -> int:
        """Insert, and give how many rows are new. An insert may pass rows over, and then no driver counts alike."""
        return len(self.rows(statement.returning(sa.literal_column("1"))))

    def note(self, action: str, **about: Any) -> None:
        """Put it into the audit trail. about : keys, versions, counts and hashes; nothing that tells of a person."""
        self.tx.audit.note(action, **about)

    def listed(
        self,
        statement: sa.Select[Any],
        order: sa.Column[Any],
        made: Callable[[sa.Row[Any]], T],
        *,
        after: Any,
        limit: int,
        newest_first: bool = False,
    ) -> Page[T]:
        """`limit` rows behind `after` in the order of one column."""
        limit = max(1, min(limit, MOST_A_PAGE))
        if after is not None:
            statement = statement.where(order < after if newest_first else order > after)
        rows = self.rows(statement.order_by(order.desc() if newest_first else order).limit(limit + 1))
        more = str(rows[limit - 1]._mapping[order.name]) if len(rows) > limit else None
        return Page(tuple(made(row) for row in rows[:limit]), more)


def parts(items: Iterable[T], size: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """The items, `size` at a time."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
