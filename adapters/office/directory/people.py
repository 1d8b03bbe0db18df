"""The people, sealed; who has looked somebody up; and who is to be forgotten."""

import os
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from yibao.adapters.following.accesses import ACCESSES_TABLE
from yibao.adapters.office.directory.accesses import Accesses, Look
from yibao.adapters.office.directory.tables import TOLD, SqliteFile, Tables, has_tables
from yibao.adapters.store import StoreError, file_of, is_postgres
from yibao.adapters.store.connections import in_parts

#: The layout of the tables; another version may have another.
LAYOUT: Final = 1

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS {prefix}people (ref TEXT PRIMARY KEY, lookup BLOB NOT NULL UNIQUE, "
    "sealed BLOB NOT NULL, key_version INTEGER NOT NULL) WITHOUT ROWID",
    ACCESSES_TABLE,
    "CREATE TABLE IF NOT EXISTS {prefix}to_forget (ref TEXT PRIMARY KEY, actor TEXT NOT NULL) "
    "WITHOUT ROWID",
    # Of whom the school has a proxy that nobody has entered yet: no fact, and forgotten with her.
    "CREATE TABLE IF NOT EXISTS {prefix}proxies (ref TEXT PRIMARY KEY, school TEXT NOT NULL, "
    "day TEXT NOT NULL) WITHOUT ROWID",
    # By which the keys are known that belong to it, and the layout of these tables.
    "CREATE TABLE IF NOT EXISTS {prefix}directory (mark TEXT NOT NULL, layout INTEGER NOT NULL)",
)


class Sealed(NamedTuple):
    """What is kept of somebody; `key_version` is that of the key that wraps hers."""

    ref: str
    lookup: bytes
    sealed: bytes
    key_version: int


class WaitingProxy(NamedTuple):
    """Whose proxy the school has and has not entered yet, and since which day."""

    ref: str
    day: date


class People:
    """The tables of a directory."""

    def __init__(self, url: str, mark: str) -> None:
        self._tables = tables_of(url)
        self._people = f"{self._tables.prefix}people"
        try:
            self._tables.check_may_forget()
            self._check_mark(mark)
            self.accesses = Accesses(self._tables)
        except BaseException:
            self._tables.close()
            raise

    def _check_mark(self, mark: str) -> None:
        table = f"{self._tables.prefix}directory"
        with self._tables.writing() as sql:
            found = sql.rows(f"SELECT mark, layout FROM {table}")
            if not found and not sql.rows(f"SELECT 1 FROM {self._people} LIMIT 1"):
                sql.run(f"INSERT INTO {table} VALUES (?, ?)", (mark, LAYOUT))
            elif [each[:1] for each in found] != [(mark,)]:
                raise StoreError("the directory's keys belong to another directory")
            elif found != [(mark, LAYOUT)]:
                raise StoreError("the directory is of a newer version of yibao")

    def by_lookup(self, lookups: Iterable[bytes]) -> dict[bytes, Sealed]:
        """Those of some look-ups who are known."""
        return {found.lookup: found for found in self._found("lookup", lookups)}

    def by_ref(self, refs: Iterable[str]) -> dict[str, Sealed]:
        """Those of some references who are known."""
        return {found.ref: found for found in self._found("ref", refs)}

    def _found(self, column: str, values: Iterable[str | bytes]) -> list[Sealed]:
        found: list[Sealed] = []
        with self._tables.reading() as sql:
            for places, some in in_parts(values):
                rows = sql.rows(
                    f"SELECT ref, lookup, sealed, key_version FROM {self._people} "
                    f"WHERE {column} IN ({places})",
                    some,
                )
                found += (Sealed(ref, bytes(told), bytes(it), n) for ref, told, it, n in rows)
        return found

    def add(self, people: Sequence[Sealed]) -> None:
        with self._tables.writing() as sql:
            sql.run_many(f"INSERT INTO {self._people} VALUES (?, ?, ?, ?)", people)

    def replace(self, people: Iterable[Sealed]) -> None:
        """What is kept of people who are known already."""
        with self._tables.writing() as sql:
            sql.run_many(
                f"UPDATE {self._people} SET sealed=? WHERE ref=?",
                ((each.sealed, each.ref) for each in people),
            )

    def remove(self, refs: Iterable[str]) -> None:
        refs = list(refs)
        with self._tables.writing() as sql:
            for name in ("people", "to_forget", "proxies"):
                table = f"{self._tables.prefix}{name}"
                sql.run_many(f"DELETE FROM {table} WHERE ref=?", ((ref,) for ref in refs))

    def wrapped_anew(self, version: int) -> None:
        """Notes the version of the key that wraps everybody's."""
        with self._tables.writing() as sql:
            sql.run(
                f"UPDATE {self._people} SET key_version=? WHERE key_version<>?", (version, version)
            )

    def accessed(
        self, what: str, by: str, at: datetime, ref: str | None, reason: str | None
    ) -> None:
        """Notes who looked up whom, or had her forgotten; None where nobody was found."""
        self.all_accessed(what, by, at, [ref], reason)

    def all_accessed(
        self, what: str, by: str, at: datetime, refs: Iterable[str | None], reason: str | None
    ) -> None:
        """Notes the same of several at once."""
        self.accesses.note(Look(at, by, what, ref, reason) for ref in refs)

    def ask_to_forget(self, ref: str, by: str) -> str:
        """Notes that somebody wants her forgotten; who was the first to."""
        table = f"{self._tables.prefix}to_forget"
        with self._tables.writing() as sql:
            sql.run(f"INSERT INTO {table} VALUES (?, ?) ON CONFLICT DO NOTHING", (ref, by))
            ((first,),) = sql.rows(f"SELECT actor FROM {table} WHERE ref=?", (ref,))
            return str(first)

    def to_forget(self) -> list[tuple[str, str]]:
        """Who is to be forgotten once a second person agrees, and who wants it."""
        with self._tables.reading() as sql:
            rows = sql.rows(f"SELECT ref, actor FROM {self._tables.prefix}to_forget ORDER BY ref")
        return [(str(ref), str(actor)) for ref, actor in rows]

    def proxies(self, school: str) -> list["WaitingProxy"]:
        """The proxies of a school that wait to be entered, the oldest first."""
        with self._tables.reading() as sql:
            rows = sql.rows(
                f"SELECT ref, day FROM {self._tables.prefix}proxies "
                "WHERE school=? ORDER BY day, ref",
                (school,),
            )
        return [WaitingProxy(ref, date.fromisoformat(day)) for ref, day in rows]

    def keep_proxies(self, school: str, proxies: Iterable["WaitingProxy"]) -> None:
        """Notes proxies that wait; of who has one already the latest told stands."""
        with self._tables.writing() as sql:
            sql.run_many(
                f"INSERT INTO {self._tables.prefix}proxies VALUES (?, ?, ?) "
                "ON CONFLICT (ref) DO UPDATE SET school=excluded.school, day=excluded.day",
                ((each.ref, school, each.day.isoformat()) for each in proxies),
            )

    def drop_proxies(self, refs: Iterable[str]) -> None:
        """Whoever's proxy waited, it does no longer."""
        with self._tables.writing() as sql:
            sql.run_many(
                f"DELETE FROM {self._tables.prefix}proxies WHERE ref=?", ((ref,) for ref in refs)
            )

    def leave_no_trace(self) -> bool:
        return self._tables.leave_no_trace()

    def close(self) -> None:
        self._tables.close()


def tables_of(url: str) -> Tables:
    """The tables of a directory, made where there are none."""
    if is_postgres(url):
        from yibao.adapters.office.directory.postgres import PostgresSchema

        return PostgresSchema(url, TOLD, _TABLES)
    return SqliteFile(file_of(url), TOLD, _TABLES)


def is_there(url: str) -> bool:
    """Whether there is a directory by now; none is made.

    Raises StoreError for a file that holds something else.
    """
    if is_postgres(url):
        from yibao.adapters.office.directory import postgres

        return postgres.is_there(url)
    path = file_of(url)
    return os.path.exists(path) and has_tables(path, TOLD, _TABLES)
