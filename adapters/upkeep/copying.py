"""Copies of a store: a backup while it is at work, and from one kind into the other."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from yibao.adapters.following.evidence import Everything, kept_evidence, take_along
from yibao.adapters.store import (
    MEMORY,
    FactStore,
    StoreError,
    file_of,
    is_postgres,
    migrations,
    open_store,
    url_of,
)
from yibao.adapters.store.files import written
from yibao.adapters.telemetry import Watch
from yibao.adapters.upkeep.creating import stands
from yibao.adapters.upkeep.inspecting import inspected, is_rehearsal, reading

#: How many rows are copied at a time.
COPIED_AT_ONCE: Final = 5000


def backup(url: str, to: Path, watch: Watch | None = None, *, force: bool = False) -> int:
    """Copies a store into a new file, as it is at one moment; how many facts that has.

    Writers and readers go on meanwhile. With `force` it may take the place of a file that is no
    store. Raises StoreError where it cannot be written; then nothing is left of it.
    """
    if is_postgres(url):
        raise StoreError("a PostgreSQL store is copied by pg_dump or by pg_basebackup")
    evidence = _evidence_of(url)
    with reading(url) as store, written(to, force=force) as new:
        try:
            with closing(sqlite3.connect(new)) as copy:
                # In parts only where somebody watches: with each the copy may have to begin anew.
                pages, progress = (COPIED_AT_ONCE, _watching(watch)) if watch else (-1, None)
                store.connection.backup(copy, pages=pages, progress=progress)
                (facts,) = copy.execute("SELECT COUNT(*) FROM stored_events").fetchone()
            store.check_still()
        except sqlite3.Error as error:
            raise StoreError(f"the store could not be copied: {error}") from error
    _take_along(evidence, url_of(to))
    return int(facts)


def _evidence_of(url: str) -> Everything | None:
    """The evidence of a store, read before the facts: nothing in it is newer than they are."""
    with closing(open_store(url, to_ask=True)) as store:
        return kept_evidence(store)


def _take_along(evidence: Everything | None, to: str) -> None:
    if evidence is not None:
        with closing(open_store(to, to_ask=True)) as store:
            take_along(evidence, store)


def _watching(watch: Watch) -> Callable[[int, int, int], None]:
    """What SQLite tells of a backup, told to whoever watches."""
    return lambda status, left, total: watch(total - left, total)


def copy(url: str, to: str, watch: Watch | None = None) -> int:
    """Copies a store into an empty one of either kind, all of it or nothing; how many facts.

    The copy is of one moment; every fact keeps its position, and a rehearsal stays one. Raises
    StoreError where the other store holds anything already, is no rehearsal as this one is, or
    the reverse, or would not outlast this.
    """
    if to == MEMORY:
        raise StoreError("a store in memory is gone at once: copy to a file or a database")
    evidence = None
    with ExitStack() as stack:
        source = stack.enter_context(inspected(url))
        if source.layout != migrations.HEAD:
            raise StoreError(f"the store has layout {source.layout}: bring it to {migrations.HEAD}")
        rehearsal, evidence = is_rehearsal(source), _evidence_of(url)
        store = stack.enter_context(_filled(to, rehearsal=rehearsal))
        if store.is_rehearsal != rehearsal:
            raise StoreError(_OTHER_KIND[rehearsal])
        ((facts,),) = source.each("SELECT COUNT(*) FROM stored_events")
        with store.transaction(everybody=True, many=True) as transaction:
            sql, done = transaction.sql, 0
            if sql.rows(" UNION ALL ".join(f"SELECT 1 FROM {table}" for table in COPIED)):
                raise StoreError("the store to copy to is not empty")
            for table, columns in COPIED.items():
                names, places = ", ".join(columns), ", ".join("?" * len(columns))
                rows = source.each(f"SELECT {names} FROM {table} ORDER BY {columns[0]}")
                while some := [tuple(map(_plain, row)) for row in islice(rows, COPIED_AT_ONCE)]:
                    sql.run_many(f"INSERT INTO {table} ({names}) VALUES ({places})", some)
                    done += len(some)
                    if watch and table == "stored_events":
                        watch(done, facts)
            transaction.database.number_on(sql, with_gaps=source.has_gaps)
    _take_along(evidence, to)
    return int(facts)


@contextmanager
def _filled(url: str, *, rehearsal: bool) -> Iterator[FactStore]:
    """The store to copy to: one that is there, or a new file, whole or not at all."""
    if is_postgres(url) or stands(file_of(url)):
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


COPIED: Final = {
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
