"""Days, instants and words that are at the same time a whole column of them.

A rule asks days and instants only to be compared, shifted and put together. So it can be given one
that carries everybody's: each comparison comes out as for a representative student, and is asked of
everybody who comes along. What would take one apart would lose the column, and is refused.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final, NoReturn, Self, TypeVar

import numpy

from yibao.domain.calendar import SHANGHAI, Columns, Days
from yibao.domain.vocabulary import WordsAtOnce
from yibao.projections.cohort.shapes import day_number, day_of, instant_number, instant_of
from yibao.projections.cohort.tree import Column, Compared, Numbers, Path

R = TypeVar("R")

_MICROSECOND: Final = timedelta.resolution
_A_DAY: Final = timedelta(days=1) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Each:
    """What is told of each day or instant of a column; of one alone once she is filled in."""

    column: Column
    read: Callable[[int], Any]
    tell: Callable[[Any], Any]


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

    @classmethod
    def of(cls, path: Path, column: Column) -> "DayColumn":
        made = date.__new__(cls, 1970, 1, 1)  # nobody's: whatever read it would be wrong at once
        made.path, made.column, made._kept = path, column, {}
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
        return self.path.tree.worked_out("midnight", self.column, lambda days: days * _A_DAY)

    def first_of_next_month(self) -> "DayColumn":
        def of(days: Numbers) -> Numbers:
            return _days_of(_months(days) + 1)

        return self._once("next month", lambda: self._worked_out("next month", of))

    def last_of_months(self, months: int, *, counting_first_day: bool) -> "DayColumn":
        def of(days: Numbers) -> Numbers:
            if _is_within(days, _MONTH_OF):
                return _looked_up(months, counting_first_day)[days]
            return _last_of_months(days, months, counting_first_day)

        key = months, counting_first_day
        return self._once(key, lambda: self._worked_out(key, of))

    def _worked_out(self, key: object, by: Callable[[Numbers], Numbers]) -> "DayColumn":
        return self.of(self.path, self.path.tree.worked_out(key, self.column, by))

    def latest(self, moments: Sequence[date]) -> date:
        found = self.path.latest([_number_of(self, day) for day in moments])
        return day_of(found) if isinstance(found, int) else self.of(self.path, found)

    def tell_each(self, tell: Callable[[Any], Any]) -> Each:
        return Each(self.column, day_of, tell)

    year = month = day = property(_taken_apart)  # pyright: ignore
    replace = isoformat = strftime = toordinal = timetuple = weekday = _taken_apart
    isoweekday = isocalendar = ctime = __replace__ = _taken_apart
    __str__ = __format__ = __reduce__ = __reduce_ex__ = _taken_apart

    def __repr__(self) -> str:
        return f"<column of days, {self.column.offset} added>"


class InstantColumn(_Compared, Columns, datetime):
    """An instant that is a column of instants, all told in Shanghai."""

    _kept: dict[object, Any]

    @classmethod
    def of(cls, path: Path, column: Column) -> "InstantColumn":
        made = datetime.__new__(cls, 1970, 1, 1, 0, 0, 0, 0, SHANGHAI)
        made.path, made.column, made._kept = path, column, {}
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
        def make() -> DayColumn:
            tree = self.path.tree
            days = tree.worked_out("date", self.column, lambda instants: instants // _A_DAY)
            return DayColumn.of(self.path, days)

        return self._once("date", make)

    def latest(self, moments: Sequence[datetime]) -> datetime:
        found = self.path.latest([_number_of(self, instant) for instant in moments])
        return instant_of(found) if isinstance(found, int) else self.of(self.path, found)

    def tell_each(self, tell: Callable[[Any], Any]) -> Each:
        return Each(self.column, instant_of, tell)

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        return self if tz is SHANGHAI else _taken_apart(self)

    year = month = day = property(_taken_apart)  # pyright: ignore
    hour = minute = second = microsecond = property(_taken_apart)  # pyright: ignore
    replace = isoformat = strftime = toordinal = timetuple = timestamp = time = _taken_apart
    utctimetuple = timetz = weekday = isoweekday = isocalendar = ctime = _taken_apart
    utcoffset = dst = tzname = __replace__ = _taken_apart
    __str__ = __format__ = __reduce__ = __reduce_ex__ = _taken_apart

    def __repr__(self) -> str:
        return f"<column of instants, {self.column.offset} µs added>"


class WordColumn(_Compared, WordsAtOnce):
    """A word that is a column of words of one type, each by its number.

    It is no text: where one word is compared with another, Python would ask the text of both.
    """

    def __init__(
        self, path: Path, column: Column, first: Any, number_of: Callable[[type, Any], int]
    ) -> None:
        self.path, self.column, self.first, self.number_of = path, column, first, number_of

    def _number(self, other: Any) -> Compared | None:
        if isinstance(other, WordColumn):
            return other.column
        if not isinstance(other, str):
            return None
        return self.number_of(self.first.__class__, other)

    def is_among(self, words: Iterable[str]) -> bool:
        numbers = [self.number_of(self.first.__class__, word) for word in words]
        return self.path.is_among(self.column, numbers)

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __iter__ = _taken_apart

    def __repr__(self) -> str:
        return f"<column of words, of which the first is {self.first!r}>"


def _number_of(column: DayColumn | InstantColumn, other: Any) -> Compared:
    number = column._number(other)
    assert number is not None
    return number


#: The days that are looked up: from 1970 to the end of 2199.
_DAYS: Final = numpy.arange(date(2200, 1, 1).toordinal() - date(1970, 1, 1).toordinal())
_MONTH_OF: Final = _DAYS.astype("datetime64[D]").astype("datetime64[M]").astype(numpy.int64)
#: On which day each month of these begins, and the next one.
_FIRST_OF: Final = (
    numpy.arange(_MONTH_OF[-1] + 2).astype("datetime64[M]").astype("datetime64[D]")
).astype(numpy.int64)


def _months(days: Numbers) -> Numbers:
    """The months of days, as whole numbers since 1970."""
    if _is_within(days, _MONTH_OF):
        return _MONTH_OF[days]  # a table is many times quicker
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(numpy.int64)


def _days_of(months: Numbers) -> Numbers:
    """The first days of months."""
    if _is_within(months, _FIRST_OF):
        return _FIRST_OF[months]
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(numpy.int64)


def _last_of_months(days: Numbers, months: int, counting_first_day: bool) -> Numbers:
    """The last day of so many months from each day on."""
    starts = _months(days)
    begins, ends = _days_of(starts + months), _days_of(starts + months + 1)
    corresponding = begins + (days - _days_of(starts))
    inside = corresponding - (1 if counting_first_day else 0)
    last: Numbers = numpy.where(corresponding >= ends, ends - 1, inside)
    return last


@lru_cache(maxsize=100)
def _looked_up(months: int, counting_first_day: bool) -> Numbers:
    """The same of every day that is looked up."""
    return _last_of_months(_DAYS, months, counting_first_day)


def _is_within(numbers: Numbers, table: Numbers) -> bool:
    return bool(numbers.size) and int(numbers.min()) >= 0 and int(numbers.max()) < len(table)
