"""Statements on a connection to a file."""

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from os import getpid
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    StoredEvent,
)
from eventsourcing.sqlite import (
    SQLiteCursor,
)

from yibao.adapters.store.connections import (
    Found,
    elsewhere,
)
from yibao.adapters.store.sqlite.connections import FactConnection


class SqliteSql:
    """A turn on a connection to SQLite."""

    __slots__ = ("_pid", "_raw", "cursor")

    def __init__(self, cursor: SQLiteCursor) -> None:
        self.cursor = cursor
        self._pid = getpid()
        self._raw = cursor.sqlite_cursor
        self._raw.row_factory = None  # plain tuples

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Found]:
        self._check_process()
        return self._raw.execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._check_process()
        self._raw.execute(statement, values)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check_process()
        self._raw.executemany(statement, rows)

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


#: Rows of a snapshot that are read in one step.
FETCHED: Final = 1000


class SqliteSnapshot(SqliteSql):
    """A connection used step by step, each by whoever has the gate: none while we are forked."""

    __slots__ = ("_connection", "_gate")

    def __init__(self, connection: "FactConnection", gate: AbstractContextManager[Any]) -> None:
        super().__init__(connection.cursor())
        self._connection = connection
        self._gate = gate

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Found]:
        self._check_process()
        with self._gate:
            return super().rows(statement, values)

    def each(self, statement: str) -> Generator[Found]:
        self._check_process()
        rows = self._connection.cursor().sqlite_cursor
        rows.row_factory = None
        found: list[Found] | None = None
        try:
            while found != []:
                with self._gate:
                    found = (rows if found else rows.execute(statement)).fetchmany(FETCHED)
                for row in found:
                    yield row
                    self._check_process()
        finally:
            if getpid() == self._pid:
                # It is closed where this was left behind.
                with self._gate, suppress(sqlite3.ProgrammingError):
                    rows.close()
