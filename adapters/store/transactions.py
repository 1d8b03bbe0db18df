"""What is read and recorded in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from yibao.adapters.store.connections import (
    LAST,
    Database,
    Sql,
    SqlRow,
)
from yibao.adapters.store.tables import (
    STREAM,
    STREAM_FROM,
    attempts,
    decoded,
    rows_of_streams,
    to_row,
)
from yibao.domain.calendar import in_shanghai
from yibao.domain.facts import RefusedAttempt
from yibao.domain.facts.events import Event
from yibao.domain.refusals import UnreadableEvent

if TYPE_CHECKING:
    pass


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

    def append(self, recorded: Sequence[Event], notes: Sequence[tuple[UUID, str]] = ()) -> None:
        """Records events of any streams when the transaction ends."""
        self.database.append(self.sql, [to_row(event) for event in recorded])
        if notes:
            kept_apart = [(event_id.hex, note) for event_id, note in notes]
            self.sql.run_many("INSERT INTO notes VALUES (?, ?)", kept_apart)

    def keep_attempt(self, stream: UUID, attempt: RefusedAttempt, kept_an_hour: int) -> None:
        """Keeps a refused attempt, or counts it where there are too many, when this ends."""
        self.database.in_turn(self.sql, f"attempts of {attempt.by}")
        if attempts.keep(self.sql, stream, attempt, kept_an_hour):
            row = {"stream": stream.hex, "state": attempts.state_of(attempt)}
            self.database.leave_mark(self.sql, "refused_attempts", row)
            return
        self.database.in_turn(self.sql, "counting attempts")
        attempts.count(self.sql, attempt)
        row = {"actor": attempt.by, "command": attempt.command, "code": attempt.code}
        self.database.leave_mark(self.sql, "counted_attempts", row)
