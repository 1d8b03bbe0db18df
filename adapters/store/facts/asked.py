"""What is asked of the facts in a store: streams, records, and what was recorded since when."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.store.connections import AT_ONCE, LAST, Sql, SqlRow, in_parts
from yibao.adapters.store.facts.records import AsThen, Records, logs_of, streams_of
from yibao.adapters.store.tables import (
    AT,
    BEGUN,
    FEED,
    POSITIONED,
    POSITIONED_OF_MANY,
    STREAM,
    CountedAttempts,
    Taken,
    attempts,
    decoded,
    from_row,
    positioned,
    stamp_in,
    stored,
    stream_in,
)
from yibao.domain.facts import KeptAttempt, Positioned, RefusedAttempt
from yibao.domain.facts.events import CareReceived, Event, Registered
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.record import NOTHING, EditionRecord, Log, Record

R = TypeVar("R")


class Beginning(NamedTuple):
    """The first event of a stream, as it is stored: its position, name and state."""

    stream: UUID
    position: int
    topic: str
    state: bytes

    def event(self) -> Event:
        """Raises UnreadableEvent."""
        return from_row(self.stream, 1, self.topic, self.state)


class Asked:
    """The questions a store answers, each in one turn: whoever can ask one has all of these."""

    _records: Records

    def _asked(self, question: Callable[[Sql], R]) -> R:
        """What is read in one turn; read again where that was interrupted."""
        raise NotImplementedError

    def check_process(self) -> None:
        """Raises StoreError in another process than the one that has opened the store."""
        raise NotImplementedError

    def read(self, stream: UUID) -> list[Event]:
        """Every event of a stream, in order."""
        return decoded(stream, self._rows(STREAM, stream.hex))

    def record(self, enrollment: EnrollmentId, editions: Editions, now: datetime) -> Record:
        """Everything recorded of one student, of one moment; `now` is when it is read.

        Raises UnreadableEvent where a stream of hers cannot be read.
        """
        return self._asked(lambda sql: self._records.read(sql, enrollment, editions, now))

    def records_now(
        self, whom: Iterable[EnrollmentId], editions: Editions, now: datetime
    ) -> dict[EnrollmentId, Record]:
        """The same of some students, some hundred of them of one moment."""
        found: dict[EnrollmentId, Record] = {}
        left = iter(whom)
        while some := list(islice(left, AT_ONCE)):
            found |= self._asked(
                partial(self._records.read_each, whom=some, editions=editions, now=now)
            )
        return found

    def records(self, editions: Editions, now: datetime) -> Iterator[Record]:
        """The record of every student, one after the other, from one snapshot of the store."""
        then = AsThen(self._asked)

        @cache
        def edition_of(name: str) -> EditionRecord:
            stream = edition_stream(name)
            return EditionRecord(editions.get(name), Log(then.read([stream]).get(stream, ())))

        for some in then.some_at_once():
            found = then.read(some)
            whose = [each for each in map(partial(_whose, editions), found.values()) if each]
            streams = {each: streams_of(each, editions) for each in whose}
            beside = {
                each for years in streams.values() for both in years.values() for each in both
            }
            found |= then.read(beside - found.keys())

            def log_of(stream: UUID, found: Mapping[UUID, list[Event]] = found) -> Log:
                return Log(found.get(stream, ()))

            for enrollment in whose:
                yield Record.of(enrollment, logs_of(streams[enrollment], log_of), edition_of, now)
                self.check_process()

    def records_of(
        self, whom: Iterable[EnrollmentId], editions: Editions, until: int, now: datetime
    ) -> Iterator[Record]:
        """The records of some students as they were at a position, one after the other.

        Raises UnreadableEvent where a stream cannot be read.
        """

        @cache
        def edition_of(name: str) -> EditionRecord:
            recorded = self.recorded(edition_stream(name), until)
            return EditionRecord(editions.get(name), Log.of(recorded))

        left = iter(whom)
        while some := list(islice(left, AT_ONCE)):
            streams = {each: streams_of(each, editions) for each in some}
            every = {one for years in streams.values() for both in years.values() for one in both}
            logs = {
                stream: Log.of(positioned(stream, rows)) if rows else NOTHING
                for stream, rows in self.rows_of(every, until).items()
            }
            for each in some:
                own = logs_of(streams[each], logs.__getitem__)
                yield Record.of(each, own, edition_of, now)

    def streams(self) -> Iterator[tuple[UUID, list[Event]]]:
        """Every stream with its events, one after the other, as they were when the first was drawn.

        Between two draws nothing is kept open.
        """
        then = AsThen(self._asked)
        for some in then.some_at_once():
            for stream, recorded in then.each(some):
                yield stream, recorded
                self.check_process()

    def recorded(self, stream: UUID, until: int = LAST) -> list[Positioned]:
        """The events of a stream up to a position in the store, each with its own, in order."""
        return positioned(stream, self._rows(POSITIONED, stream.hex, until))

    def rows_of(self, streams: Iterable[UUID], until: int) -> dict[UUID, list[SqlRow]]:
        """The rows of many streams up to a position, to be read by `positioned` one by one."""
        wanted = sorted(set(streams))
        found: dict[UUID, list[SqlRow]] = {stream: [] for stream in wanted}
        for places, some in in_parts(stream.hex for stream in wanted):
            rows = self._rows(POSITIONED_OF_MANY.format(places), *some, until)
            for key, of_stream in groupby(rows, key=itemgetter(0)):
                found[stream_in(key)] = [row[1:] for row in of_stream]
        return found

    def read_each(self, streams: Iterable[UUID]) -> dict[UUID, list[Event]]:
        """The events of those of some streams in which something was recorded."""
        return {
            stream: [each.event for each in positioned(stream, rows)]
            for stream, rows in self.rows_of(streams, LAST).items()
            if rows
        }

    def begun(self, streams: Iterable[UUID]) -> list[UUID]:
        """Those of some streams in which something was recorded."""
        found: list[SqlRow] = []
        for places, some in in_parts(stream.hex for stream in streams):
            found += self._rows(BEGUN.format(places), *some)
        return [stream_in(key) for (key,) in found]

    def beginnings(
        self, after: str, until: int, limit: int, *, of_care: bool = False
    ) -> "list[Beginning]":
        """How some streams begin, in the order of their ids from one on, told by its digits.

        Those of care are left out, or there alone; what begins after a position is not there.
        """
        rows = self._rows(
            "SELECT originator_id, notification_id, topic, state FROM stored_events "
            "WHERE originator_version=1 AND originator_id>? AND notification_id<=? "
            f"AND topic{'=' if of_care else '<>'}? ORDER BY originator_id LIMIT ?",
            after or UUID(int=0).hex,
            until,
            CareReceived.name,
            limit,
        )
        return [Beginning(stream_in(key), *row) for key, *row in rows]

    def known_until(self, until: int, names: Sequence[str]) -> int:
        """Up to which position, at most, there are facts of these names alone."""
        places = ", ".join("?" * len(names))
        ((first,),) = self._rows(
            "SELECT MIN(notification_id) FROM stored_events "
            f"WHERE notification_id<=? AND topic NOT IN ({places})",
            until,
            *names,
        )
        return until if first is None else int(first) - 1

    def first(self, stream: UUID) -> Event | None:
        """The first event of a stream, if it has any."""
        found = self._rows(
            "SELECT topic, state FROM stored_events WHERE originator_id=? AND originator_version=1",
            stream.hex,
        )
        return from_row(stream, 1, *found[0]) if found else None

    def taken(self, after: int, until: int, limit: int) -> "list[Taken]":
        """Which streams the store extended after a position, in the order of the positions.

        Up to where the store is final nothing is left out, and nothing comes in between later.
        """
        rows = self._rows(
            "SELECT notification_id, originator_id, topic FROM stored_events "
            "WHERE notification_id>? AND notification_id<=? ORDER BY notification_id LIMIT ?",
            after,
            until,
            limit,
        )
        streams = {key: stream_in(key) for key in {key for _, key, _ in rows}}
        return [Taken(found, streams[key], topic) for found, key, topic in rows]

    def feed(self, after: int, until: int, limit: int) -> list[Positioned]:
        """The facts between two positions, in order: what any projection takes in.

        Up to where the store is final (`reached`) none is left out and none comes in between
        later, so that whoever remembers the last position never skips and never repeats.
        """
        rows = self._rows(FEED, after, until, limit)
        return [Positioned(row[0], from_row(stream_in(row[1]), *row[2:])) for row in rows]

    def as_stored(
        self, log: Literal["facts", "attempts"], begins: int, until: int, limit: int
    ) -> list[SqlRow]:
        """The rows of facts or of refused attempts between two positions, both included.

        They are as they stand, readable or not, in the order of their positions, which come first.
        """
        return self._asked(lambda sql: stored.between(sql, log, begins, until, limit))

    def stored_of(self, stream: UUID) -> list[SqlRow]:
        """The rows of a stream as they stand, each with its position first."""
        return self._asked(lambda sql: stored.of_stream(sql, stream.hex))

    def at_positions(self, positions: Iterable[int]) -> dict[int, Event]:
        """The events at these positions."""
        rows: list[SqlRow] = []
        for places, some in in_parts(positions):
            rows += self._rows(AT.format(places), *some)
        return {position: from_row(stream_in(key), *row) for position, key, *row in rows}

    def mark(self, position: int, attempt_id: int) -> str:
        """What stands last there, as a digest: it tells two stores apart as far as that."""
        last = "WHERE {0}<=? ORDER BY {0} DESC LIMIT 1"
        found = self._rows(
            f"SELECT notification_id, state FROM stored_events {last.format('notification_id')}",
            position,
        )
        found += self._rows(
            f"SELECT attempt_id, state FROM refused_attempts {last.format('attempt_id')}",
            attempt_id,
        )
        return hashlib.sha256(repr(found).encode()).hexdigest()

    def recorded_after(self, position: int) -> datetime | None:
        """When the first fact after a position was recorded; None where there is none.

        It need not be one that this version could read.
        """
        found = self._rows(
            "SELECT state FROM stored_events WHERE notification_id>? "
            "ORDER BY notification_id LIMIT 1",
            position,
        )
        return stamp_in(found[0][0]) if found else None

    def facts_after(self, position: int) -> int:
        """How many facts there are after a position."""
        ((found,),) = self._rows(
            "SELECT COUNT(*) FROM stored_events WHERE notification_id>?", position
        )
        return int(found)

    def attempts_on(self, stream: UUID) -> list[KeptAttempt]:
        """The refused attempts kept on a stream, in order; there may be no such stream."""
        return self._asked(lambda sql: attempts.of_stream(sql, stream))

    def attempts_between(self, after: int, until: int, limit: int) -> list[KeptAttempt]:
        """The refused attempts kept after one of them until another, in order."""
        return self._asked(lambda sql: attempts.between(sql, after, until, limit))

    def attempts_numbered(self, attempt_ids: Iterable[int]) -> dict[int, RefusedAttempt]:
        """The refused attempts of these numbers."""
        wanted = list(attempt_ids)
        found = self._asked(lambda sql: attempts.numbered(sql, wanted))
        return {kept.attempt_id: kept.attempt for kept in found}

    def attempts_counted(self) -> list[CountedAttempts]:
        """How many attempts were counted instead of kept; these are few."""
        return self._asked(attempts.counted)

    def note(self, event_id: UUID) -> str | None:
        """The free text kept for an event, unless it was erased."""
        found = self._rows("SELECT note FROM notes WHERE event_id=?", event_id.hex)
        return str(found[0][0]) if found else None

    def _rows(self, statement: str, *values: Any) -> list[SqlRow]:
        return self._asked(lambda sql: sql.rows(statement, values))


def _whose(editions: Editions, recorded: Sequence[Event]) -> EnrollmentId | None:
    """Whose enrollment the events of a stream are of, if they are of any."""
    first = next((event for event in recorded if isinstance(event, Registered)), None)
    return EnrollmentId(first.ref, editions.get(first.policy).year) if first else None
