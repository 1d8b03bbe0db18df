"""SQLite under the facts.

The recorder declares its notification ids, so that they survive a dump and are never used
twice, and keeps free text apart from the facts, in a table that can forget.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    StoredEvent,
    Subscription,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteFactory,
)
from eventsourcing.utils import Environment

from yibao.adapters.store import migrations
from yibao.adapters.store.connections import (
    LAST,
    FactSubscription,
    Frontier,
    Sql,
    first_of,
    notifications,
)
from yibao.adapters.store.findings import not_taken, refuse_altered
from yibao.adapters.store.sqlite.connections import FactDatastore
from yibao.adapters.store.sqlite.erasing import (
    ERASING,
    ERASING_WAITS,
    WITH_GAPS,
    finish_erasing,
    note_version,
    noted_version,
)
from yibao.adapters.store.sqlite.layout import CREATE, altered
from yibao.adapters.store.sqlite.sql import SqliteSql, row_of


class FactRecorder(SQLiteApplicationRecorder):
    """Stored events with declared ids, and erasable notes beside them in one transaction."""

    datastore: "FactDatastore"

    def construct_create_table_statements(self) -> list[str]:
        return [
            *CREATE,
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

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """The events as they come, for the library's projections; ours follow the feed."""
        return FactSubscription(self, gt, topics)

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
        sql.run_many(self.insert_events_statement, map(row_of, stored))
        # What a trigger does instead is not counted for a statement, and what it does beside is.
        if not len(stored) == sql.changed == sql.changes - changes:
            raise not_taken()

    def settled(self, patience: float) -> Frontier:
        # One writer at a time: what is there is all there is.
        with self.reading() as sql:
            (found,) = sql.rows(
                "SELECT (SELECT COALESCE(MAX(notification_id), 0) FROM stored_events), "
                "(SELECT COALESCE(MAX(attempt_id), 0) FROM refused_attempts)"
            )
        return Frontier(*found)

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


class FactFactory(SQLiteFactory):
    """The library's SQLite infrastructure with our recorder and our connections."""

    application_recorder_class = FactRecorder

    def __init__(self, env: Environment, *, rehearsal: bool = False) -> None:
        super().__init__(env)
        if rehearsal:
            self.application_recorder_class = RehearsalRecorder
        self.datastore.close()
        self.datastore = FactDatastore(self.datastore.pool.db_name)
