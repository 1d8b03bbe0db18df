"""A store in which anything may have been told of many: as no city would have them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from operator import attrgetter
from random import Random
from uuid import UUID

from given.cohort import LEARNED, anybody, editions

from yibao.adapters.editions import Editions
from yibao.adapters.service.service import Service
from yibao.domain.facts import events
from yibao.domain.vocabulary import edition_stream
from yibao.projections.record import Record


class MadeUp(Editions):
    """The editions of who is made up."""

    def __init__(self) -> None:
        super().__init__()
        self._read |= editions()
        vars(self)["years"] = tuple(sorted({each.year for each in editions().values()}))

    def names(self) -> list[str]:
        return sorted(editions())


def crowd(service: Service, size: int, seed: int = 0) -> None:
    """Records what was told of so many, some of them like others."""
    told: list[events.Event] = []
    number = 0
    while number < size:
        seed += 1
        records = anybody(seed, seed // 3, ref=f"s{number}")
        own = {each.event_id: each for record in records for each in record.everything()}
        if all(isinstance(each, events.Registered) for each in _beginnings(records)):
            told += own.values()
            told += [e for name in editions() for e in records[-1].edition_of(name).log.events]
            number += 1
    told.sort(key=attrgetter("recorded_at"))
    versions: dict[UUID, int] = defaultdict(int)
    recorded = [*map(_adopted, editions())]
    for event in [*recorded, *told]:
        versions[event.originator_id] += 1
        if event.originator_version != versions[event.originator_id]:
            version = versions[event.originator_id]
            event = event.model_copy(update={"originator_version": version})
        if not isinstance(event, events.EditionAdopted):
            recorded.append(event)
    with service._store.transaction(everybody=True, many=True) as store:
        store.append(recorded)


def _beginnings(records: Sequence[Record]) -> Iterator[events.Event | None]:
    """How the enrollment of each year begins in which anything is told."""
    for record in records:
        if len(record.enrolled) or len(record.received):
            yield next(iter(record.enrolled.events), None)


def _adopted(name: str) -> events.Event:
    at = LEARNED - timedelta(days=101)
    return events.EditionAdopted(
        originator_id=edition_stream(name),
        originator_version=1,
        event_id=UUID(int=Random(name).getrandbits(128)),
        occurred_at=at,
        recorded_at=at,
        by="tester",
        via="test",
        command_id=name,
        command_digest="d",
        policy=name,
        digest=editions()[name].digest,
    )
