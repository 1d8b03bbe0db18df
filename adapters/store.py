"""Where facts are kept: `eventsourcing`, with a mapper of our own.

The mapper writes facts as JSON under permanent names and resolves them from our own table
only: a stored name never imports anything.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    ConnectionPoolClosedError,
    InfrastructureFactory,
    Mapper,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.sqlite import SQLiteConnectionPool, SQLiteCursor
from eventsourcing.utils import Environment, EnvType
from pydantic import ValidationError

from yibao.adapters import attempts
from yibao.adapters.attempts import CountedAttempts, KeptAttempt
from yibao.adapters.errors import StoreError
from yibao.adapters.sqlite import FactFactory, FactRecorder, Row, prepare
from yibao.domain.attempts import RefusedAttempt
from yibao.domain.events import EVENTS, Event
from yibao.domain.refusals import UnreadableEvent, place, reason
from yibao.projections.audit_trail import Recorded

#: Reads a stream whole.
Reading = Callable[[UUID], list[Event]]

MEMORY: Final = "memory:"
_SQLITE: Final = "sqlite"


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
    state = event.model_dump_json(by_alias=True, exclude_none=True)
    return StoredEvent(event.originator_id, event.originator_version, event.name, state.encode())


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


class FactStore(Application[UUID]):
    """The streams of facts in one SQLite database: read whole, extended by transactions."""

    name = "yibao"

    def __init__(self, database: str) -> None:
        self.database = database
        with _ClearErrors(database):
            if not SQLiteConnectionPool.detect_memory_mode(database):
                prepare(database)
            super().__init__({"SQLITE_DBNAME": database})

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        # What else stands in the process's environment must not change what is stored.
        return Environment(name, env)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return FactFactory(env)

    def construct_mapper(self) -> Mapper[UUID]:
        return FactMapper()

    def construct_recorder(self) -> ApplicationRecorder:
        return self.factory.application_recorder()

    def beside(self, ending: str) -> str:
        """The file beside the store's own, its name ending so; in memory as the store is."""
        in_memory = SQLiteConnectionPool.detect_memory_mode(self.database)
        return ":memory:" if in_memory else self.database + ending

    def read(self, stream: UUID) -> list[Event]:
        """Every event of a stream, in order."""
        with _ClearErrors():
            rows = self._facts.rows(stream)
        return _decoded(stream, rows)

    def streams(self) -> Iterator[tuple[UUID, list[Event], Reading]]:
        """Every stream with its events, one after the other, from one snapshot of the store.

        With each comes what reads another stream from the same snapshot.
        """

        def read(stream: UUID) -> list[Event]:
            return _decoded(stream, snapshot.rows(stream))

        with (
            _ClearErrors(),
            self._facts.snapshot() as snapshot,
            closing(snapshot.all_rows()) as found,
        ):
            for key, rows in groupby(found, key=itemgetter(0)):
                stream = _stream(key)
                yield stream, _decoded(stream, (row[1:] for row in rows)), read

    @contextmanager
    def transaction(self) -> "Iterator[Transaction]":
        """Reads and records with nobody in between; what is raised inside leaves nothing behind."""
        recorder = self._facts
        with _ClearErrors(), recorder.datastore.transaction(commit=True) as cursor:
            yield Transaction(recorder, cursor)

    def recorded(self, stream: UUID) -> list[Recorded]:
        """Every event of a stream with its position in the store, in order."""
        with _ClearErrors():
            rows = self._facts.positioned(stream)
        decoded = _decoded(stream, (row[1:] for row in rows))
        return [Recorded(row[0], event) for row, event in zip(rows, decoded, strict=True)]

    def first(self, stream: UUID) -> Event | None:
        """The first event of a stream, if it has any."""
        with self._reading() as c:
            row = c.sqlite_cursor.execute(
                "SELECT topic, state FROM stored_events "
                "WHERE originator_id=? AND originator_version=1",
                (stream.hex,),
            ).fetchone()
        return from_row(stream, 1, *row) if row else None

    def taken_after(self, position: int, limit: int) -> "list[Taken]":
        """Which streams the store extended after a position, in the order in which it did."""
        with self._reading() as c:
            rows = c.sqlite_cursor.execute(
                "SELECT notification_id, originator_id, topic FROM stored_events "
                "WHERE notification_id>? ORDER BY notification_id LIMIT ?",
                (position, limit),
            ).fetchall()
        return [Taken(found, _stream(key), topic) for found, key, topic in rows]

    def at_positions(self, positions: Iterable[int]) -> dict[int, Event]:
        """The events at these positions."""
        found = {}
        with self._reading() as c:
            for position in positions:
                row = c.sqlite_cursor.execute(
                    "SELECT originator_id, originator_version, topic, state "
                    "FROM stored_events WHERE notification_id=?",
                    (position,),
                ).fetchone()
                if row is not None:
                    found[position] = from_row(_stream(row[0]), *row[1:])
        return found

    def reached(self) -> "Reached":
        """How far the store is: the latest of everything that a projection follows."""
        with self._reading() as c:
            row = c.sqlite_cursor.execute(
                "SELECT (SELECT COALESCE(MAX(notification_id), 0) FROM stored_events), "
                "(SELECT COALESCE(MAX(attempt_id), 0) FROM refused_attempts), "
                "(SELECT COALESCE(MAX(changed), 0) FROM counted_attempts)"
            ).fetchone()
        return Reached(*row)

    def mark(self, position: int, attempt_id: int) -> str:
        """What stands there, as a digest: it tells whether two stores are one as far as that."""
        with self._reading() as c:
            found = c.sqlite_cursor.execute(
                "SELECT (SELECT state FROM stored_events WHERE notification_id=?), "
                "(SELECT state FROM refused_attempts WHERE attempt_id=?)",
                (position, attempt_id),
            ).fetchone()
        return hashlib.sha256(repr(found).encode()).hexdigest()

    def attempts_on(self, stream: UUID) -> list[KeptAttempt]:
        """The refused attempts kept on a stream, in order; there may be no such stream."""
        with self._reading() as c:
            return attempts.of_stream(c, stream)

    def attempts_after(self, attempt_id: int, limit: int) -> list[KeptAttempt]:
        """The refused attempts kept after one of them, in order."""
        with self._reading() as c:
            return attempts.following(c, attempt_id, limit)

    def attempts_numbered(self, attempt_ids: Iterable[int]) -> dict[int, RefusedAttempt]:
        """The refused attempts of these numbers."""
        with self._reading() as c:
            return {kept.attempt_id: kept.attempt for kept in attempts.numbered(c, attempt_ids)}

    def attempts_counted(self, changed: int = 0) -> list[CountedAttempts]:
        """How many attempts were counted instead of kept; only what has changed since."""
        with self._reading() as c:
            return attempts.counted_since(c, changed)

    @contextmanager
    def _reading(self) -> Iterator[SQLiteCursor]:
        recorder = self._facts
        with _ClearErrors(), recorder.datastore.get_connection(commit=False) as connection:
            cursor = connection.cursor()
            cursor.sqlite_cursor.row_factory = None  # plain tuples
            yield cursor

    def note(self, event_id: UUID) -> str | None:
        with _ClearErrors():
            return self._facts.note(event_id)

    def erase_note(self, event_id: UUID) -> None:
        with _ClearErrors():
            self._facts.erase_note(event_id)

    @property
    def _facts(self) -> FactRecorder:
        assert isinstance(self.recorder, FactRecorder)
        return self.recorder


class Transaction(NamedTuple):
    """One transaction on a store: what it reads cannot move on before it ends."""

    recorder: FactRecorder
    cursor: SQLiteCursor

    def read(self, stream: UUID) -> list[Event]:
        """Every event of a stream, in order."""
        return _decoded(stream, self.recorder.rows_within(self.cursor, stream))

    def append(self, recorded: Sequence[Event], notes: Sequence[tuple[UUID, str]] = ()) -> None:
        """Records events of any streams when the transaction ends."""
        kept_apart = [(event_id.hex, note) for event_id, note in notes]
        self.recorder.insert_within(self.cursor, [to_row(e) for e in recorded], kept_apart)

    def keep_attempt(self, stream: UUID, attempt: RefusedAttempt, kept_an_hour: int) -> None:
        """Keeps a refused attempt, or counts it where there are too many, when this ends."""
        attempts.keep(self.cursor, stream, attempt, kept_an_hour)


class Reached(NamedTuple):
    """The position of the latest fact, the latest attempt kept, and the latest change of a count.

    Each is 0 where there is none.
    """

    position: int
    attempt: int
    counted: int


class Taken(NamedTuple):
    """At this position the store extended this stream by an event of this stored name."""

    position: int
    stream: UUID
    topic: str


def _decoded(stream: UUID, rows: Iterable[Row]) -> list[Event]:
    """The events of one stream; raises UnreadableEvent where it is not whole."""
    events: list[Event] = []
    for version, (found, topic, state) in enumerate(rows, start=1):
        if found != version:
            raise UnreadableEvent(
                f"event {version} of stream {stream} is missing: {found!r} stands in its place"
            )
        events.append(from_row(stream, version, topic, state))
    return events


def _stream(key: Any) -> UUID:
    try:
        return UUID(key)
    except (ValueError, AttributeError):
        raise UnreadableEvent(f"a stored event has the stream {key!r}") from None


def open_store(url: str) -> FactStore:
    """The store behind `memory:` or `sqlite:///path`; raises StoreError for anything else."""
    if url == MEMORY:
        # A shared cache, so that every connection of this store sees the one database.
        return FactStore(f"file:yibao-{uuid4().hex}?mode=memory&cache=shared")
    return FactStore(file_of(url))


def file_of(url: str) -> str:
    """The path in `sqlite:///path`; raises StoreError for anything else."""
    try:
        parts = urlsplit(url)
        path = unquote(parts.path[1:], errors="strict")
        path.encode()
    except ValueError:
        raise StoreError(_WRITTEN) from None
    is_plain = parts.scheme == _SQLITE and not (parts.netloc or parts.query or parts.fragment)
    # What SQLite would read options out of, or not keep, is no path of a file.
    is_file = path and not path.startswith((":", "file:")) and "mode=memory" not in path
    if not (is_plain and is_file) or "\0" in path:
        raise StoreError(_WRITTEN)
    return path


_WRITTEN: Final = "a store is written sqlite:///relative/path, sqlite:////absolute/path or memory:"


class _ClearErrors:
    """The library's and SQLite's failures as ours; what they say goes on in the chain."""

    def __init__(self, database: str | None = None) -> None:
        self._where = f" {database!r}" if database else ""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _FAILURES):
            raise StoreError(f"the store{self._where} failed: {error}") from error


_FAILURES = (PersistenceError, ConnectionPoolClosedError, sqlite3.Error, OSError)


__all__ = ["FactStore", "StoreError", "open_store"]
