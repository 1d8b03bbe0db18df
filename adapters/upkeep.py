"""Looking after a store: is it whole, which layout has it, and a copy while it is at work."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote
from uuid import UUID

from yibao.adapters import migrations
from yibao.adapters.errors import StoreError
from yibao.adapters.mapping import from_row
from yibao.adapters.policy_files import Editions
from yibao.adapters.recording import is_altered
from yibao.adapters.sql import stream_of
from yibao.adapters.store import MEMORY, file_of, is_postgres, open_store
from yibao.adapters.watch import Watch
from yibao.domain import events
from yibao.domain.attempts import RefusedAttempt
from yibao.domain.refusals import UnknownEdition, UnreadableEvent


class Finding(NamedTuple):
    """Something that is not as it should be: what, and where."""

    code: str
    where: str


class Health(NamedTuple):
    """What a store holds, and everything found that is not as it should be."""

    layout: str
    facts: int
    streams: int
    attempts: int
    findings: tuple[Finding, ...]


def init(url: str) -> str:
    """Creates a store where there is none; its layout. Raises StoreError where there is one."""
    if is_postgres(url):
        from yibao.adapters import upkeep_postgres

        return upkeep_postgres.init(url)
    path = Path(file_of(url))
    if path.exists():
        raise StoreError(f"there is a file {str(path)!r} already")
    open_store(url).close()
    return migrations.HEAD


def migrate(url: str) -> tuple[str, str]:
    """Brings a store to the newest layout; the layout it had and the one it has.

    Raises StoreError where there is no store: it may have failed to be restored.
    """
    if is_postgres(url):
        from yibao.adapters import upkeep_postgres

        return upkeep_postgres.migrate(url)
    with _reading(url) as store:
        before = store.layout
    open_store(url).close()
    with _reading(url) as store:
        return before, store.layout


def grant(url: str, role: str, *, reads_only: bool = False) -> None:
    """Lets a role of a PostgreSQL server append and read, or read only.

    It may neither change nor delete a fact or a refused attempt. Raises StoreError where there
    is no such role, or the URL is of one who may not act for the owner.
    """
    if not is_postgres(url):
        raise StoreError("a file has no roles: its permissions are the file system's")
    from yibao.adapters import upkeep_postgres

    upkeep_postgres.grant(url, role, reads_only=reads_only)


def backup(url: str, to: Path) -> int:
    """Copies a store into a new file, as it is at one moment; how many facts that has.

    Writers and readers go on meanwhile. Raises StoreError where the file is there already or
    cannot be written; then nothing is left of it.
    """
    if is_postgres(url):
        raise StoreError("a PostgreSQL store is copied by pg_dump or by pg_basebackup")
    if to.exists():
        raise StoreError(f"there is a file {str(to)!r} already")
    partial = to.with_name(to.name + ".partial")
    with _reading(url) as store:
        try:
            with closing(sqlite3.connect(partial)) as copy:
                store.connection.backup(copy)
                (facts,) = copy.execute("SELECT COUNT(*) FROM stored_events").fetchone()
            partial.rename(to)
        except (sqlite3.Error, OSError) as error:
            partial.unlink(missing_ok=True)
            raise StoreError(f"the store could not be copied: {error}") from error
    return int(facts)


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

    def each(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """What a statement finds, without holding it all."""
        ...


def check(url: str, editions: Editions, watch: Watch | None = None) -> Health:
    """Reads everything in a store, without changing it, and tells what is not right.

    Raises StoreError where it cannot be read at all.
    """
    with _inspected(url) as store:
        return _checked(store, editions, watch)


@contextmanager
def _inspected(url: str) -> Iterator[Inspected]:
    if is_postgres(url):
        from yibao.adapters import upkeep_postgres

        with upkeep_postgres.reading(url) as database:
            yield database
    else:
        with _reading(url) as file:
            yield file


def copy(url: str, to: str, watch: Watch | None = None) -> int:
    """Copies a store into an empty one of either kind, all of it or nothing; how many facts.

    The copy is of one moment; every fact keeps its position. Raises StoreError where the other
    store holds anything already, or would not outlast this.
    """
    if to == MEMORY:
        raise StoreError("a store in memory is gone at once: copy to a file or a database")
    with _inspected(url) as source, closing(open_store(to)) as store:
        if source.layout != migrations.HEAD:
            raise StoreError(f"the store has layout {source.layout}: bring it to {migrations.HEAD}")
        ((facts,),) = source.each("SELECT COUNT(*) FROM stored_events")
        with store.transaction(everybody=True, many=True) as transaction:
            sql, done = transaction.sql, 0
            if sql.rows(" UNION ALL ".join(f"SELECT 1 FROM {table}" for table in _COPIED)):
                raise StoreError("the store to copy to is not empty")
            for table, columns in _COPIED.items():
                names, places = ", ".join(columns), ", ".join("?" * len(columns))
                rows = source.each(f"SELECT {names} FROM {table} ORDER BY {columns[0]}")
                while some := [tuple(map(_plain, row)) for row in islice(rows, COPIED_AT_ONCE)]:
                    sql.run_many(f"INSERT INTO {table} ({names}) VALUES ({places})", some)
                    done += len(some)
                    if watch and table == "stored_events":
                        watch(done, facts)
            transaction.database.number_on(sql)
    return int(facts)


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value


#: How many rows are copied at a time.
COPIED_AT_ONCE: Final = 5000
_COPIED: Final = {
    "stored_events": (
        "notification_id",
        "originator_id",
        "originator_version",
        "topic",
        "state",
    ),
    "notes": ("event_id", "note"),
    "refused_attempts": ("attempt_id", "position", "stream", "actor", "hour", "state"),
    "counted_attempts": ("number", "actor", "hour", "command", "code", "attempts", "changed"),
}


def _checked(store: Inspected, editions: Editions, watch: Watch | None) -> Health:
    layout, tables = store.layout, store.tables()

    def held(table: str, statement: str) -> Iterator[tuple[Any, ...]]:
        return store.each(statement) if table in tables else iter(())

    found = [Finding("damaged", what) for what in store.damages()]
    if encoding := store.other_encoding():
        found.append(Finding("other_encoding", encoding))
    facts = sum(count for (count,) in held("stored_events", "SELECT COUNT(*) FROM stored_events"))
    if layout != migrations.HEAD:
        found.append(Finding("other_layout", layout))
        return Health(layout, facts, 0, 0, tuple(found))
    found.extend(Finding("table_missing", table) for table in _COPIED if table not in tables)
    streams = 0
    seen = 0
    rows = held(
        "stored_events",
        "SELECT originator_id, originator_version, topic, state, notification_id "
        "FROM stored_events ORDER BY originator_id, originator_version",
    )
    for key, of_stream in groupby(rows, key=itemgetter(0)):
        there = list(of_stream)
        found.extend(_of_a_stream(key, there, editions))
        streams, seen = streams + 1, seen + len(there)
        if watch and streams % 100 == 0:
            watch(seen, facts)
    attempts = 0
    for attempt_id, state in held(
        "refused_attempts", "SELECT attempt_id, state FROM refused_attempts ORDER BY attempt_id"
    ):
        attempts += 1
        try:
            RefusedAttempt.model_validate_json(state)
        except ValueError:
            found.append(Finding("unreadable", f"refused attempt {attempt_id}"))
    return Health(layout, facts, streams, attempts, tuple(found))


def _of_a_stream(key: Any, rows: list[tuple[Any, ...]], editions: Editions) -> Iterator[Finding]:
    """What is wrong in one stream: a gap, an event that does not read, time that runs back."""
    before: events.Event | None = None
    position = 0
    for place, (_, version, topic, state, taken) in enumerate(rows, start=1):
        where = f"event {version} of stream {key}"
        if version != place:
            yield Finding("gap", where)
            return
        try:
            event = from_row(stream_of(key), version, topic, state)
        except (UnreadableEvent, ValueError) as error:
            yield Finding("unreadable", str(error))
            return
        if before is not None and event.recorded_at < before.recorded_at:
            yield Finding("stamp_runs_back", where)
        if taken <= position:
            yield Finding("taken_out_of_order", where)
        if isinstance(event, events.EditionAdopted | events.BenefitsAdopted):
            yield from _of_an_edition(event, where, editions)
        before, position = event, taken
    if before is not None and before.goes_on:
        yield Finding("torn_transaction", f"stream {key}")


def _of_an_edition(
    used: events.EditionAdopted | events.BenefitsAdopted, where: str, editions: Editions
) -> Iterator[Finding]:
    try:
        if is_altered(used, editions):
            yield Finding("edition_altered", where)
    except UnknownEdition:
        yield Finding("edition_missing", where)


class _InspectedFile:
    """A SQLite file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        tables = self.tables()
        if "stored_events" not in tables:
            raise StoreError("the file is no store of yibao")
        numbers = self.each("SELECT version_num FROM alembic_version")
        found = list(numbers) if "alembic_version" in tables else []
        self.layout = str(found[0][0]) if found else migrations.UNNUMBERED

    def tables(self) -> set[str]:
        return {name for (name,) in self.each(_TABLES)}

    def other_encoding(self) -> None:
        """SQLite has none that cannot."""

    def damages(self) -> list[str]:
        return [str(row[0]) for row in self.each("PRAGMA integrity_check") if row[0] != "ok"]

    def each(self, statement: str) -> Iterator[tuple[Any, ...]]:
        yield from self.connection.execute(statement)


_TABLES: Final = "SELECT name FROM sqlite_master WHERE type='table'"


@contextmanager
def _reading(url: str) -> Iterator[_InspectedFile]:
    """A store that is there, as it is at one moment; it can only be read."""
    path = Path(file_of(url))
    if not path.is_file():
        raise StoreError(f"there is no store {str(path)!r}: `yibao db init` creates one")
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30)
        ) as connection:
            connection.execute("BEGIN")  # as it is at one moment, whoever writes meanwhile
            yield _InspectedFile(connection)
    except sqlite3.Error as error:
        raise StoreError(f"the store {str(path)!r} cannot be read: {error}") from error
