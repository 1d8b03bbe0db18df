"""The aggregate: what one stream holds, as its events fold into it.

`evolve` takes one event in and never refuses, whatever the policy has become since; what may
be added is decided in `decision`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from yibao.domain import events
from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import Fact, Moment

AnyFact = Fact[events.Fact]


class Answered(NamedTuple):
    """A command the stream has answered: its id, its content and the event it led to."""

    command_id: str
    digest: str
    version: int


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream holds: the current facts in the order of their places, and its history.

    A student's enrollment is one; what an edition left to be fixed later is another. `seen`
    names every fact ever recorded, current or not.
    """

    version: int = 0
    facts: tuple[AnyFact, ...] = ()
    seen: frozenset[UUID] = frozenset()
    answered: tuple[Answered, ...] = ()
    last_recorded_at: datetime | None = None


EMPTY = Stream()


def evolve(stream: Stream, event: events.Event) -> Stream:
    """The stream with one more event in it."""
    facts = stream.facts
    version = event.originator_version
    if isinstance(event, events.Voided):
        facts = tuple(fact for fact in facts if fact.event.event_id != event.supersedes)
    elif isinstance(event, events.Fact) and event.supersedes is not None:
        facts = tuple(
            Fact(Moment(_happened(event), fact.place), event)
            if fact.event.event_id == event.supersedes
            else fact
            for fact in facts
        )
    elif isinstance(event, events.Fact):
        facts = (*facts, Fact(Moment(_happened(event), version), event))
    return Stream(
        version=version,
        facts=facts,
        seen=stream.seen | {event.event_id} if isinstance(event, events.Fact) else stream.seen,
        answered=(*stream.answered, _answered(event)),
        last_recorded_at=event.recorded_at,
    )


def fold(recorded: Sequence[events.Event]) -> Stream:
    """The stream after all these events: what evolving it by each in turn gives, in one pass."""
    if not recorded:
        return EMPTY
    return Stream(
        version=recorded[-1].originator_version,
        facts=current_facts(recorded),
        seen=frozenset(event.event_id for event in recorded if isinstance(event, events.Fact)),
        answered=tuple(_answered(event) for event in recorded),
        last_recorded_at=recorded[-1].recorded_at,
    )


def current_facts(recorded: Iterable[events.Event]) -> tuple[AnyFact, ...]:
    """The current facts alone, as a question needs them; the same as `fold(…).facts`."""
    places: dict[UUID, int] = {}
    current: dict[int, AnyFact] = {}
    for event in recorded:
        if isinstance(event, events.Fact):
            place = event.originator_version
            if event.supersedes is not None:
                if event.supersedes not in places:
                    continue
                place = places.pop(event.supersedes)
            places[event.event_id] = place
            current[place] = Fact(Moment(_happened(event), place), event)
        elif isinstance(event, events.Voided):
            current.pop(places.pop(event.supersedes, -1), None)
    return tuple(current[place] for place in sorted(current))


def _answered(event: events.Event) -> Answered:
    return Answered(event.command_id, event.command_digest, event.originator_version)


def _happened(event: events.Fact) -> datetime:
    """When a fact happened, on the zone object that makes instants of one zone cheap to compare."""
    return event.occurred_at.astimezone(SHANGHAI)
