"""Streams that a rehearsal has read before: a story tells one thing after the other of a few."""

from functools import reduce
from typing import Final
from uuid import UUID

from yibao.adapters.store import Transaction, decoded
from yibao.adapters.store.connections import SqlRow
from yibao.domain.facts import EMPTY, Stream, evolve, fold

#: Of how many streams a rehearsal remembers what it has read.
REMEMBERED: Final = 1000


class Remembered:
    """Streams as they were read last, and each one's last row.

    A stream only grows, so whatever still has that row in its place is what it was, and only what
    has come since is read: else every step of a story would read all the steps before it.
    """

    def __init__(self) -> None:
        self._read: dict[UUID, tuple[Stream, SqlRow]] = {}

    def stream(self, transaction: Transaction, stream_id: UUID) -> Stream:
        """A stream as it stands; raises UnreadableEvent."""
        stream, last = self._read.pop(stream_id, (EMPTY, None))
        rows = transaction.rows_from(stream_id, stream.version)
        if last is not None and rows[:1] != [last]:
            stream, last = EMPTY, None
            rows = transaction.rows_from(stream_id, 0)
        new = decoded(stream_id, rows[1:] if last else rows, stream.recorded)
        stream = reduce(evolve, new, stream) if last else fold(new)
        if rows:
            self._read[stream_id] = stream, rows[-1]
        if len(self._read) > REMEMBERED:
            del self._read[next(iter(self._read))]
        return stream
