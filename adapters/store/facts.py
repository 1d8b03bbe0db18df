"""Where facts are kept: `eventsourcing`, with a mapper and with databases of our own."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache, cached_property, partial
from itertools import groupby, islice
from operator import itemgetter
from os import getpid
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, Mapper
from eventsourcing.sqlite import SQLiteConnectionPool
from eventsourcing.utils import Environment, EnvType

from yibao.adapters.editions import Editions
from yibao.adapters.store.connections import (
    AT_ONCE,
    LAST,
    Database,
    Frontier,
    Sql,
    SqlRow,
    again,
    elsewhere,
    in_parts,
    within,
)
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.records import AsThen, Records, logs_of, streams_of
from yibao.adapters.store.sqlite import FactFactory, OpenFile, check_not_left
from yibao.adapters.store.sqlite import failure as sqlite_failure
from yibao.adapters.store.tables import (
    AT,
    BEGUN,
    FEED,
    POSITIONED,
    POSITIONED_OF_MANY,
    STREAM,
    CountedAttempts,
    FactMapper,
    Taken,
    attempts,
    decoded,
    from_row,
    positioned,
    stamp_in,
    stored,
    stream_in,
)
from yibao.adapters.store.transactions import NOTHING_SEEN, Seen, Transaction
from yibao.adapters.store.urls import HOW_WRITTEN, MEMORY, file_of, is_postgres
from yibao.domain.facts import KeptAttempt, Positioned, RefusedAttempt
from yibao.domain.facts.events import CareReceived, Event, Registered
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.record import NOTHING, EditionRecord, Log, Record

if TYPE_CHECKING:
    from yibao.adapters.store.postgres import StoreSettings

R = TypeVar("R")

#: A failure of a database as ours; None for anything else.
Translation = Callable[[BaseException], Exception | None]


#: How many positions are looked through at a time.
LOOKED_THROUGH: Final = 100_000

#: How long a projection waits for those who are recording at this moment, in seconds.
PATIENCE: Final = 5.0


class FactStore(Application[UUID]):
    """The streams of facts in one database: read whole, extended by transactions."""

    name = "yibao"

    def __init__(
        self,
        database: str,
        settings: "StoreSettings | None" = None,
        *,
        to_ask: bool = False,
        rehearsal: bool = False,
    ) -> None:
        """Opens the store in a SQLite file, or behind the URL of a PostgreSQL database.

        `to_ask`: nothing will be recorded, and nothing is created or brought to another layout.
        A file that is created is a rehearsal store where that is asked for.
        """
        self.database = database
        self._rehearsal = rehearsal
        self._file: OpenFile | None = None
        self._pid = getpid()
        self._settings = settings
        self._patience = 0.0
        self._seen = NOTHING_SEEN
        #: Is told the type of each error after which something is tried again.
        self.on_retry: Callable[[str], Any] | None = None
        self.is_postgres = is_postgres(database)
        where, failure = repr(database), sqlite_failure
        if self.is_postgres:
            # Only who has one should need the driver.
            from yibao.adapters.store import postgres
            from yibao.adapters.store.postgres import settings_here

            where, failure = postgres.place_of(database), postgres.failure
            self._settings = settings or settings_here()
            self._patience = self._settings.retry_for
        self._records = Records()
        self._attempts = attempts.Known()
        self._clear_errors = _ClearErrors(failure)
        with _ClearErrors(failure, f" {where}"):
            if not (self.is_postgres or database.startswith("file:")):
                check_not_left(database)
                self._file = OpenFile(database, to_ask=to_ask)
            try:
                opened = self._file.database if self._file else database
                super().__init__({"SQLITE_DBNAME": opened})
            except BaseException:
                self._leave_file()
                raise

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        # What else stands in the process's environment must not change what is stored.
        return Environment(name, env)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        if self.is_postgres:
            from yibao.adapters.store.postgres import PostgresFactory

            assert self._settings is not None
            return PostgresFactory(env, self.database, self._settings)
        return FactFactory(env, rehearsal=self._rehearsal)

    def construct_mapper(self) -> Mapper[UUID]:
        return FactMapper()

    def close(self) -> None:
        """Closes every connection; in another process than the one that opened them, none.

        It may be called again, also where it was interrupted. What the library notes besides is
        only for subscriptions, and its lock is not left by every exception. A copy that was made
        only to be asked is gone then.
        """
        if getpid() != self._pid:
            return
        with suppress(StoreError), self._clear_errors:  # tried again at the next opening
            self._facts.finish_erasing()
        self.factory.close()
        self._leave_file()

    def _leave_file(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def is_read_only(self) -> bool:
        """Whether it is a file, or the copy of one, in which nothing can be recorded."""
        return self._file is not None and self._file.is_read_only

    def _check_writable(self) -> None:
        if self.is_read_only:
            raise StoreError(f"the store {self.database!r} can only be read")

    def beside(self, ending: str) -> str:
        """The file beside the store's own, its name ending so; in memory as the store is."""
        return ":memory:" if self._in_memory else self.database + ending

    @property
    def is_rehearsal(self) -> bool:
        """Whether stories may go into the store: it is marked so, or gone with this process."""
        return self._in_memory or self.is_for_stories

    @cached_property
    def is_for_stories(self) -> bool:
        """Whether it is marked as one for stories alone; a store that is there never gets that."""
        with self._clear_errors:
            return self._facts.is_rehearsal()

    @property
    def _in_memory(self) -> bool:
        return SQLiteConnectionPool.detect_memory_mode(self.database)

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

    @contextmanager
    def transaction(
        self, concerned: Iterable[UUID] = (), *, everybody: bool = False, many: bool = False
    ) -> "Iterator[Transaction]":
        """Reads and records with nobody in between; what is raised inside leaves nothing behind.

        Nobody else records on the streams concerned; with `everybody` nor on any other. `many`
        tells that there is a lot to record. Raises Interrupted where it may be tried again.
        """
        self._check_writable()
        facts = self._facts
        with self._clear_errors, facts.writing(concerned, everybody=everybody, many=many) as sql:
            yield Transaction(facts, sql, self._seen, self._records, self._attempts)

    def look_through(self) -> None:
        """Looks for the last stamp there is before anybody is locked out.

        The streams are not in one order of stamps, and no index has these: with the lock on all
        only what has come since is looked through.
        """
        seen, final = self._seen, self.reached().position
        if self.mark(seen.position, 0) != seen.mark:
            seen = NOTHING_SEEN  # the store was put back to an earlier moment
        while seen.position < final:
            until = min(seen.position + LOOKED_THROUGH, final)
            last = self._asked(partial(seen.last, self._facts, until=until))
            seen = Seen(until, self.mark(until, 0), last)
        self._seen = seen

    def again(self, action: Callable[[], R]) -> R:
        """What an action returns, tried again for a while where it was interrupted.

        Whatever it has taken is given back or thrown away when it ends, also by an exception
        that a signal has raised in the middle of giving back.
        """
        return within(lambda: again(action, self._patience, self.on_retry))

    def check_process(self) -> None:
        """Raises StoreError in another process than the one that has opened the store."""
        if getpid() != self._pid:
            raise StoreError(f"the store {elsewhere().told}")

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

    def reached(self, patience: float = PATIENCE) -> "Reached":
        """How far the store is final: the latest of everything that a projection follows.

        What is being recorded at this moment is waited for, at most `patience` seconds.
        """

        def ask() -> Frontier:
            with self._clear_errors:
                return self._facts.settled(patience)

        settled = self.again(ask)
        return Reached(*settled, attempts.digest_of(self.attempts_counted()))

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

    def erase_note(self, event_id: UUID) -> bool:
        """Forgets the free text of an event; the event stands. Whether no file has it any more."""
        self._check_writable()

        def erase() -> bool:
            with self._clear_errors:
                return self._facts.erase("DELETE FROM notes WHERE event_id=?", (event_id.hex,))

        return self.again(erase)

    def _rows(self, statement: str, *values: Any) -> list[SqlRow]:
        return self._asked(lambda sql: sql.rows(statement, values))

    def _asked(self, question: Callable[[Sql], R]) -> R:
        """What is read in one turn; read again where that was interrupted."""

        def ask() -> R:
            with self._clear_errors:
                self._check_still()
                with self._facts.reading() as sql:
                    found = question(sql)
                self._check_still()
                return found

        return self.again(ask)

    def _check_still(self) -> None:
        """Raises StoreError where the file was to be at rest and is not."""
        if self._file is not None:
            self._file.check_still()

    @property
    def _facts(self) -> Database:
        return self.recorder  # type: ignore[return-value]


def _whose(editions: Editions, recorded: Sequence[Event]) -> EnrollmentId | None:
    """Whose enrollment the events of a stream are of, if they are of any."""
    first = next((event for event in recorded if isinstance(event, Registered)), None)
    return EnrollmentId(first.ref, editions.get(first.policy).year) if first else None


class Beginning(NamedTuple):
    """The first event of a stream, as it is stored: its position, name and state."""

    stream: UUID
    position: int
    topic: str
    state: bytes

    def event(self) -> Event:
        """Raises UnreadableEvent."""
        return from_row(self.stream, 1, self.topic, self.state)


class Reached(NamedTuple):
    """The position of the latest fact, the latest attempt kept, and a digest of the counts.

    Each is 0 where there is none.
    """

    position: int
    attempt: int
    counted: int


def open_store(
    url: str,
    settings: "StoreSettings | None" = None,
    *,
    to_ask: bool = False,
    rehearsal: bool = False,
) -> FactStore:
    """The store behind `memory:`, `sqlite:///path` or `postgresql://host/database`.

    `to_ask`: one that is there, in which nothing will be recorded; it stays as it is. A file that
    is created is a rehearsal store where that is asked for. Raises StoreError for anything else,
    and where it cannot be opened.
    """
    if not isinstance(url, str):
        raise StoreError(HOW_WRITTEN)
    if url == MEMORY and not to_ask:
        # A shared cache, so that every connection of this store sees the one database.
        return FactStore(f"file:yibao-{uuid4().hex}?mode=memory&cache=shared")
    database = url if is_postgres(url) else file_of(url)
    return FactStore(database, settings, to_ask=to_ask, rehearsal=rehearsal)


class _ClearErrors:
    """The failures of a database as ours; what it says in full goes on in the chain."""

    def __init__(self, failure: Translation, where: str = "") -> None:
        self._failure = failure
        self._where = where

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        told = self._failure(error) if error is not None else None
        if told is not None:
            raise type(told)(f"the store{self._where} {told}") from error


__all__ = ["FactStore", "StoreError", "open_store"]
