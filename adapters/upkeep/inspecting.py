"""A store as it lies there: its rows as they are, whatever they say."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from yibao.adapters.store import Finding, StoreError, file_of, is_postgres, migrations
from yibao.adapters.store.files import (
    EVERY_TABLE,
    LOCK_TIMEOUT,
    LOG,
    PrivateFolder,
    ReadOnly,
    beside,
    size,
)
from yibao.adapters.store.sqlite import ERASING, WITH_GAPS, altered, no_store, noted_version


def is_rehearsal(store: "Inspected") -> bool:
    return "rehearsal" in store.tables()


class Inspected(Protocol):
    """A store that is there, to be read as it is at one moment and never changed."""

    @property
    def layout(self) -> str: ...

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        ...

    def other_encoding(self) -> str | None:
        """The encoding, where it cannot hold whatever there is to be written."""
        ...

    def damages(self) -> list[str]:
        """What the database itself finds wrong with its files."""
        ...

    @property
    def has_gaps(self) -> bool:
        """Whether a number may be missing without anything having been removed."""
        ...

    def unfinished_erasure(self) -> str | None:
        """The file that may hold yet what was erased, as far as can be told."""
        ...

    def altered(self) -> Iterator[Finding]:
        """What was planted on our tables, or taken from them."""
        ...

    def last_number(self, table: str, column: str) -> int:
        """The last number that was given in a table."""
        ...

    def each(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """What a statement finds, without holding it all."""
        ...


@contextmanager
def inspected(url: str) -> Iterator[Inspected]:
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        with upkeep_postgres.reading(url) as database:
            yield database
    else:
        with reading(url) as file:
            yield file


class _InspectedFile:
    """A SQLite file."""

    def __init__(
        self, connection: sqlite3.Connection, layout: str, path: str, source: ReadOnly
    ) -> None:
        self._path = path
        #: Raises StoreError where what was read so far may not be of one moment.
        self.check_still = source.check_still
        self.connection = connection
        self.layout = layout

    def tables(self) -> set[str]:
        return {name for (name,) in self.each(EVERY_TABLE)}

    def other_encoding(self) -> None:
        """SQLite has none that cannot."""

    def damages(self) -> list[str]:
        return [str(row[0]) for row in self.each("PRAGMA integrity_check") if row[0] != "ok"]

    @property
    def has_gaps(self) -> bool:
        return bool(noted_version(self.connection) & WITH_GAPS)

    def unfinished_erasure(self) -> str | None:
        log = beside(self._path, LOG)
        return log if noted_version(self.connection) & ERASING and size(log) else None

    def altered(self) -> Iterator[Finding]:
        return altered(self.connection)

    def last_number(self, table: str, column: str) -> int:
        noted = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name=?", (table,))
        return max((seq for (seq,) in noted if isinstance(seq, int)), default=0)

    def each(self, statement: str) -> Iterator[tuple[Any, ...]]:
        yield from self.connection.execute(statement)
        self.check_still()


@contextmanager
def reading(url: str) -> Iterator[_InspectedFile]:
    """A store that is there, as it is at one moment; it can only be read."""
    path = file_of(url)
    if migrations.layout_found(path) is None:
        raise no_store(path)
    try:
        with PrivateFolder() as folder:
            source = ReadOnly(path, folder)
            with closing(
                sqlite3.connect(source.database, uri=True, timeout=LOCK_TIMEOUT)
            ) as connection:
                connection.execute("BEGIN")  # as it is at one moment, whoever writes meanwhile
                try:
                    layout = migrations.layout_in(connection, path)
                    assert layout is not None
                    yield _InspectedFile(connection, layout, path, source)
                except sqlite3.Error:
                    source.check_still()
                    raise
                source.check_still()
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the store {path!r} cannot be read: {error}") from error
