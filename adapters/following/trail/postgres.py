"""A trail beside the facts in a PostgreSQL database, in a schema of its own.

Whoever owns the database creates the tables (`yibao db init` and `migrate`); a follower needs
no right to do so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.trail.layout import CREATE, FORMAT, TABLES
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.postgres import EVERYBODY, Connection, Connections, PostgresSql, failure

#: How long a batch may be worked out; a follower that stops in the middle is ended after that.
WORKED_OUT: Final = "15min"

#: The advisory lock of whoever writes to the trail.
TURN: Final = EVERYBODY + 3

_LAYOUT: Final = "layout"
_MAY_WRITE: Final = (
    "SELECT has_table_privilege('entries', 'INSERT') AND NOT pg_is_in_recovery() "
    "AND current_setting('default_transaction_read_only') = 'off'"
)


class PostgresTrail:
    """The trail in the database of the facts, by the same connections."""

    is_kept = True

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        with self.reading() as sql:
            if not is_of_this_layout(sql):
                raise StoreError("the trail has another layout: `yibao db migrate` makes it anew")
            self.is_writable = sql.rows(_MAY_WRITE) == [(True,)]

    def close(self) -> None:
        """The connections belong to the store."""

    @contextmanager
    def reading(self) -> Iterator[PostgresSql]:
        with _clear_errors(), self._connections.connection() as connection:
            yield PostgresSql(connection)

    @contextmanager
    def writing(self) -> Iterator[PostgresSql]:
        # One thread at a time, whichever trails they have: each needs a second connection to read
        # the facts by, and where all of a pool were taken, nobody could go on.
        with (
            self._connections.turn.lend(),
            _clear_errors(),
            self._connections.connection() as connection,
            connection.transaction(),
        ):
            sql = PostgresSql(connection)
            # Between two statements a batch may be worked out for a while.
            sql.run(f"SET LOCAL idle_in_transaction_session_timeout = '{WORKED_OUT}'")
            sql.run("SELECT pg_advisory_xact_lock(?)", [TURN])
            yield sql

    def has_tables(self, sql: Sql) -> bool:
        return True

    def can_hold(self, text: str) -> bool:
        return "\0" not in text

    def empty(self, sql: Sql) -> None:
        sql.run(f"TRUNCATE {', '.join(TABLES)}")

    def optimize(self) -> None:
        """PostgreSQL looks by itself."""


def is_of_this_layout(sql: Sql) -> bool:
    """Whether the trail's tables are there as this version has them."""
    ((there,),) = sql.rows(f"SELECT to_regclass('yibao_trail.{_LAYOUT}') IS NOT NULL")
    return bool(there) and sql.rows(f"SELECT format FROM yibao_trail.{_LAYOUT}") == [(FORMAT,)]


def create(connection: Connection) -> None:
    """Creates the tables of the trail, or makes those of another layout anew, empty.

    The schema stays, and with it who may do what to tables that come into it. All in one
    transaction, which is the caller's to begin and to end.
    """
    sql = PostgresSql(connection)
    sql.run("SELECT pg_advisory_xact_lock(?)", [TURN])
    if is_of_this_layout(sql):
        return
    sql.run("CREATE SCHEMA IF NOT EXISTS yibao_trail")
    sql.run("SET LOCAL search_path TO yibao_trail")
    found = checked_ours(sql)
    sql.run(f"CREATE TABLE IF NOT EXISTS {_LAYOUT} (format bigint NOT NULL)")
    sql.run(f"DELETE FROM {_LAYOUT}")
    for table in found - {_LAYOUT}:
        # What somebody has built upon it is not ours to drop: then this fails.
        sql.run(f"DROP TABLE {table}")
    for statement in CREATE:
        sql.run(_for_postgres(statement))
    sql.run(f"INSERT INTO {_LAYOUT} VALUES (?)", [FORMAT])


def checked_ours(sql: Sql) -> set[str]:
    """The tables in the schema of the trail; raises StoreError where they are somebody else's."""
    found = {str(name) for (name,) in sql.rows(_THERE)}
    others = found - {_LAYOUT, *TABLES}
    if others or (found and not sql.rows(_MARK)):
        held = max(others or found)
        raise StoreError(f"the schema yibao_trail has something else in it: {held!r}")
    return found


_THERE: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('yibao_trail') "
    "AND relkind NOT IN ('i', 'S')"
)
_MARK: Final = (
    "SELECT FROM pg_attribute "
    "WHERE attrelid = to_regclass('yibao_trail.layout') AND attname = 'format'"
)


def _for_postgres(statement: str) -> str:
    """A statement of the common layout; SQLite's integers have 64 bits."""
    return (
        statement.replace("INTEGER PRIMARY KEY", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        .replace("INTEGER", "bigint")
        .removesuffix(" WITHOUT ROWID")
    )


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (PersistenceError, psycopg.Error) as error:
        told = failure(error)
        raise type(told)(f"the trail {told}") if told else error from error
