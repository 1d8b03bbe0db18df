"""Where facts are kept: `eventsourcing` on SQLite, with a mapper and a recorder of our own.

The mapper writes facts as JSON under permanent names and resolves them from our own table
only: a stored name never imports anything. The recorder declares its notification ids, so that
they survive a dump and are never used twice, and keeps free text apart from the facts, in a
table that can forget.
"""

import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    ConnectionPoolClosedError,
    InfrastructureFactory,
    IntegrityError,
    Mapper,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)
from eventsourcing.utils import Environment, EnvType
from pydantic import ValidationError

from yibao.adapters import migrations
from yibao.adapters.errors import Conflict, StoreError
from yibao.domain.events import EVENTS, Event
from yibao.domain.refusals import UnreadableEvent, place, reason

#: How long one writer waits for another, in seconds.
LOCK_TIMEOUT: Final = 30

MEMORY: Final = "memory:"
_SQLITE: Final = "sqlite"


class FactMapper(Mapper[UUID]):
    """Facts to rows and back, validated both ways."""

    def __init__(self) -> None:  # pyright: ignore[reportMissingSuperCall] - no transcoder here
        pass

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        assert isinstance(domain_event, Event)
        state = domain_event.model_dump_json(by_alias=True, exclude_none=True)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.name,
            state=state.encode(),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        kind = EVENTS.get(stored_event.topic)
        if kind is None:
            raise UnreadableEvent(
                f"{_place(stored_event)} has the unknown name {stored_event.topic!r}"
            )
        try:
            event = kind.model_validate_json(stored_event.state)
        except ValidationError as error:
            told = f"{place(error) or 'state'}: {reason(error)}"
            raise UnreadableEvent(f"{_place(stored_event)}, {kind.name}: {told}") from None
        # The columns complete a frozen event that nobody else has seen yet.
        vars(event).update(
            originator_id=stored_event.originator_id,
            originator_version=stored_event.originator_version,
        )
        return event


def _as_stored(row: Any) -> StoredEvent:
    originator_id, version, topic, state = row
    try:
        return StoredEvent(UUID(originator_id), version, topic, state)
    except ValueError:
        raise UnreadableEvent(f"a stored event has the stream {originator_id!r}") from None


def _place(stored: StoredEvent) -> str:
    return f"event {stored.originator_version} of stream {stored.originator_id}"


class FactRecorder(SQLiteApplicationRecorder):
    """Stored events with declared ids, and erasable notes beside them in one transaction."""

    def construct_create_table_statements(self) -> list[str]:
        # AUTOINCREMENT: an implicit rowid is renumbered by a dump and reused after a delete.
        return [
            f"CREATE TABLE IF NOT EXISTS {self.events_table_name} ("
            "notification_id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, "
            "topic TEXT NOT NULL, "
            "state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))",
            "CREATE TABLE IF NOT EXISTS notes (event_id TEXT PRIMARY KEY, note TEXT NOT NULL)",
            migrations.CREATE_VERSION_TABLE,
            f"INSERT OR IGNORE INTO alembic_version VALUES ('{migrations.HEAD}')",
        ]

    def create_table(self) -> None:
        """Creates a new store at the newest layout, or brings an older one there."""
        layout = self._layout()
        if layout is None:
            super().create_table()
        elif layout not in migrations.LAYOUTS:
            raise StoreError(f"the store's layout is {layout!r}: a newer yibao has written it")
        elif layout != migrations.HEAD:
            migrations.upgrade(self.datastore.pool.db_name)

    def _layout(self) -> str | None:
        """The layout of the store; None where there is none yet."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT name FROM sqlite_master WHERE name IN (?, 'alembic_version')",
                (self.events_table_name,),
            )
            tables = {row[0] for row in c.fetchall()}
            if "alembic_version" not in tables:
                return migrations.UNNUMBERED if tables else None
            c.execute("SELECT version_num FROM alembic_version")
            row = c.fetchone()
            return str(row[0]) if row else migrations.UNNUMBERED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.select_events_statement = (
            "SELECT originator_id, originator_version, topic, state "
            f"FROM {self.events_table_name} WHERE originator_id=? "
        )
        self.insert_events_statement = (
            f"INSERT INTO {self.events_table_name} "
            "(originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        notes: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> Sequence[int] | None:
        ids = super()._insert_events(c, stored_events, **kwargs)
        if notes:
            c.executemany("INSERT INTO notes VALUES (?,?)", notes)
        return ids

    def select_streams(self) -> Generator[StoredEvent]:
        """Every stored event, stream by stream, from one snapshot and without holding them all."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT originator_id, originator_version, topic, state "
                f"FROM {self.events_table_name} ORDER BY originator_id, originator_version"
            )
            # In memory readers keep writers out, so nothing is left open there.
            in_memory = self.datastore.pool.is_sqlite_memory_mode
            rows: Iterable[Any] = c.fetchall() if in_memory else c.sqlite_cursor
            if not in_memory:
                yield from map(_as_stored, rows)
        if in_memory:
            yield from map(_as_stored, rows)

    def note(self, event_id: UUID) -> str | None:
        """The free text kept for an event, unless it was erased."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT note FROM notes WHERE event_id=?", (event_id.hex,))
            row = c.fetchone()
        return str(row[0]) if row else None

    def erase_note(self, event_id: UUID) -> None:
        """Forgets the free text of an event, also in the file; the event stands."""
        with self.datastore.get_connection(commit=True) as connection:
            with connection.cursor() as c:
                c.execute("PRAGMA secure_delete=ON")
            with connection.transaction(commit=True) as c:
                c.execute("DELETE FROM notes WHERE event_id=?", (event_id.hex,))
            with connection.cursor() as c:
                c.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class FactDatastore(SQLiteDatastore):
    """Connections to a file without the library's interlock of readers and writers.

    There a reader waits behind writers that wait for another process, and a connection that
    cannot be made leaves the lock taken for ever. In a file SQLite itself keeps readers and
    writers apart; one lock lets the writers of this process take turns.
    """

    def __init__(self, db_name: str, **options: Any) -> None:
        super().__init__(db_name, **options)
        self._writing = Lock()

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        if self.pool.is_sqlite_memory_mode:
            with super().get_connection(commit=commit) as connection:
                yield connection
            return
        with self._writing if commit else nullcontext():
            connection = self.pool.get_connection(is_writer=None)
            try:
                yield connection
            finally:
                self.pool.put_connection(connection)


class FactFactory(SQLiteFactory):
    """The library's SQLite infrastructure with our recorder and our connections."""

    application_recorder_class = FactRecorder

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.datastore.close()
        self.datastore = FactDatastore(
            self.datastore.pool.db_name,
            lock_timeout=LOCK_TIMEOUT,
            pool_timeout=LOCK_TIMEOUT,
        )


class FactStore(Application[UUID]):
    """The streams of facts in one SQLite database: read whole, extended by transactions."""

    name = "yibao"

    def __init__(self, database: str) -> None:
        with _clear_errors(database):
            if not SQLiteConnectionPool.detect_memory_mode(database):
                _prepare(database)
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

    def read(self, stream: UUID) -> list[Event]:
        """Every event of a stream, in order."""
        with _clear_errors():
            return self._decoded(self._facts.select_events(stream))

    def streams(self) -> Iterator[tuple[UUID, list[Event]]]:
        """Every stream with its events, one after the other, from one snapshot of the store."""
        with _clear_errors(), closing(self._facts.select_streams()) as stored:
            for stream, rows in groupby(stored, key=attrgetter("originator_id")):
                yield stream, self._decoded(rows)

    def append(self, recorded: Sequence[Event], notes: Sequence[tuple[UUID, str]] = ()) -> None:
        """Records events of any streams in one transaction; raises Conflict if one moved on."""
        rows = [self.mapper.to_stored_event(event) for event in recorded]
        kept_apart = [(event_id.hex, note) for event_id, note in notes]
        with _clear_errors():
            self.recorder.insert_events(rows, notes=kept_apart)

    def note(self, event_id: UUID) -> str | None:
        with _clear_errors():
            return self._facts.note(event_id)

    def erase_note(self, event_id: UUID) -> None:
        with _clear_errors():
            self._facts.erase_note(event_id)

    def _decoded(self, rows: Iterable[StoredEvent]) -> list[Event]:
        """The events of one stream; raises UnreadableEvent where it is not whole."""
        decoded: list[Event] = []
        for version, stored in enumerate(rows, start=1):
            if stored.originator_version != version:
                raise UnreadableEvent(
                    f"event {version} of stream {stored.originator_id} is missing: "
                    f"{stored.originator_version!r} stands in its place"
                )
            event = self.mapper.to_domain_event(stored)
            assert isinstance(event, Event)
            decoded.append(event)
        return decoded

    @property
    def _facts(self) -> FactRecorder:
        assert isinstance(self.recorder, FactRecorder)
        return self.recorder


def open_store(url: str) -> FactStore:
    """The store behind `memory:` or `sqlite:///path`; raises StoreError for anything else."""
    if url == MEMORY:
        # A shared cache, so that every connection of this store sees the one database.
        return FactStore(f"file:yibao-{uuid4().hex}?mode=memory&cache=shared")
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
    return FactStore(path)


_WRITTEN: Final = "a store is written sqlite:///relative/path, sqlite:////absolute/path or memory:"


def _prepare(database: str) -> None:
    """Puts a file into WAL mode: the one statement for which SQLite itself does not wait."""
    ends = time.monotonic() + LOCK_TIMEOUT
    with closing(sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > ends:
                    raise
                time.sleep(0.01)


@contextmanager
def _clear_errors(database: str | None = None) -> Iterator[None]:
    """The library's and SQLite's failures as ours; what they say goes on in the chain."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("the stream has moved on") from error
    except (PersistenceError, ConnectionPoolClosedError, sqlite3.Error, OSError) as error:
        where = f" {database!r}" if database else ""
        raise StoreError(f"the store{where} failed: {error}") from error


__all__ = ["Conflict", "FactStore", "StoreError", "open_store"]
