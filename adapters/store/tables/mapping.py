"""Facts to rows and back: JSON under permanent names, validated both ways.

A name is resolved from our own table only: what is stored never imports anything.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ValidationError

from yibao.domain.facts.events import EVENTS, Event
from yibao.domain.refusals import UnreadableEvent, place, reason


class FactMapper(Mapper[UUID]):
    """Facts to rows and back, validated both ways."""

    def __init__(self) -> None:  # pyright: ignore[reportMissingSuperCall] - no transcoder here
        pass

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        assert isinstance(domain_event, Event)
        return to_row(domain_event)

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        stream, version = stored_event.originator_id, stored_event.originator_version
        assert isinstance(stream, UUID)
        return from_row(stream, version, stored_event.topic, stored_event.state)


def to_row(event: Event) -> StoredEvent:
    """A fact as it is stored."""
    # `model_dump_json` without the wrapper around it, and in bytes at once.
    state = event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True)
    return StoredEvent(event.originator_id, event.originator_version, event.name, state)


def from_row(stream: UUID, version: int, topic: str, state: bytes) -> Event:
    """The fact in a row; raises UnreadableEvent for a name or shape that is not ours."""
    try:
        event = _READERS[topic](state)
    except KeyError:
        told = f"has the unknown name {topic!r}"
        raise UnreadableEvent(f"event {version} of stream {stream} {told}") from None
    except ValidationError as error:
        told = f"{topic}: {place(error) or 'state'}: {reason(error)}"
        raise UnreadableEvent(f"event {version} of stream {stream}, {told}") from None
    # The columns complete a frozen event that nobody else has seen yet.
    columns: dict[str, Any] = vars(event)
    columns["originator_id"] = stream
    columns["originator_version"] = version
    return event


#: `model_validate_json` without the wrapper around it.
_READERS: Final[dict[str, Callable[[bytes], Event]]] = {
    name: kind.__pydantic_validator__.validate_json for name, kind in EVENTS.items()
}
