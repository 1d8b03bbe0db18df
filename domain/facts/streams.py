"""The aggregate: what one stream holds, as its events fold into it.

`evolve` takes one event in and never refuses, whatever the policy has become since; what may
be added is decided in `decision`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import events
from yibao.domain.facts.counting import Current, Moment

AnyFact = Current[events.Fact]


class Positioned(NamedTuple):
    """An event and its position: how many the store had taken when this one was in."""

    position: int
    event: events.Event


class Stream(NamedTuple):
    """What a stream holds: everything recorded, and the current facts in the order of their places.

    A student's enrollment is one; what an edition left to be fixed later is another.
    """

    recorded: tuple[events.Event, ...] = ()
    facts: tuple[AnyFact, ...] = ()

    @property
    def version(self) -> int:
        """The place of the last event; 0 while there is none."""
        return self.recorded[-1].originator_version if self.recorded else 0

    @property
    def last_recorded_at(self) -> datetime | None:
        return self.recorded[-1].recorded_at if self.recorded else None


EMPTY = Stream()


def evolve(stream: Stream, event: events.Event) -> Stream:
    """The stream with one more event in it."""
    facts = stream.facts
    if isinstance(event, events.Fact):
        if event.supersedes is None:
            facts = (*facts, _fact(event, event.originator_version))
        else:
            facts = tuple(
                _fact(event, fact.place) if fact.event.event_id == event.supersedes else fact
                for fact in facts
            )
    elif isinstance(event, events.Voided):
        facts = tuple(fact for fact in facts if fact.event.event_id != event.supersedes)
    return Stream((*stream.recorded, event), facts)


def fold(recorded: Sequence[events.Event]) -> Stream:
    """The stream after all these events: what evolving it by each in turn gives, in one pass."""
    return Stream(tuple(recorded), current_facts(recorded))


def current_facts(recorded: Sequence[events.Event]) -> tuple[AnyFact, ...]:
    """The current facts alone, as a question needs them; the same as `fold(…).facts`."""
    return Folding(recorded).at(len(recorded))


class Folding:
    """The current facts of each prefix of a stream, in the order of their places.

    A prefix longer than the one asked for before costs what is new in it.
    """

    __slots__ = ("_current", "_place_of", "_recorded", "_taken")

    def __init__(self, recorded: Sequence[events.Event]) -> None:
        self._recorded = recorded
        self._begin()

    def _begin(self) -> None:
        self._taken = 0
        self._place_of: dict[UUID, int] = {}
        # A fact that takes another's place has its entry, so these stay in the order of the places.
        self._current: dict[int, AnyFact] = {}

    def at(self, version: int) -> tuple[AnyFact, ...]:
        """The current facts after the first events."""
        if version < self._taken:
            self._begin()
        for place in range(self._taken, version):
            self._take(self._recorded[place])
        self._taken = version
        return tuple(self._current.values())

    def _take(self, event: events.Event) -> None:
        if isinstance(event, events.Fact):
            place: int | None = event.originator_version
            if event.supersedes is not None:
                place = self._place_of.pop(event.supersedes, None)
            if place is not None:
                self._place_of[event.event_id] = place
                self._current[place] = _fact(event, place)
        elif isinstance(event, events.Voided):
            self._current.pop(self._place_of.pop(event.supersedes, 0), None)


def edition_named(recorded: Sequence[events.Event]) -> str | None:
    """The edition the latest registration names, current or taken back."""
    for event in reversed(recorded):
        if isinstance(event, events.Registered):
            return event.policy
    return None


def places(recorded: Sequence[events.Event]) -> dict[UUID, int]:
    """The place of each fact ever recorded; a correction has that of what it corrects."""
    found: dict[UUID, int] = {}
    for event in recorded:
        if isinstance(event, events.Fact):
            own = event.originator_version
            found[event.event_id] = found.get(event.supersedes, own) if event.supersedes else own
    return found


def _fact(event: events.Fact, place: int) -> AnyFact:
    """A fact in its place, on the zone object that makes instants of one zone cheap to compare."""
    return Current(Moment(event.occurred_at.astimezone(SHANGHAI), place), event)
