"""PostgreSQL under the facts: many write at once, and nobody who follows misses anything.

Who records on a student holds an advisory lock on that student until the transaction ends, and
shares one with everybody else who does; only what is recorded for an edition, and so for all, or
on very many, has that one alone. Whatever may influence each other is thus recorded one after the
other, and the order of the positions is an order in which it could all have happened.

Transactions end in another order than they took their positions, so whoever follows reads only
as far as nobody is still writing (`settled`).
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import psycopg
import psycopg.errors
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
    TTrackingRecorder,
)
from eventsourcing.utils import Environment

from yibao.adapters.store.connections import (
    FactSubscription,
    Frontier,
    Sql,
    SqlRow,
    again,
    first_of,
    notifications,
    ticking,
)
from yibao.adapters.store.errors import Interrupted, StoreError
from yibao.adapters.store.postgres.connections import Connections, failure
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.adapters.store.postgres.sql import (
    INSERT,
    MOST_LOCKS,
    PostgresSql,
    PostgresTransaction,
    as_the_library_has_it,
    columns,
    lock_of,
    row_of,
)

#: How often it is looked at who is still writing, in seconds.
GLANCE: Final = 0.005


_INSERT_AND_TELL: Final = f"{INSERT}VALUES (%s, %s, %s, %s) RETURNING notification_id".encode()
_INSERT_ALL: Final = (
    f"{INSERT}SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[]) "
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


class PostgresRecorder(ApplicationRecorder):
    """Stored events, and everything a store of facts needs of a database."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self._settled = Frontier(0, 0)
        self._settled_state: list[SqlRow] = []

    # What the library asks of a recorder.

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Inserts events in one transaction and one round; raises IntegrityError on a conflict."""
        with as_the_library_has_it(), self.connections.connection() as connection:
            if len(stored_events) == 1:
                inserted = connection.execute(_INSERT_AND_TELL, row_of(*stored_events))
            else:
                inserted = connection.execute(_INSERT_ALL, columns(stored_events))
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
        with as_the_library_has_it(), self.reading() as sql:
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
        with as_the_library_has_it():
            settled = self.settled(0.0).position
            until = settled if stop is None else min(stop, settled)
            with self.reading() as sql:
                return notifications(sql, first_of(start, inclusive_of_start), until, limit, topics)

    def max_notification_id(self) -> int | None:
        """The greatest position as far as the store is final; None where there is none."""
        with as_the_library_has_it():
            return self.settled(0.0).position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """The events as they come, for the library's projections; ours follow the feed."""
        return FactSubscription(self, gt, topics)

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
                locks = sorted({lock_of(stream) for stream in concerned})
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

    def settled(self, patience: float) -> Frontier:
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
                return self._settled if is_the_same else Frontier(0, 0)
            (found,) = sql.rows(_LAST_ROWS, numbers)
            self._settled = Frontier(*found)
            self._settled_state = sql.rows(_STATE, [self._settled.position])
        return self._settled

    def in_turn(self, sql: Sql, what: str) -> None:
        digest = hashlib.sha256(what.encode()).digest()
        sql.run("SELECT pg_advisory_xact_lock(?)", [lock_of(UUID(bytes=digest[:16]))])

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
