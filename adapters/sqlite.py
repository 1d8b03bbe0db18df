"""SQLite under the facts: the recorder, and connections that let readers and writers be.

The recorder declares its notification ids, so that they survive a dump and are never used
twice, and keeps free text apart from the facts, in a table that can forget.
"""

import re
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from threading import Lock
from types import TracebackType
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    InterfaceError,
    Notification,
    PersistenceError,
    StoredEvent,
)
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

from yibao.adapters import migrations
from yibao.adapters.errors import StoreError
from yibao.adapters.files import LOCK_TIMEOUT
from yibao.adapters.findings import Finding, not_taken, refuse_altered
from yibao.adapters.output import claim
from yibao.adapters.retrying import ticking
from yibao.adapters.sql import LAST, Found, Settled, Sql, first_of, notifications

#: What is noted in a file as the version that is its user's: its numbers have gaps of old; and
#: what was erased may be in the log yet.
WITH_GAPS, ERASING = 1, 2
#: How long whoever erases waits for readers, in milliseconds.
ERASING_WAITS: Final = 1000
#: What a connection may keep in memory, in KiB: the inner pages of a store of some gigabytes.
CACHE_KIB: Final = 16 * 1024


#: The tables of the newest layout. AUTOINCREMENT: an implicit rowid is renumbered by a dump and
#: reused after a delete.
_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS stored_events ("
    "notification_id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "originator_id TEXT NOT NULL, "
    "originator_version INTEGER NOT NULL, "
    "topic TEXT NOT NULL, "
    "state BLOB NOT NULL, "
    "UNIQUE (originator_id, originator_version))",
    "CREATE TABLE IF NOT EXISTS notes (event_id TEXT PRIMARY KEY, note TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refused_attempts ("
    "attempt_id INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, "
    "stream TEXT NOT NULL, actor TEXT NOT NULL, hour TEXT NOT NULL, state BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS refused_attempts_by_stream ON refused_attempts (stream)",
    "CREATE INDEX IF NOT EXISTS refused_attempts_by_actor ON refused_attempts (actor, hour)",
    "CREATE TABLE IF NOT EXISTS counted_attempts (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "actor TEXT NOT NULL, hour TEXT NOT NULL, command TEXT NOT NULL, code TEXT NOT NULL, "
    "attempts INTEGER NOT NULL, changed INTEGER NOT NULL, "
    "UNIQUE (actor, hour, command, code))",
    "CREATE INDEX IF NOT EXISTS counted_attempts_by_change ON counted_attempts (changed)",
)


def altered(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What was planted on our tables, or taken from them, since they were created."""
    there = {
        (name.casefold(), kind): (table.casefold(), _plain(sql))
        for kind, name, table, sql in connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master"
        )
    }
    ours = {name for name, kind in _created() if kind == "table"}
    for (name, kind), (table, sql) in there.items():
        if kind == "trigger" and table in ours:
            yield Finding("trigger_planted", f"{name} on {table}")
        if kind in ("table", "view") and name in ours and sql != _created()[name, "table"]:
            yield Finding("table_altered", name)
    for (name, kind), sql in _created().items():
        is_of_one = (name.partition("_by_")[0], "table") in there
        if kind == "index" and is_of_one and there.get((name, kind), ("", ""))[1] != sql:
            yield Finding("index_missing", name)


@cache
def _created() -> dict[tuple[str, str], str]:
    """How each table and index is noted by SQLite where we have created it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in _CREATE:
            connection.execute(statement)
        noted = "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
        return {(name, kind): _plain(sql) for name, kind, sql in connection.execute(noted)}


def _plain(sql: str | None) -> str:
    return re.sub(r"[\s\"`\[\]]", "", sql or "").casefold()


class FactRecorder(SQLiteApplicationRecorder):
    """Stored events with declared ids, and erasable notes beside them in one transaction."""

    def construct_create_table_statements(self) -> list[str]:
        return [
            *_CREATE,
            migrations.CREATE_VERSION_TABLE,
            f"INSERT OR IGNORE INTO alembic_version VALUES ('{migrations.HEAD}')",
        ]

    def create_table(self) -> None:
        """Creates a new store at the newest layout, or brings an older one there.

        Raises StoreError for what is no store of ours, and where a newer yibao has written it.
        """
        database = self.datastore.pool.db_name
        with self.datastore.transaction(commit=False) as c:
            layout = migrations.layout_in(c.sqlite_cursor.connection, database)
        if layout is None:
            with self.datastore.transaction(commit=True) as c:
                # Somebody may have come first, with a store or with anything else.
                if migrations.layout_in(c.sqlite_cursor.connection, database) is None:
                    self._create_table(c)
        elif layout not in migrations.LAYOUTS:
            raise migrations.newer(layout)
        elif layout != migrations.HEAD:
            migrations.upgrade(database)
        with self.datastore.transaction(commit=False) as c:
            refuse_altered(altered(c.sqlite_cursor.connection))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_erasing = False
        self.select_events_statement = (
            "SELECT originator_id, originator_version, topic, state "
            f"FROM {self.events_table_name} WHERE originator_id=? "
        )
        self.insert_events_statement = (
            f"INSERT INTO {self.events_table_name} "
            "(originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order of their positions; the library's own asks for an implicit id."""
        until = LAST if stop is None else stop
        with self.reading() as sql:
            return notifications(sql, first_of(start, inclusive_of_start), until, limit, topics)

    @contextmanager
    def reading(self) -> "Iterator[SqliteSql]":
        with self.datastore.get_connection(commit=False) as connection:
            yield SqliteSql(connection.cursor())

    @contextmanager
    def writing(
        self, concerned: Iterable[UUID], *, everybody: bool = False, many: bool = False
    ) -> "Iterator[SqliteSql]":
        # A file has one writer at a time: nobody records on anything else either.
        with self.datastore.transaction(commit=True) as cursor:
            yield SqliteSql(cursor)
        self.finish_erasing()

    def append(self, sql: Sql, stored: Sequence[StoredEvent]) -> None:
        assert isinstance(sql, SqliteSql)
        changes = sql.changes
        sql.run_many(self.insert_events_statement, map(_row, stored))
        # What a trigger does instead is not counted for a statement, and what it does beside is.
        if not len(stored) == sql.changed == sql.changes - changes:
            raise not_taken()

    @contextmanager
    def snapshot(self) -> "Iterator[SqliteSql]":
        with self.datastore.transaction(commit=False) as cursor:
            in_memory = self.datastore.pool.is_sqlite_memory_mode
            if not in_memory:
                yield SqliteSql(cursor)
                return
            # In memory readers keep writers out, so nothing is left open there.
            held = sqlite3.connect(":memory:")
            cursor.sqlite_cursor.connection.backup(held)
        with closing(held):
            yield SqliteSql(SQLiteCursor(held.cursor()))

    def settled(self, patience: float) -> Settled:
        # One writer at a time: what is there is all there is.
        with self.reading() as sql:
            (found,) = sql.rows(
                "SELECT (SELECT COALESCE(MAX(notification_id), 0) FROM stored_events), "
                "(SELECT COALESCE(MAX(attempt_id), 0) FROM refused_attempts)"
            )
        return Settled(*found)

    def in_turn(self, sql: Sql, what: str) -> None:
        """There is one writer at a time anyway."""

    def leave_mark(self, sql: Sql, table: str, row: Mapping[str, Any]) -> None:
        """How a transaction ended is always told here."""

    def number_on(self, sql: Sql, *, with_gaps: bool) -> None:
        """SQLite has noted the greatest by itself; that there are gaps it is told."""
        if with_gaps:
            sql.run(f"PRAGMA user_version={WITH_GAPS}")  # an empty store has nothing else noted

    def last_stamp(self, sql: Sql, after: int, until: int) -> str | None:
        ((found,),) = sql.rows(_LAST_STAMP, (after, until))
        return found.partition('"')[0] if found else None

    def is_rehearsal(self) -> bool:
        with self.reading() as sql:
            return bool(sql.rows("SELECT 1 FROM sqlite_master WHERE name='rehearsal'"))

    def erase(self, statement: str, values: Sequence[Any]) -> bool:
        """Deletes, also in the file; False while a reader keeps the log that has it yet."""
        with self.datastore.get_connection(commit=True) as connection:
            with connection.cursor() as c:
                c.execute("PRAGMA secure_delete=ON")
            with connection.transaction(commit=True) as c:
                c.execute(statement, values)
                raw = c.sqlite_cursor.connection
                if c.sqlite_cursor.rowcount:
                    note_version(raw, noted_version(raw) | ERASING)
            self._is_erasing = not finish_erasing(raw, ERASING_WAITS)
            return not self._is_erasing

    def finish_erasing(self) -> None:
        """Empties a log that a reader kept until now, if nobody does any more."""
        if self._is_erasing:
            with self.datastore.get_connection(commit=True) as lent, lent.cursor() as c:
                self._is_erasing = not finish_erasing(c.connection)


def noted_version(connection: sqlite3.Connection) -> int:
    """What we have noted in the file beside its tables."""
    ((noted,),) = connection.execute("PRAGMA user_version")
    return int(noted)


def note_version(connection: sqlite3.Connection, noted: int) -> None:
    connection.execute(f"PRAGMA user_version={noted}")


def finish_erasing(connection: sqlite3.Connection, waits: int = 0) -> bool:
    """Whether nothing of what was erased is left in the log, which is emptied if it can be.

    A reader keeps it as it was when it began; so many milliseconds it is waited for.
    """
    noted = noted_version(connection)
    if not noted & ERASING:
        return True
    ((waited,),) = connection.execute("PRAGMA busy_timeout")
    ((others,),) = connection.execute("PRAGMA data_version")
    connection.execute(f"PRAGMA busy_timeout={min(waits, waited)}")
    try:
        ((is_busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if is_busy:
            return False
        connection.execute("BEGIN IMMEDIATE")
        try:
            # What somebody else has erased meanwhile may be in the log.
            if [(others,)] == [tuple(row) for row in connection.execute("PRAGMA data_version")]:
                note_version(connection, noted & ~ERASING)
        finally:
            connection.execute("COMMIT")
    except sqlite3.OperationalError:
        return False  # somebody writes: it is noted still
    finally:
        connection.execute(f"PRAGMA busy_timeout={waited}")
    return True


# What follows a stamp that is shorter changes nothing in the order.
_LAST_STAMP: Final = (
    'SELECT MAX(substr(told, instr(told, \'"recorded_at":"\') + 15, 32)) '
    "FROM (SELECT CAST(state AS TEXT) AS told FROM stored_events "
    "WHERE notification_id>? AND notification_id<=?) "
    'WHERE instr(told, \'"recorded_at":"\') > 0'
)


class RehearsalRecorder(FactRecorder):
    """A new store is marked as one for stories, as no other ever is."""

    def construct_create_table_statements(self) -> list[str]:
        # Without IF NOT EXISTS: a store that somebody else creates meanwhile is not marked.
        created = super().construct_create_table_statements()
        return [
            "CREATE TABLE rehearsal (mark TEXT)",
            *(statement.replace("IF NOT EXISTS ", "") for statement in created),
        ]


def failure(error: BaseException) -> Exception | None:
    """A failure of SQLite or of the library as ours; None for anything else."""
    if isinstance(error, ConnectionPoolClosedError):
        return StoreError("is closed")
    return StoreError(f"failed: {error}") if isinstance(error, _FAILURES) else None


_FAILURES = (PersistenceError, sqlite3.Error, OSError)


class SqliteSql:
    """A turn on a connection to SQLite."""

    __slots__ = ("_raw", "cursor")

    def __init__(self, cursor: SQLiteCursor) -> None:
        self.cursor = cursor
        self._raw = cursor.sqlite_cursor
        self._raw.row_factory = None  # plain tuples

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Found]:
        return self._raw.execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._raw.execute(statement, values)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._raw.executemany(statement, rows)

    @property
    def changed(self) -> int:
        """How many rows the last statement has changed by itself."""
        return self._raw.rowcount

    @property
    def changes(self) -> int:
        """How many rows were changed on this connection, by statements and by triggers."""
        return self._raw.connection.total_changes

    def each(self, statement: str) -> Generator[Found]:
        with closing(self._raw.connection.cursor()) as rows:
            rows.row_factory = None
            yield from rows.execute(statement)


def _row(event: StoredEvent) -> tuple[str, int, str, bytes]:
    stream = event.originator_id
    key = stream.hex if isinstance(stream, UUID) else stream
    return key, event.originator_version, event.topic, event.state


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
    """Connections that keep prepared statements; the library's keep a single one.

    One that is in use when the pool is closed is closed when it is given back. The library
    closes it under the thread that uses it, which may end the whole process.
    """

    def close(self) -> None:
        with self._put_condition:
            self._closed = True
            while self._pool:
                self._pool.popleft().close()

    def put_connection(self, conn: SQLiteConnection) -> None:
        with self._put_condition:
            if not self._closed:
                super().put_connection(conn)
                return
            is_writer, conn.is_writer = conn.is_writer, None
            self._in_use.pop(id(conn), None)
            conn.close()
            conn.in_use.release()
            if is_writer:
                self._num_writers -= 1
                self._writer_lock.release()
            elif is_writer is False:
                with self._no_readers:
                    self._num_readers -= 1
                    self._no_readers.notify()
            self._put_condition.notify()

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

    def __init__(self, env: Environment, *, rehearsal: bool = False) -> None:
        super().__init__(env)
        if rehearsal:
            self.application_recorder_class = RehearsalRecorder
        self.datastore.close()
        self.datastore = FactDatastore(self.datastore.pool.db_name)


def prepare(database: str) -> None:
    """Makes the file, and puts it into WAL mode: for that alone SQLite itself does not wait.

    What somebody has erased leaves the log, if nobody reads it.
    """
    claim(database)
    ends = ticking() + LOCK_TIMEOUT
    with closing(
        sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)
    ) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                finish_erasing(connection)
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or ticking() > ends:
                    raise
                time.sleep(0.01)
