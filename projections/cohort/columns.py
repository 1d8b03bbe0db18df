"""Days, instants and words that are at the same time a whole column of them.

A rule asks days and instants only to be compared, shifted and put together. So it can be given one
that is that of a representative student and carries everybody's: each comparison comes out as for
the representative, and whoever of the column it comes out otherwise for leaves the path, to be run
again with a representative of their own. What would take one apart would lose the column, and is
refused.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import count
from typing import Any, Final, NamedTuple, NoReturn, Self, TypeVar

import numpy
from numpy.typing import NDArray

from yibao.domain import calendar
from yibao.domain.calendar import SHANGHAI, Columns, Days
from yibao.domain.kept import kept
from yibao.domain.vocabulary import Words
from yibao.projections.cohort.shapes import day_number, day_of, instant_number, instant_of

Numbers = NDArray[numpy.int64]
Rows = NDArray[numpy.intp]
Flags = NDArray[numpy.bool_]
R = TypeVar("R")

_MICROSECOND: Final = timedelta.resolution
_A_DAY: Final = timedelta(days=1) // _MICROSECOND


class Source:
    """Whole numbers, one for each of a group, worked out when they are needed.

    `low` and `high` are bounds: most comparisons come out alike for everybody, and are settled by
    these, or by what earlier ones have told.
    """

    _serial = count()

    def __init__(
        self,
        work_out: Callable[[], Numbers],
        first: int,
        bounds: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        self.serial = next(self._serial)
        self.first = first
        self._work_out = work_out
        self._bounds = bounds

    @kept
    def values(self) -> Numbers:
        return self._work_out()

    @kept
    def bounds(self) -> tuple[int, int]:
        if self._bounds:
            return self._bounds()
        return int(self.values.min()), int(self.values.max())


class Column(NamedTuple):
    """The numbers of a source, each with as much added."""

    source: Source
    offset: int = 0

    @property
    def first(self) -> int:
        return self.source.first + self.offset

    def values(self) -> Numbers:
        return self.source.values + self.offset if self.offset else self.source.values

    def moved(self, by: int) -> "Column":
        return Column(self.source, self.offset + by)

    def mapped(self, by: Callable[[Any], Any], first: int) -> "Column":
        """What a function that never falls makes of each."""

        def bounds() -> tuple[int, int]:
            low, high = self.source.bounds
            ends = by(numpy.array([low + self.offset, high + self.offset]))
            return int(ends[0]), int(ends[1])

        return Column(Source(lambda: by(self.values()), first, bounds))


#: What is compared: a column, or a number that is everybody's.
Compared = Column | int


class Path:
    """One way through the law: the representative is the first of a group, `along` who comes along.

    `left` are those who left, in the groups in which they did, by their places in this group.
    """

    def __init__(self, size: int) -> None:
        self.along: Flags = numpy.ones(size, dtype=numpy.bool_)
        self.left: list[Rows] = []
        # Between which bounds the difference of two sources lies, of all who come along.
        self._known: dict[tuple[int, int], tuple[int, int]] = {}

    def is_less(self, one: Compared, other: Compared) -> bool:
        """Whether one is less than another, of which one at least is a column."""
        if isinstance(one, int):
            assert isinstance(other, Column)
            return not self._is_below(other, None, one + 1 - other.offset)
        if isinstance(other, int):
            return self._is_below(one, None, other - one.offset)
        if one.source is other.source:
            return one.offset < other.offset
        if one.source.serial < other.source.serial:
            return self._is_below(one, other, other.offset - one.offset)
        return not self._is_below(other, one, one.offset - other.offset + 1)

    def is_equal(self, one: Column, other: Compared) -> bool:
        """Whether a column is equal to another, or to a number."""
        if isinstance(other, int):
            return self._is_at(one, None, other - one.offset)
        if one.source is other.source:
            return one.offset == other.offset
        if one.source.serial < other.source.serial:
            return self._is_at(one, other, other.offset - one.offset)
        return self._is_at(other, one, one.offset - other.offset)

    def is_among(self, column: Column, numbers: Sequence[int]) -> bool:
        """Whether a column has one of some numbers."""
        found = numpy.isin(column.values(), numbers)
        self._goes(found if found[0] else ~found)
        return bool(found[0])

    def read(self, column: Column) -> int:
        """The number of the representative, and who has another leaves; by their numbers."""
        self.is_equal(column, column.first)
        return column.first

    def latest(self, compared: Sequence[Compared]) -> Compared:
        """The greatest of several for each, whichever that is."""
        ends = [(each, *self._ends(each)) for each in compared]
        least = max(low for _, low, _ in ends)
        found: dict[Any, Compared] = {}
        for each, low, high in ends:
            if high > least or (high == least and low == high):
                found.setdefault(
                    each if isinstance(each, int) else (each.source, each.offset), each
                )
        rest = list(found.values())
        if len(rest) == 1:
            return rest[0]
        highest = max(high for each, _, high in ends)
        first = max(each if isinstance(each, int) else each.first for each in rest)

        def work_out() -> Numbers:
            values = [each if isinstance(each, int) else each.values() for each in rest]
            so_far: Any = values[0]
            for each in values[1:]:
                so_far = numpy.maximum(so_far, each)
            return so_far  # type: ignore[no-any-return]

        return Column(Source(work_out, first, lambda: (least, highest)))

    def _ends(self, compared: Compared) -> tuple[int, int]:
        if isinstance(compared, int):
            return compared, compared
        low, high = self._between(compared.source, None)
        return low + compared.offset, high + compared.offset

    def _between(self, one: Source, other: Source | None) -> tuple[int, int]:
        """Between which bounds lies what one is more than the other, of all who come along."""
        if other is None:
            return self._known.get((one.serial, -1)) or one.bounds
        low, high = self._between(one, None)
        less, more = self._between(other, None)
        low, high = low - more, high - less
        known = self._known.get((one.serial, other.serial))
        return (max(low, known[0]), min(high, known[1])) if known else (low, high)

    def _is_below(self, one: Column, other: Column | None, limit: int) -> bool:
        source = other.source if other else None
        low, high = self._between(one.source, source)
        if high < limit:
            return True
        if low >= limit:
            return False
        found = _difference(one.source, source) < limit
        outcome = bool(found[0])
        self._goes(found if outcome else ~found)
        bounds = (low, limit - 1) if outcome else (limit, high)
        self._known[one.source.serial, source.serial if source else -1] = bounds
        return outcome

    def _is_at(self, one: Column, other: Column | None, number: int) -> bool:
        source = other.source if other else None
        low, high = self._between(one.source, source)
        if number < low or high < number:
            return False
        if low == high:
            return True
        found = _difference(one.source, source) == number
        outcome = bool(found[0])
        self._goes(found if outcome else ~found)
        bounds = (number, number) if outcome else (low + (low == number), high - (high == number))
        self._known[one.source.serial, source.serial if source else -1] = bounds
        return outcome

    def _goes(self, likewise: Flags) -> None:
        """All leave for whom a comparison did not come out as for the representative."""
        leaving = self.along & ~likewise
        if leaving.any():
            self.left.append(numpy.flatnonzero(leaving))
            self.along &= likewise


def _difference(one: Source, other: Source | None) -> Numbers:
    return one.values if other is None else one.values - other.values


def _taken_apart(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError("a column of days, instants or words is not taken apart")


class _Compared:
    """What is compared by its column, on a path."""

    path: Path
    column: Column

    def _number(self, other: Any) -> Compared | None:
        raise NotImplementedError

    def __lt__(self, other: Any) -> Any:
        number = self._number(other)
        return NotImplemented if number is None else self.path.is_less(self.column, number)

    def __gt__(self, other: Any) -> Any:
        number = self._number(other)
        return NotImplemented if number is None else self.path.is_less(number, self.column)

    def __le__(self, other: Any) -> Any:
        number = self._number(other)
        return NotImplemented if number is None else not self.path.is_less(number, self.column)

    def __ge__(self, other: Any) -> Any:
        number = self._number(other)
        return NotImplemented if number is None else not self.path.is_less(self.column, number)

    def __eq__(self, other: Any) -> Any:
        number = self._number(other)
        return number is not None and self.path.is_equal(self.column, number)

    def __ne__(self, other: Any) -> Any:
        return not self == other

    def __hash__(self) -> int:
        # So that every look-up comes down to a comparison.
        return 0

    __str__ = __format__ = __reduce__ = __reduce_ex__ = _taken_apart


class DayColumn(_Compared, Days, date):
    """A day that is a column of days."""

    _kept: dict[object, Any]
    first: date

    @classmethod
    def of(cls, path: Path, column: Column) -> "DayColumn":
        first = day_of(column.first)
        made = date.__new__(cls, first.year, first.month, first.day)
        made.path, made.column, made.first, made._kept = path, column, first, {}
        return made

    def _number(self, other: Any) -> Compared | None:
        if isinstance(other, DayColumn):
            return other.column
        if isinstance(other, date) and not isinstance(other, datetime):
            return day_number(other)
        return None

    def _once(self, key: object, make: Callable[[], R]) -> R:
        if key not in self._kept:
            self._kept[key] = make()
        found: R = self._kept[key]
        return found

    def __add__(self, by: timedelta) -> "DayColumn":
        if not by.days:
            return self
        return self._once(by.days, lambda: self.of(self.path, self.column.moved(by.days)))

    __radd__ = __add__  # pyright: ignore

    def __sub__(self, by: Any) -> "DayColumn":  # type: ignore[override]
        return self + -by if isinstance(by, timedelta) else _taken_apart(self)

    def __rsub__(self, by: Any) -> NoReturn:
        _taken_apart(self)

    def at_hour(self, hour: time) -> "InstantColumn":
        def make() -> InstantColumn:
            within = timedelta(hours=hour.hour, minutes=hour.minute, seconds=hour.second)
            more = (within + timedelta(microseconds=hour.microsecond)) // _MICROSECOND
            midnight = self._once("midnight", self._midnight)
            return InstantColumn.of(self.path, midnight.moved(more))

        return self._once(hour, make)

    def _midnight(self) -> Column:
        return self.column.mapped(lambda days: days * _A_DAY, self.column.first * _A_DAY)

    def first_of_next_month(self) -> "DayColumn":
        def of(days: Numbers) -> Numbers:
            return _days_of(_months(days) + 1)

        first = calendar.first_of_next_month(self.first)
        return self._once("next month", lambda: self._mapped(of, first))

    def last_of_months(self, months: int, *, counting_first_day: bool) -> "DayColumn":
        def of(days: Numbers) -> Numbers:
            starts = _months(days)
            begins, ends = _days_of(starts + months), _days_of(starts + months + 1)
            corresponding = begins + (days - _days_of(starts))
            inside = corresponding - (1 if counting_first_day else 0)
            last: Numbers = numpy.where(corresponding >= ends, ends - 1, inside)
            return last

        first = calendar.last_day_of_months(
            self.first, months, counting_first_day=counting_first_day
        )
        return self._once((months, counting_first_day), lambda: self._mapped(of, first))

    def _mapped(self, of: Callable[[Numbers], Numbers], first: date) -> "DayColumn":
        return self.of(self.path, self.column.mapped(of, day_number(first)))

    def latest(self, moments: Sequence[date]) -> date:
        found = self.path.latest([_number_of(self, day) for day in moments])
        return day_of(found) if isinstance(found, int) else self.of(self.path, found)

    year = month = day = property(_taken_apart)  # pyright: ignore
    replace = isoformat = strftime = toordinal = timetuple = weekday = _taken_apart
    isoweekday = isocalendar = ctime = __replace__ = _taken_apart
    __str__ = __format__ = __reduce__ = __reduce_ex__ = _taken_apart

    def __repr__(self) -> str:
        return f"<column of days, of which the first is {self.first}>"


class InstantColumn(_Compared, Columns, datetime):
    """An instant that is a column of instants, all told in Shanghai."""

    _kept: dict[object, Any]
    first: datetime

    @classmethod
    def of(cls, path: Path, column: Column) -> "InstantColumn":
        first = instant_of(column.first)
        day = first.year, first.month, first.day
        made = datetime.__new__(
            cls, *day, first.hour, first.minute, first.second, first.microsecond, SHANGHAI
        )
        made.path, made.column, made.first, made._kept = path, column, first, {}
        return made

    def _number(self, other: Any) -> Compared | None:
        if isinstance(other, InstantColumn):
            return other.column
        return instant_number(other) if isinstance(other, datetime) else None

    def _once(self, key: object, make: Callable[[], R]) -> R:
        if key not in self._kept:
            self._kept[key] = make()
        found: R = self._kept[key]
        return found

    def __add__(self, by: timedelta) -> "InstantColumn":
        more = by // _MICROSECOND
        return self._once(by, lambda: self.of(self.path, self.column.moved(more)))

    __radd__ = __add__  # pyright: ignore

    def __sub__(self, by: Any) -> "InstantColumn":  # type: ignore[override]
        return self + -by if isinstance(by, timedelta) else _taken_apart(self)

    def __rsub__(self, by: Any) -> NoReturn:
        _taken_apart(self)

    def date(self) -> DayColumn:
        first = self.column.first // _A_DAY

        def make() -> DayColumn:
            return DayColumn.of(self.path, self.column.mapped(lambda each: each // _A_DAY, first))

        return self._once("date", make)

    def latest(self, moments: Sequence[datetime]) -> datetime:
        found = self.path.latest([_number_of(self, instant) for instant in moments])
        return instant_of(found) if isinstance(found, int) else self.of(self.path, found)

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        return self if tz is SHANGHAI else _taken_apart(self)

    year = month = day = property(_taken_apart)  # pyright: ignore
    hour = minute = second = microsecond = property(_taken_apart)  # pyright: ignore
    replace = isoformat = strftime = toordinal = timetuple = timestamp = time = _taken_apart
    utctimetuple = timetz = weekday = isoweekday = isocalendar = ctime = _taken_apart
    utcoffset = dst = tzname = __replace__ = _taken_apart
    __str__ = __format__ = __reduce__ = __reduce_ex__ = _taken_apart

    def __repr__(self) -> str:
        return f"<column of instants, of which the first is {self.first}>"


class WordColumn(_Compared, Words):
    """A word that is a column of words of one type, each by its number.

    It is no text: where one word is compared with another, Python would ask the text of both.
    """

    def __init__(
        self, path: Path, column: Column, first: Any, number_of: Callable[[type, Any], int]
    ) -> None:
        self.path, self.column, self.first, self._number_of = path, column, first, number_of

    def _number(self, other: Any) -> Compared | None:
        if isinstance(other, WordColumn):
            return other.column
        if not isinstance(other, str):
            return None
        return self._number_of(self.first.__class__, other)

    def is_among(self, words: Iterable[str]) -> bool:
        numbers = [self._number_of(self.first.__class__, word) for word in words]
        return self.path.is_among(self.column, numbers)

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __iter__ = _taken_apart

    def __repr__(self) -> str:
        return f"<column of words, of which the first is {self.first!r}>"


def _number_of(column: DayColumn | InstantColumn, other: Any) -> Compared:
    number = column._number(other)
    assert number is not None
    return number


def _months(days: Numbers) -> NDArray[numpy.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[M]")


def _days_of(months: NDArray[numpy.datetime64]) -> Numbers:
    return months.astype("datetime64[D]").astype(numpy.int64)
