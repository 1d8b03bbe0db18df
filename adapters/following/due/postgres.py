"""An outbox beside the facts in a PostgreSQL database, in a schema of its own.

Whoever owns the database creates the tables (`yibao db init` and `migrate`); who polls needs no
right to do so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.due.layout import CREATE, FORMAT, KEEP, KEPT, MADE_ANEW
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.postgres import EVERYBODY, Connection, Connections, PostgresSql, failure

#: How long one step may be worked out; who stops in the middle is ended after that.
WORKED_OUT: Final = "15min"

#: The advisory lock of whoever writes to the outbox.
TURN: Final = EVERYBODY + 4

SCHEMA: Final = "yibao_due"
_LAYOUT: Final = "layout"
_MAY_WRITE: Final = (
    f"SELECT has_table_privilege('{SCHEMA}.entries', 'INSERT') AND NOT pg_is_in_recovery() "
    "AND current_setting('default_transaction_read_only') = 'off'"
)


class PostgresOutbox:
    """The outbox in the database of the facts, by the same connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        with self.reading() as sql:
            if not is_of_this_layout(sql):
                raise StoreError("the outbox has another layout: `yibao db migrate` brings it here")
            if sql.rows(_MAY_WRITE) != [(True,)]:
                raise StoreError(
                    "notices cannot be kept: this role may only read, or the server is a standby"
                )

    def close(self) -> None:
        """The connections belong to the store."""

    @contextmanager
    def reading(self) -> Iterator[PostgresSql]:
        with (
            _clear_errors(),
            self._connections.connection() as connection,
            connection.transaction(),
        ):
            yield _in_schema(connection)

    @contextmanager
    def writing(self) -> Iterator[PostgresSql]:
        # One thread at a time: each needs a second connection to read the facts by.
        with (
            self._connections.turn.lend(),
            _clear_errors(),
            self._connections.connection() as connection,
            connection.transaction(),
        ):
            sql = _in_schema(connection)
            # Between two statements a step may be worked out for a while.
            sql.run(f"SET LOCAL idle_in_transaction_session_timeout = '{WORKED_OUT}'")
            sql.run("SELECT pg_advisory_xact_lock(?)", [TURN])
            yield sql

    def can_hold(self, text: str) -> bool:
        return "\0" not in text

    def empty(self, sql: Sql) -> None:
        sql.run(f"TRUNCATE {', '.join(MADE_ANEW)}")


def _in_schema(connection: Connection) -> PostgresSql:
    sql = PostgresSql(connection)
    sql.run(f"SET LOCAL search_path TO {SCHEMA}")
    return sql


def is_of_this_layout(sql: Sql) -> bool:
    """Whether the outbox's tables are there as this version has them."""
    ((there,),) = sql.rows(f"SELECT to_regclass('{SCHEMA}.{_LAYOUT}') IS NOT NULL")
    return bool(there) and sql.rows(f"SELECT format FROM {SCHEMA}.{_LAYOUT}") == [(FORMAT,)]


def create(connection: Connection) -> None:
    """Creates the tables of the outbox; of another layout what follows from the facts, anew.

    All in one transaction, which is the caller's to begin and to end.
    """
    sql = PostgresSql(connection)
    sql.run("SELECT pg_advisory_xact_lock(?)", [TURN])
    if is_of_this_layout(sql):
        return
    sql.run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    sql.run(f"SET LOCAL search_path TO {SCHEMA}")
    found = checked_ours(sql)
    sql.run(f"CREATE TABLE IF NOT EXISTS {_LAYOUT} (format bigint NOT NULL)")
    sql.run(f"DELETE FROM {_LAYOUT}")
    for table in found & {*MADE_ANEW}:
        # What somebody has built upon it is not ours to drop: then this fails.
        sql.run(f"DROP TABLE {table}")
    for statement in (*KEEP, *CREATE):
        sql.run(_for_postgres(statement))
    sql.run(f"INSERT INTO {_LAYOUT} VALUES (?)", [FORMAT])


def checked_ours(sql: Sql) -> set[str]:
    """The tables in the schema; raises StoreError where they are somebody else's."""
    found = {str(name) for (name,) in sql.rows(_THERE)}
    others = found - {_LAYOUT, *KEPT, *MADE_ANEW}
    if others or (found and not sql.rows(_MARK)):
        held = max(others or found)
        raise StoreError(f"the schema {SCHEMA} has something else in it: {held!r}")
    return found


_THERE: Final = (
    f"SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('{SCHEMA}') "
    "AND relkind NOT IN ('i', 'S')"
)
_MARK: Final = (
    "SELECT FROM pg_attribute "
    f"WHERE attrelid = to_regclass('{SCHEMA}.{_LAYOUT}') AND attname = 'format'"
)


def _for_postgres(statement: str) -> str:
    """A statement of the common layout; SQLite's integers have 64 bits."""
    return (
        statement.replace(
            "INTEGER PRIMARY KEY AUTOINCREMENT", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        )
        .replace("INTEGER", "bigint")
        .removesuffix(" WITHOUT ROWID")
    )


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (PersistenceError, psycopg.Error) as error:
        told = failure(error)
        raise type(told)(f"the outbox {told}") if told else error from error
