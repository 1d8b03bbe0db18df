"""What one stream recorded, folded from prefix to prefix."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from yibao.domain.facts import EMPTY, Positioned, Stream, events, evolve, fold

#: So many events more are taken in one after the other, more are folded together.
FEW: Final = 8


class Log:
    """What one stream recorded, with positions, folded from prefix to prefix.

    Where the positions are not known they are the places in the stream. A prefix a little longer
    than the one asked for before goes on from there; any other is folded anew.
    """

    def __init__(
        self, recorded: Sequence[events.Event], positions: Sequence[int] | None = None
    ) -> None:
        self.events = recorded
        self.positions = range(1, len(recorded) + 1) if positions is None else positions
        self._stream = EMPTY

    @classmethod
    def of(cls, positioned: Sequence[Positioned]) -> "Log":
        """The log of events that come with their positions."""
        return cls([each.event for each in positioned], [each.position for each in positioned])

    def __len__(self) -> int:
        return len(self.events)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Log):
            return NotImplemented
        return self is other or (
            list(self.events) == list(other.events)
            and list(self.positions) == list(other.positions)
        )

    def __hash__(self) -> int:
        return hash((len(self), *self.positions[-1:]))

    def __reduce__(self) -> tuple[Any, ...]:
        return Log, (list(self.events), self.positions)

    def positioned(self) -> Iterator[Positioned]:
        """Each event with its position."""
        return map(Positioned, self.positions, self.events)

    @property
    def is_placed(self) -> bool:
        """Whether the positions are known, where there are any."""
        return not (self.events and isinstance(self.positions, range))

    def position_of(self, event: events.Event) -> int:
        """The position of an event of the log."""
        return self.positions[event.originator_version - 1]

    def by(self, known_at: datetime) -> int:
        """How many events were recorded by an instant, inclusive."""
        if not self.events or self.events[-1].recorded_at <= known_at:
            return len(self.events)
        return bisect_right(self.events, known_at, key=attrgetter("recorded_at"))

    def among(self, versions: Mapping[UUID, int]) -> int:
        """How many events there are by what tells how far each stream is known."""
        return versions[self.events[0].originator_id] if self.events else 0

    def at(self, position: int) -> int:
        """How many events the store had taken at a position."""
        return bisect_right(self.positions, position)

    def followed_by(self, stream: UUID, fresh: Sequence[events.Event], last: int) -> "Log":
        """The log with those of some events that are of its stream, after a position.

        They come after whatever stands in it, too.
        """
        new = [each for each in enumerate(fresh, start=1) if each[1].originator_id == stream]
        if not new:
            return self
        last = max((last, *self.positions[-1:]))
        positions = [*self.positions, *(last + number for number, _ in new)]
        return Log([*self.events, *(event for _, event in new)], positions)

    def version_superseded(self, event: events.Event) -> int | None:
        """The version of the fact here whose place an event takes, or which it takes back."""
        superseded = getattr(event, "supersedes", None)
        return None if superseded is None else self._versions.get(superseded)

    @cached_property
    def _versions(self) -> dict[UUID, int]:
        return {event.event_id: event.originator_version for event in self.events}

    def stream(self, version: int) -> Stream:
        """The stream as it was after the first events."""
        before = self._stream
        if not before.version or not 0 <= version - before.version <= FEW:
            before = fold(self.events[:version])
        for event in self.events[before.version : version]:
            before = evolve(before, event)
        self._stream = before
        return before


NOTHING: Final = Log(())
