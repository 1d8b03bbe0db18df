"""The cohort as one asks it: counts and pages at any instant, as known at any other."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple, TypeVar

from yibao.adapters.editions import Editions
from yibao.adapters.following.cohort.days import EPOCH, CohortDays, counted_by_day
from yibao.adapters.following.cohort.following import CohortProjection, side_in
from yibao.adapters.following.cohort.kept import Kept, kept_in
from yibao.adapters.following.cohort.layout import COHORT, EVER, FOREVER
from yibao.adapters.following.cohort.questions import (
    EVERYBODY,
    NONE,
    Asked,
    By,
    Statement,
    Whose,
    changing,
    concerning,
    counting,
    holding,
    last_of,
    learning,
    paging,
    reaching,
)
from yibao.adapters.following.cohort.store import CODES_APART
from yibao.adapters.following.cohort.working import has_columns
from yibao.adapters.following.derived import AskedTables, Tables, number_of, tables_of
from yibao.adapters.following.supervisor import Standing
from yibao.adapters.store import FactStore
from yibao.adapters.store.connections import Sql, SqlRow, in_parts
from yibao.adapters.telemetry import Watch
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

R = TypeVar("R")

#: How many enrollments a page has where nothing else is said, and at most.
PAGE: Final = 100
LARGEST: Final = 100_000
#: Of how many enrollments the answers are read at a time.
AT_A_TIME: Final = 5_000


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


class Concerned(NamedTuple):
    """Of whom there may be something to do or to look at, by reference and year.

    The rest is as `CohortCounts` has it.
    """

    whom: list[EnrollmentId]
    as_of: int
    parked: int
    is_counting: bool


class Learned(NamedTuple):
    """Since when the last is known of each, by the numbers that the cohort has for them."""

    as_of: int
    since: dict[int, int]
    parked: int


class Stood(NamedTuple):
    """An answer for some instants, and by what was known from when until when it stood.

    Instants are whole microseconds since 1970; None stands for an end that there is not.
    """

    ref: str
    year: int
    school: str | None
    category: str | None
    policy: str
    begins_at: int | None
    ends_at: int | None
    state: str | None
    next_step: str | None
    step_until: int | None
    known_from: int
    known_until: int | None


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

    def concerned(
        self,
        at: datetime,
        known_at: datetime | None = None,
        whose: Whose = EVERYBODY,
    ) -> Concerned:
        """Those who have a next step, a discrepancy or care at an instant, and maybe some more."""
        asked = Asked(at, known_at, whose)
        self.catch_up()
        rows = self._rows(lambda prefix: concerning(prefix, asked))
        ((_, _, position, is_counting, parked),) = [row for row in rows if not row[0]]
        whom = sorted(EnrollmentId(row[1], int(row[2])) for row in rows if row[0])
        return Concerned(whom, int(position), int(parked), bool(is_counting))

    def as_of(self) -> int | None:
        """Up to which fact everything is taken in; None while not everything is."""
        self.catch_up()
        return self._whole(self._rows(reaching))

    def learned(self, whose: Whose = EVERYBODY) -> Learned | None:
        """Since when the last is known of each; None while not everything is taken in."""
        self.catch_up()

        def found(sql: Sql) -> tuple[list[SqlRow], list[SqlRow]]:
            # How far it is comes first: what is learned in between is then learned again.
            prefix = self._prefix(sql)
            return sql.rows(*reaching(prefix)), sql.rows(*learning(prefix, whose))

        reached, since = self._asked(found)
        as_of = self._whole(reached)
        return None if as_of is None else Learned(as_of, dict(since), int(reached[0][4]))

    def _whole(self, rows: Iterable[SqlRow]) -> int | None:
        """How far it was when it was asked, if that was everything."""
        ((_, _, as_of, is_counting, _),) = [row for row in rows if not row[0]]
        return None if is_counting or as_of < self.store.reached().position else int(as_of)

    def named(self, numbers: Iterable[int]) -> list[EnrollmentId]:
        """Whose numbers these are."""

        def found(sql: Sql) -> list[EnrollmentId]:
            select = f"SELECT ref, year FROM {self._prefix(sql)}enrollments WHERE number IN"
            return [
                EnrollmentId(*row)
                for places, some in in_parts(numbers)
                for row in sql.rows(f"{select} ({places})", some)
            ]

        return self._asked(found)

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

    def days(
        self,
        known_at: datetime | None = None,
        first: date | None = None,
        last: date | None = None,
        whose: Whose = EVERYBODY,
    ) -> CohortDays:
        """How many there are of each state at the end of each day.

        Where no days are named, from the first day on which anybody's state changes to the last.
        """
        self.catch_up()
        changes: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for state, day, change in self._rows(lambda prefix: changing(prefix, known_at, whose)):
            changes[state or NONE][EPOCH + int(day)] = int(change)
        return counted_by_day("states", changes, known_at, first, last)

    def spans(
        self,
        known_at: datetime,
        whose: Whose = EVERYBODY,
    ) -> Iterator[Stood]:
        """Every answer that ever stood by what was known until an instant, for all instants.

        By reference and year, and then as they came to be known. What stands by all that was known
        by then has no `known_until`.
        """
        until = number_of(known_at)
        self.catch_up()
        after: EnrollmentId | None = None
        while True:
            rows, after = self._asked(partial(self._held, whose, until, after))
            for row in rows:
                found = Stood(*row)
                yield found._replace(
                    begins_at=None if found.begins_at == EVER else found.begins_at,
                    ends_at=None if found.ends_at == FOREVER else found.ends_at,
                    known_until=None if row[-1] > until else found.known_until,
                )
            if after is None:
                return

    def _held(
        self, whose: Whose, until: int, after: EnrollmentId | None, sql: Sql
    ) -> tuple[list[SqlRow], EnrollmentId | None]:
        """The answers of some enrollments, and after which the next come, if there is any."""
        prefix = self._prefix(sql)
        for last in sql.rows(*last_of(prefix, after, AT_A_TIME)):
            until_last = EnrollmentId(*last)
            return sql.rows(*holding(prefix, whose, until, after, until_last)), until_last
        return [], None

    def _rows(self, statement: Callable[[str], Statement]) -> list[SqlRow]:
        """What a statement finds on the side that is asked."""
        return self._asked(lambda sql: sql.rows(*statement(self._prefix(sql))))

    def _prefix(self, sql: Sql) -> str:
        return self._tables.prefix(side_in(self._tables, sql))


def open_cohort(store: FactStore, editions: Editions, where: str | None = None) -> Cohort:
    """The cohort of a store, kept beside it unless one says in which file."""
    return Cohort(store, editions, tables_of(store, COHORT, where))
