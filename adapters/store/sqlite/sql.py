"""Statements on a connection to a file."""

from collections.abc import Iterable, Sequence
from os import getpid
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    StoredEvent,
)
from eventsourcing.sqlite import (
    SQLiteCursor,
)

from yibao.adapters.store.connections import (
    SqlRow,
    elsewhere,
)


class SqliteSql:
    """A turn on a connection to SQLite."""

    __slots__ = ("_pid", "_raw", "cursor")

    def __init__(self, cursor: SQLiteCursor) -> None:
        self.cursor = cursor
        self._pid = getpid()
        self._raw = cursor.sqlite_cursor
        self._raw.row_factory = None  # plain tuples

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[SqlRow]:
        self._check_process()
        return self._raw.execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._check_process()
        self._raw.execute(statement, values)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check_process()
        self._raw.executemany(statement, rows)

    def fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self.run_many(f"INSERT INTO {table} VALUES ({places})", rows)

    @property
    def changed(self) -> int:
        """How many rows the last statement has changed by itself."""
        return self._raw.rowcount

    @property
    def changes(self) -> int:
        """How many rows were changed on this connection, by statements and by triggers."""
        return self._raw.connection.total_changes

    def _check_process(self) -> None:
        if getpid() != self._pid:
            raise elsewhere()


def row_of(event: StoredEvent) -> tuple[str, int, str, bytes]:
    stream = event.originator_id
    key = stream.hex if isinstance(stream, UUID) else stream
    return key, event.originator_version, event.topic, event.state
