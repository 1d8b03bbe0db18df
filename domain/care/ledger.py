"""Which care stands, and how it is settled: what the events of a stream of care make of it."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import Current, Moment, Stream, events

CareFact = Current[events.CareReceived]


class Care(NamedTuple):
    """A piece of care as it now stands.

    `first` is the event that first recorded it, `settled` the settlement that stands.
    """

    fact: CareFact
    first: events.CareReceived
    settled: events.CareSettled | None


class Ledger:
    """The care of one student while its events come in, one after another, as they were recorded.

    Whoever follows a stream keeps a ledger and lets it take each event, which costs the same
    however long the stream is; `cares` is then what `cares(stream)` tells of the stream so far.
    Asked of one case again and again, `assessments(case, ledger.cares, at)` goes on from what it
    told the last time. A settlement is only ever reversed: what would amend one changes nothing.
    """

    def __init__(self, recorded: Iterable[events.Event] = ()) -> None:
        self._cares: dict[int, Care] = {}
        self._place_of: dict[UUID, int] = {}
        # Not yet reversed, by the place of their care; by rights there is one at most.
        self._settled: dict[int, dict[UUID, events.CareSettled]] = {}
        for event in recorded:
            self.take(event)

    @property
    def cares(self) -> tuple[Care, ...]:
        """The pieces of care that stand, in the order in which they were first recorded."""
        return tuple(self._cares.values())

    @property
    def settlements(self) -> dict[int, events.CareSettled]:
        """The settlements that stand, by the place of their care, also of care taken back since."""
        return {place: last for place in self._settled if (last := self._settlement(place))}

    def settlement_of(self, event_id: UUID, place: int) -> events.CareSettled | None:
        """The settlement that stands, of a piece of care or itself, by an event and its place."""
        care = self._place_of.get(event_id, 0)
        settled = self._settlement(care) if care in self._settled else None
        if settled is None or (settled.event_id != event_id and place != care):
            return None
        return settled

    def take(self, event: events.Event) -> None:
        """One more event of the stream."""
        if isinstance(event, events.CareReceived):
            self._receive(event)
        elif isinstance(event, events.Voided):
            care = self._standing(event.supersedes)
            if care is not None:
                del self._cares[care.fact.place]
        elif isinstance(event, events.CareSettled):
            self._settle(event)
        elif isinstance(event, events.CareReversed):
            self._reverse(event)

    def _receive(self, event: events.CareReceived) -> None:
        place = event.originator_version
        if event.supersedes is None:
            self._cares[place] = Care(_fact(event, place), event, None)
        else:
            care = self._standing(event.supersedes)
            place = self._place_of.get(event.supersedes, place)
            if care is not None:
                self._cares[place] = care._replace(fact=_fact(event, place))
        self._place_of[event.event_id] = place

    def _settle(self, event: events.CareSettled) -> None:
        place = self._place_of.get(event.care)
        if place is not None:
            self._place_of[event.event_id] = place
            self._settled.setdefault(place, {})[event.event_id] = event
            self._tell_settled(place)

    def _reverse(self, event: events.CareReversed) -> None:
        place = self._place_of.get(event.settlement)
        if place is not None:
            self._settled.get(place, {}).pop(event.settlement, None)
            self._tell_settled(place)

    def _tell_settled(self, place: int) -> None:
        if place in self._cares:
            settled = self._settlement(place)
            self._cares[place] = self._cares[place]._replace(settled=settled)

    def _settlement(self, place: int) -> events.CareSettled | None:
        return next(reversed(self._settled[place].values()), None)

    def _standing(self, event_id: UUID) -> Care | None:
        """The care whose latest event this is."""
        care = self._cares.get(self._place_of.get(event_id, 0))
        return care if care and care.fact.event.event_id == event_id else None


def cares(stream: Stream) -> tuple[Care, ...]:
    """The pieces of care that stand, in the order in which they were first recorded."""
    return Ledger(stream.recorded).cares


def settlements(stream: Stream) -> dict[int, events.CareSettled]:
    """The settlements that stand, by the place of their care, also of care taken back since."""
    return Ledger(stream.recorded).settlements


def _fact(event: events.CareReceived, place: int) -> CareFact:
    return Current(Moment(event.occurred_at.astimezone(SHANGHAI), place), event)
