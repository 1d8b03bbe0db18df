"""A trail in a SQLite file of its own, or in memory."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventsourcing.persistence import PersistenceError

from yibao.adapters.errors import StoreError
from yibao.adapters.sql import Sql
from yibao.adapters.sqlite import (
    SqlitePool,
    SqliteSql,
    SqliteTransaction,
    check_not_left,
    failure,
    prepare,
)
from yibao.adapters.trail.layout import CREATE, TABLES

#: As much of the file as is mapped into memory, in bytes.
MAPPED: Final = 16 * 2**30
#: What a batch may change without writing it out in between, in KiB.
CACHE_KIB: Final = 64 * 1024


class SqliteTrail:
    """One connection to the trail's file, or to memory; threads take turns."""

    is_writable = True

    def __init__(self, database: str) -> None:
        with _clear_errors(database):
            if database != ":memory:":
                check_not_left(database)
                prepare(database)
            self._pool = _Connection(database, 1, math.inf)
            with self.reading() as sql:
                self._check_whose(sql)

    def _check_whose(self, sql: Sql) -> None:
        """A trail may be deleted at any time, so nothing else may be in its file."""
        others = sql.rows(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite%' "
            f"AND name NOT IN ({', '.join('?' * len(TABLES))})",
            TABLES,
        )
        if others:
            self.close()
            raise StoreError(f"the trail needs a file of its own; this one holds {others[0][0]!r}")

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

    def has_tables(self, sql: Sql) -> bool:
        return bool(sql.rows("SELECT 1 FROM sqlite_master WHERE name='progress'"))

    def can_hold(self, text: str) -> bool:
        return True

    def empty(self, sql: Sql) -> None:
        # Dropped, not deleted from: another version may have left another layout.
        for table in TABLES:
            sql.run(f"DROP TABLE IF EXISTS {table}")
        for statement in CREATE:
            sql.run(statement)

    def optimize(self) -> None:
        with self.reading() as sql:
            sql.run("PRAGMA analysis_limit=1000")
            sql.run("ANALYZE")


class _Connection(SqlitePool):
    """The one connection; in memory nothing is kept where it is thrown away, and made anew."""

    is_anchored = False

    def _set_up(self, connection: sqlite3.Connection) -> None:
        # What is lost with a power cut is made again from the facts.
        connection.execute("PRAGMA synchronous=NORMAL")
        # A page of the trail is read from as many places of a file that may be large.
        connection.execute(f"PRAGMA mmap_size={MAPPED}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")


@contextmanager
def _clear_errors(database: str | None = None) -> Iterator[None]:
    try:
        yield
    except (PersistenceError, sqlite3.Error, OSError) as error:
        where = f" {database!r}" if database else ""
        raise StoreError(f"the trail{where} {failure(error)}") from error
