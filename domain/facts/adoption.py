"""The first use of an edition, which a store remembers: from then on it may never change."""

from typing import NamedTuple, TypeVar
from uuid import uuid5

from yibao.domain.editions import Policy
from yibao.domain.facts import events
from yibao.domain.facts.entries import Envelope
from yibao.domain.facts.streams import Stream
from yibao.domain.vocabulary import edition_stream

A = TypeVar("A", events.EditionAdopted, events.BenefitsAdopted)


class EditionInUse(NamedTuple):
    """An edition as it stands in a store: its content, and its stream as far as it is asked for.

    `by` is who keeps the store: in whose name its first use is recorded.
    """

    policy: Policy
    stream: Stream
    by: str


def edition_adopted(edition: EditionInUse, envelope: Envelope) -> events.EditionAdopted:
    """The first use of an edition, along with the command that is given this envelope."""
    return _adopted(events.EditionAdopted, edition, edition.policy.digest, envelope)


def benefits_adopted(edition: EditionInUse, envelope: Envelope) -> list[events.BenefitsAdopted]:
    """The first use of an edition's table of benefits, unless it has been in use."""
    if any(isinstance(each, events.BenefitsAdopted) for each in edition.stream.recorded):
        return []
    return [_adopted(events.BenefitsAdopted, edition, edition.policy.benefits_digest, envelope)]


def _adopted(kind: type[A], edition: EditionInUse, digest: str, envelope: Envelope) -> A:
    """What is recorded beside what was asked: nobody's command, with ids of its own."""
    # In a rehearsal the clock may be behind the edition's stream, which stays in order.
    stamp = max(envelope.recorded_at, edition.stream.last_recorded_at or envelope.recorded_at)
    event_id = uuid5(envelope.event_id, kind.name)
    return kind(
        originator_id=edition_stream(edition.policy.edition),
        originator_version=edition.stream.version + 1,
        event_id=event_id,
        occurred_at=stamp,
        recorded_at=stamp,
        by=edition.by,
        via=envelope.via,
        command_id=event_id.hex,
        command_digest="",
        policy=edition.policy.edition,
        digest=digest,
    )
