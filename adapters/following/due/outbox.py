"""The outbox as one asks it: what is due and not acknowledged, page by page, and its delivery."""

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from yibao.adapters.editions import Editions
from yibao.adapters.following.derived import number_of
from yibao.adapters.following.due.following import Step
from yibao.adapters.following.due.layout import ACKNOWLEDGED, HANDED, WITHDRAWN
from yibao.adapters.following.due.sqlite import SqliteOutbox
from yibao.adapters.following.due.store import (
    Among,
    DueEntry,
    OutboxStore,
    OutboxTransaction,
    listed,
    parked_in,
    whose_entry,
)
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store import FactStore
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

#: How many entries a page has where nothing else is said.
PAGE: Final = 100
#: The most days before the window closes that can be asked for.
MOST_DAYS: Final = 365


class DuePage(NamedTuple):
    """Some entries, and the cursor after which the next page begins, if there is more.

    Of the students `parked` nothing new is noticed: their facts cannot be read.
    """

    entries: tuple[DueEntry, ...]
    following: int | None
    parked: tuple[Parked, ...] = ()

    def __repr__(self) -> str:
        more = ", more follow" if self.following is not None else ""
        return f"<DuePage of {len(self.entries)} entries{more}>"


class Outbox:
    """What falls due in a store, and what was delivered of it."""

    def __init__(self, store: FactStore, editions: Editions, kept: OutboxStore) -> None:
        self.store = store
        self._editions = editions
        self._kept = kept

    def close(self) -> None:
        """Closes the outbox's file; the store of the facts stays open."""
        self._kept.close()

    def poll(self, until: datetime, *, days_before: int | None = None) -> None:
        """Notices what has come by an instant, as known now, and whatever changed of it since.

        `days_before` is set for this and every later poll. Raises StoreError where a store fails.
        """
        if days_before is not None:
            _check_days(days_before)
            self.store.again(lambda: self._set_days(days_before))
        there = self.store.reached().position
        while self.store.again(lambda: self._take(there, until)):
            pass

    def page(
        self, *, after: Any = None, limit: Any = PAGE, schools: Collection[str] | None = None
    ) -> DuePage:
        """What is not acknowledged after a cursor, in the order in which it was noticed.

        With `schools` it is of those alone who were ever at one of them.
        """
        begins = 0 if after is None else _number(after, "after", "is no cursor of a page")
        if not isinstance(limit, int) or not 1 <= limit < sys.maxsize:
            raise BadValue("limit", "a page has at least one entry")
        among = None
        if schools is not None:
            asked = [each for each in schools if self._kept.can_hold(each)]
            among = Among(asked, [each.edition for each in self._editions])

        def ask() -> tuple[list[DueEntry], list[Parked]]:
            with self._kept.reading() as sql:
                return listed(sql, begins, limit + 1, among), parked_in(sql)

        found, parked = self.store.again(ask)
        shown = tuple(found[:limit])
        following = shown[-1].id if len(found) > limit else None
        return DuePage(shown, following, tuple(parked))

    def acknowledge(self, number: Any, now: datetime) -> None:
        """Takes note that an entry was delivered: it is not listed any more.

        Also one that was withdrawn meanwhile: then it is told what became of it since. Raises
        BadValue for what is the id of none.
        """
        told = _number(number, "id", "is the id of no entry")
        self.store.again(lambda: self._acknowledge(told, now))

    def whose(self, number: Any) -> EnrollmentId | None:
        """Whom an entry is about, whatever became of it; None where there is no such entry."""
        told = _number(number, "id", "is the id of no entry")

        def ask() -> EnrollmentId | None:
            with self._kept.reading() as sql:
                return whose_entry(sql, told)

        return self.store.again(ask)

    def deliver(self, tell: Callable[[DueEntry], object], *, limit: int = PAGE) -> int:
        """Has each entry told by a callable, and acknowledges it after that; how many these were.

        What it raises is raised: that entry and all after it stay listed. An entry may be told
        twice, if this was killed before it could be acknowledged, and by two at once; its id tells
        it. What is withdrawn meanwhile is told all the same, and then what became of it.
        """
        told = 0
        while entries := self.store.again(lambda: self._handed(limit)):
            for entry in entries:
                tell(entry)
                self.store.again(partial(self._note_delivered, entry.id))
                told += 1
        return told

    @contextmanager
    def _writing(self) -> Iterator[OutboxTransaction]:
        with self._kept.writing() as sql:
            yield OutboxTransaction(self._kept, sql)

    def _take(self, there: int, until: datetime) -> bool:
        with self._writing() as transaction:
            return Step(self.store, self._editions, transaction, there, number_of(until)).take()

    def _set_days(self, days: int) -> None:
        with self._writing() as transaction:
            if transaction.days_before() != days:
                transaction.set_days_before(days)

    def _acknowledge(self, number: int, now: datetime) -> None:
        with self._writing() as transaction:
            found = transaction.whose(number)
            if found is None:
                raise BadValue("id", "is the id of no entry")
            ref, state = found
            transaction.settle([(ACKNOWLEDGED, number)])
            if state == WITHDRAWN:
                step = Step(self.store, self._editions, transaction, 0, number_of(now))
                step.tell([ref])

    def _handed(self, limit: int) -> list[DueEntry]:
        """The next entries, which from now on may have been told: they are not withdrawn."""
        with self._writing() as transaction:
            entries = listed(transaction.sql, 0, limit)
            transaction.settle((HANDED, entry.id) for entry in entries)
            return entries

    def _note_delivered(self, number: int) -> None:
        with self._writing() as transaction:
            transaction.settle([(ACKNOWLEDGED, number)])


def _check_days(days: Any) -> None:
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MOST_DAYS:
        raise BadValue("days_before", f"must be a whole number of days from 0 to {MOST_DAYS}")


def _number(given: Any, where: str, told: str) -> int:
    """The number of an entry, also as text."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 19:
        return int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < 2**63:
        raise BadValue(where, told)
    return given


def open_outbox(store: FactStore, editions: Editions) -> Outbox:
    """The outbox of a store: in its PostgreSQL database, or in a file beside its own."""
    if store.is_postgres:
        from yibao.adapters.following.due.postgres import PostgresOutbox
        from yibao.adapters.store.postgres import PostgresRecorder

        assert isinstance(store.recorder, PostgresRecorder)
        return Outbox(store, editions, PostgresOutbox(store.recorder.connections))
    return Outbox(store, editions, SqliteOutbox(store.beside(".due")))
