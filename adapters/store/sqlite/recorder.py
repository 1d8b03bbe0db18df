"""SQLite under the facts: the recorder, and connections that let readers and writers be.

The recorder declares its notification ids, so that they survive a dump and are never used
twice, and keeps free text apart from the facts, in a table that can forget.
"""

import math
import os
import re
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import cache
from os import getpid
from threading import get_ident
from types import TracebackType
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
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

from yibao.adapters.store import migrations
from yibao.adapters.store.connections.lending import (
    Loan,
    NotLent,
    Pool,
    Scope,
    elsewhere,
    keep_for_ever,
)
from yibao.adapters.store.connections.retrying import ticking
from yibao.adapters.store.connections.sql import LAST, Found, Settled, Sql, first_of, notifications
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.files.looking import LOCK_TIMEOUT
from yibao.adapters.store.files.written import claim
from yibao.adapters.store.findings import Finding, not_taken, refuse_altered
from yibao.domain.refusals import YibaoError

#: What is noted in a file as the version that is its user's: its numbers have gaps of old; and
#: what was erased may be in the log yet.
WITH_GAPS, ERASING = 1, 2
#: How long whoever erases waits for readers, in milliseconds.
ERASING_WAITS: Final = 1000
#: What a connection may keep in memory, in KiB: the inner pages of a store of some gigabytes.
CACHE_KIB: Final = 16 * 1024
#: How many read a file at once, and how many connections stay open where nobody does.
READERS: Final = 15
KEPT: Final = 5


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

    datastore: "FactDatastore"

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
    def snapshot(self, scope: Scope) -> "Iterator[SqliteSnapshot]":
        pool = self.datastore.pool
        transaction = self.datastore.transaction(commit=False, scope=scope)
        with transaction as cursor:
            connection = transaction.loan.connection
            assert connection is not None
            if not pool.is_sqlite_memory_mode:
                transaction.loan.rests = True
                try:
                    yield SqliteSnapshot(connection, pool.gate)
                finally:
                    if pool.is_of_this_process:
                        with pool.gate:
                            transaction.loan.rests = False
                return
            # In memory readers keep writers out, so nothing is left open there.
            held = FactConnection(sqlite3.connect(":memory:"))
            cursor.sqlite_cursor.connection.backup(held._sqlite_conn)
        with closing(held):
            yield SqliteSnapshot(held, nullcontext())

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
    if isinstance(error, NotLent):
        return error.told
    return StoreError(f"failed: {error}") if isinstance(error, _FAILURES) else None


_FAILURES = (PersistenceError, sqlite3.Error, OSError)


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


def _row(event: StoredEvent) -> tuple[str, int, str, bytes]:
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
        self, *, commit: bool, scope: Scope | None = None
    ) -> Loan[FactConnection]:
        return (self.writer if commit else self.pool).lend(scope)

    def transaction(  # type: ignore[override]
        self, *, commit: bool, scope: Scope | None = None
    ) -> "SqliteTransaction":
        return SqliteTransaction(self.get_connection(commit=commit, scope=scope), commit=commit)

    def close(self) -> None:
        """Closes every connection; one that is being used once it is given back."""
        self.pool.close()
        self.writer.close()


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
