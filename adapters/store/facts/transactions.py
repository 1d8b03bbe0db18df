"""What is read and recorded in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.store.connections import (
    LAST,
    Database,
    Sql,
    SqlRow,
)
from yibao.adapters.store.facts.records import Records
from yibao.adapters.store.tables import (
    STREAM,
    STREAM_FROM,
    attempts,
    decoded,
    rows_of_streams,
    stream_in,
    to_row,
)
from yibao.domain.calendar import in_shanghai
from yibao.domain.facts import RefusedAttempt
from yibao.domain.facts.events import Event
from yibao.domain.refusals import UnreadableEvent
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import Record


class Seen(NamedTuple):
    """How far a store was looked through for its last stamp, what stands there, and the stamp."""

    position: int
    mark: str
    stamp: str

    def last(self, database: Database, sql: Sql, until: int) -> str:
        """The last stamp until a position, empty where there is none."""
        return max(self.stamp, database.last_stamp(sql, self.position, until) or "")


NOTHING_SEEN: Final = Seen(0, "", "")


class Transaction(NamedTuple):
    """One transaction on a store: what it reads cannot move on before it ends."""

    database: Database
    sql: Sql
    seen: Seen
    records: Records
    attempts: attempts.Known

    def last_stamp(self) -> datetime | None:
        """The last stamp in the store; it stays that for whoever has the lock on all.

        Raises UnreadableEvent where it is no instant.
        """
        found = self.seen.last(self.database, self.sql, LAST)
        try:
            return in_shanghai(datetime.fromisoformat(found)) if found else None
        except ValueError:
            told = "a stored event was recorded at no instant: `yibao db check` tells which"
            raise UnreadableEvent(told) from None

    def read(self, stream: UUID) -> list[Event]:
        """Every event of a stream, in order."""
        return decoded(stream, self.sql.rows(STREAM, (stream.hex,)))

    def rows_from(self, stream: UUID, version: int) -> list[SqlRow]:
        """The rows of a stream from a version on, in order."""
        return list(self.sql.rows(STREAM_FROM, (stream.hex, version)))

    def rows_of(
        self, streams: Sequence[UUID], last_of: Sequence[UUID] = ()
    ) -> dict[UUID, list[SqlRow]]:
        """The rows of some streams, to be read by `decoded` one by one; of others the last row."""
        return rows_of_streams(self.sql, streams, last_of)

    def record(self, enrollment: EnrollmentId, editions: Editions, now: datetime) -> Record:
        """Everything recorded of one student; raises UnreadableEvent where it cannot be read."""
        return self.records.read(self.sql, enrollment, editions, now)

    def records_of(
        self, whom: Iterable[EnrollmentId], editions: Editions, now: datetime
    ) -> dict[EnrollmentId, Record]:
        """The same of some students; raises UnreadableEvent where one of them cannot be read."""
        return self.records.read_each(self.sql, whom, editions, now)

    def versions_by(self, event: Event, streams: Sequence[UUID]) -> dict[UUID, int]:
        """How long some streams were once an event was recorded; what is not there is left out."""
        places = ", ".join("?" * len(streams))
        rows = self.sql.rows(
            "SELECT originator_id, MAX(originator_version) FROM stored_events "
            f"WHERE originator_id IN ({places}) AND notification_id<=(SELECT notification_id "
            "FROM stored_events WHERE originator_id=? AND originator_version=?) "
            "GROUP BY originator_id",
            (*(s.hex for s in streams), event.originator_id.hex, event.originator_version),
        )
        return {stream_in(key): version for key, version in rows}

    def append(self, recorded: Sequence[Event], notes: Sequence[tuple[UUID, str]] = ()) -> None:
        """Records events of any streams when the transaction ends."""
        self.database.append(self.sql, [to_row(event) for event in recorded])
        if notes:
            kept_apart = [(event_id.hex, note) for event_id, note in notes]
            self.sql.run_many("INSERT INTO notes VALUES (?, ?)", kept_apart)

    def keep_attempt(self, stream: UUID, attempt: RefusedAttempt, kept_an_hour: int) -> None:
        """Keeps a refused attempt when this ends.

        It is counted instead where one is kept that is equal, as far as attempts are kept, or where
        there are too many.
        """
        self.database.in_turn(self.sql, f"attempts of {attempt.by}")
        is_known = self.attempts.has(self.sql, stream, attempt)
        if not is_known and attempts.keep(self.sql, stream, attempt, kept_an_hour):
            row = {"stream": stream.hex, "state": attempts.state_of(attempt)}
            self.database.leave_mark(self.sql, "refused_attempts", row)
            return
        self.database.in_turn(self.sql, "counting attempts")
        attempts.count(self.sql, attempt)
        row = {"actor": attempt.by, "command": attempt.command, "code": attempt.code}
        self.database.leave_mark(self.sql, "counted_attempts", row)
