"""An outbox in a SQLite file of its own, or in memory."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.due.layout import CREATE, KEEP, MADE_ANEW, OUTBOX
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.files import EVERY_TABLE, looked_at, may_write
from yibao.adapters.store.sqlite import (
    SqlitePool,
    SqliteSql,
    SqliteTransaction,
    check_not_left,
    failure,
    prepare,
)

#: In which an outbox is known that was ever released.
_MARK: Final = "SELECT name FROM pragma_table_info('entries')"


class SqliteOutbox:
    """One connection to the outbox's file, or to memory; threads take turns.

    What is noticed has to be kept: a file that cannot be written is an error.
    """

    def __init__(self, database: str) -> None:
        with _clear_errors(database):
            if database == ":memory:":
                # There as long as this is, whatever connection is thrown away.
                database = f"file:yibao-{uuid4().hex}?mode=memory&cache=shared"
            else:
                check_not_left(database)
                _check_whose(database)
                if not may_write(database):
                    raise StoreError(f"notices cannot be kept in {database!r}: it is read-only")
                prepare(database)
            self._pool = SqlitePool(database, 1, math.inf)
        with self.writing() as sql:
            for statement in KEEP:
                sql.run(statement)
            if not sql.rows("SELECT 1 FROM sqlite_master WHERE name='progress'"):
                self.empty(sql)

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def reading(self) -> Iterator[SqliteSql]:
        with _clear_errors(), self._pool.lend() as connection:
            yield SqliteSql(connection.cursor())

    @contextmanager
    def writing(self) -> Iterator[SqliteSql]:
        with _clear_errors(), SqliteTransaction(self._pool.lend(), commit=True) as cursor:
            yield SqliteSql(cursor)

    def can_hold(self, text: str) -> bool:
        return True

    def empty(self, sql: Sql) -> None:
        # Dropped, not deleted from: another version may have left another layout.
        for table in MADE_ANEW:
            sql.run(f"DROP TABLE IF EXISTS {table}")
        for statement in CREATE:
            sql.run(statement)


def _check_whose(database: str) -> None:
    """Raises StoreError for a file that holds anything but an outbox."""
    looked_at(database, _check_outbox)


def _check_outbox(connection: sqlite3.Connection) -> bool:
    tables = {str(name) for (name,) in connection.execute(EVERY_TABLE)}
    columns = tuple(name for (name,) in connection.execute(_MARK))
    others = tables - set(OUTBOX.every_table())
    if others or columns != OUTBOX.mark["entries"]:
        held = max(others or tables, default="a mark of another program")
        raise StoreError(f"the notices need a file of their own; this one holds {held!r}")
    return True


@contextmanager
def _clear_errors(database: str | None = None) -> Iterator[None]:
    try:
        yield
    except (PersistenceError, sqlite3.Error, OSError) as error:
        where = f" {database!r}" if database else ""
        raise StoreError(f"the outbox{where} {failure(error)}") from error
