"""The little that a store's statements need of a database, the same for SQLite and PostgreSQL.

Statements are written once, with question marks; a stream is told by the 32 digits of its id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

V = TypeVar("V")

#: How many values stand in one statement.
AT_ONCE: Final = 500
#: No position is greater.
LAST: Final = 2**63 - 1

#: A row, as a plain tuple.
SqlRow = tuple[Any, ...]


class Sql(Protocol):
    """A turn on a connection, in a transaction or by itself."""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[SqlRow]:
        """What a statement finds."""
        ...

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """A statement of which nothing is read; it may wait for the next one that is."""
        ...

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """A statement for each row."""
        ...

    def fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """New rows of a table, of all its columns; it is meant for many."""
        ...


class Frontier(NamedTuple):
    """Up to which fact and which refused attempt nothing can appear any more.

    Numbers are given before a transaction ends, and transactions end in any order: what is
    above may still be filled in from below.
    """

    position: int
    attempt: int


class Database(Protocol):
    """What a store of facts stands on."""

    def reading(self) -> AbstractContextManager[Sql]:
        """A turn to read, each statement by itself."""
        ...

    def writing(
        self, concerned: Iterable[UUID], *, everybody: bool = False, many: bool = False
    ) -> AbstractContextManager[Sql]:
        """A transaction in which nobody else records on the streams concerned.

        `everybody`: nor on any other. `many`: what is recorded is a lot.
        """
        ...

    def append(self, sql: Sql, stored: Sequence[StoredEvent]) -> None:
        """Inserts events in an open transaction."""
        ...

    def settled(self, patience: float) -> Frontier:
        """How far the store is final; waits so many seconds for what is on its way now."""
        ...

    def in_turn(self, sql: Sql, what: str) -> None:
        """Has those who do the same, whatever the streams, take turns until they have done."""
        ...

    def leave_mark(self, sql: Sql, table: str, row: Mapping[str, Any]) -> None:
        """Notes a row that a transaction writes, by which it is known should its end be lost."""
        ...

    def number_on(self, sql: Sql, *, with_gaps: bool) -> None:
        """Gives numbers from the greatest on, after rows were inserted with numbers of theirs.

        `with_gaps`: numbers may be missing among them, as PostgreSQL leaves them.
        """
        ...

    def last_stamp(self, sql: Sql, after: int, until: int) -> str | None:
        """The last stamp of the events between two positions, as it is written in them.

        All are written in Shanghai time, whose order is that of the texts.
        """
        ...

    def is_rehearsal(self) -> bool:
        """Whether the store is marked as one for stories."""
        ...

    def erase(self, statement: str, values: Sequence[Any]) -> bool:
        """Executes a deletion so that nothing of it stays behind, as far as is in our hands.

        Whether that is so by now.
        """
        ...

    def finish_erasing(self) -> None:
        """Tries again what stayed behind of earlier deletions; does not wait."""
        ...


def first_of(start: int | None, is_inclusive: bool) -> int:
    """The first position of an interval as the library tells it."""
    return 1 if start is None else start if is_inclusive else start + 1


def notifications(
    sql: Sql, first: int, until: int, limit: int, topics: Sequence[str]
) -> list[Notification]:
    """Events between two positions, as the library has them; with topics only such."""
    among = f"AND topic IN ({', '.join('?' * len(topics))}) " if topics else ""
    rows = sql.rows(
        "SELECT originator_id, originator_version, topic, state, notification_id "
        "FROM stored_events WHERE notification_id>=? AND notification_id<=? "
        f"{among}ORDER BY notification_id LIMIT ?",
        (first, until, *topics, limit),
    )
    return [
        Notification(
            originator_id=stream_of(key),
            originator_version=version,
            topic=topic,
            state=state,
            id=position,
        )
        for key, version, topic, state, position in rows
    ]


def in_parts(values: Iterable[V]) -> Iterator[tuple[str, list[V]]]:
    """Values some hundred at a time, each time after as many question marks."""
    left = iter(values)
    while some := list(islice(left, AT_ONCE)):
        yield ", ".join("?" * len(some)), some


def stream_of(key: Any) -> UUID:
    """The stream in a row, as either database has it."""
    return key if isinstance(key, UUID) else UUID(key)
