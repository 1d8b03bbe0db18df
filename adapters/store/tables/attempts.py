"""Refused attempts: a table of their own, which only grows, beside the facts.

Of one actor so many are kept in an hour; what comes on top is counted by command and code, so
that nobody can fill the store by asking, and nothing is dropped unseen. So is what is equal to one
that is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from yibao.adapters.store.connections import Sql, SqlRow
from yibao.domain.calendar import in_shanghai
from yibao.domain.facts import KeptAttempt, RefusedAttempt
from yibao.domain.refusals import UnreadableEvent, place, reason


class CountedAttempts(NamedTuple):
    """How often one actor was refused one thing in one hour, beyond the attempts kept.

    That is what was equal to one of them, and what came on top of so many in an hour.

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


#: Of how many streams and actors it is remembered what is kept.
_REMEMBERED: Final = 1000
#: What two attempts to do the same may differ in; the school is content where one registers there.
_BESIDE: Final = frozenset(
    {"tried_at", "version", "via", "school", "command_id", "correlation_id", "causation_id"}
)


class Known:
    """Which attempts are kept, as far as was looked: they only grow.

    Of each stream and actor only what has come since is read, else each attempt of somebody who
    goes on would read all those before it. What was read last still stands there, or it was in a
    transaction that was not committed, or in a store that was put back: then all is read again.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[UUID, str], tuple[SqlRow, set[str]]] = {}

    def has(self, sql: Sql, stream: UUID, attempt: RefusedAttempt) -> bool:
        """Whether one is kept that is equal in actor, target, content and code.

        Whoever asks has the turn of the actor's attempts until the transaction ends.
        """
        whose = stream, attempt.by
        last, known = self._read.pop(whose, (None, set()))
        rows = _rows_from(sql, whose, last)
        if last is not None and rows[:1] != [last]:
            known, rows = set(), _rows_from(sql, whose, None)
        known.update(_content(state) for _, state in rows)
        if rows:
            self._read[whose] = rows[-1], known
        if len(self._read) > _REMEMBERED:
            with suppress(KeyError, RuntimeError):  # another thread has done so
                del self._read[next(iter(self._read))]
        return _content(state_of(attempt)) in known


def _rows_from(sql: Sql, whose: tuple[UUID, str], last: SqlRow | None) -> list[SqlRow]:
    stream, actor = whose
    return sql.rows(
        "SELECT attempt_id, state FROM refused_attempts "
        "WHERE stream=? AND actor=? AND attempt_id>=? ORDER BY attempt_id",
        (stream.hex, actor, last[0] if last else 0),
    )


def _content(state: bytes) -> str:
    """What an attempt was, without when it was made and how; what cannot be read is like no other.

    Of a value that was bad nothing is kept, and so nothing can be told apart.
    """
    try:
        told = json.loads(state)
        beside = _BESIDE - {"school"} if told["command"] == "register" else _BESIDE
        return json.dumps({key: told[key] for key in sorted(told.keys() - beside)}, sort_keys=True)
    except (ValueError, TypeError, AttributeError, KeyError):
        return ""


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
