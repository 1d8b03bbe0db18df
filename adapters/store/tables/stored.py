"""Rows as they stand, whatever is in them: what is hashed of a store is never decoded."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final, Literal

from yibao.adapters.store.connections import Sql, SqlRow

#: The columns of a row that are hashed, its position first.
_COLUMNS: Final = {
    "facts": (
        "stored_events",
        ("notification_id", "originator_id", "originator_version", "topic", "state"),
    ),
    "attempts": (
        "refused_attempts",
        ("attempt_id", "position", "stream", "actor", "hour", "state"),
    ),
}


def between(
    sql: Sql, log: Literal["facts", "attempts"], begins: int, until: int, limit: int
) -> list[SqlRow]:
    """Facts or refused attempts from one position to another, both included, in their order."""
    table, (position, *_) = _COLUMNS[log]
    where = f"FROM {table} WHERE {position}>=? AND {position}<=? ORDER BY {position} LIMIT ?"
    return _as_they_stand(sql, log, where, (begins, until, limit))


def of_stream(sql: Sql, stream: str) -> list[SqlRow]:
    """The facts of a stream, in their order."""
    where = "FROM stored_events WHERE originator_id=? ORDER BY originator_version"
    return _as_they_stand(sql, "facts", where, (stream,))


def _as_they_stand(sql: Sql, log: str, where: str, values: Sequence[Any]) -> list[SqlRow]:
    _, (position, *others) = _COLUMNS[log]
    try:
        return sql.rows(f"SELECT {position}, {', '.join(others)} {where}", values)
    except sqlite3.OperationalError:
        # A text that is no UTF-8 makes SQLite's driver fail, whatever else there is to read.
        told = ", ".join(f"typeof({each}), CAST({each} AS BLOB)" for each in others)
        rows = sql.rows(f"SELECT {position}, {told} {where}", values)
    return [
        (row[0], *(_value(*pair) for pair in zip(row[1::2], row[2::2], strict=True)))
        for row in rows
    ]


def _value(kind: str, told: bytes | None) -> Any:
    """What the driver gives for a value; the bytes of a text that is none."""
    if told is None or kind == "blob":
        return told
    try:
        return {"text": str, "integer": int, "real": float}[kind](told.decode())
    except UnicodeDecodeError:
        return bytearray(told)
