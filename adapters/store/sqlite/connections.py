"""Connections to a file, and to what is in memory: lent, one writer at a time."""

import math
import os
import sqlite3
from contextlib import suppress
from threading import get_ident
from types import TracebackType
from typing import Final

from eventsourcing.persistence import InterfaceError, PersistenceError
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from yibao.adapters.store.connections import Loan, NotLent, Pool, keep_for_ever
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.files import LOCK_TIMEOUT
from yibao.domain.refusals import YibaoError

_FAILURES = (PersistenceError, sqlite3.Error, OSError)


#: What a connection may keep in memory, in KiB: the inner pages of a store of some gigabytes.
CACHE_KIB: Final = 16 * 1024


#: How much of the log a file keeps once it was copied into the store, in bytes: as long as somebody
#: reads, it grows.
LOG_KEPT: Final = 64 * 2**20


#: How many read a file at once, and how many connections stay open where nobody does.
READERS: Final = 15


KEPT: Final = 5


class FactConnection(SQLiteConnection):
    """A connection of ours, which whichever thread finds it left behind can close."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection, max_age=None)
        self._cursors: list[sqlite3.Cursor] = []

    def cursor(self) -> SQLiteCursor:
        cursor = super().cursor()
        self._cursors.append(cursor.sqlite_cursor)
        return cursor

    def is_clean(self) -> bool:
        """Whether no transaction is open; what was read by it is done with."""
        self._cursors.clear()
        return not self._sqlite_conn.in_transaction

    @property
    def in_transaction(self) -> bool:
        return self._sqlite_conn.in_transaction

    def close(self) -> None:
        # Python closes a connection only when nobody has a statement of it any more, and a
        # traceback may keep one: by itself it would keep its locks as long.
        with suppress(sqlite3.ProgrammingError):  # where it is closed
            for cursor in self._cursors:
                cursor.close()
            if self._sqlite_conn.in_transaction:
                self._sqlite_conn.rollback()
        self._sqlite_conn.close()


class SqlitePool(Pool[FactConnection]):
    """Connections to one file, or to one database in memory.

    In memory nobody reads while another writes, so there is one connection for all.
    """

    harmless = (YibaoError, sqlite3.Error, PersistenceError)
    has_forks_wait = True
    #: Whether what is in memory is there as long as this is, whatever is thrown away.
    is_anchored = True

    def __init__(self, db_name: str, size: int, pool_timeout: float = LOCK_TIMEOUT) -> None:
        super().__init__(size, pool_timeout, keep=KEPT)
        self.db_name = db_name
        self.is_sqlite_memory_mode = SQLiteConnectionPool.detect_memory_mode(db_name)
        is_anchored = self.is_sqlite_memory_mode and self.is_anchored
        self._anchor = self._make() if is_anchored else None

    def _make(self) -> FactConnection:
        check_not_left(self.db_name)
        try:
            connection = sqlite3.connect(
                self.db_name,
                uri=True,
                check_same_thread=False,
                isolation_level=None,
                timeout=LOCK_TIMEOUT,
            )
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        connection.row_factory = sqlite3.Row
        self._set_up(connection)
        return FactConnection(connection)

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit={LOG_KEPT}")

    def _close(self, connection: FactConnection) -> None:
        connection.close()

    def _is_clean(self, connection: FactConnection) -> bool:
        return connection.is_clean()

    def close(self) -> None:
        super().close()
        if self._anchor is not None and self.is_of_this_process:
            self._anchor.close()

    def leave_behind(self, was_paused: bool) -> None:
        """Closes in the child what nobody was using.

        SQLite knows by process what it has locked, so a child that opens the same file would take
        the parent's locks for its own. Locks of the parent are not touched by a child that closes
        its descriptors. What was in the middle of something stays open for ever: to end it would
        be to end it for the parent, too.
        """
        at_rest = [connection for connection, _ in self._idle]
        in_use: list[FactConnection] = []
        for loan in self._lent:
            if loan.connection is not None:
                is_mine = loan.thread == get_ident() and not loan.connection.in_transaction
                (at_rest if loan.rests or is_mine else in_use).append(loan.connection)
        if self.is_sqlite_memory_mode or not was_paused:
            at_rest, in_use = [], [*at_rest, *in_use]
        for connection in at_rest:
            connection.close()
        for left in (*in_use, self._anchor):
            keep_for_ever(left)
        if in_use:
            _LEFT.add(os.path.realpath(self.db_name))


#: The files that were in use when this process was forked.
_LEFT: Final[set[str]] = set()


def check_not_left(database: str) -> None:
    """Raises StoreError for a file of which this process has inherited something in use."""
    if _LEFT and os.path.realpath(database) in _LEFT:
        raise StoreError(
            "was being written to when this process was forked, and cannot be opened in it: "
            "fork outside of a transaction"
        )


class FactDatastore(SQLiteDatastore):
    """Connections to a file without the library's interlock of readers and writers.

    There a reader waits behind writers that wait for another process, and a connection that
    cannot be made leaves the lock taken for ever. In a file SQLite itself keeps readers and
    writers apart; the writers of this process take turns with one connection of their own.
    """

    pool: SqlitePool  # type: ignore[assignment]

    def __init__(self, db_name: str) -> None:
        super().__init__(db_name)
        in_memory = SQLiteConnectionPool.detect_memory_mode(db_name)
        self.pool = SqlitePool(db_name, 1 if in_memory else READERS)
        self.writer = self.pool if in_memory else SqlitePool(db_name, 1, pool_timeout=math.inf)

    def get_connection(  # type: ignore[override]
        self, *, commit: bool
    ) -> Loan[FactConnection]:
        return (self.writer if commit else self.pool).lend()

    def transaction(self, *, commit: bool) -> "SqliteTransaction":  # type: ignore[override]
        return SqliteTransaction(self.get_connection(commit=commit), commit=commit)

    def close(self) -> None:
        """Closes every connection; one that is being used once it is given back."""
        # It is called also where making it was interrupted.
        for pool in (vars(self).get("pool"), vars(self).get("writer")):
            if pool is not None:
                pool.close()


class SqliteTransaction:
    """A transaction on a connection of its own; one that will write takes the lock at once.

    One that reads first and then writes would be refused where somebody else wrote in between. A
    class, since a generator takes twice as long.
    """

    __slots__ = ("_commit", "_cursor", "_within", "loan")

    def __init__(self, loan: Loan[FactConnection], *, commit: bool) -> None:
        self.loan = loan
        self._commit = commit

    def __enter__(self) -> SQLiteCursor:
        try:
            connection = self.loan.__enter__()
            self._within = SQLiteTransaction(connection, commit=self._commit)
            self._cursor = connection.cursor()
            self._cursor.execute("BEGIN IMMEDIATE" if self._commit else "BEGIN")
        except BaseException as error:
            self.loan.__exit__(type(error), error, None)
            raise
        return self._cursor

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.loan.is_back or not self.loan.pool.is_of_this_process:
            return
        try:
            self._within.__exit__(kind, error, trace)
            self._cursor.sqlite_cursor.close()
        except BaseException as ended:
            # Closed where a failed COMMIT has left it open.
            self.loan.__exit__(type(ended), ended, None)
            raise
        self.loan.__exit__(None, None, None)


def failure(error: BaseException) -> Exception | None:
    """A failure of SQLite or of the library as ours; None for anything else."""
    if isinstance(error, NotLent):
        return error.told
    return StoreError(f"failed: {error}") if isinstance(error, _FAILURES) else None
