"""Looking after a store: is it whole, which layout has it, and a copy while it is at work."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from yibao.adapters.editions.files import Editions
from yibao.adapters.service.recording import Clock, is_altered
from yibao.adapters.service.service import shanghai_now
from yibao.adapters.store import migrations
from yibao.adapters.store.connections.sql import stream_of
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.facts import (
    MEMORY,
    FactStore,
    file_of,
    is_postgres,
    open_store,
    shown,
    url_of,
)
from yibao.adapters.store.files.looking import (
    EVERY_TABLE,
    LOCK_TIMEOUT,
    LOG,
    PrivateFolder,
    beside,
    read_only,
    size,
)
from yibao.adapters.store.files.written import written
from yibao.adapters.store.findings import Examination, Finding, is_as_written
from yibao.adapters.store.mapping import from_row
from yibao.adapters.store.sqlite.opening import no_store
from yibao.adapters.store.sqlite.recorder import ERASING, WITH_GAPS, altered, noted_version
from yibao.adapters.store.watch import Watch
from yibao.domain.facts import events
from yibao.domain.refusals import UnknownEdition, UnreadableEvent

#: By how much the clocks of machines may differ before a stamp is one of the future.
CLOCKS_APART: Final = timedelta(minutes=5)


class Health(NamedTuple):
    """What a store holds, and everything found that is not as it should be."""

    layout: str
    facts: int
    streams: int
    attempts: int
    findings: tuple[Finding, ...]
    rehearsal: bool = False


def init(url: str, *, rehearsal: bool = False) -> str:
    """Creates a store where there is none, on request one for stories alone; its layout.

    Raises StoreError where there is one.
    """
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        return upkeep_postgres.init(url, rehearsal=rehearsal)
    path = file_of(url)
    if migrations.layout_found(path) is not None:
        raise StoreError(f"there is a store {path!r} already")
    if _stands(path):  # an empty one, which somebody may have made with permissions of his
        open_store(url, rehearsal=rehearsal).close()
        return migrations.HEAD
    with written(Path(path)) as new:
        open_store(url_of(new), rehearsal=rehearsal).close()
    return migrations.HEAD


def _stands(path: str) -> bool:
    """Whether there is a file to open; an empty one behind a link is somebody else's."""
    return os.path.isfile(path) and not (os.path.islink(path) and not os.path.getsize(path))


def open_rehearsal(url: str) -> FactStore:
    """The rehearsal store behind a URL; a file is made one where there is none.

    Raises StoreError for any other store, which is not touched.
    """
    if not _may_rehearse(url):
        raise StoreError(
            f"stories go into a rehearsal store alone, and {shown(url)} is none: "
            "`yibao db init --rehearsal` makes one"
        )
    return open_store(url, rehearsal=True)


def _may_rehearse(url: str) -> bool:
    """Whether there is a rehearsal store, or a file that can become one."""
    if url == MEMORY:
        return True
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        return upkeep_postgres.is_rehearsal(url)
    path = file_of(url)
    if not os.path.isfile(path) or not os.path.getsize(path):
        return True  # what else it may be is told by opening it
    with _reading(url) as store:
        return _is_rehearsal(store)


def _is_rehearsal(store: "Inspected") -> bool:
    return "rehearsal" in store.tables()


def migrate(url: str) -> tuple[str, str]:
    """Brings a store to the newest layout; the layout it had and the one it has.

    Raises StoreError where there is no store: it may have failed to be restored.
    """
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

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
    from yibao.adapters.upkeep import postgres as upkeep_postgres

    upkeep_postgres.grant(url, role, reads_only=reads_only)


def backup(url: str, to: Path, *, force: bool = False) -> int:
    """Copies a store into a new file, as it is at one moment; how many facts that has.

    Writers and readers go on meanwhile. With `force` it may take the place of a file that is no
    store. Raises StoreError where it cannot be written; then nothing is left of it.
    """
    if is_postgres(url):
        raise StoreError("a PostgreSQL store is copied by pg_dump or by pg_basebackup")
    with _reading(url) as store, written(to, force=force) as new:
        try:
            with closing(sqlite3.connect(new)) as copy:
                store.connection.backup(copy)
                (facts,) = copy.execute("SELECT COUNT(*) FROM stored_events").fetchone()
        except sqlite3.Error as error:
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


def check(
    url: str, editions: Editions, watch: Watch | None = None, clock: Clock = shanghai_now
) -> Health:
    """Reads everything in a store, without changing it, and tells what is not right.

    A stamp later than the clock is, and not only by as much as clocks may differ, is not right
    but in a rehearsal store. Raises StoreError where it cannot be read at all.
    """
    with _inspected(url) as store:
        return _checked(store, editions, watch, clock() + CLOCKS_APART)


@contextmanager
def _inspected(url: str) -> Iterator[Inspected]:
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        with upkeep_postgres.reading(url) as database:
            yield database
    else:
        with _reading(url) as file:
            yield file


def copy(url: str, to: str, watch: Watch | None = None) -> int:
    """Copies a store into an empty one of either kind, all of it or nothing; how many facts.

    The copy is of one moment; every fact keeps its position, and a rehearsal stays one. Raises
    StoreError where the other store holds anything already, is no rehearsal as this one is, or
    the reverse, or would not outlast this.
    """
    if to == MEMORY:
        raise StoreError("a store in memory is gone at once: copy to a file or a database")
    with ExitStack() as stack:
        source = stack.enter_context(_inspected(url))
        if source.layout != migrations.HEAD:
            raise StoreError(f"the store has layout {source.layout}: bring it to {migrations.HEAD}")
        rehearsal = _is_rehearsal(source)
        store = stack.enter_context(_filled(to, rehearsal=rehearsal))
        if store.is_rehearsal != rehearsal:
            raise StoreError(_OTHER_KIND[rehearsal])
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
            transaction.database.number_on(sql, with_gaps=source.has_gaps)
    return int(facts)


@contextmanager
def _filled(url: str, *, rehearsal: bool) -> Iterator[FactStore]:
    """The store to copy to: one that is there, or a new file, whole or not at all."""
    if is_postgres(url) or _stands(file_of(url)):
        with closing(open_store(url, rehearsal=rehearsal)) as store:
            yield store
        return
    with (
        written(Path(file_of(url))) as new,
        closing(open_store(url_of(new), rehearsal=rehearsal)) as store,
    ):
        yield store


#: What is told where the store to copy to is of the other kind, by whether the first rehearses.
_OTHER_KIND: Final = {
    True: "what was rehearsed goes into a rehearsal store: `yibao db init --rehearsal` makes one",
    False: "what happened does not go into a rehearsal store: `yibao db init` makes another",
}


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


def _checked(store: Inspected, editions: Editions, watch: Watch | None, latest: datetime) -> Health:
    layout, tables, rehearsal = store.layout, store.tables(), _is_rehearsal(store)

    def held(table: str, statement: str) -> Iterator[tuple[Any, ...]]:
        return store.each(statement) if table in tables else iter(())

    found = [Finding("damaged", what) for what in store.damages()]
    if encoding := store.other_encoding():
        found.append(Finding("other_encoding", encoding))
    facts = sum(count for (count,) in held("stored_events", "SELECT COUNT(*) FROM stored_events"))
    if layout != migrations.HEAD:
        found.append(Finding("other_layout", layout))
        return Health(layout, facts, 0, 0, tuple(found), rehearsal)
    found.extend(Finding("table_missing", table) for table in _COPIED if table not in tables)
    if log := store.unfinished_erasure():
        found.append(Finding("erasure_unfinished", log))
    found.extend(store.altered())
    for table, column in _NUMBERED.items():
        if table in tables:
            found.extend(_of_numbers(store, table, column))
    examination = Examination(editions)
    streams = 0
    seen = 0
    for key, of_stream in groupby(held("stored_events", _FACTS), key=itemgetter(0)):
        there = list(of_stream)
        found.extend(_of_a_stream(key, there, examination, None if rehearsal else latest))
        streams, seen = streams + 1, seen + len(there)
        if watch and streams % 100 == 0:
            watch(seen, facts)
    found.extend(examination.of_all())
    if twice := examination.ids.twice():
        found.extend(_of_ids_used_twice(held("stored_events", _FACTS), twice))
    last = max((each for (each,) in held("stored_events", _LAST_POSITION) if each), default=0)
    attempts = 0
    for row in held("refused_attempts", _ATTEMPTS):
        attempts += 1
        found.extend(examination.of_an_attempt(row, last))
    for number, *counts in held("counted_attempts", _COUNTS):
        if not all(isinstance(count, int) and count > 0 for count in counts):
            found.append(Finding("odd_row", f"count {number} of refused attempts"))
    return Health(layout, facts, streams, attempts, tuple(found), rehearsal)


_FACTS: Final = (
    "SELECT originator_id, originator_version, topic, state, notification_id "
    "FROM stored_events ORDER BY originator_id, originator_version"
)
_LAST_POSITION: Final = "SELECT MAX(notification_id) FROM stored_events"
_ATTEMPTS: Final = (
    "SELECT attempt_id, position, stream, actor, hour, state "
    "FROM refused_attempts ORDER BY attempt_id"
)
_COUNTS: Final = "SELECT number, attempts, changed FROM counted_attempts ORDER BY number"
_NUMBERED: Final = {"stored_events": "notification_id", "refused_attempts": "attempt_id"}


def _of_numbers(store: Inspected, table: str, column: str) -> Iterator[Finding]:
    """Numbers that are missing, and those that would be given a second time.

    SQLite takes a number back with its transaction; PostgreSQL does not, so there nothing can
    be told from a number that is missing.
    """
    ((greatest,),) = store.each(f"SELECT COALESCE(MAX({column}), 0) FROM {table}")
    last = store.last_number(table, column)
    if last < greatest:
        yield Finding("number_behind", f"{last} after {greatest} of {table}")
    if store.has_gaps:
        return
    gaps = store.each(
        f"SELECT earlier + 1, number - 1 FROM (SELECT {column} AS number, "
        f"LAG({column}, 1, 0) OVER (ORDER BY {column}) AS earlier FROM {table} WHERE {column} > 0) "
        "WHERE number > earlier + 1"
    )
    for first, final in [*gaps, (greatest + 1, last)]:
        if first <= final:
            yield Finding("number_missing", f"{first} to {final} of {table}")


def _of_a_stream(
    key: Any, rows: list[tuple[Any, ...]], examination: Examination, latest: datetime | None
) -> Iterator[Finding]:
    """What is wrong in one stream: a gap, an event that does not read, time that runs back.

    The first stamp after the latest that there can be tells of all that follow.
    """
    facts: list[tuple[events.Event, str]] = []
    position = 0
    for place, (_, version, topic, state, taken) in enumerate(rows, start=1):
        where = f"event {version} of stream {key}"
        if version != place:
            examination.is_partial = True
            yield Finding("gap", where)
            break
        try:
            event = from_row(stream_of(key), version, topic, state)
        except (UnreadableEvent, ValueError, AttributeError) as error:
            examination.is_partial = True
            yield Finding("unreadable", str(error))
            break
        if not is_as_written((key, version, topic, state, taken)):
            yield Finding("odd_row", where)
        if facts and event.recorded_at < facts[-1][0].recorded_at:
            yield Finding("stamp_runs_back", where)
        if latest is not None and event.recorded_at > latest:
            yield Finding("stamp_in_the_future", f"{where}: {event.recorded_at}")
            latest = None
        if taken <= position:
            yield Finding("taken_out_of_order", where)
        if isinstance(event, events.EditionAdopted | events.BenefitsAdopted):
            yield from _of_an_edition(event, where, examination.editions)
        facts.append((event, where))
        position = taken
    else:
        if facts and facts[-1][0].goes_on:
            yield Finding("torn_transaction", f"stream {key}")
    yield from examination.of_a_stream(facts)


def _of_ids_used_twice(rows: Iterator[tuple[Any, ...]], twice: set[int]) -> Iterator[Finding]:
    """The events whose ids were used before, read once more."""
    seen: set[UUID] = set()
    for key, version, topic, state, _ in rows:
        try:
            event_id = from_row(stream_of(key), version, topic, state).event_id
        except (UnreadableEvent, ValueError, AttributeError):
            continue
        if event_id.int >> 64 in twice:
            if event_id in seen:
                yield Finding("id_used_twice", f"event {version} of stream {key}")
            seen.add(event_id)


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

    def __init__(self, connection: sqlite3.Connection, layout: str, path: str) -> None:
        self._path = path
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


@contextmanager
def _reading(url: str) -> Iterator[_InspectedFile]:
    """A store that is there, as it is at one moment; it can only be read."""
    path = file_of(url)
    if migrations.layout_found(path) is None:
        raise no_store(path)
    try:
        with (
            PrivateFolder() as folder,
            closing(
                sqlite3.connect(read_only(path, folder), uri=True, timeout=LOCK_TIMEOUT)
            ) as connection,
        ):
            connection.execute("BEGIN")  # as it is at one moment, whoever writes meanwhile
            layout = migrations.layout_in(connection, path)
            assert layout is not None
            yield _InspectedFile(connection, layout, path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the store {path!r} cannot be read: {error}") from error
