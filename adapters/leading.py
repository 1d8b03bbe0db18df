"""Who leads a projection: one process at a time, and another at once when that one dies.

The lead hangs on an open connection, so the operating system or the server gives it back
whatever becomes of the process. It keeps others from doing the same work; that nothing is taken
in twice does not depend on it.
"""

import sqlite3
import zlib
from contextlib import suppress
from typing import Final

from yibao.adapters.errors import StoreError
from yibao.adapters.files import may_write
from yibao.adapters.following import Lead
from yibao.adapters.output import claim
from yibao.adapters.store import FactStore

#: How long a server may take to answer whoever asks for the lead, in seconds.
WAITS: Final = 10


def lead_of(store: FactStore, projection: str) -> Lead:
    """The lead of a projection of a store."""
    if store.is_postgres:
        from yibao.adapters.postgres import PostgresRecorder

        assert isinstance(store.recorder, PostgresRecorder)
        return PostgresLead(store.recorder.connections.conninfo, projection)
    path = store.beside(f".{projection}.lead")
    # Where nobody can keep a trail up, nobody leads.
    return SqliteLead(path if may_write(path) else ":memory:")


class SqliteLead:
    """A file that one process has locked; there is nothing in it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._held: sqlite3.Connection | None = None

    def is_mine(self) -> bool:
        if self._held is None:
            claim(self._path)
            try:
                connection = sqlite3.connect(
                    self._path, timeout=0, isolation_level=None, check_same_thread=False
                )
            except sqlite3.Error as error:
                raise StoreError(f"the lead {self._path!r} cannot be taken: {error}") from error
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                connection.close()
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise StoreError(f"the lead {self._path!r} failed: {error}") from error
                return False
            self._held = connection
        return True

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


class PostgresLead:
    """An advisory lock of a session of its own."""

    def __init__(self, conninfo: str, projection: str) -> None:
        import psycopg

        self._conninfo = conninfo
        # Two numbers are another kind of lock than the one number of those who record.
        self._key = (_OURS, zlib.crc32(projection.encode()) - 2**31)
        self._held: psycopg.Connection | None = None

    def is_mine(self) -> bool:
        import psycopg

        from yibao.adapters.postgres import failure

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
        except psycopg.Error as error:
            self.release()
            raise StoreError(f"the lead {failure(error)}") from error

    def release(self) -> None:
        import psycopg

        if self._held is not None:
            with suppress(psycopg.Error):
                self._held.close()
            self._held = None


_OURS: Final = 0x7969_6261
