"""SQLite under the facts: the recorder, and connections that let readers and writers be.

The recorder declares its notification ids, so that they survive a dump and are never used
twice, and keeps free text apart from the facts, in a table that can forget.
"""

import sqlite3
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from types import TracebackType
from typing import Any, Final, NamedTuple
from uuid import UUID

from eventsourcing.persistence import ConnectionPoolClosedError, InterfaceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
    SQLiteTransaction,
)
from eventsourcing.utils import Environment

from yibao.adapters import attempts, migrations
from yibao.adapters.errors import StoreError

#: How long one writer waits for another, in seconds.
LOCK_TIMEOUT: Final = 30
#: What a connection may keep in memory, in KiB: the inner pages of a store of some gigabytes.
CACHE_KIB: Final = 16 * 1024

#: What a row says of an event: its place in the stream, its stored name and its state.
Row = tuple[int, str, bytes]


class FactRecorder(SQLiteApplicationRecorder):
    """Stored events with declared ids, and erasable notes beside them in one transaction."""

    def construct_create_table_statements(self) -> list[str]:
        # AUTOINCREMENT: an implicit rowid is renumbered by a dump and reused after a delete.
        return [
            f"CREATE TABLE IF NOT EXISTS {self.events_table_name} ("
            "notification_id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, "
            "topic TEXT NOT NULL, "
            "state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))",
            "CREATE TABLE IF NOT EXISTS notes (event_id TEXT PRIMARY KEY, note TEXT NOT NULL)",
            *attempts.CREATE_TABLES,
            migrations.CREATE_VERSION_TABLE,
            f"INSERT OR IGNORE INTO alembic_version VALUES ('{migrations.HEAD}')",
        ]

    def create_table(self) -> None:
        """Creates a new store at the newest layout, or brings an older one there."""
        layout = self._layout()
        if layout is None:
            super().create_table()
        elif layout not in migrations.LAYOUTS:
            raise StoreError(f"the store's layout is {layout!r}: a newer yibao has written it")
        elif layout != migrations.HEAD:
            migrations.upgrade(self.datastore.pool.db_name)

    def _layout(self) -> str | None:
        """The layout of the store; None where there is none yet."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT name FROM sqlite_master WHERE name IN (?, 'alembic_version')",
                (self.events_table_name,),
            )
            tables = {row[0] for row in c.fetchall()}
            if "alembic_version" not in tables:
                return migrations.UNNUMBERED if tables else None
            c.execute("SELECT version_num FROM alembic_version")
            row = c.fetchone()
            return str(row[0]) if row else migrations.UNNUMBERED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.select_events_statement = (
            "SELECT originator_id, originator_version, topic, state "
            f"FROM {self.events_table_name} WHERE originator_id=? "
        )
        self.insert_events_statement = (
            f"INSERT INTO {self.events_table_name} "
            "(originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )
        self._select_rows = (
            "SELECT originator_version, topic, state "
            f"FROM {self.events_table_name} WHERE originator_id=? ORDER BY originator_version"
        )
        self._select_positioned = self._select_rows.replace("SELECT", "SELECT notification_id,")

    def rows(self, stream: UUID) -> list[Row]:
        """The rows of one stream, in order."""
        with self.datastore.get_connection(commit=False) as connection:
            return self.rows_within(connection.cursor(), stream)

    def rows_within(self, c: SQLiteCursor, stream: UUID) -> list[Row]:
        """The rows of one stream, as an open transaction sees them."""
        c.sqlite_cursor.row_factory = None  # plain tuples
        return c.sqlite_cursor.execute(self._select_rows, (stream.hex,)).fetchall()

    def positioned(self, stream: UUID) -> list[tuple[int, int, str, bytes]]:
        """The rows of one stream, each after its position in the store."""
        with self.datastore.get_connection(commit=False) as connection:
            c = connection.cursor().sqlite_cursor
            c.row_factory = None
            return c.execute(self._select_positioned, (stream.hex,)).fetchall()

    def insert_within(
        self, c: SQLiteCursor, stored: Sequence[StoredEvent], notes: Sequence[tuple[str, str]]
    ) -> None:
        """Inserts events and the notes beside them in an open transaction."""
        self._insert_events(c, stored)
        if notes:
            c.executemany("INSERT INTO notes VALUES (?,?)", notes)

    @contextmanager
    def snapshot(self) -> "Iterator[Snapshot]":
        """The store as it is now, to be read at leisure."""
        with self.datastore.transaction(commit=False) as c:
            in_memory = self.datastore.pool.is_sqlite_memory_mode
            if not in_memory:
                yield Snapshot(self, c)
                return
            # In memory readers keep writers out, so nothing is left open there.
            held = sqlite3.connect(":memory:")
            c.sqlite_cursor.connection.backup(held)
        with closing(held):
            yield Snapshot(self, SQLiteCursor(held.cursor()))

    def note(self, event_id: UUID) -> str | None:
        """The free text kept for an event, unless it was erased."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT note FROM notes WHERE event_id=?", (event_id.hex,))
            row = c.fetchone()
        return str(row[0]) if row else None

    def erase_note(self, event_id: UUID) -> None:
        """Forgets the free text of an event, also in the file; the event stands."""
        with self.datastore.get_connection(commit=True) as connection:
            with connection.cursor() as c:
                c.execute("PRAGMA secure_delete=ON")
            with connection.transaction(commit=True) as c:
                c.execute("DELETE FROM notes WHERE event_id=?", (event_id.hex,))
            with connection.cursor() as c:
                c.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Snapshot(NamedTuple):
    """One state of the whole store."""

    recorder: FactRecorder
    cursor: SQLiteCursor

    def rows(self, stream: UUID) -> list[Row]:
        """The rows of one stream, in order."""
        return self.recorder.rows_within(self.cursor, stream)

    def all_rows(self) -> Generator[tuple[str, int, str, bytes]]:
        """Every row, stream by stream, without holding them all."""
        with closing(self.cursor.sqlite_cursor.connection.cursor()) as rows:
            rows.row_factory = None
            yield from rows.execute(
                "SELECT originator_id, originator_version, topic, state "
                f"FROM {self.recorder.events_table_name} "
                "ORDER BY originator_id, originator_version"
            )


class FactDatastore(SQLiteDatastore):
    """Connections to a file without the library's interlock of readers and writers.

    There a reader waits behind writers that wait for another process, and a connection that
    cannot be made leaves the lock taken for ever. In a file SQLite itself keeps readers and
    writers apart; the writers of this process take turns with one connection of their own.
    """

    def __init__(self, db_name: str) -> None:
        self._turn = Lock()
        self._writer: SQLiteConnection | None = None
        super().__init__(db_name)
        self.pool = FactConnectionPool(
            db_name=db_name, lock_timeout=LOCK_TIMEOUT, pool_timeout=LOCK_TIMEOUT
        )

    def get_connection(self, *, commit: bool) -> "_Lent":  # type: ignore[override]
        return _Lent(self, commit=commit)

    def transaction(self, *, commit: bool) -> "_Transaction":  # type: ignore[override]
        return _Transaction(self, commit=commit)

    def take(self, *, commit: bool) -> SQLiteConnection:
        """A connection; for writing only when it is this thread's turn."""
        if self.pool.is_sqlite_memory_mode:
            return self.pool.get_connection(is_writer=commit)
        if not commit:
            return self.pool.get_connection()
        self._turn.acquire()
        try:
            if self.pool.closed:
                raise ConnectionPoolClosedError
            if self._writer is None:
                self._writer = self.pool._create_connection()
            return self._writer
        except BaseException:
            self._turn.release()
            raise

    def give_back(self, connection: SQLiteConnection) -> None:
        if connection is self._writer:
            self._turn.release()
        else:
            self.pool.put_connection(connection)

    def close(self) -> None:
        """Closes every connection, once whoever is writing has done so."""
        super().close()
        with self._turn:
            if self._writer is not None:
                self._writer.close()
                self._writer = None


class _Lent:
    """A connection, given back at the end. A class, since a generator takes twice as long."""

    __slots__ = ("commit", "connection", "datastore")

    def __init__(self, datastore: FactDatastore, *, commit: bool) -> None:
        self.datastore = datastore
        self.commit = commit

    def __enter__(self) -> SQLiteConnection:
        self.connection = self.datastore.take(commit=self.commit)
        return self.connection

    def __exit__(self, *exc: object) -> None:
        self.datastore.give_back(self.connection)


class _Transaction:
    """A transaction on a connection of its own; one that will write takes the lock at once.

    One that reads first and then writes would be refused where somebody else wrote in between.
    """

    __slots__ = ("_cursor", "_lent", "_within")

    def __init__(self, datastore: FactDatastore, *, commit: bool) -> None:
        self._lent = _Lent(datastore, commit=commit)

    def __enter__(self) -> SQLiteCursor:
        connection = self._lent.__enter__()
        try:
            self._within = SQLiteTransaction(connection, commit=self._lent.commit)
            self._cursor = connection.cursor()
            self._cursor.execute("BEGIN IMMEDIATE" if self._lent.commit else "BEGIN")
        except BaseException:
            self._lent.__exit__()
            raise
        return self._cursor

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._within.__exit__(kind, error, trace)
        except BaseException:
            self._lent.connection.rollback()  # nothing, or what a failed COMMIT has left open
            raise
        finally:
            self._cursor.sqlite_cursor.close()
            self._lent.__exit__()


class FactConnectionPool(SQLiteConnectionPool):
    """Connections that keep prepared statements; the library's keep a single one."""

    def _create_connection(self) -> SQLiteConnection:
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
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return SQLiteConnection(connection, max_age=self.max_age)


class FactFactory(SQLiteFactory):
    """The library's SQLite infrastructure with our recorder and our connections."""

    application_recorder_class = FactRecorder

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.datastore.close()
        self.datastore = FactDatastore(self.datastore.pool.db_name)


def prepare(database: str) -> None:
    """Puts a file into WAL mode: the one statement for which SQLite itself does not wait."""
    ends = time.monotonic() + LOCK_TIMEOUT
    with closing(sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > ends:
                    raise
                time.sleep(0.01)
