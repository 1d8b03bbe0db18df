"""An outbox beside the facts in a PostgreSQL database, in a schema of its own.

Whoever owns the database creates the tables (`yibao db init` and `migrate`); who polls needs no
right to do so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.derived.postgres import WORKED_OUT, is_of_this_layout, take_turn
from yibao.adapters.following.due.layout import MADE_ANEW, OUTBOX
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.postgres import Connection, Connections, PostgresSql, failure

SCHEMA: Final = OUTBOX.schema
_MAY_WRITE: Final = (
    f"SELECT has_table_privilege('{SCHEMA}.entries', 'INSERT') AND NOT pg_is_in_recovery() "
    "AND current_setting('default_transaction_read_only') = 'off'"
)


class PostgresOutbox:
    """The outbox in the database of the facts, by the same connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        with self.reading() as sql:
            if not is_of_this_layout(sql, OUTBOX):
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
            take_turn(sql, OUTBOX)
            yield sql

    def can_hold(self, text: str) -> bool:
        return "\0" not in text

    def empty(self, sql: Sql) -> None:
        sql.run(f"TRUNCATE {', '.join(MADE_ANEW)}")


def _in_schema(connection: Connection) -> PostgresSql:
    sql = PostgresSql(connection)
    sql.run(f"SET LOCAL search_path TO {SCHEMA}")
    return sql


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (PersistenceError, psycopg.Error) as error:
        told = failure(error)
        raise type(told)(f"the outbox {told}") if told else error from error
