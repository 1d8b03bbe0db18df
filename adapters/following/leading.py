"""Who leads a projection: one process at a time, and another at once when that one dies.

The lead hangs on an open connection, so the operating system or the server gives it back
whatever becomes of the process. It keeps others from doing the same work; that nothing is taken
in twice does not depend on it.
"""

import sqlite3
import zlib
from contextlib import suppress
from os import getpid
from typing import Final

from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.supervisor import Lead
from yibao.adapters.store import FactStore, StoreError
from yibao.adapters.store.connections import Loan, Scope, elsewhere
from yibao.adapters.store.files import claim, may_write
from yibao.adapters.store.sqlite import (
    FactConnection,
    SqlitePool,
    check_not_left,
    failure,
)

#: How long a server may take to answer whoever asks for the lead, in seconds.
WAITS: Final = 10


def lead_of(store: FactStore, projection: str) -> Lead:
    """The lead of a projection of a store."""
    if store.is_postgres:
        from yibao.adapters.store.postgres import PostgresRecorder

        assert isinstance(store.recorder, PostgresRecorder)
        return PostgresLead(store.recorder.connections.conninfo, projection)
    path = store.beside(f".{projection}.lead")
    # Where nobody can keep a trail up, nobody leads.
    return SqliteLead(path if may_write(path) else ":memory:")


class SqliteLead:
    """A file that one process has locked; there is nothing in it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pool = _LeadPool(path, 1)
        self._held: Loan[FactConnection] | None = None

    def is_mine(self) -> bool:
        try:
            self._pool.check_process()
            if self._held is None:
                check_not_left(self._path)
                self._take()
            return self._held is not None
        except (PersistenceError, sqlite3.Error) as error:
            raise StoreError(f"the lead {self._path!r} {failure(error)}") from error

    def _take(self) -> None:
        if not self._pool.is_sqlite_memory_mode:
            claim(self._path)
        loan = self._pool.lend(Scope())
        try:
            self._held = loan
            # In the child of a fork it is closed, which leaves it to the parent.
            loan.rests = True
            loan.__enter__().cursor().execute("BEGIN EXCLUSIVE")
        except BaseException as error:
            self.release()
            is_busy = isinstance(error, sqlite3.OperationalError) and (
                error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            )
            if not is_busy:
                raise

    def release(self) -> None:
        if self._held is not None:
            self._pool.throw_away(self._held)
            self._held = None


class _LeadPool(SqlitePool):
    """The one connection, which waits for nobody."""

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA busy_timeout=0")


class PostgresLead:
    """An advisory lock of a session of its own."""

    def __init__(self, conninfo: str, projection: str) -> None:
        import psycopg

        self._conninfo = conninfo
        self._pid = getpid()
        # Two numbers are another kind of lock than the one number of those who record.
        self._key = (_OURS, zlib.crc32(projection.encode()) - 2**31)
        self._held: psycopg.Connection | None = None

    def is_mine(self) -> bool:
        import psycopg

        from yibao.adapters.store.postgres import failure

        if getpid() != self._pid:
            raise StoreError(f"the lead {elsewhere().told}")
        try:
            if self._held is not None:
                self._held.execute("SELECT 1")  # the server may have ended the session
                return True
            self._held = connection = psycopg.connect(self._conninfo, autocommit=True)
            connection.execute(f"SET statement_timeout = '{WAITS}s'".encode())
            found = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", self._key).fetchone()
            if found != (True,):
                self.release()
            return found == (True,)
        except BaseException as error:
            # Whatever a signal has interrupted is not known to be ours.
            self.release()
            if isinstance(error, psycopg.Error):
                raise StoreError(f"the lead {failure(error)}") from error
            raise

    def release(self) -> None:
        import psycopg

        if self._held is not None and getpid() == self._pid:
            with suppress(psycopg.Error):
                self._held.close()
            self._held = None


_OURS: Final = 0x7969_6261
