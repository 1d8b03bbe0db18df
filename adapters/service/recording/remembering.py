"""Streams that were read before: what follows one after the other is told of a few."""

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from typing import Final
from uuid import UUID

from yibao.adapters.store import Transaction, decoded
from yibao.adapters.store.connections import SqlRow
from yibao.domain.facts import EMPTY, Stream, evolve, fold
from yibao.projections.record import FEW, Fixed, Log

#: Of how many streams it is remembered what was read.
REMEMBERED: Final = 1000
#: So long is a stream of which it is remembered what was read whole, together with others.
LONG: Final = 100


class Remembered:
    """Streams as they were read last, and each one's last row.

    A stream only grows, so whatever still has that row in its place is what it was, and only what
    has come since is read: else every step of a story would read all the steps before it.
    """

    def __init__(self) -> None:
        self._read: dict[UUID, tuple[Stream, SqlRow]] = {}
        self._fixed: dict[UUID, tuple[Stream, Fixed]] = {}

    def __contains__(self, stream_id: object) -> bool:
        return stream_id in self._read

    def stream(self, transaction: Transaction, stream_id: UUID) -> Stream:
        """A stream as it stands; raises UnreadableEvent."""
        stream, last = self._read.pop(stream_id, (EMPTY, None))
        rows = transaction.rows_from(stream_id, stream.version)
        if last is not None and rows[:1] != [last]:
            stream, last = EMPTY, None
            rows = transaction.rows_from(stream_id, 0)
        new = decoded(stream_id, rows[1:] if last else rows, stream.recorded)
        if len(new) > FEW or not last:
            stream = fold((*stream.recorded, *new))
        else:
            stream = reduce(evolve, new, stream)
        if rows:
            self._keep(stream_id, stream, rows[-1])
        return stream

    def still(
        self, transaction: Transaction, stream_id: UUID, last_row: Sequence[SqlRow]
    ) -> Stream:
        """A stream of which the last row was read, if it has any; raises UnreadableEvent."""
        stream, last = self._read.get(stream_id, (EMPTY, None))
        return stream if [*last_row] == [last] else self.stream(transaction, stream_id)

    def folded(self, stream_id: UUID, rows: Sequence[SqlRow]) -> Stream:
        """A stream of which all rows were read; raises UnreadableEvent."""
        stream = fold(decoded(stream_id, rows))
        if len(rows) >= LONG:
            self._keep(stream_id, stream, rows[-1])
        return stream

    def fixed(self, stream_id: UUID, stream: Stream) -> Fixed:
        """What is fixed in the stream of an edition."""
        known = self._fixed.get(stream_id)
        if known is None or known[0] is not stream:
            known = self._fixed[stream_id] = stream, Fixed(Log(stream.recorded))
        return known[1]

    def _keep(self, stream_id: UUID, stream: Stream, last: SqlRow) -> None:
        self._read[stream_id] = stream, last
        if len(self._read) > REMEMBERED:
            with suppress(KeyError, RuntimeError):  # another thread has done so
                del self._read[next(iter(self._read))]
