"""The tables of a file: how they are made, and what is not as it was made."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Final

from yibao.adapters.store.connections import ticking
from yibao.adapters.store.files import LOCK_TIMEOUT, claim
from yibao.adapters.store.findings import Finding
from yibao.adapters.store.sqlite.erasing import finish_erasing

#: The tables of the newest layout. AUTOINCREMENT: an implicit rowid is renumbered by a dump and
#: reused after a delete.
CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS stored_events ("
    "notification_id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "originator_id TEXT NOT NULL, "
    "originator_version INTEGER NOT NULL, "
    "topic TEXT NOT NULL, "
    "state BLOB NOT NULL, "
    "UNIQUE (originator_id, originator_version))",
    "CREATE TABLE IF NOT EXISTS notes (event_id TEXT PRIMARY KEY, note TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refused_attempts ("
    "attempt_id INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, "
    "stream TEXT NOT NULL, actor TEXT NOT NULL, hour TEXT NOT NULL, state BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS refused_attempts_by_stream ON refused_attempts (stream)",
    "CREATE INDEX IF NOT EXISTS refused_attempts_by_actor ON refused_attempts (actor, hour)",
    "CREATE TABLE IF NOT EXISTS counted_attempts (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "actor TEXT NOT NULL, hour TEXT NOT NULL, command TEXT NOT NULL, code TEXT NOT NULL, "
    "attempts INTEGER NOT NULL, changed INTEGER NOT NULL, "
    "UNIQUE (actor, hour, command, code))",
    "CREATE INDEX IF NOT EXISTS counted_attempts_by_change ON counted_attempts (changed)",
)


def altered(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What was planted on our tables, or taken from them, since they were created."""
    there = {
        (name.casefold(), kind): (table.casefold(), _plain(sql))
        for kind, name, table, sql in connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master"
        )
    }
    ours = {name for name, kind in _created() if kind == "table"}
    for (name, kind), (table, sql) in there.items():
        if kind == "trigger" and table in ours:
            yield Finding("trigger_planted", f"{name} on {table}")
        if kind == "index" and table in ours and sql.startswith("createunique"):
            yield Finding("table_altered", table)  # ours are constraints of the tables themselves
        if kind in ("table", "view") and name in ours and sql != _created()[name, "table"]:
            yield Finding("table_altered", name)
    for (name, kind), sql in _created().items():
        is_of_one = (name.partition("_by_")[0], "table") in there
        if kind == "index" and is_of_one and there.get((name, kind), ("", ""))[1] != sql:
            yield Finding("index_missing", name)


@cache
def _created() -> dict[tuple[str, str], str]:
    """How each table and index is noted by SQLite where we have created it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in CREATE:
            connection.execute(statement)
        noted = "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"
        return {(name, kind): _plain(sql) for name, kind, sql in connection.execute(noted)}


def _plain(sql: str | None) -> str:
    return re.sub(r"[\s\"`\[\]]", "", sql or "").casefold()


def prepare(database: str) -> None:
    """Makes the file, and puts it into WAL mode: for that alone SQLite itself does not wait.

    What somebody has erased leaves the log, if nobody reads it.
    """
    claim(database)
    ends = ticking() + LOCK_TIMEOUT
    with closing(
        sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)
    ) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                finish_erasing(connection)
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or ticking() > ends:
                    raise
                time.sleep(0.01)
