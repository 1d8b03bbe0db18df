"""The cohort as one asks it: counts and pages at any instant, as known at any other."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from yibao.adapters.editions import Editions
from yibao.adapters.following.cohort.following import CohortProjection, side_in
from yibao.adapters.following.cohort.kept import Kept, kept_in
from yibao.adapters.following.cohort.layout import COHORT
from yibao.adapters.following.cohort.questions import (
    EVERYBODY,
    NONE,
    Asked,
    By,
    Statement,
    Whose,
    counting,
    paging,
)
from yibao.adapters.following.cohort.store import CODES_APART
from yibao.adapters.following.cohort.working import has_columns
from yibao.adapters.following.derived import AskedTables, Tables, tables_of
from yibao.adapters.following.supervisor import Standing
from yibao.adapters.store import FactStore
from yibao.adapters.store.connections import Sql, SqlRow
from yibao.adapters.telemetry import Watch
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

R = TypeVar("R")

#: How many enrollments a page has where nothing else is said, and at most.
PAGE: Final = 100
LARGEST: Final = 100_000


class CohortCounts(NamedTuple):
    """How many enrollments there are by what was asked, by every key that anybody has.

    `as_of` is the position up to which the facts are in it. Where windows are just being taken in
    that were fixed for many, `is_counting`: those for whom that is still to be done are counted as
    before. So it is where a store is taken in from its beginning: then `as_of` is 0, and some are
    not counted yet. `parked` students are in none of the counts, since their facts cannot be read.
    """

    counts: dict[str, int]
    total: int
    as_of: int
    parked: int = 0
    is_counting: bool = False


class CohortEntry(NamedTuple):
    """An enrollment of the cohort, and its answer in brief."""

    enrollment: EnrollmentId
    school: str | None
    state: str | None
    next_step: str | None


class CohortPage(NamedTuple):
    """Some enrollments, and the one after which the next page begins, if there is more."""

    entries: tuple[CohortEntry, ...]
    following: EnrollmentId | None


class Cohort(AskedTables):
    """Asks the cohort of a store; before each question it takes in what is new."""

    def __init__(self, store: FactStore, editions: Editions, tables: Tables) -> None:
        super().__init__(store, tables)
        self.editions = editions
        self.projection = CohortProjection(store, editions, tables)

    def catch_up(
        self, watch: Watch | None = None, *, enough: Callable[[], bool] = lambda: False
    ) -> int:
        """Takes in what was recorded since, and tells how many facts; every question does so.

        Who may only read leaves it to others, and sees what is there. After each batch it may be
        `enough`, and the rest is left.
        """
        if not self.is_writable:
            return 0
        return self.store.again(lambda: self.projection.catch_up(watch, enough=enough))

    def standing(self) -> Standing:
        """How far it is, and who is parked; nothing is taken in."""
        return self.projection.standing()

    def rebuild(self, watch: Watch | None = None) -> None:
        """Makes it anew beside the old, which is asked meanwhile, and switches over."""
        self.store.again(lambda: self.projection.rebuild(watch))

    def go_back(self) -> None:
        """Goes back to the one before; raises StoreError where there is none."""
        self.store.again(self.projection.go_back)

    def count(
        self,
        by: By,
        at: datetime,
        known_at: datetime | None = None,
        *,
        school: str | None = None,
        category: str | None = None,
        policy: str | None = None,
        year: int | None = None,
    ) -> CohortCounts:
        """How many enrollments there are at an instant, by what they have in common.

        As known by `known_at`, or by all there is. The key is `none` for those who have none; one
        with several discrepancies counts under each, and once in the total.
        """
        asked = Asked(at, known_at, Whose(school, category, policy, year))
        self.catch_up()
        as_of, *rows = sorted(
            self._rows(lambda prefix: counting(prefix, by, asked)), key=lambda row: int(row[0])
        )
        _, _, position, is_counting, parked = as_of
        counts: Counter[str] = Counter()
        total = 0
        for _, key, number, *_ in rows:
            total += int(number)
            for each in key.split(CODES_APART) if by == "discrepancy" and key else (key,):
                counts[each or NONE] += int(number)
        in_order = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
        return CohortCounts(in_order, total, int(position), int(parked), bool(is_counting))

    def page(
        self,
        at: datetime,
        known_at: datetime | None = None,
        *,
        after: EnrollmentId | None = None,
        limit: int = PAGE,
        state: str | None = None,
        next_step: str | None = None,
        days_left_below: int | None = None,
        school: str | None = None,
        category: str | None = None,
        policy: str | None = None,
        year: int | None = None,
    ) -> CohortPage:
        """Some enrollments at an instant, in the order of reference and year.

        With `days_left_below` those alone whose first step ends in fewer days than that, counted
        in hours from the instant: its `until`, the first instant too late, is nearer.
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LARGEST:
            raise BadValue("limit", f"must be a whole number between 1 and {LARGEST}")
        asked = Asked(at, known_at, Whose(school, category, policy, year))
        self.catch_up()
        wanted = after, limit + 1, state, next_step, days_left_below
        rows = self._rows(lambda prefix: paging(prefix, asked, *wanted))
        entries = tuple(CohortEntry(EnrollmentId(*row[:2]), *row[2:]) for row in rows[:limit])
        return CohortPage(entries, entries[-1].enrollment if len(rows) > limit else None)

    def kept(self, known_at: datetime | None = None, whose: Whose = EVERYBODY) -> Kept | None:
        """What is known of everybody, as columns; None where somebody has to ask one by one.

        That is where somebody is parked, where who may only read finds that not everything is
        taken in, and where what the columns are made of is not installed.
        """
        if not has_columns():
            return None
        self.catch_up()
        found: Kept | None = self.store.again(
            lambda: kept_in(self._tables, self.projection.fingerprint, known_at, whose)
        )
        if found and not self.is_writable and found.as_of < self.store.reached().position:
            return None
        return found

    def _rows(self, statement: Callable[[str], Statement]) -> list[SqlRow]:
        """What a statement finds on the side that is asked."""
        return self._asked(lambda sql: sql.rows(*statement(self._prefix(sql))))

    def _prefix(self, sql: Sql) -> str:
        return self._tables.prefix(side_in(self._tables, sql))


def open_cohort(store: FactStore, editions: Editions, where: str | None = None) -> Cohort:
    """The cohort of a store, kept beside it unless one says in which file."""
    return Cohort(store, editions, tables_of(store, COHORT, where))
