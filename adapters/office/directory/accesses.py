"""Who looked at whom, when and why: kept beside the people, and erased after a set time."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from yibao.adapters.following.accesses import ACCESSES, ACCESSES_TABLE
from yibao.adapters.office.directory.settings import DirectorySettings
from yibao.adapters.office.directory.tables import SqliteFile, Tables
from yibao.adapters.store import MEMORY, StoreError, file_of, is_postgres
from yibao.domain.calendar import SHANGHAI
from yibao.domain.refusals import BadValue

#: What was added since a directory was first made.
_ADDED: Final = {"year": "INTEGER", "trace": "TEXT"}
_COLUMNS: Final = "at, actor, what, ref, reason, year, trace"

#: What they are called where they are by themselves.
TOLD_ACCESSES: Final = "the accesses"
#: As many as a page has at most.
MOST: Final = 500


class Look(NamedTuple):
    """Somebody has looked at a student; `trace` is that of the request, if there was one."""

    at: datetime
    actor: str
    what: str
    ref: str | None
    reason: str | None = None
    year: int | None = None
    trace: str | None = None


class Access(NamedTuple):
    """A look as it is kept, under its number."""

    number: int
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessed:
    """Which are asked for: those that fit everything given; `until` is not inclusive."""

    ref: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> tuple[list[str], list[Any]]:
        """What stands behind WHERE, and what for its question marks."""
        given = {
            "ref=?": self.ref,
            "actor=?": self.actor,
            "at>=?": self.since and _written(self.since),
            "at<?": self.until and _written(self.until),
        }
        found = {told: value for told, value in given.items() if value is not None}
        return list(found), list(found.values())


class Accesses:
    """The table of accesses, in the tables of a directory or in some of their own."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._name = f"{tables.prefix}accesses"
        self._add_lacking()

    def _add_lacking(self) -> None:
        """Adds the columns that the table of an earlier version has not."""
        for column, kind in _ADDED.items():
            try:
                with self._tables.reading() as sql:
                    sql.rows(f"SELECT {column} FROM {self._name} LIMIT 0")
            except StoreError:
                with self._tables.writing() as sql:
                    whole = "bigint" if _is_in_postgres(self._tables) else "INTEGER"
                    told = kind.replace("INTEGER", whole)
                    sql.run(f"ALTER TABLE {self._name} ADD COLUMN {column} {told}")

    def note(self, looks: Iterable[Look]) -> None:
        """Notes looks, all of them or none."""
        with self._tables.writing() as sql:
            sql.run_many(
                f"INSERT INTO {self._name} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((_written(each.at), *each[1:]) for each in looks),
            )

    def page(
        self, asked: Accessed, *, after: int | None = None, limit: int = 100
    ) -> tuple[list[Access], int | None]:
        """The newest first, and after which number the next page begins, if there is more.

        Raises BadValue for a limit that is not from 1 to 500.
        """
        if not 1 <= limit <= MOST:
            raise BadValue("limit", f"must be a whole number from 1 to {MOST}")
        where, values = asked.conditions()
        if after is not None:
            where, values = [*where, "number<?"], [*values, after]
        told = f"WHERE {' AND '.join(where)}" if where else ""
        with self._tables.reading() as sql:
            rows = sql.rows(
                f"SELECT number, {_COLUMNS} FROM {self._name} {told} ORDER BY number DESC LIMIT ?",
                (*values, limit + 1),
            )
        found = [
            Access(number, Look(datetime.fromisoformat(at), *rest))
            for number, at, *rest in rows[:limit]
        ]
        return found, found[-1].number if len(rows) > limit else None

    def erase(self, before: datetime) -> int:
        """Erases those from before an instant; how many these were."""
        until = _written(before)
        with self._tables.writing() as sql:
            ((found,),) = sql.rows(f"SELECT COUNT(*) FROM {self._name} WHERE at<?", (until,))
            sql.run(f"DELETE FROM {self._name} WHERE at<?", (until,))
        return int(found)

    def close(self) -> None:
        self._tables.close()


def _written(at: datetime) -> str:
    """An instant as it is kept: in Shanghai time, whose texts stand in order."""
    return at.astimezone(SHANGHAI).isoformat()


def open_accesses(url: str, settings: DirectorySettings | None = None) -> Accesses:
    """The accesses of a store: in the directory where there is one, else beside the store.

    Raises StoreError where they cannot be kept.
    """
    if settings is not None:
        from yibao.adapters.office.directory.people import tables_of

        return Accesses(tables_of(settings.url))
    if is_postgres(url):
        from yibao.adapters.office.directory.postgres import PostgresSchema

        return Accesses(PostgresSchema(url, TOLD_ACCESSES, (ACCESSES_TABLE,), ACCESSES.schema))
    path = ":memory:" if url == MEMORY else f"{file_of(url)}.accesses"
    return Accesses(SqliteFile(path, TOLD_ACCESSES, (ACCESSES_TABLE,)))


def accesses_there(url: str, settings: DirectorySettings | None = None) -> Accesses | None:
    """The same where they are; None where nobody has kept any yet, and nothing is made."""
    from yibao.adapters.office.directory.people import is_there

    if settings is not None:
        return open_accesses(url, settings) if is_there(settings.url) else None
    if is_postgres(url):
        from yibao.adapters.office.directory.postgres import has_schema

        return open_accesses(url) if has_schema(url, ACCESSES.schema) else None
    is_made = url != MEMORY and os.path.exists(f"{file_of(url)}.accesses")
    return open_accesses(url) if is_made else None


def _is_in_postgres(tables: Tables) -> bool:
    return not isinstance(tables, SqliteFile)
