"""The stores of the tests behind their URLs: of which kinds, and what lies in them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from yibao.adapters.store.urls import MEMORY, file_of, is_postgres
from yibao.adapters.upkeep import postgres as upkeep_postgres

#: For tests that open a store again, or from elsewhere: one in memory goes with whoever has it.
lasting = pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a statement returns that is executed behind the back of a lasting store."""
    with _connected(url) as connection:
        if is_postgres(url):
            statement = statement.replace("?", "%s")
        found = connection.execute(statement, values or ())
        return found.fetchall() if found.description else []


def content(url: str) -> bytes:
    """All that lies in a lasting store: the bytes of its files, or every row of every table.

    What PostgreSQL has deleted stays in its files until the next vacuum.
    """
    if not is_postgres(url):
        path = Path(file_of(url))
        return b"".join(each.read_bytes() for each in sorted(path.parent.glob(path.name + "*")))
    found = rows(url, "SELECT tablename FROM pg_tables WHERE schemaname='yibao'")
    tables = {name: rows(url, f"SELECT * FROM {name}") for (name,) in found}
    assert "stored_events" in tables
    return b"".join(map(_bytes, (name for of in tables.items() for name in of)))


def with_trail(url: str) -> str:
    """A store whose trail can be kept in its own database, as `yibao db` leaves it."""
    if is_postgres(url):
        upkeep_postgres.migrate(url)
    return url


def for_stories(url: str) -> str:
    """A store that is empty, as the rehearsal store that a replay makes of a file by itself."""
    if is_postgres(url):
        rows(
            url,
            "DROP SCHEMA yibao CASCADE; DROP SCHEMA IF EXISTS yibao_trail, yibao_cohort CASCADE",
        )
        upkeep_postgres.init(url, rehearsal=True)
    return url


def emptied(url: str) -> str:
    """A store that nobody has open, as if it were new."""
    if is_postgres(url):
        rows(
            url,
            "TRUNCATE stored_events, notes, refused_attempts, counted_attempts RESTART IDENTITY",
        )
    elif url != MEMORY:
        path = Path(file_of(url))
        for each in path.parent.glob(path.name + "*"):
            each.unlink()
    return url


def _bytes(value: Any) -> bytes:
    """Texts and bytes within a value as they are, anything else as it is written."""
    if isinstance(value, list | tuple):
        return b" ".join(map(_bytes, value))
    return value if isinstance(value, bytes) else str(value).encode()


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    if is_postgres(url):
        with psycopg.connect(url, options="-c search_path=yibao") as connection:
            yield connection
    else:
        with closing(sqlite3.connect(file_of(url))) as connection, connection:
            yield connection
