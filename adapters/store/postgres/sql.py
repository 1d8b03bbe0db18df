"""Statements on a connection to a server, and a transaction of them."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from os import getpid
from typing import Any, Final
from uuid import UUID

import psycopg
import psycopg.errors
from eventsourcing.persistence import (
    IntegrityError,
    OperationalError,
    PersistenceError,
    StoredEvent,
)

from yibao.adapters.store.connections import Sql, SqlRow, elsewhere, keep_for_ever
from yibao.adapters.store.findings import not_taken
from yibao.adapters.store.postgres.connections import first_line
from yibao.adapters.store.postgres.layout import Connection

#: Rows that are fetched at a time where there are many.
FETCHED: Final = 5000
#: The advisory lock shared by all who record; who records for all has it alone.
EVERYBODY: Final = 0x7969_6261_6F00_0000
#: The locks of its own that a transaction takes at most; one that needs more has the lock on all.
#: A server has room for some thousand locks of all transactions together.
MOST_LOCKS: Final = 1000
INSERT: Final = "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
INSERT_ONE: Final = f"{INSERT}VALUES (?, ?, ?, ?)"
NUMBER: Final = "SELECT pg_current_xact_id()"


class PostgresSql:
    """A turn on a connection to PostgreSQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pid = getpid()
        self._is_committing = False
        self._marks: list[tuple[str, Mapping[str, Any]]] = []
        #: The number of the transaction, by which the server knows how it ended.
        self.number = ""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[SqlRow]:
        self._check_process()
        return self._connection.execute(_of_psycopg(statement), values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._check_process()
        self._connection.execute(_of_psycopg(statement), values or None)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check_process()
        self._connection.cursor().executemany(_of_psycopg(statement), rows)

    def fill(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        self._check_process()
        if rows:
            with self._connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)

    def each(self, statement: str) -> Generator[SqlRow]:
        self._check_process()
        rows = self._connection.cursor(name="each")
        try:
            rows.itersize = FETCHED
            for row in rows.execute(_of_psycopg(statement)):
                yield row
                self._check_process()
        finally:
            if getpid() == self._pid:
                rows.close()
            else:
                keep_for_ever(rows)

    def _check_process(self) -> None:
        if getpid() != self._pid:
            raise elsewhere()

    def begin(self, everybody: bool, locks: list[int]) -> None:
        """Begins a transaction and takes its locks.

        They are in one order: two who want the same ones never wait for each other.
        """
        self.run("BEGIN")
        if everybody:
            self.run("SELECT pg_advisory_xact_lock(?)", [EVERYBODY])
        else:
            self.run("SELECT pg_advisory_xact_lock_shared(?)", [EVERYBODY])
            self.run("SELECT pg_advisory_xact_lock(k) FROM unnest(?::bigint[]) AS k", [locks])
        self.learn_number()

    def learn_number(self) -> None:
        ((number,),) = self.rows(NUMBER)
        self.number = str(number)

    def commit(self) -> None:
        self._is_committing = True
        self.run("COMMIT")

    @property
    def is_lost_in_commit(self) -> bool:
        """Whether the connection was lost when it was not told yet how the commit went."""
        return self._is_committing and self._connection.closed and bool(self.number)

    def insert(self, stored: Sequence[StoredEvent]) -> None:
        """Inserts events; it is meant for many."""
        self.leave_mark("stored_events", _values(stored[-1]))
        cursor = self._connection.cursor()
        with cursor.copy(
            "COPY stored_events (originator_id, originator_version, topic, state) "
            "FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(("uuid", "int8", "text", "bytea"))
            for event in stored:
                copy.write_row(row_of(event))
        if cursor.rowcount != len(stored):
            raise not_taken()

    def leave_mark(self, table: str, row: Mapping[str, Any]) -> None:
        """Notes a row that this transaction writes, as far as nobody else could write the same."""
        self._marks.append((table, row))

    def has_left_its_marks(self, asking: Sql) -> bool:
        """Whether the rows that were noted are there, written by a transaction of this number.

        Each by itself is not enough. After a crash another transaction may have this number, and
        write on the same stream; and what is there may have been written by a try before.
        """
        number = str(int(self.number) % 2**32)  # as it stands in a row
        return all(
            asking.rows(
                f"SELECT 1 FROM {table} WHERE {' AND '.join(f'{name}=?' for name in row)} "
                "AND xmin=?::xid",
                (*row.values(), number),
            )
            for table, row in self._marks
        )


class PostgresTransaction(PostgresSql):
    """A short transaction in few rounds: a statement of which nothing is read waits for the next.

    Each statement that goes along with another nevertheless sees what was there when it began,
    so that what is read after a lock is what is there under the lock.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._cursor = psycopg.ClientCursor(connection)
        self._statements: list[str] = []
        self._values: list[Any] = []

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._statements.append(statement)
        self._values.extend(values)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            self.run(statement, row)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[SqlRow]:
        self.run(statement, values)
        return self._send()

    def learn_number(self) -> None:
        self.run(NUMBER)

    def commit(self) -> None:
        self._is_committing = True
        self.run("COMMIT")
        self._send()

    def insert(self, stored: Sequence[StoredEvent]) -> None:
        self.leave_mark("stored_events", _values(stored[-1]))
        self.run_many(INSERT_ONE, map(row_of, stored))

    def _send(self) -> list[SqlRow]:
        """Executes everything that waits; what the last of it finds."""
        self._check_process()
        statements, values = self._statements, self._values
        self._statements, self._values = [], []
        self._cursor.execute(_of_psycopg("; ".join(statements)), values)
        for statement in statements[:-1]:
            if statement == NUMBER:
                ((number,),) = self._cursor.fetchall()
                self.number = str(number)
            if statement == INSERT_ONE and self._cursor.rowcount != 1:
                raise not_taken()
            self._cursor.nextset()
        return self._cursor.fetchall() if self._cursor.description else []


@contextmanager
def as_the_library_has_it() -> Iterator[None]:
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IntegrityError(first_line(error)) from error
    except psycopg.OperationalError as error:
        raise OperationalError(first_line(error)) from error
    except psycopg.Error as error:
        raise PersistenceError(first_line(error)) from error


def columns(stored: Sequence[StoredEvent]) -> list[list[Any]]:
    return [list(column) for column in zip(*map(row_of, stored), strict=True)] or [[], [], [], []]


def _values(event: StoredEvent) -> dict[str, Any]:
    names = ("originator_id", "originator_version", "topic", "state")
    return dict(zip(names, row_of(event), strict=True))


def row_of(event: StoredEvent) -> tuple[UUID | str, int, str, bytes]:
    return event.originator_id, event.originator_version, event.topic, event.state


def lock_of(stream: UUID) -> int:
    """The advisory lock of a stream: half of its id; two that share one only wait in vain."""
    return int.from_bytes(stream.bytes[:8], signed=True)


@lru_cache(maxsize=512)
def _of_psycopg(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()
