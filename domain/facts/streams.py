"""The aggregate: what one stream holds, as its events fold into it.

`evolve` takes one event in and never refuses, whatever the policy has become since; what may
be added is decided in `decision`.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import events
from yibao.domain.facts.counting import Current, Facts, Moment
from yibao.domain.kept import kept

AnyFact = Current[events.Fact]


class Positioned(NamedTuple):
    """An event and its position: how many the store had taken when this one was in."""

    position: int
    event: events.Event


@dataclass(frozen=True)
class Stream:
    """What a stream holds: everything recorded, and the current facts in the order of their places.

    A student's enrollment is one; what an edition left to be fixed later is another. What is looked
    up in it is found by an index, made when it is first asked for and carried on from event to
    event: to judge one command more costs no walk over all that were recorded before.
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

    @kept
    def counting(self) -> Facts:
        """The current facts by kind: which of them counts."""
        return Facts(self.facts)

    @kept
    def answers(self) -> Mapping[str, events.Event]:
        """What each command led to, by its id."""
        return {event.command_id: event for event in reversed(self.recorded)}

    @kept
    def by_id(self) -> Mapping[UUID, events.Event]:
        """Everything recorded, by its own id."""
        return {event.event_id: event for event in self.recorded}

    @kept
    def places(self) -> Mapping[UUID, int]:
        """The place of each fact ever recorded, by its id."""
        return places(self.recorded)

    @kept
    def edition_named(self) -> str | None:
        """The edition the latest registration names, current or taken back."""
        return edition_named(self.recorded)

    def index_of(self, event_id: UUID) -> int | None:
        """Where among the current facts the one stands that an event recorded; None if none is."""
        place = self.places.get(event_id, 0)
        index = bisect_left(self.facts, place, key=lambda fact: fact.place)
        if index < len(self.facts) and self.facts[index].event.event_id == event_id:
            return index
        return None


EMPTY = Stream()


def evolve(stream: Stream, event: events.Event) -> Stream:
    """The stream with one more event in it."""
    facts, gone, come = stream.facts, None, None
    if isinstance(event, events.Fact) and event.supersedes is None:
        come = _fact(event, event.originator_version)
        facts += (come,)  # quicker than what unpacks it first
    elif isinstance(event, (events.Fact, events.Voided)) and event.supersedes:
        index = stream.index_of(event.supersedes)
        if index is not None:
            gone = facts[index]
            come = _fact(event, gone.place) if isinstance(event, events.Fact) else None
            facts = (*facts[:index], *([come] if come else []), *facts[index + 1 :])
    recorded = stream.recorded
    recorded += (event,)
    after = Stream(recorded, facts)
    _carry_on(vars(stream), event, gone, come, vars(after))
    return after


def _carry_on(
    known: dict[str, Any],
    event: events.Event,
    gone: AnyFact | None,
    come: AnyFact | None,
    carried: dict[str, Any],
) -> None:
    """Brings the indexes that a stream has made to the next event.

    They are copied, which is quick whatever they hold, since the stream before stays what it was.
    """
    if "counting" in known:
        carried["counting"] = known["counting"].after(gone, come)
    if "answers" in known:
        first = known["answers"].get(event.command_id, event)
        carried["answers"] = known["answers"] | {event.command_id: first}
    if "by_id" in known:
        carried["by_id"] = known["by_id"] | {event.event_id: event}
    if "places" in known:
        own, before = event.originator_version, known["places"]
        if isinstance(event, events.Fact):
            place = before.get(event.supersedes, own) if event.supersedes else own
            before = before | {event.event_id: place}
        carried["places"] = before
    if "edition_named" in known:
        named = event.policy if isinstance(event, events.Registered) else known["edition_named"]
        carried["edition_named"] = named


def fold(recorded: Sequence[events.Event]) -> Stream:
    """The stream after all these events: what evolving it by each in turn gives, in one pass."""
    return Stream(tuple(recorded), current_facts(recorded))


def current_facts(recorded: Sequence[events.Event]) -> tuple[AnyFact, ...]:
    """The current facts alone, as a question needs them; the same as `fold(…).facts`."""
    if not any(map(_amends, recorded)):
        return (*[_fact(e, e.originator_version) for e in recorded if isinstance(e, events.Fact)],)
    place_of: dict[UUID, int] = {}
    # A fact that takes another's place has its entry, so these stay in the order of the places.
    current: dict[int, AnyFact] = {}
    for event in recorded:
        if isinstance(event, events.Fact):
            place: int | None = event.originator_version
            if event.supersedes is not None:
                place = place_of.pop(event.supersedes, None)
            if place is not None:
                place_of[event.event_id] = place
                current[place] = _fact(event, place)
        elif isinstance(event, events.Voided):
            current.pop(place_of.pop(event.supersedes, 0), None)
    return tuple(current.values())


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


def _amends(event: events.Event) -> bool:
    """Whether it takes the place of a fact, or takes one back."""
    return isinstance(event, (events.Fact, events.Voided)) and event.supersedes is not None


def _fact(event: events.Fact, place: int) -> AnyFact:
    """A fact in its place, on the zone object that makes instants of one zone cheap to compare."""
    return Current(Moment(event.occurred_at.astimezone(SHANGHAI), place), event)
