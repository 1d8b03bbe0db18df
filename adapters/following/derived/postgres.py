"""The tables of a projection beside the facts in a PostgreSQL database, in a schema of their own.

Whoever owns the database creates the tables (`yibao db init` and `migrate`); a follower needs
no right to do so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.derived.layout import Layout
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.postgres import EVERYBODY, Connection, Connections, PostgresSql, failure

#: How long a batch may be worked out; a follower that stops in the middle is ended after that.
WORKED_OUT: Final = "15min"

_LAYOUT: Final = "layout"
_MAY_WRITE: Final = (
    "SELECT has_table_privilege('{schema}.{table}', 'INSERT') AND NOT pg_is_in_recovery() "
    "AND current_setting('default_transaction_read_only') = 'off'"
)


class PostgresTables:
    """The tables in the database of the facts, by the same connections."""

    is_kept = True

    def __init__(self, connections: Connections, layout: Layout) -> None:
        self.layout = layout
        self._connections = connections
        with self.reading() as sql:
            if not is_of_this_layout(sql, layout):
                told = f"the {layout.told} has another layout: `yibao db migrate` makes it anew"
                raise StoreError(told)
            schema, table = layout.schema, next(layout.every_table())
            self.is_writable = sql.rows(_MAY_WRITE.format(schema=schema, table=table)) == [(True,)]

    def close(self) -> None:
        """The connections belong to the store."""

    @contextmanager
    def reading(self) -> Iterator[PostgresSql]:
        with self._clear_errors(), self._connections.connection() as connection:
            yield PostgresSql(connection)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSql]:
        with (
            self._clear_errors(),
            self._connections.connection() as connection,
            connection.transaction(),
        ):
            sql = PostgresSql(connection)
            sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield sql

    @contextmanager
    def writing(self) -> Iterator[PostgresSql]:
        # One thread at a time, whatever it keeps up: each needs a second connection to read the
        # facts by, and where all of a pool were taken, nobody could go on.
        with (
            self._connections.turn.lend(),
            self._clear_errors(),
            self._connections.connection() as connection,
            connection.transaction(),
        ):
            sql = PostgresSql(connection)
            # Between two statements a batch may be worked out for a while.
            sql.run(f"SET LOCAL idle_in_transaction_session_timeout = '{WORKED_OUT}'")
            take_turn(sql, self.layout)
            yield sql

    def prefix(self, side: str) -> str:
        return f"{self.layout.schema}.{side}"

    def has_tables(self, sql: Sql, side: str) -> bool:
        return True

    def can_hold(self, text: str) -> bool:
        return "\0" not in text

    def empty(self, sql: Sql, side: str) -> None:
        tables = (f"{self.layout.schema}.{table}" for table in self.layout.of_side(side))
        sql.run(f"TRUNCATE {', '.join(tables)}")

    def leave_indexes(self, sql: Sql, side: str) -> None:
        """They stay: a follower has no right to make any."""

    def make_indexes(self, sql: Sql, side: str) -> None:
        """They are there."""

    def optimize(self) -> None:
        """PostgreSQL looks by itself, but only after a while; of tables of another it leaves it."""
        with self.reading() as sql:
            for side in self.layout.sides:
                for table in self.layout.of_side(side):
                    sql.run(f"ANALYZE {self.layout.schema}.{table}")

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (PersistenceError, psycopg.Error) as error:
            told = failure(error)
            raise type(told)(f"the {self.layout.told} {told}") if told else error from error


def is_of_this_layout(sql: Sql, layout: Layout) -> bool:
    """Whether a projection's tables are there as this version has them."""
    where = f"{layout.schema}.{_LAYOUT}"
    ((there,),) = sql.rows(f"SELECT to_regclass('{where}') IS NOT NULL")
    return bool(there) and sql.rows(f"SELECT format FROM {where}") == [(layout.format,)]


def create(connection: Connection, layout: Layout) -> None:
    """Creates the tables of a projection, or makes those of another layout anew, empty.

    The schema stays, and with it who may do what to tables that come into it. All in one
    transaction, which is the caller's to begin and to end.
    """
    sql = PostgresSql(connection)
    take_turn(sql, layout)
    if is_of_this_layout(sql, layout):
        return
    sql.run(f"CREATE SCHEMA IF NOT EXISTS {layout.schema}")
    sql.run(f"SET LOCAL search_path TO {layout.schema}")
    found = checked_ours(sql, layout)
    sql.run(f"CREATE TABLE IF NOT EXISTS {_LAYOUT} (format bigint NOT NULL)")
    sql.run(f"DELETE FROM {_LAYOUT}")
    for table in found - {_LAYOUT, *layout.kept}:
        # What somebody has built upon it is not ours to drop: then this fails.
        sql.run(f"DROP TABLE {table}")
    for statement in layout.shared.values():
        sql.run(_for_postgres(statement))
    for side in layout.sides:
        for statement in layout.create(side):
            sql.run(_for_postgres(statement))
    sql.run(f"INSERT INTO {_LAYOUT} VALUES (?)", [layout.format])


def checked_ours(sql: Sql, layout: Layout) -> set[str]:
    """The tables in the schema of a projection; raises StoreError where they are others'."""
    found = {str(name) for (name,) in sql.rows(_THERE, [layout.schema])}
    others = found - {_LAYOUT, *layout.every_table()}
    if others or (found and not sql.rows(_MARK, [f"{layout.schema}.{_LAYOUT}"])):
        held = max(others or found)
        raise StoreError(f"the schema {layout.schema} has something else in it: {held!r}")
    return found


_THERE: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(?) "
    "AND relkind NOT IN ('i', 'S')"
)
_MARK: Final = "SELECT FROM pg_attribute WHERE attrelid = to_regclass(?) AND attname = 'format'"


def take_turn(sql: Sql, layout: Layout) -> None:
    """Has whoever writes to the tables wait for whoever does."""
    sql.run("SELECT pg_advisory_xact_lock(?)", [EVERYBODY + layout.turn])


def _for_postgres(statement: str) -> str:
    """A statement of the common layout; SQLite's integers have 64 bits."""
    return (
        statement.replace(" AUTOINCREMENT", "")
        .replace("INTEGER PRIMARY KEY", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        .replace("INTEGER", "bigint")
        .replace("BLOB", "bytea")
        .replace("COLLATE BINARY", 'COLLATE "C"')
        .removesuffix(" WITHOUT ROWID")
    )
