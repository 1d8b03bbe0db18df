"""PostgreSQL under the facts: many write at once, and nobody who follows misses anything.

Who records on a student holds an advisory lock on that student until the transaction ends, and
shares one with everybody else who does; only what is recorded for an edition, and so for all, or
on very many, has that one alone. Whatever may influence each other is thus recorded one after the
other, and the order of the positions is an order in which it could all have happened.

Transactions end in another order than they took their positions, so whoever follows reads only
as far as nobody is still writing (`settled`).
"""

import hashlib
import logging
import math
import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from os import getpid
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import psycopg.errors
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    OperationalError,
    PersistenceError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
    TTrackingRecorder,
)
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from yibao.adapters.store import migrations
from yibao.adapters.store.connections.lending import (
    Loan,
    NotLent,
    Pool,
    Scope,
    Turn,
    elsewhere,
    keep_for_ever,
)
from yibao.adapters.store.connections.retrying import again, ticking
from yibao.adapters.store.connections.sql import Found, Settled, Sql, first_of, notifications
from yibao.adapters.store.errors import Interrupted, StoreError
from yibao.adapters.store.findings import Finding, not_taken, refuse_altered
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.adapters.telemetry import tell
from yibao.domain.refusals import YibaoError

LOGGER: Final = logging.getLogger("yibao.postgres")

Connection = psycopg.Connection[TupleRow]

#: How long a thread waits for a connection of the pool before it tries anew, in seconds.
POOL_PATIENCE: Final = 3.0
#: How long a connection stays open that nobody uses, beyond the few that always do, in seconds.
RESTS: Final = 600.0
#: How long a server is given to leave off a statement, in seconds.
CANCELLED_WITHIN: Final = 2.0
#: How often it is looked at who is still writing, in seconds.
GLANCE: Final = 0.005
#: Rows that a snapshot fetches at a time.
FETCHED: Final = 5000

#: The advisory lock shared by all who record; who records for all has it alone.
EVERYBODY: Final = 0x7969_6261_6F00_0000

#: The locks of its own that a transaction takes at most; one that needs more has the lock on all.
#: A server has room for some thousand locks of all transactions together.
MOST_LOCKS: Final = 1000

_INSERT: Final = "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
_INSERT_ONE: Final = f"{_INSERT}VALUES (?, ?, ?, ?)"
_INSERT_AND_TELL: Final = f"{_INSERT}VALUES (%s, %s, %s, %s) RETURNING notification_id".encode()
_INSERT_ALL: Final = (
    f"{_INSERT}SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[]) "
    "RETURNING notification_id"
).encode()
_SELECT: Final = "SELECT originator_id, originator_version, topic, state FROM stored_events"
_LAST_NUMBERS: Final = (
    "SELECT pg_is_in_recovery(), "
    "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END "
    "FROM stored_events_notification_id_seq), "
    "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END "
    "FROM refused_attempts_attempt_id_seq)"
)
_NUMBERED: Final = {
    "stored_events": "notification_id",
    "refused_attempts": "attempt_id",
    "counted_attempts": "number",
}
_NUMBER: Final = "SELECT pg_current_xact_id()"
_STATE: Final = "SELECT state FROM stored_events WHERE notification_id=?"
_LAST_STAMP: Final = (
    "SELECT MAX(substring(encode(state, 'escape') from '\"recorded_at\":\"([^\"]*)') "
    'COLLATE "C") FROM stored_events WHERE notification_id>? AND notification_id<=?'
)
_LAST_ROWS: Final = (
    "SELECT (SELECT COALESCE(MAX(notification_id), 0) FROM stored_events "
    "WHERE notification_id<=?), "
    "(SELECT COALESCE(MAX(attempt_id), 0) FROM refused_attempts WHERE attempt_id<=?)"
)
# An INSERT has this lock from before it takes its number until its transaction has ended and
# can be seen, whoever it is who inserts.
_WRITING: Final = (
    "SELECT virtualtransaction, pid FROM pg_locks WHERE granted AND locktype = 'relation' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND relation IN ('stored_events'::regclass, 'refused_attempts'::regclass) "
    "AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareUpdateExclusiveLock', 'ShareLock')"
)


class Connections(Pool[Connection]):
    """A pool of connections, each set up alike."""

    harmless = (YibaoError, psycopg.Error)

    def __init__(self, url: str, settings: StoreSettings) -> None:
        super().__init__(
            settings.pool_max,
            POOL_PATIENCE,
            keep=min(settings.pool_min, settings.pool_max),
            rest=RESTS,
        )
        self.settings = settings
        #: Is had by a thread that needs a second connection as long as it has one.
        self.turn = Turn()
        self.conninfo = conninfo(url, settings)

    def open(self) -> None:
        """Checks that there is a store of this layout."""
        try:
            with self.lend() as connection:
                check_layout(connection)
                refuse_altered(altered(connection))
        except BaseException:
            self.close()
            raise

    def connection(self, scope: Scope | None = None) -> Loan[Connection]:
        return self.lend(scope)

    def _make(self) -> Connection:
        connection = psycopg.connect(self.conninfo, autocommit=True)
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_clean(self, connection: Connection) -> bool:
        if connection.closed:
            # What ended this one has ended those that wait for work as well.
            tell(LOGGER, logging.WARNING, "connection-lost")
            self._close_idle()
            return False
        status = connection.pgconn.transaction_status
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            try:
                connection.rollback()
            except psycopg.Error:
                return False
        return connection.pgconn.transaction_status == TransactionStatus.IDLE

    def _close(self, connection: Connection) -> None:
        try:
            if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # Or the server goes on with it, and keeps what it has locked so long.
                connection.cancel_safe(timeout=CANCELLED_WITHIN)
        except psycopg.Error:
            pass
        finally:
            connection.close()

    def _set_up(self, connection: Connection) -> None:
        waits = self.settings
        connection.execute(
            "SELECT set_config('search_path', 'yibao, yibao_trail', false), "
            "set_config('statement_timeout', %s, false), "
            "set_config('lock_timeout', %s, false), "
            "set_config('idle_in_transaction_session_timeout', %s, false), "
            # What was acknowledged is on the disk, whatever else holds in this database.
            "CASE current_setting('synchronous_commit') WHEN 'off' "
            "THEN set_config('synchronous_commit', 'on', false) END",
            [
                f"{math.ceil(seconds * 1000)}ms"  # 0 would be without end
                for seconds in (
                    waits.statement_timeout,
                    waits.lock_timeout,
                    waits.idle_in_transaction_timeout,
                )
            ],
        )


class PostgresRecorder(ApplicationRecorder):
    """Stored events, and everything a store of facts needs of a database."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._settled = Settled(0, 0)
        self._settled_state: list[Found] = []

    # What the library asks of a recorder.

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Inserts events in one transaction and one round; raises IntegrityError on a conflict."""
        with _as_the_library_has_it(), self.connections.connection() as connection:
            if len(stored_events) == 1:
                inserted = connection.execute(_INSERT_AND_TELL, _row(*stored_events))
            else:
                inserted = connection.execute(_INSERT_ALL, _columns(stored_events))
            return [number for (number,) in inserted]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream, or some of them."""
        values: list[Any] = [originator_id]
        statement = f"{_SELECT} WHERE originator_id=?"
        for bound, sign in ((gt, ">"), (lte, "<=")):
            if bound is not None:
                statement += f" AND originator_version{sign}?"
                values.append(bound)
        statement += f" ORDER BY originator_version {'DESC' if desc else 'ASC'}"
        if limit is not None:
            statement += " LIMIT ?"
            values.append(limit)
        with _as_the_library_has_it(), self.reading() as sql:
            return [StoredEvent(*row) for row in sql.rows(statement, values)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order of their positions, as far as the store is final."""
        with _as_the_library_has_it():
            settled = self.settled(0.0).position
            until = settled if stop is None else min(stop, settled)
            with self.reading() as sql:
                return notifications(sql, first_of(start, inclusive_of_start), until, limit, topics)

    def max_notification_id(self) -> int | None:
        """The greatest position as far as the store is final; None where there is none."""
        with _as_the_library_has_it():
            return self.settled(0.0).position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """As on SQLite there are no subscriptions; a projection follows the feed."""
        raise NotImplementedError("a projection follows the feed")

    # What a store of facts asks of its database.

    @contextmanager
    def reading(self) -> "Iterator[PostgresSql]":
        with self.connections.connection() as connection:
            yield PostgresSql(connection)

    @contextmanager
    def writing(
        self, concerned: Iterable[UUID], *, everybody: bool = False, many: bool = False
    ) -> "Iterator[PostgresSql]":
        sql: PostgresSql | None = None
        try:
            with self.connections.connection() as connection:
                sql = PostgresSql(connection) if many else PostgresTransaction(connection)
                locks = sorted({_lock_of(stream) for stream in concerned})
                sql.begin(everybody or len(locks) > MOST_LOCKS, locks)
                yield sql
                sql.commit()
        except psycopg.OperationalError:
            if sql is None or not sql.is_lost_in_commit or not self._was_committed(sql):
                raise

    def _was_committed(self, sql: "PostgresSql") -> bool:
        """Whether a transaction was committed that was asked to be before the connection was lost.

        The server knows. Waits while it has not ended there yet. Raises StoreError where it
        cannot be asked for too long: to try again might be to do it twice.
        """

        def ask() -> bool:
            try:
                with self.reading() as asking:
                    ((status,),) = asking.rows("SELECT pg_xact_status(?::xid8)", [sql.number])
                    if status == "in progress":
                        raise Interrupted("is still being ended")
                    # After a crash, or on another server, the number may have been given anew.
                    return status == "committed" and sql.has_left_its_marks(asking)
            except psycopg.errors.InvalidParameterValue:
                return False  # a server that took over has not come so far
            except psycopg.Error as error:
                told = failure(error)
                raise told if told else error from error

        try:
            return again(ask, self.connections.settings.retry_for)
        except Interrupted as error:
            raise StoreError(
                "the connection was lost at the end of a transaction, and whether anything was "
                "recorded is not known: ask again with the same command id"
            ) from error

    def append(self, sql: Sql, stored: Sequence[StoredEvent]) -> None:
        assert isinstance(sql, PostgresSql)
        sql.insert(stored)

    @contextmanager
    def snapshot(self, scope: Scope) -> "Iterator[PostgresSql]":
        with self.connections.connection(scope) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield PostgresSql(connection)

    def settled(self, patience: float) -> Settled:
        """How far the store is final.

        What has its number by now was given it by somebody who is writing now, or has ended.
        Once all of those have ended, nothing can appear below the last number of now. Of the
        numbers that nobody has in the end, those at the end do not count: after a crash the
        server may give them again.
        """
        ends = ticking() + patience
        with self.reading() as sql:
            ((is_standby, *numbers),) = sql.rows(_LAST_NUMBERS)
            if is_standby:
                raise StoreError("a standby does not tell who is writing: follow the primary")
            writing = set(sql.rows(_WRITING))
            while writing and ticking() < ends:
                time.sleep(GLANCE)
                writing &= set(sql.rows(_WRITING))
            if writing:
                # As far as before, if the store is still the one it was.
                is_the_same = sql.rows(_STATE, [self._settled.position]) == self._settled_state
                return self._settled if is_the_same else Settled(0, 0)
            (found,) = sql.rows(_LAST_ROWS, numbers)
            self._settled = Settled(*found)
            self._settled_state = sql.rows(_STATE, [self._settled.position])
        return self._settled

    def in_turn(self, sql: Sql, what: str) -> None:
        digest = hashlib.sha256(what.encode()).digest()
        sql.run("SELECT pg_advisory_xact_lock(?)", [_lock_of(UUID(bytes=digest[:16]))])

    def leave_mark(self, sql: Sql, table: str, row: Mapping[str, Any]) -> None:
        assert isinstance(sql, PostgresSql)
        sql.leave_mark(table, row)

    def number_on(self, sql: Sql, *, with_gaps: bool) -> None:
        for table, column in _NUMBERED.items():
            sql.run(
                f"SELECT setval('{table}_{column}_seq', GREATEST(MAX({column}), 1), "
                f"MAX({column}) IS NOT NULL) FROM {table}"
            )

    def last_stamp(self, sql: Sql, after: int, until: int) -> str | None:
        ((found,),) = sql.rows(_LAST_STAMP, (after, until))
        return None if found is None else str(found)

    def is_rehearsal(self) -> bool:
        with self.reading() as sql:
            ((marked,),) = sql.rows("SELECT to_regclass('yibao.rehearsal') IS NOT NULL")
            return bool(marked)

    def erase(self, statement: str, values: Sequence[Any]) -> bool:
        """Deletes. What was deleted is in the server's files until its owner vacuums: False."""
        with self.reading() as sql:
            sql.run(statement, values)
        return False

    def finish_erasing(self) -> None:
        """Only the owner of the table can."""


class PostgresSql:
    """A turn on a connection to PostgreSQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pid = getpid()
        self._is_committing = False
        self._marks: list[tuple[str, Mapping[str, Any]]] = []
        #: The number of the transaction, by which the server knows how it ended.
        self.number = ""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Found]:
        self._check_process()
        return self._connection.execute(_of_psycopg(statement), values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._check_process()
        self._connection.execute(_of_psycopg(statement), values or None)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check_process()
        self._connection.cursor().executemany(_of_psycopg(statement), rows)

    def each(self, statement: str) -> Generator[Found]:
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
        ((number,),) = self.rows(_NUMBER)
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
                copy.write_row(_row(event))
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

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Found]:
        self.run(statement, values)
        return self._send()

    def learn_number(self) -> None:
        self.run(_NUMBER)

    def commit(self) -> None:
        self._is_committing = True
        self.run("COMMIT")
        self._send()

    def insert(self, stored: Sequence[StoredEvent]) -> None:
        self.leave_mark("stored_events", _values(stored[-1]))
        self.run_many(_INSERT_ONE, map(_row, stored))

    def _send(self) -> list[Found]:
        """Executes everything that waits; what the last of it finds."""
        self._check_process()
        statements, values = self._statements, self._values
        self._statements, self._values = [], []
        self._cursor.execute(_of_psycopg("; ".join(statements)), values)
        for statement in statements[:-1]:
            if statement == _NUMBER:
                ((number,),) = self._cursor.fetchall()
                self.number = str(number)
            if statement == _INSERT_ONE and self._cursor.rowcount != 1:
                raise not_taken()
            self._cursor.nextset()
        return self._cursor.fetchall() if self._cursor.description else []


class PostgresFactory(InfrastructureFactory[TrackingRecorder]):
    """The library's infrastructure, by our recorder and our connections.

    The library's own can be told by the environment to insert by a function that does without a
    lock, and loses events for those who follow. It is not used, so nobody can set that here.
    """

    def __init__(self, env: Environment, url: str, settings: StoreSettings) -> None:
        super().__init__(env)
        self.connections = Connections(url, settings)
        self.connections.open()

    def application_recorder(self) -> PostgresRecorder:
        return PostgresRecorder(self.connections)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise NotImplementedError("there are no snapshots")

    def tracking_recorder(
        self, tracking_recorder_class: type[TTrackingRecorder] | None = None
    ) -> TTrackingRecorder:
        raise NotImplementedError("a projection remembers by itself how far it is")

    def process_recorder(self) -> ProcessRecorder:
        raise NotImplementedError("a projection remembers by itself how far it is")

    def close(self) -> None:
        self.connections.close()


#: What is set under the name that libpq has for it.
_OF_LIBPQ: Final = {"connect_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey"}


def conninfo(url: str, settings: StoreSettings) -> str:
    """How to connect: what is set, as far as the URL says nothing else.

    A server that the network has lost is given up after some seconds; libpq by itself would wait
    for many minutes.
    """
    set_here = {
        **settings.model_dump(mode="json", include=_OF_LIBPQ, exclude_none=True),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * settings.connect_timeout,
    }
    told = conninfo_to_dict(url)
    return make_conninfo(url, **{**set_here, **told, "client_encoding": "UTF8"})


def check_layout(connection: Connection) -> None:
    """Raises StoreError where the database holds no store of this layout."""
    layout = layout_of(connection)
    if layout is None:
        raise StoreError("the database holds no store yet: `yibao db init` creates one")
    if layout not in migrations.LAYOUTS:
        raise migrations.newer(layout)
    if layout != migrations.HEAD:
        raise StoreError(
            f"the store has layout {layout}: `yibao db migrate` brings it to {migrations.HEAD}"
        )


#: The columns of our tables and what keeps them right, as the newest layout creates them.
_CREATED: Final = {
    "stored_events": (
        "notification_id bigint d, originator_id uuid, originator_version bigint, topic text, "
        "state bytea",
        "PRIMARY KEY (notification_id), UNIQUE (originator_id, originator_version)",
    ),
    "notes": ("event_id uuid, note text", "PRIMARY KEY (event_id)"),
    "refused_attempts": (
        "attempt_id bigint d, position bigint, stream uuid, actor text, hour text, state bytea",
        "PRIMARY KEY (attempt_id)",
    ),
    "counted_attempts": (
        "number bigint d, actor text, hour text, command text, code text, attempts bigint, "
        "changed bigint",
        "PRIMARY KEY (number), UNIQUE (actor, hour, command, code)",
    ),
}
_INDEXES: Final = {
    "refused_attempts_by_stream": "(stream)",
    "refused_attempts_by_actor": "(actor, hour)",
    "counted_attempts_by_change": "(changed)",
}
_OURS: Final = "relnamespace = to_regnamespace('yibao') AND relname = ANY(%s)"
_PLANTED: Final = (
    "SELECT tgname, relname FROM pg_trigger JOIN pg_class AS t ON t.oid = tgrelid "
    f"WHERE NOT tgisinternal AND {_OURS} UNION ALL "
    "SELECT rulename, relname FROM pg_rewrite JOIN pg_class AS t ON t.oid = ev_class "
    f"WHERE rulename <> '_RETURN' AND {_OURS}"
)
_AS_THEY_ARE: Final = (
    "SELECT relname, relkind = 'r' AND NOT relrowsecurity AND NOT EXISTS "
    "(SELECT FROM pg_inherits WHERE t.oid IN (inhparent, inhrelid)), "
    "(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), "
    "NULLIF(attidentity::text, ''), CASE WHEN NOT attnotnull THEN 'NULL' END, "
    "CASE WHEN atthasdef THEN 'DEFAULT' END), ', ' ORDER BY attnum) FROM pg_attribute "
    "WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped), "
    "(SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY contype, oid) FROM pg_constraint "
    f"WHERE conrelid = t.oid AND contype <> 'n') FROM pg_class AS t WHERE {_OURS}"
)
_INDEXED: Final = (
    "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class AS t "
    f"ON t.oid = indexrelid WHERE indisvalid AND indpred IS NULL AND {_OURS}"
)


def altered(connection: Connection) -> Iterator[Finding]:
    """What was planted on our tables, or taken from them, since they were created."""
    ours = list(_CREATED)
    for name, table in connection.execute(_PLANTED.encode(), [ours, ours]).fetchall():
        yield Finding("trigger_planted", f"{name} on {table}")
    tables = connection.execute(_AS_THEY_ARE.encode(), [ours]).fetchall()
    for table, *found in tables:
        if found != [True, *_CREATED[table]]:
            yield Finding("table_altered", table)
    indexed = connection.execute(_INDEXED.encode(), [list(_INDEXES)]).fetchall()
    there: dict[str, str] = dict(indexed)
    for table, *_ in tables:
        for name, columns in _INDEXES.items():
            if name.startswith(table) and not there.get(name, "").endswith(columns):
                yield Finding("index_missing", name)


def layout_of(connection: Connection) -> str | None:
    """The layout of the store in a database; None where there is none.

    A schema of that name may be anybody's: it is known by the columns of our tables.
    """
    (there,) = _one(connection, "SELECT to_regclass('yibao.alembic_version') IS NOT NULL")
    if not there or not _one(connection, _OUR_COLUMNS)[0]:
        return None
    found = connection.execute("SELECT version_num FROM yibao.alembic_version").fetchone()
    return str(found[0]) if found else None


_OUR_COLUMNS: Final = (
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE (attrelid, attname) IN ("
    "(to_regclass('yibao.stored_events'), 'notification_id'), "
    "(to_regclass('yibao.refused_attempts'), 'attempt_id'), "
    "(to_regclass('yibao.counted_attempts'), 'changed')))"
)


def _one(connection: Connection, statement: LiteralString) -> TupleRow:
    found = connection.execute(statement).fetchone()
    assert found is not None
    return found


def place_of(url: str) -> str:
    """Where a URL leads, without what nobody should read; raises StoreError for no URL."""
    no_url = "this is no URL of a PostgreSQL database: "
    account, _, path = url.partition("?")[0].partition("://")[2].partition("/")
    if account.count("@") > 1 or "@" in path:
        # What would be taken for a host or a database may be the rest of a password.
        raise StoreError(f"{no_url}{_WRITTEN}")
    try:
        told = conninfo_to_dict(url)
    except psycopg.Error as error:
        # It quotes what it could not read.
        reason = re.sub('".*"', "…", str(error).strip(), flags=re.DOTALL)
        raise StoreError(f"{no_url}{reason}; {_WRITTEN}") from None
    return f"{told.get('host') or 'local'}/{told.get('dbname') or ''}"


_WRITTEN: Final = "special characters of an account or a password are written as %XX"


def failure(error: BaseException) -> Exception | None:
    """A failure of psycopg or of the library as ours; None for anything else."""
    if isinstance(error, NotLent):
        return error.told
    cause = error.__cause__ if isinstance(error, PersistenceError) else error
    if not isinstance(cause, psycopg.Error):
        return StoreError(f"failed: {error}") if isinstance(error, OSError) else None
    told = f"failed: {_first_line(cause)}"
    return Interrupted(told) if _may_be_tried_again(cause) else StoreError(told)


def _may_be_tried_again(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:  # psycopg's own: the connection was lost, or could not be made
        return isinstance(error, psycopg.OperationalError)
    return state in _PASSING or state.startswith("08")


#: A deadlock or a conflict with others; a version that others were first to take; no room for the
#: locks of all; a server that shuts down or starts.
_PASSING: Final = frozenset(
    kind.sqlstate
    for kind in (
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.UniqueViolation,
        psycopg.errors.OutOfMemory,
        psycopg.errors.AdminShutdown,
        psycopg.errors.CrashShutdown,
        psycopg.errors.CannotConnectNow,
        psycopg.errors.IdleInTransactionSessionTimeout,
    )
)


def _first_line(error: psycopg.Error) -> str:
    """What the server says, without the row that it shows with some errors."""
    return (error.diag.message_primary or str(error)).partition("\n")[0]


@contextmanager
def _as_the_library_has_it() -> Iterator[None]:
    try:
        yield
    except psycopg.IntegrityError as error:
        raise IntegrityError(_first_line(error)) from error
    except psycopg.OperationalError as error:
        raise OperationalError(_first_line(error)) from error
    except psycopg.Error as error:
        raise PersistenceError(_first_line(error)) from error


def _columns(stored: Sequence[StoredEvent]) -> list[list[Any]]:
    return [list(column) for column in zip(*map(_row, stored), strict=True)] or [[], [], [], []]


def _values(event: StoredEvent) -> dict[str, Any]:
    names = ("originator_id", "originator_version", "topic", "state")
    return dict(zip(names, _row(event), strict=True))


def _row(event: StoredEvent) -> tuple[UUID | str, int, str, bytes]:
    return event.originator_id, event.originator_version, event.topic, event.state


def _lock_of(stream: UUID) -> int:
    """The advisory lock of a stream: half of its id; two that share one only wait in vain."""
    return int.from_bytes(stream.bytes[:8], signed=True)


@lru_cache(maxsize=512)
def _of_psycopg(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()
