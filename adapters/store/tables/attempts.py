"""Refused attempts: a table of their own, which only grows, beside the facts.

Of one actor so many are kept in an hour; what comes on top is counted by command and code, so
that nobody can fill the store by asking, and nothing is dropped unseen.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from yibao.adapters.store.connections import Sql
from yibao.domain.calendar import in_shanghai
from yibao.domain.facts import KeptAttempt, RefusedAttempt
from yibao.domain.refusals import UnreadableEvent, place, reason


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


def keep(sql: Sql, stream: UUID, attempt: RefusedAttempt, kept_an_hour: int) -> bool:
    """Keeps an attempt in an open transaction; False where there are too many in the hour."""
    hour = hour_of(attempt)
    ((before,),) = sql.rows(
        "SELECT COUNT(*) FROM refused_attempts WHERE actor=? AND hour=?", (attempt.by, hour)
    )
    if before >= kept_an_hour:
        return False
    sql.run(
        "INSERT INTO refused_attempts (position, stream, actor, hour, state) VALUES "
        "((SELECT COALESCE(MAX(notification_id), 0) FROM stored_events), ?, ?, ?, ?)",
        (stream.hex, attempt.by, hour, state_of(attempt)),
    )
    return True


def count(sql: Sql, attempt: RefusedAttempt) -> None:
    """Counts an attempt instead; those who count take turns."""
    sql.run(
        "INSERT INTO counted_attempts (actor, hour, command, code, attempts, changed) VALUES "
        "(?, ?, ?, ?, 1, (SELECT COALESCE(MAX(changed), 0) + 1 FROM counted_attempts)) "
        "ON CONFLICT (actor, hour, command, code) DO UPDATE "
        "SET attempts = counted_attempts.attempts + 1, changed = excluded.changed",
        (attempt.by, hour_of(attempt), attempt.command, attempt.code),
    )


def hour_of(attempt: RefusedAttempt) -> str:
    """The beginning of the hour in which it was refused, as it is counted by."""
    return f"{in_shanghai(attempt.tried_at):%Y-%m-%dT%H:00%z}"


def state_of(attempt: RefusedAttempt) -> bytes:
    """A refused attempt as it is stored."""
    return attempt.model_dump_json(by_alias=True, exclude_none=True).encode()


def of_stream(sql: Sql, stream: UUID) -> list[KeptAttempt]:
    """The attempts kept on one stream, in order."""
    return list(_kept(sql, "WHERE stream=? ORDER BY attempt_id", stream.hex))


def between(sql: Sql, after: int, until: int, limit: int) -> list[KeptAttempt]:
    """The attempts kept after one of them until another, in order."""
    which = "WHERE attempt_id>? AND attempt_id<=? ORDER BY attempt_id LIMIT ?"
    return list(_kept(sql, which, after, until, limit))


def numbered(sql: Sql, attempt_ids: Iterable[int]) -> list[KeptAttempt]:
    """The attempts of these numbers."""
    return [kept for each in attempt_ids for kept in _kept(sql, "WHERE attempt_id=?", each)]


def counted(sql: Sql) -> list[CountedAttempts]:
    """All counts, in the order in which they last changed.

    Raises UnreadableEvent for what is none.
    """
    rows = sql.rows(
        "SELECT number, actor, hour, command, code, attempts, changed "
        "FROM counted_attempts ORDER BY changed"
    )
    return [_counted(row) for row in rows]


def _counted(row: Sequence[Any]) -> CountedAttempts:
    found = CountedAttempts(*row)
    try:
        datetime.fromisoformat(found.hour)
    except (TypeError, ValueError):
        raise UnreadableEvent(f"count {found.number} of refused attempts: no hour") from None
    if not all(isinstance(each, int) for each in (found.number, found.attempts, found.changed)):
        raise UnreadableEvent(f"count {found.number} of refused attempts: no number")
    return found


def digest_of(counts: Sequence[CountedAttempts]) -> int:
    """A number by which counts are told from any other counts; 0 where there are none.

    The last change of them would not do: after a restore others may have as many changes.
    """
    digest = hashlib.sha256(repr([tuple(each) for each in counts]).encode()).digest()
    return int.from_bytes(digest[:8], signed=True) if counts else 0


def _kept(sql: Sql, which: str, *values: Any) -> Iterator[KeptAttempt]:
    rows = sql.rows(f"SELECT attempt_id, position, state FROM refused_attempts {which}", values)
    return kept_in(rows)


def kept_in(rows: Iterable[Sequence[Any]]) -> Iterator[KeptAttempt]:
    """The attempts in rows of number, position and state; raises UnreadableEvent."""
    for attempt_id, position, state in rows:
        if not isinstance(position, int):
            raise UnreadableEvent(f"refused attempt {attempt_id}: position: no number")
        try:
            attempt = RefusedAttempt.model_validate_json(state)
        except ValidationError as error:
            told = f"{place(error) or 'state'}: {reason(error)}"
            raise UnreadableEvent(f"refused attempt {attempt_id}: {told}") from None
        yield KeptAttempt(attempt_id, position, attempt)
