"""Refused attempts in SQLite: a table of their own, which only grows, beside the facts.

Of one actor so many are kept in an hour; what comes on top is counted by command and code, so
that nobody can fill the store by asking, and nothing is dropped unseen.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from eventsourcing.sqlite import SQLiteCursor
from pydantic import ValidationError

from yibao.domain.attempts import RefusedAttempt
from yibao.domain.calendar import in_shanghai
from yibao.domain.refusals import UnreadableEvent, place, reason

CREATE_TABLES: Final = (
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


class KeptAttempt(NamedTuple):
    """A refused attempt and its number; `position` is how many events the store had by then."""

    attempt_id: int
    position: int
    attempt: RefusedAttempt


class CountedAttempts(NamedTuple):
    """How often one actor was refused one thing in one hour, beyond the attempts kept.

    `hour` is the hour's beginning, in Shanghai; `changed` grows with every change of any count.
    `number` is the count's own.
    """

    number: int
    actor: str
    hour: str
    command: str
    code: str
    attempts: int
    changed: int


def keep(c: SQLiteCursor, stream: UUID, attempt: RefusedAttempt, kept_an_hour: int) -> None:
    """Keeps an attempt in an open transaction; one too many in the hour is counted instead."""
    hour = f"{in_shanghai(attempt.tried_at):%Y-%m-%dT%H:00%z}"
    cursor = c.sqlite_cursor
    cursor.row_factory = None
    (before,) = cursor.execute(
        "SELECT COUNT(*) FROM refused_attempts WHERE actor=? AND hour=?", (attempt.by, hour)
    ).fetchone()
    if before >= kept_an_hour:
        cursor.execute(
            "INSERT INTO counted_attempts (actor, hour, command, code, attempts, changed) "
            "SELECT ?, ?, ?, ?, 1, COALESCE(MAX(changed), 0) + 1 FROM counted_attempts WHERE true "
            "ON CONFLICT DO UPDATE SET attempts = attempts + 1, changed = excluded.changed",
            (attempt.by, hour, attempt.command, attempt.code),
        )
        return
    state = attempt.model_dump_json(by_alias=True, exclude_none=True).encode()
    cursor.execute(
        "INSERT INTO refused_attempts (position, stream, actor, hour, state) "
        "SELECT COALESCE(MAX(notification_id), 0), ?, ?, ?, ? FROM stored_events",
        (stream.hex, attempt.by, hour, state),
    )


def of_stream(c: SQLiteCursor, stream: UUID) -> list[KeptAttempt]:
    """The attempts kept on one stream, in order."""
    return list(_kept(c, "WHERE stream=? ORDER BY attempt_id", stream.hex))


def following(c: SQLiteCursor, attempt_id: int, limit: int) -> list[KeptAttempt]:
    """The attempts kept after one of them, in order."""
    return list(_kept(c, "WHERE attempt_id>? ORDER BY attempt_id LIMIT ?", attempt_id, limit))


def numbered(c: SQLiteCursor, attempt_ids: Iterable[int]) -> list[KeptAttempt]:
    """The attempts of these numbers."""
    return [kept for each in attempt_ids for kept in _kept(c, "WHERE attempt_id=?", each)]


def counted_since(c: SQLiteCursor, changed: int) -> list[CountedAttempts]:
    """The counts that have changed since, in the order in which they did."""
    c.sqlite_cursor.row_factory = None
    rows = c.sqlite_cursor.execute(
        "SELECT number, actor, hour, command, code, attempts, changed "
        "FROM counted_attempts WHERE changed>? ORDER BY changed",
        (changed,),
    )
    return [CountedAttempts(*row) for row in rows]


def _kept(c: SQLiteCursor, which: str, *values: Any) -> Iterator[KeptAttempt]:
    c.sqlite_cursor.row_factory = None
    rows = c.sqlite_cursor.execute(
        f"SELECT attempt_id, position, state FROM refused_attempts {which}", values
    )
    for attempt_id, position, state in rows.fetchall():
        try:
            attempt = RefusedAttempt.model_validate_json(state)
        except ValidationError as error:
            told = f"{place(error) or 'state'}: {reason(error)}"
            raise UnreadableEvent(f"refused attempt {attempt_id}: {told}") from None
        yield KeptAttempt(attempt_id, position, attempt)
