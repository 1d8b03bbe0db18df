"""A trail in a SQLite file of its own, or in memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from yibao.adapters.errors import StoreError
from yibao.adapters.sql import Sql
from yibao.adapters.sqlite import LOCK_TIMEOUT, SqliteSql, prepare
from yibao.adapters.trail.layout import CREATE, TABLES

#: As much of the file as is mapped into memory, in bytes.
MAPPED: Final = 16 * 2**30
#: What a batch may change without writing it out in between, in KiB.
CACHE_KIB: Final = 64 * 1024


class SqliteTrail:
    """One connection to the trail's file, or to memory; threads take turns."""

    is_writable = True

    def __init__(self, database: str) -> None:
        self._turn = RLock()
        with _clear_errors(database):
            if database != ":memory:":
                prepare(database)
            self._connection = sqlite3.connect(
                database, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            self._check_whose()
            # What is lost with a power cut is made again from the facts.
            self._connection.execute("PRAGMA synchronous=NORMAL")
            # A page of the trail is read from as many places of a file that may be large.
            self._connection.execute(f"PRAGMA mmap_size={MAPPED}")
            self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    def _check_whose(self) -> None:
        """A trail may be deleted at any time, so nothing else may be in its file."""
        others = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite%' "
            f"AND name NOT IN ({', '.join('?' * len(TABLES))})",
            TABLES,
        ).fetchall()
        if others:
            self._connection.close()
            raise StoreError(f"the trail needs a file of its own; this one holds {others[0][0]!r}")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[SqliteSql]:
        with self._turn, _clear_errors():
            yield SqliteSql(SQLiteCursor(self._connection.cursor()))

    @contextmanager
    def writing(self) -> Iterator[SqliteSql]:
        with self._turn, _clear_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteSql(SQLiteCursor(self._connection.cursor()))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

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
        with self._turn, _clear_errors():
            self._connection.execute("PRAGMA analysis_limit=1000")
            self._connection.execute("ANALYZE")


@contextmanager
def _clear_errors(database: str | None = None) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        where = f" {database!r}" if database else ""
        raise StoreError(f"the trail{where} failed: {error}") from error
