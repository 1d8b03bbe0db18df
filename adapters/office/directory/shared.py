"""What all workers of the web have to know: whose tries were refused, and which sessions are over.

It is beside the store, as the accesses are where there is no directory. Nothing of it is asked of
who succeeds with a token: a try is counted once it was refused, and a session is looked for where a
cookie tells of one.
"""

from collections import Counter
from datetime import datetime
from threading import Lock
from typing import Final, Protocol

from yibao.adapters.following.accesses import ACCESSES, SHARED_TABLES
from yibao.adapters.office.directory.tables import SqliteFile, Tables
from yibao.adapters.store import MEMORY, file_of, is_postgres

_HOUR: Final = 3600
_TOLD: Final = "the sessions"


def hour_of(now: datetime) -> int:
    """The hour of which tries are counted together, by number."""
    return int(now.timestamp()) // _HOUR


class Shared(Protocol):
    """Raises StoreError where it is away."""

    def refused(self, actor: str, now: datetime) -> int:
        """Counts a refused try; how many there are of this actor in this hour."""
        ...

    def end(self, session: str, until: datetime) -> None:
        """Notes that a session is over, which until then would have gone on by itself."""
        ...

    def has_ended(self, session: str) -> bool:
        """Whether somebody has ended a session."""
        ...

    def erase(self, now: datetime) -> None:
        """Erases what nobody needs any more."""
        ...

    def close(self) -> None: ...


class InProcess:
    """Known to this process alone: of a store in memory, or where there are no tables for it."""

    def __init__(self) -> None:
        self._refused: Counter[tuple[str, int]] = Counter()
        self._ended: dict[str, datetime] = {}
        self._turn = Lock()

    def refused(self, actor: str, now: datetime) -> int:
        with self._turn:
            self._refused[actor, hour_of(now)] += 1
            return self._refused[actor, hour_of(now)]

    def end(self, session: str, until: datetime) -> None:
        with self._turn:
            self._ended[session] = until

    def has_ended(self, session: str) -> bool:
        return session in self._ended

    def erase(self, now: datetime) -> None:
        with self._turn:
            hours = [each for each in self._refused if each[1] < hour_of(now)]
            for hour in hours:
                del self._refused[hour]
            self._ended = {each: until for each, until in self._ended.items() if until >= now}

    def close(self) -> None:
        """Nothing is open."""


class InTables:
    """Known to all who have the store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._ended, self._tries = f"{tables.prefix}ended", f"{tables.prefix}tries"

    def refused(self, actor: str, now: datetime) -> int:
        whose = actor, hour_of(now)
        with self._tables.writing() as sql:
            sql.run(
                f"INSERT INTO {self._tries} AS known (actor, hour, refused) VALUES (?, ?, 1) "
                "ON CONFLICT (actor, hour) DO UPDATE SET refused = known.refused + 1",
                whose,
            )
            asked = f"SELECT refused FROM {self._tries} WHERE actor=? AND hour=?"
            ((found,),) = sql.rows(asked, whose)
        return int(found)

    def end(self, session: str, until: datetime) -> None:
        with self._tables.writing() as sql:
            sql.run(
                f"INSERT INTO {self._ended} (session, until) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (session, int(until.timestamp())),
            )

    def has_ended(self, session: str) -> bool:
        with self._tables.reading() as sql:
            return bool(sql.rows(f"SELECT 1 FROM {self._ended} WHERE session=?", (session,)))

    def erase(self, now: datetime) -> None:
        with self._tables.writing() as sql:
            sql.run(f"DELETE FROM {self._ended} WHERE until<?", (int(now.timestamp()),))
            sql.run(f"DELETE FROM {self._tries} WHERE hour<?", (hour_of(now),))

    def close(self) -> None:
        self._tables.close()


def open_shared(url: str) -> Shared:
    """What is shared by all who have a store; raises StoreError where it cannot be kept.

    A PostgreSQL database of an earlier release has no tables for it until its owner migrates it,
    or a role no right to them until it is granted anew: each process then knows its own.
    """
    if url == MEMORY:
        return InProcess()
    if not is_postgres(url):
        return InTables(SqliteFile(f"{file_of(url)}.sessions", _TOLD, SHARED_TABLES))
    from yibao.adapters.office.directory.postgres import PostgresSchema, may_erase

    if not may_erase(url, _TOLD, ACCESSES.schema, "ended", "tries"):
        return InProcess()
    return InTables(PostgresSchema(url, _TOLD, SHARED_TABLES, ACCESSES.schema))
