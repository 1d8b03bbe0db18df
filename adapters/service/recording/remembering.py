"""Streams that were read before: what follows one after the other is told of a few."""

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from typing import Final
from uuid import UUID

from yibao.adapters.store import Transaction, decoded, from_row
from yibao.adapters.store.connections import SqlRow
from yibao.domain.care import Ledger
from yibao.domain.facts import EMPTY, Stream, evolve, fold
from yibao.domain.facts.events import Event
from yibao.domain.rules import Around, Case
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import FEW, Fixed, Log

#: Of how many streams it is remembered what was read.
REMEMBERED: Final = 1000
#: So long is a stream that is not read whole again together with others.
LONG: Final = 100


class Remembered:
    """Streams as they were read last, or left by a transaction, and the last row that was read.

    A stream only grows, so whatever still has that row in its place is what it was, and only what
    has come since is read: else every step of a story would read all the steps before it. What
    was made of a stream is kept beside it, and is good for that stream alone.
    """

    def __init__(self) -> None:
        #: Each with what is to be taken into it still, should anybody ask.
        self._read: dict[UUID, tuple[Stream, Sequence[Event], SqlRow | None]] = {}
        self._fixed: dict[UUID, tuple[Stream, Fixed]] = {}
        self.cases: dict[UUID, tuple[tuple[Stream, Stream, Around], Case]] = {}
        self.arounds: dict[EnrollmentId, tuple[dict[UUID, Stream], Around]] = {}
        self.ledgers: dict[UUID, tuple[Stream, Ledger]] = {}
        self.logs: dict[UUID, tuple[Stream, Log]] = {}

    def knows_long(self, stream_id: UUID) -> bool:
        """Whether a stream is known that is long, so that it should not be read whole again."""
        return self._known(stream_id)[0].version >= LONG

    def stream(self, transaction: Transaction, stream_id: UUID) -> Stream:
        """A stream as it stands; raises UnreadableEvent."""
        stream, last = self._known(stream_id)
        self._read.pop(stream_id, None)
        rows = transaction.rows_from(stream_id, stream.version)
        if stream.version and not _ends_there(stream_id, stream, last, rows[:1]):
            stream, rows = EMPTY, transaction.rows_from(stream_id, 0)
        known = len(stream.recorded)
        new = decoded(stream_id, rows[1:] if known else rows, stream.recorded)
        if len(new) > FEW:
            stream = fold((*stream.recorded, *new))
        elif new:
            stream = reduce(evolve, new, stream) if known else fold(new)
        if rows:
            self._keep(stream_id, stream, rows[-1])
        return stream

    def still(
        self, transaction: Transaction, stream_id: UUID, last_row: Sequence[SqlRow]
    ) -> Stream:
        """A stream of which the last row was read, if it has any; raises UnreadableEvent."""
        stream, last = self._known(stream_id)
        if not _ends_there(stream_id, stream, last, last_row):
            return self.stream(transaction, stream_id)
        return stream

    def folded(self, stream_id: UUID, rows: Sequence[SqlRow]) -> Stream:
        """A stream of which all rows were read; raises UnreadableEvent."""
        stream, last = self._known(stream_id)
        is_known = stream.version and _ends_there(stream_id, stream, last, rows[-1:])
        return stream if is_known else fold(decoded(stream_id, rows))

    def leave(self, stream_id: UUID, stream: Stream, added: Sequence[Event]) -> None:
        """Remembers a stream with what was added to it by a transaction that was committed."""
        if stream.version or added:
            self._keep(stream_id, stream, None, added)

    def fixed(self, stream_id: UUID, stream: Stream) -> Fixed:
        """What is fixed in the stream of an edition."""
        known = self._fixed.get(stream_id)
        if known is None or known[0] is not stream:
            known = self._fixed[stream_id] = stream, Fixed(Log(stream.recorded))
        return known[1]

    def log(self, stream_id: UUID, stream: Stream) -> Log:
        """The log of a stream, for whoever asks what it was."""
        known = self.logs.get(stream_id)
        if known is None or known[0] is not stream:
            known = self.logs[stream_id] = stream, Log(stream.recorded)
        return known[1]

    def _known(self, stream_id: UUID) -> tuple[Stream, SqlRow | None]:
        """A stream as it was read or left last, and the last row that was read."""
        stream, added, last = self._read.get(stream_id, (EMPTY, (), None))
        if added:
            stream = reduce(evolve, added, stream)
            self._read[stream_id] = stream, (), last
        return stream, last

    def _keep(
        self,
        stream_id: UUID,
        stream: Stream,
        last: SqlRow | None,
        added: Sequence[Event] = (),
    ) -> None:
        self._read[stream_id] = stream, added, last
        if len(self._read) > REMEMBERED:
            with suppress(KeyError, RuntimeError):  # another thread has done so
                del self._read[next(iter(self._read))]
            for made in (self.cases, self.arounds, self.ledgers, self.logs):
                made.clear()


def _ends_there(
    stream_id: UUID, stream: Stream, last: SqlRow | None, rows: Sequence[SqlRow]
) -> bool:
    """Whether the last row that there is, if there is any, is that of a stream's last event."""
    if not rows or not stream.version:
        return not rows and not stream.version
    if last is not None:
        return rows[0] == last
    is_there: bool = rows[0][0] == stream.version
    return is_there and from_row(stream_id, *rows[0]).event_id == stream.recorded[-1].event_id
