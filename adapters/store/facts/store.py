"""Where facts are kept: `eventsourcing`, with a mapper and with databases of our own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from os import getpid
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from uuid import UUID, uuid4

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, Mapper
from eventsourcing.sqlite import SQLiteConnectionPool
from eventsourcing.utils import Environment, EnvType

from yibao.adapters.store.connections import (
    Database,
    Frontier,
    Sql,
    again,
    elsewhere,
    within,
)
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.facts.asked import Asked
from yibao.adapters.store.facts.records import Records
from yibao.adapters.store.facts.transactions import NOTHING_SEEN, Seen, Transaction
from yibao.adapters.store.sqlite import FactFactory, OpenFile, check_not_left
from yibao.adapters.store.sqlite import failure as sqlite_failure
from yibao.adapters.store.tables import (
    FactMapper,
    attempts,
)
from yibao.adapters.store.urls import HOW_WRITTEN, MEMORY, file_of, is_postgres

if TYPE_CHECKING:
    from yibao.adapters.store.postgres import StoreSettings

R = TypeVar("R")

#: A failure of a database as ours; None for anything else.
Translation = Callable[[BaseException], Exception | None]


#: How many positions are looked through at a time.
LOOKED_THROUGH: Final = 100_000

#: How long a projection waits for those who are recording at this moment, in seconds.
PATIENCE: Final = 5.0


class FactStore(Asked, Application[UUID]):
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

    def reached(self, patience: float = PATIENCE) -> "Reached":
        """How far the store is final: the latest of everything that a projection follows.

        What is being recorded at this moment is waited for, at most `patience` seconds.
        """

        def ask() -> Frontier:
            with self._clear_errors:
                return self._facts.settled(patience)

        settled = self.again(ask)
        return Reached(*settled, attempts.digest_of(self.attempts_counted()))

    def erase_note(self, event_id: UUID) -> bool:
        """Forgets the free text of an event; the event stands. Whether no file has it any more."""
        self._check_writable()

        def erase() -> bool:
            with self._clear_errors:
                return self._facts.erase("DELETE FROM notes WHERE event_id=?", (event_id.hex,))

        return self.again(erase)

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
