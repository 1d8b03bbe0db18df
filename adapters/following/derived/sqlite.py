"""The tables of a projection in a SQLite file of its own, or in memory."""

import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Final

from eventsourcing.persistence import PersistenceError

from yibao.adapters.following.derived.layout import Layout
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.files import (
    EVERY_TABLE,
    PrivateFolder,
    ReadOnly,
    looked_at,
    may_write,
)
from yibao.adapters.store.sqlite import (
    SqlitePool,
    SqliteSql,
    SqliteTransaction,
    check_not_left,
    failure,
    prepare,
)

#: As much of the file as is mapped into memory, in bytes.
MAPPED: Final = 16 * 2**30
#: What a batch may change without writing it out in between, in KiB.
CACHE_KIB: Final = 64 * 1024


class SqliteTables:
    """One connection to a projection's file, or to memory; threads take turns.

    Where the file cannot be written, it is a copy that goes when this is closed.
    """

    is_writable = True

    def __init__(self, database: str, layout: Layout) -> None:
        self.layout = layout
        self._folder: PrivateFolder | None = None
        with self._clear_errors(database):
            if database != ":memory:":
                check_not_left(database)
                _check_whose(database, layout)
                if os.path.isdir(os.path.dirname(database) or ".") and not may_write(database):
                    database = self._copy(database)
                prepare(database)
            self._pool = _Connection(database, 1, math.inf)
            with self._pool.lend():  # what cannot be opened is told now
                pass

    @property
    def is_kept(self) -> bool:
        return self._folder is None

    def _copy(self, database: str) -> str:
        """One for as long as this is open, of what there is by now."""
        self._folder = PrivateFolder()
        copy = str(self._folder.path / f"{self.layout.told}.db")
        if os.path.exists(database):
            source = ReadOnly(database, self._folder)
            with (
                closing(sqlite3.connect(source.database, uri=True)) as there,
                closing(sqlite3.connect(copy)) as here,
            ):
                there.backup(here)
            source.check_still()
        return copy

    def close(self) -> None:
        self._pool.close()
        if self._folder is not None:
            self._folder.close()

    @contextmanager
    def reading(self) -> Iterator[SqliteSql]:
        with self._clear_errors(), self._pool.lend() as connection:
            yield SqliteSql(connection.cursor())

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSql]:
        with self._clear_errors(), SqliteTransaction(self._pool.lend(), commit=False) as cursor:
            yield SqliteSql(cursor)

    @contextmanager
    def writing(self) -> Iterator[SqliteSql]:
        with self._clear_errors(), SqliteTransaction(self._pool.lend(), commit=True) as cursor:
            yield SqliteSql(cursor)

    def prefix(self, side: str) -> str:
        return side

    def has_tables(self, sql: Sql, side: str) -> bool:
        return bool(sql.rows(f"SELECT 1 FROM sqlite_master WHERE name='{side}progress'"))

    def can_hold(self, text: str) -> bool:
        return True

    def empty(self, sql: Sql, side: str) -> None:
        # Dropped, not deleted from: another version may have left another layout.
        for table in self.layout.of_side(side):
            sql.run(f"DROP TABLE IF EXISTS {table}")
        there = {name for (name,) in sql.rows(EVERY_TABLE)}
        made = [statement for name, statement in self.layout.shared.items() if name not in there]
        for statement in (*made, *self.layout.create(side)):
            sql.run(statement)

    def leave_indexes(self, sql: Sql, side: str) -> None:
        for name in self.layout.late(side):
            sql.run(f"DROP INDEX IF EXISTS {name}")

    def make_indexes(self, sql: Sql, side: str) -> None:
        self.leave_indexes(sql, side)
        for statement in self.layout.late(side).values():
            sql.run(statement)

    def optimize(self) -> None:
        with self.reading() as sql:
            sql.run("PRAGMA analysis_limit=1000")
            sql.run("ANALYZE")

    @contextmanager
    def _clear_errors(self, database: str | None = None) -> Iterator[None]:
        try:
            yield
        except (PersistenceError, sqlite3.Error, OSError) as error:
            where = f" {database!r}" if database else ""
            raise StoreError(f"the {self.layout.told}{where} {failure(error)}") from error


class _Connection(SqlitePool):
    """The one connection; in memory nothing is kept where it is thrown away, and made anew."""

    is_anchored = False

    def _set_up(self, connection: sqlite3.Connection) -> None:
        super()._set_up(connection)
        # What is lost with a power cut is made again from the facts.
        connection.execute("PRAGMA synchronous=NORMAL")
        # What is asked for is read from as many places of a file that may be large.
        connection.execute(f"PRAGMA mmap_size={MAPPED}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")


def _check_whose(database: str, layout: Layout) -> None:
    """Raises StoreError for a file that holds anything else: its tables are made anew."""
    told = layout.told
    try:
        looked_at(database, partial(_check_layout, layout))
    except (OSError, sqlite3.DatabaseError) as error:
        raise StoreError(f"the {told} cannot be kept in {database!r}: {error}") from error


def _check_layout(layout: Layout, connection: sqlite3.Connection) -> bool:
    tables = {str(name) for (name,) in connection.execute(EVERY_TABLE)}
    columns = {
        table: tuple(name for (name,) in connection.execute(_COLUMNS, (table,)))
        for table in layout.mark
    }
    others = tables - set(layout.every_table())
    if others or columns != layout.mark:
        held = max(others or tables, default="a mark of another program")
        raise StoreError(f"the {layout.told} needs a file of its own; this one holds {held!r}")
    return True


_COLUMNS: Final = "SELECT name FROM pragma_table_info(?)"
