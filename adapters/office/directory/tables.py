"""Tables that can forget: in a SQLite file of ours, or in a schema of a PostgreSQL database."""

import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol
from uuid import uuid4

from eventsourcing.persistence import PersistenceError

from yibao.adapters.office.directory.settings import check_private
from yibao.adapters.store import StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.store.files import EVERY_TABLE, claim, looked_at, may_write
from yibao.adapters.store.sqlite import (
    ERASING,
    ERASING_WAITS,
    SqlitePool,
    SqliteSql,
    SqliteTransaction,
    check_not_left,
    failure,
    finish_erasing,
    note_version,
    noted_version,
    prepare,
)


class Tables(Protocol):
    """Where something is kept that may have to be forgotten."""

    #: What stands before the names of the tables.
    prefix: str

    def reading(self) -> AbstractContextManager[Sql]:
        """A turn to read."""
        ...

    def writing(self) -> AbstractContextManager[Sql]:
        """A transaction with nobody in between; what is raised inside leaves nothing behind."""
        ...

    def check_may_forget(self) -> None:
        """Raises StoreError for who cannot leave no trace."""
        ...

    def leave_no_trace(self) -> bool:
        """Has nothing of what was deleted lie about, as far as that is ours; whether it is so."""
        ...

    def close(self) -> None: ...


class SqliteFile:
    """A file that its owner alone may read, made with its tables where there is none."""

    prefix = ""

    def __init__(self, path: str, told: str, tables: Sequence[str]) -> None:
        self._told = f"{told} {path!r}"
        with self._clear_errors():
            if path == ":memory:":  # there as long as this is
                path = f"file:yibao-{uuid4().hex}?mode=memory&cache=shared"
                self._pool = _Connection(path, 1, math.inf)
            else:
                self._pool = self._opened(path, told, tables)
        with self.writing() as sql:
            for statement in tables:
                sql.run(statement.format(prefix=self.prefix))

    def _opened(self, path: str, told: str, tables: Sequence[str]) -> "_Connection":
        check_not_left(path)
        if not os.path.exists(path):
            if not may_write(path):
                raise StoreError(f"{self._told} cannot be made there")
            claim(path)
        check_private(path)
        has_tables(path, told, tables)
        prepare(path)
        return _Connection(path, 1, math.inf)

    @contextmanager
    def reading(self) -> Iterator[SqliteSql]:
        with self._clear_errors(), self._pool.lend() as connection:
            yield SqliteSql(connection.cursor())

    @contextmanager
    def writing(self) -> Iterator[SqliteSql]:
        with self._clear_errors(), SqliteTransaction(self._pool.lend(), commit=True) as cursor:
            yield SqliteSql(cursor)

    def check_may_forget(self) -> None:
        """Whoever opens the file may write it anew."""

    def leave_no_trace(self) -> bool:
        """Writes the file anew: pages keep copies of rows that once moved to another page.

        The log is emptied then; as long as somebody reads, it is not, and that is noted.
        """
        with self._clear_errors(), self._pool.lend() as connection:
            raw = connection.cursor().sqlite_cursor.connection
            note_version(raw, noted_version(raw) | ERASING)
            raw.execute("VACUUM")
            return finish_erasing(raw, ERASING_WAITS)

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (PersistenceError, sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._told} {failure(error)}") from error


def has_tables(path: str, told: str, tables: Sequence[str]) -> bool:
    """Whether a file has any of our tables in it; it is looked at without a trace.

    Raises StoreError for one that holds anything else.
    """

    def held(connection: sqlite3.Connection) -> set[str]:
        return {str(name) for (name,) in connection.execute(EVERY_TABLE)}

    try:
        found = looked_at(path, held)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{told} {path!r} failed: {error}") from None
    for name in sorted(found or ()):
        if not any(f"{name} (" in statement for statement in tables):
            told = f"{told} {path!r}"
            raise StoreError(f"{told} needs a file of its own; this one holds {name!r}")
    return bool(found)


class _Connection(SqlitePool):
    """The one connection; whatever is deleted is written over."""

    def _set_up(self, connection: sqlite3.Connection) -> None:
        super()._set_up(connection)
        connection.execute("PRAGMA secure_delete=ON")


#: The schema of the directory in a PostgreSQL database.
SCHEMA: Final = "yibao_directory"

#: What the people, and their keys, are called.
TOLD, TOLD_KEYS = "the directory", "the directory's keys"
