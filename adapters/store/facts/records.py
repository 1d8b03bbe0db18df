"""Records of students, each read in one turn, so that it is of one moment."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.store.collecting import not_collecting
from yibao.adapters.store.connections import AT_ONCE, Sql, SqlRow, in_parts
from yibao.adapters.store.tables import LENGTHS, decoded, kept_in, rows_of_streams, stream_in
from yibao.domain.editions import Policy
from yibao.domain.facts.events import Event
from yibao.domain.refusals import UnreadableEvent
from yibao.domain.vocabulary import EnrollmentId, edition_stream, in_order
from yibao.projections.record import NOTHING, EditionRecord, Log, Record

_EVENTS: Final = (
    "SELECT 0, originator_id, notification_id, originator_version, topic, state "
    "FROM stored_events WHERE originator_id"
)
_ATTEMPTS: Final = (
    "SELECT 1, stream, attempt_id, position, '', state FROM refused_attempts "
    "WHERE stream IN ({places})"
)
#: Of such a row: the stream, the position in the store, and what an event is decoded from.
_STREAM: Final = itemgetter(0, 1)
_POSITION: Final = itemgetter(2)
_EVENT: Final = itemgetter(3, 4, 5)
_TAIL: Final = f"UNION ALL {_EVENTS}=? AND originator_version>?"

#: Answers what is asked of a database in one turn.
Asked = Callable[[Callable[[Sql], Any]], Any]


class Records:
    """Reads the records of one store.

    What was recorded under an edition concerns everybody and only grows: it is kept, and only what
    is new in it is read.
    """

    def __init__(self) -> None:
        self._logs: dict[str, Log] = {}
        self._editions: dict[str, EditionRecord] = {}

    def read(self, sql: Sql, enrollment: EnrollmentId, editions: Editions, now: datetime) -> Record:
        """Everything recorded of one student; raises UnreadableEvent where it cannot be read."""
        return self.read_each(sql, [enrollment], editions, now)[enrollment]

    def read_each(
        self, sql: Sql, whom: Iterable[EnrollmentId], editions: Editions, now: datetime
    ) -> dict[EnrollmentId, Record]:
        """The same of some students, in one turn; raises UnreadableEvent where one cannot be read.

        They are some, not everybody: all their streams are named in one statement.
        """
        streams = {each: streams_of(each, editions) for each in whom}
        keys = [one.hex for years in streams.values() for some in years.values() for one in some]
        own = [each.stream.hex for each in streams]
        kept, tails = dict(self._logs), list[Any]()
        for name in (names := editions.names()):
            tails += edition_stream(name).hex, len(kept.get(name, NOTHING))
        attempts = _ATTEMPTS.format(places=", ".join("?" * len(own)))
        places, of_editions = ", ".join("?" * len(keys)), " ".join([_TAIL] * len(names))
        rows = sql.rows(
            f"{_EVENTS} IN ({places}) {of_editions} UNION ALL {attempts} ORDER BY 1, 2, 4",
            (*keys, *tails, *own),
        )
        found = {
            (kind, stream_in(key)): list(some) for (kind, key), some in groupby(rows, key=_STREAM)
        }

        def log_of(stream: UUID) -> Log:
            return _grown(stream, NOTHING, found.get((0, stream), ()))

        told: dict[str, EditionRecord] = {}

        def edition_of(name: str) -> EditionRecord:
            if name not in told:
                policy, stream = editions.get(name), edition_stream(name)
                log = _grown(stream, kept.get(name, NOTHING), found.get((0, stream), ()))
                self._logs[name] = log
                told[name] = self.edition(policy, log)
            return told[name]

        logs = {each: logs_of(years, log_of) for each, years in streams.items()}
        told_of = [
            event.event_id.hex
            for of_years in logs.values()
            for both in of_years.values()
            for log in both
            for event in log.events
        ]
        notes = _notes(sql, told_of)

        def record_of(whose: EnrollmentId) -> Record:
            tried = [
                (number, position, state)
                for _, _, number, position, _, state in found.get((1, whose.stream), ())
            ]
            hers = notes if len(logs) == 1 else _of_logs(notes, logs[whose])
            return Record.of(
                whose, logs[whose], edition_of, now, lambda: list(kept_in(tried)), hers
            )

        return {each: record_of(each) for each in streams}

    def edition(self, policy: Policy, log: Log) -> EditionRecord:
        """The record of an edition; the same one for as long as nothing is added to it."""
        kept = self._editions.get(policy.edition)
        if kept is None or kept.log is not log or kept.policy is not policy:
            kept = self._editions[policy.edition] = EditionRecord(policy, log)
        return kept


class AsThen:
    """The streams of a store as long as they were at one moment, read some hundred at a time.

    What is recorded is never changed, so how long each was tells what was in it.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        rows = asked(lambda sql: sql.rows(LENGTHS, ()))
        self._lengths = {stream_in(key): length for key, length in rows}

    def some_at_once(self) -> Iterator[list[UUID]]:
        """All streams in their order, some hundred at a time."""
        left = iter(in_order(self._lengths))
        while some := list(islice(left, AT_ONCE)):
            yield some

    def read(self, streams: Iterable[UUID]) -> dict[UUID, list[Event]]:
        """The events of some streams, of those that were there; raises UnreadableEvent."""
        with not_collecting():
            return dict(self.each(streams))

    def each(self, streams: Iterable[UUID]) -> Iterator[tuple[UUID, list[Event]]]:
        """The same, one stream after the other: whoever is done with one need not hold it."""
        there = in_order(self._lengths.keys() & set(streams))
        found = self._asked(partial(rows_of_streams, streams=there))
        for stream, rows in found.items():
            yield stream, self._read(stream, rows)

    def _read(self, stream: UUID, rows: Sequence[SqlRow]) -> list[Event]:
        length = self._lengths[stream]
        if len(rows) < length:
            raise UnreadableEvent(f"stream {stream} had length {length}, and has {len(rows)}")
        return decoded(stream, rows[:length])


def streams_of(enrollment: EnrollmentId, editions: Editions) -> dict[int, list[UUID]]:
    """The streams of a student by the year: of her enrollment and, up to her year, of her care.

    How she is cared for in the year after is nothing to it.
    """
    streams = {enrollment.year: [enrollment.stream, enrollment.care_stream]}
    for year in editions.around(enrollment.year):
        whose = EnrollmentId(enrollment.ref, year)
        streams[year] = [whose.stream, *([whose.care_stream] if year < enrollment.year else [])]
    return streams


def logs_of(
    streams: Mapping[int, Sequence[UUID]], log_of: Callable[[UUID], Log]
) -> dict[int, tuple[Log, Log]]:
    """The logs of her enrollment and of her care by the year, as `Record.of` takes them."""
    return {
        year: (log_of(enrolled), log_of(care[0]) if care else NOTHING)
        for year, (enrolled, *care) in streams.items()
    }


def _grown(stream: UUID, log: Log, rows: Sequence[SqlRow]) -> Log:
    """The log of a stream with what is new in it."""
    if not rows:
        return log
    new = decoded(stream, map(_EVENT, rows), log.events)
    return Log([*log.events, *new], [*log.positions, *map(_POSITION, rows)])


def _of_logs(notes: Mapping[UUID, str], logs: Mapping[int, tuple[Log, Log]]) -> Mapping[UUID, str]:
    """Of notes those beside the facts of some logs."""
    ids = [event.event_id for both in logs.values() for log in both for event in log.events]
    return {each: notes[each] for each in ids if each in notes}


def _notes(sql: Sql, event_ids: Sequence[str]) -> dict[UUID, str]:
    """The free text kept beside facts; read last, so that what was erased meanwhile is gone."""
    notes: dict[UUID, str] = {}
    for places, some in in_parts(event_ids):
        rows = sql.rows(f"SELECT event_id, note FROM notes WHERE event_id IN ({places})", some)
        notes |= {stream_in(key): note for key, note in rows}
    return notes
