"""The audit trail as one asks it: pages of entries, each with what it leads to."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from yibao.adapters.editions import Editions
from yibao.adapters.following.derived import AskedTables, Tables, instant_of, parked_in, tables_of
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.following.trail.changes import unpacked
from yibao.adapters.following.trail.following import TrailProjection
from yibao.adapters.following.trail.layout import A_DAY, REFUSED, TRAIL
from yibao.adapters.following.trail.questions import COUNTED, By, Key, Question
from yibao.adapters.following.trail.store import TrailRow, rows_of
from yibao.adapters.store import FactStore, StoreError, file_of, url_given
from yibao.adapters.telemetry import Watch
from yibao.domain.facts import RefusedAttempt
from yibao.domain.facts.events import Event
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer, answered

R = TypeVar("R")

#: How many entries a page has where nothing else is said.
PAGE: Final = 50


class TrailEntry(NamedTuple):
    """One entry: a fact or a refused attempt, or how many more were refused in an hour.

    `event` is the fact, `attempt` the refused attempt; where both are None, `changes` tells
    how many attempts were counted. `school` and `code` are as the entry is filed under;
    `changes` is what it changed, as plain values. Where it is stale, there are later facts of
    the student that could not be taken in.
    """

    row: TrailRow
    event: Event | None
    attempt: RefusedAttempt | None
    is_stale: bool = False

    def __repr__(self) -> str:
        return f"<TrailEntry about {self.enrollment}: {self.row.kind}, recorded {self.recorded_at}>"

    @property
    def key(self) -> Key:
        """Where a page may begin after this entry."""
        return Key.of(self.row)

    @property
    def recorded_at(self) -> datetime:
        return instant_of(self.row.recorded)

    @property
    def enrollment(self) -> EnrollmentId | None:
        """Whose it is, by the answers it changed; None for what concerns many, or nobody known."""
        if self.row.ref is None or self.row.year is None:
            return None
        return EnrollmentId(self.row.ref, self.row.year)

    @property
    def fact_year(self) -> int | None:
        """The year in which the fact was recorded, which may have changed these answers as well."""
        return self.row.fact_year if self.row.elsewhere else self.row.year

    @property
    def is_refused(self) -> bool:
        return self.row.kind == REFUSED

    @property
    def changes(self) -> dict[str, Any]:
        """What it changed: the parts of the answer that moved, before and after, and the steps."""
        kept: dict[str, Any] = json.loads(self.row.changes) if self.row.changes else {}
        is_of_a_student = self.event is not None and self.enrollment is not None
        return unpacked(kept, self.recorded_at) if is_of_a_student else kept


class Page(NamedTuple):
    """Some entries, and the key after which the next page begins, if there is more."""

    entries: tuple[TrailEntry, ...]
    following: Key | None

    def __repr__(self) -> str:
        return f"<Page, entries: {len(self.entries)}{', more follow' if self.following else ''}>"


class AuditTrail(AskedTables):
    """Asks the trail of a store; before each question it takes in what is new."""

    def __init__(self, store: FactStore, editions: Editions, trail: Tables) -> None:
        super().__init__(store, trail)
        self._editions = editions
        self.projection = TrailProjection(store, editions, trail)

    def catch_up(self, watch: Watch | None = None) -> None:
        """Takes in what was recorded since; every question does so by itself.

        Who may only read leaves it to others, and sees what is there.
        """
        if not self.is_writable:
            return
        self.store.again(lambda: self.projection.catch_up(watch))

    def page(self, question: Question, *, after: Key | str | None = None, size: int = PAGE) -> Page:
        """A page of the entries asked for, in the order asked for."""
        _check(question)
        self.catch_up()
        return self._page(question, after, size)

    def all(self, question: Question, *, size: int = 500) -> Iterator[TrailEntry]:
        """Every entry asked for that is there when the first is drawn, page by page."""
        _check(question)
        self.catch_up()
        after: Key | None = None
        while True:
            page = self._page(question, after, size)
            yield from page.entries
            if page.following is None:
                return
            after = page.following

    def count(self, question: Question) -> int:
        """How many entries a question has."""
        _check(question)
        self.catch_up()
        ((found,),) = self._asked(lambda sql: sql.rows(*question.counting_sql()))
        return int(found)

    def has_other_years(self, question: Question) -> bool:
        """Whether a question has an entry of which the fact is of another year than the answers."""
        _check(question)
        self.catch_up()
        return bool(self._asked(lambda sql: sql.rows(*question.other_years_sql())))

    def counts(self, question: Question, by: By) -> dict[str | None, int]:
        """How many facts and refused attempts a question has by what they have in common.

        The most first, of days the earliest; None is what has none, such as a fact without a code.
        Raises BadValue for what there is no counting by.
        """
        _check(question)
        if by not in COUNTED:
            raise BadValue("by", f"there is no counting by that; there is by {', '.join(COUNTED)}")
        self.catch_up()
        found: Counter[str | None] = Counter()
        for named, entries, counted in self._asked(
            lambda sql: sql.rows(*question.counting_sql_by(by))
        ):
            name = str(instant_of(named * A_DAY).date()) if by == "day" else named
            found[name] += json.loads(counted)["attempts"] if counted else entries
        if by == "day":
            return dict(sorted(found.items(), key=str))
        return dict(sorted(found.items(), key=lambda each: (-each[1], str(each[0]))))

    def parked(self, question: Question) -> list[Parked]:
        """The students of whom entries may be lacking in the answer: they could not be taken in."""
        _check(question)
        self.catch_up()
        return [each for each in self._asked(parked_in) if question.may_concern(each)]

    def as_of(self, entry: TrailEntry) -> Answer | None:
        """The answer as it was known with the entry, for the instant at which it was recorded.

        Of a refused attempt it is for the instant that was asked for. None where the entry is
        about no enrollment.
        """
        if not isinstance(entry, TrailEntry):
            raise BadValue("entry", "is no entry of a trail")
        if entry.enrollment is None:
            return None
        now = entry.recorded_at
        record = self.store.record(entry.enrollment, self._editions, now)
        asked_for = entry.attempt.occurred_at if entry.attempt else None
        return answered(record.known_at(entry.row.position), asked_for or now)

    def _page(self, question: Question, after: Key | str | None, size: int) -> Page:
        if not isinstance(size, int) or not 1 <= size < sys.maxsize:
            raise BadValue("size", "a page has at least one entry")
        begins = Key.read(after) if isinstance(after, str) else after
        if not isinstance(begins, Key | None):
            raise BadValue("after", "is not where a page of the trail ends")
        rows = self._asked(lambda sql: rows_of(sql, *question.sql(begins, size + 1)))
        stale = {(each.ref, each.year) for each in self._asked(parked_in)}
        shown = rows[:size]
        facts = self.store.at_positions(row.position for row in shown if not row.attempt)
        attempts = self.store.attempts_numbered(row.attempt for row in shown if row.attempt > 0)
        entries = tuple(
            TrailEntry(
                row,
                facts.get(row.position) if not row.attempt else None,
                attempts.get(row.attempt),
                (row.ref, row.year) in stale,
            )
            for row in shown
        )
        return Page(entries, entries[-1].key if len(rows) > size else None)


def _check(question: Question) -> None:
    if not isinstance(question, Question):
        raise BadValue("question", "is no Question")


def open_trail(store: FactStore, where: str | None) -> Tables:
    """Where the trail of a store is kept, unless one says in which file."""
    return tables_of(store, TRAIL, None if where is None else trail_file(where))


def trail_file(where: str) -> str:
    """The file of a trail, from its path or from `sqlite:///PATH`; raises StoreError else."""
    try:
        return file_of(url_given(where))
    except (StoreError, ValueError, TypeError, AttributeError):
        raise StoreError(_KEPT) from None


_KEPT: Final = "a trail is kept in a file, told by its PATH or as sqlite:///PATH"
