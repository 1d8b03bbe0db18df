"""Days, instants and words that are at the same time a whole column of them.

A rule asks days and instants only to be compared, shifted and put together. So it can be given one
that is that of a representative student and carries everybody's: each comparison comes out as for
the representative, and whoever of the column it comes out otherwise for leaves the path, to be run
again with a representative of their own. What would take one apart loses the column, and is refused.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NoReturn, Self, TypeVar

import numpy
from numpy.typing import NDArray

from yibao.domain import calendar
from yibao.domain.calendar import SHANGHAI, Days
from yibao.domain.kept import kept

Numbers = NDArray[numpy.int64]
R = TypeVar("R")

_EPOCH: Final = date(1970, 1, 1).toordinal()
_START: Final = datetime(1970, 1, 1, tzinfo=SHANGHAI)
_MICROSECOND: Final = timedelta.resolution
_A_DAY: Final = timedelta(days=1) // _MICROSECOND


_MONTHS: Final = "datetime64[M]"


def _days(values: Numbers) -> NDArray[numpy.datetime64]:
    return values.astype("datetime64[D]")


def _numbers(days: NDArray[numpy.datetime64]) -> Numbers:
    return days.astype("datetime64[D]").astype(numpy.int64)


def day_number(day: date) -> int:
    """A day as the number of days since 1970."""
    return day.toordinal() - _EPOCH


def instant_number(instant: datetime) -> int:
    """An instant as the microseconds since 1970 began in Shanghai."""
    return (instant - _START) // _MICROSECOND


def day_of(number: int) -> date:
    return date.fromordinal(int(number) + _EPOCH)


def instant_of(number: int) -> datetime:
    return _START + timedelta(microseconds=int(number))


class Column:
    """Whole numbers, one for each of a group, worked out when they are needed.

    `low` and `high` are bounds: most comparisons come out alike for everybody, and are settled by
    these. Columns of one `origin` differ by their `offset` alone.
    """

    def __init__(self, work_out: Callable[[], Numbers], origin: object = None, offset: int = 0):
        self._work_out = work_out
        self.origin = self if origin is None else origin
        self.offset = offset

    @kept
    def values(self) -> Numbers:
        return self._work_out()

    @kept
    def low(self) -> int:
        return int(self.values.min())

    @kept
    def high(self) -> int:
        return int(self.values.max())

    def moved(self, by: int) -> "Column":
        """Each number with as much added."""
        column = Column(lambda: self.values + by, self.origin, self.offset + by)
        return column._bounded(self.low + by, self.high + by)

    def mapped(self, by: Callable[[Any], Any]) -> "Column":
        """What a function that never falls makes of each."""
        return Column(lambda: by(self.values))._bounded(
            *map(int, by(numpy.array([self.low, self.high])))
        )

    def _bounded(self, low: int, high: int) -> Self:
        vars(self).update(low=low, high=high)
        return self


class Path:
    """One way through the law: the representative is the first of a group, `along` who comes along.

    `left` are those who left, in the groups in which they did, by their places in this group.
    """

    def __init__(self, size: int) -> None:
        self.along = numpy.ones(size, dtype=numpy.bool_)
        self.left: list[NDArray[numpy.intp]] = []

    def goes(self, outcome: bool, likewise: NDArray[numpy.bool_]) -> bool:
        """How a comparison came out for the representative; all others leave."""
        leaving = self.along & ~likewise
        if leaving.any():
            self.left.append(numpy.flatnonzero(leaving))
            self.along &= likewise
        return outcome

    def is_less(self, one: Column, other: "Column | int") -> bool:
        if isinstance(other, int):
            if one.high < other:
                return True
            if one.low >= other:
                return False
            found = one.values < other
        elif one.origin is other.origin:
            return one.offset < other.offset
        else:
            if one.high < other.low:
                return True
            if one.low >= other.high:
                return False
            found = one.values < other.values
        outcome = bool(found[0])
        return self.goes(outcome, found if outcome else ~found)

    def is_equal(self, one: Column, other: "Column | int") -> bool:
        if isinstance(other, int):
            if other < one.low or one.high < other:
                return False
            found = one.values == other
        elif one.origin is other.origin:
            return one.offset == other.offset
        else:
            if one.high < other.low or other.high < one.low:
                return False
            found = one.values == other.values
        outcome = bool(found[0])
        return self.goes(outcome, found if outcome else ~found)

    def read(self, column: Column) -> int:
        """The number of the representative, and who has another leaves; by their numbers."""
        value = int(column.values[0])
        if column.low != column.high:
            self.goes(True, column.values == value)
        return value


def _taken_apart(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError("a column of days is not taken apart outside the calendar")


class _Compared:
    """What is compared by its column."""

    path: Path
    column: Column

    def _number(self, other: Any) -> "Column | int | None":
        raise NotImplementedError

    def __lt__(self, other: Any) -> Any:
        number = self._number(other)
        return NotImplemented if number is None else self.path.is_less(self.column, number)

    def __gt__(self, other: Any) -> Any:
        number = self._number(other)
        if number is None:
            return NotImplemented
        if isinstance(number, Column):
            return self.path.is_less(number, self.column)
        return not self.path.is_less(self.column, number + 1)

    def __le__(self, other: Any) -> Any:
        greater = self.__gt__(other)
        return greater if greater is NotImplemented else not greater

    def __ge__(self, other: Any) -> Any:
        less = self.__lt__(other)
        return less if less is NotImplemented else not less

    def __eq__(self, other: Any) -> Any:
        number = self._number(other)
        return False if number is None else self.path.is_equal(self.column, number)

    def __ne__(self, other: Any) -> Any:
        return not self == other

    def __hash__(self) -> int:
        # So that every look-up comes down to a comparison.
        return 0


class DayColumn(_Compared, Days):
    """A day that is a column of days."""

    path: Path
    column: Column

    @classmethod
    def of(cls, path: Path, column: Column, first: date) -> "DayColumn":
        day = date.__new__(cls, first.year, first.month, first.day)
        day.path, day.column = path, column
        day._kept = {}
        return day

    @classmethod
    def at(cls, path: Path, column: Column) -> "DayColumn":
        return cls.of(path, column, day_of(int(column.values[0])))

    _kept: dict[object, Any]

    def _number(self, other: Any) -> Column | int | None:
        if isinstance(other, DayColumn):
            return other.column
        if isinstance(other, date) and not isinstance(other, datetime):
            return day_number(other)
        return None

    def _once(self, key: object, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @property
    def first(self) -> date:
        """That of the representative."""
        return date(date.year.__get__(self), date.month.__get__(self), date.day.__get__(self))

    def __add__(self, by: timedelta) -> "DayColumn":  # type: ignore[override]
        if by.days == 0:
            return self
        return self._once(  # type: ignore[no-any-return]
            by.days,
            lambda: DayColumn.of(self.path, self.column.moved(by.days), self.first + by),
        )

    __radd__ = __add__

    def __sub__(self, by: Any) -> "DayColumn":  # type: ignore[override]
        if not isinstance(by, timedelta):
            raise TypeError("columns of days have no difference")
        return self + -by

    def at_hour(self, hour: time) -> "InstantColumn":
        def make() -> InstantColumn:
            first = datetime.combine(self.first, hour, SHANGHAI)
            within = instant_number(first) - day_number(self.first) * _A_DAY
            column = self.column.mapped(lambda values: values * _A_DAY + within)
            return InstantColumn.of(self.path, column, first)

        return self._once(hour, make)  # type: ignore[no-any-return]

    def first_of_next_month(self) -> "DayColumn":
        def make() -> DayColumn:
            def of(values: Numbers) -> Numbers:
                months = _days(values).astype(_MONTHS) + 1
                return _numbers(months)

            return DayColumn.of(
                self.path, self.column.mapped(of), calendar.first_of_next_month(self.first)
            )

        return self._once("next month", make)  # type: ignore[no-any-return]

    def last_of_months(self, months: int, *, counting_first_day: bool) -> "DayColumn":
        def of(values: Numbers) -> Numbers:
            starts = _days(values).astype(_MONTHS)
            since = values - _numbers(starts)
            begins, ends = _numbers(starts + months), _numbers(starts + months + 1)
            corresponding = begins + since - (1 if counting_first_day else 0)
            return numpy.where(begins + since >= ends, ends - 1, corresponding)

        def make() -> DayColumn:
            first = calendar.last_day_of_months(
                self.first, months, counting_first_day=counting_first_day
            )
            return DayColumn.of(self.path, self.column.mapped(of), first)

        return self._once((months, counting_first_day), make)  # type: ignore[no-any-return]

    year = month = day = property(_taken_apart)  # type: ignore[assignment]
    replace = isoformat = strftime = toordinal = timetuple = weekday = _taken_apart  # type: ignore[assignment]
    isoweekday = isocalendar = ctime = __str__ = __format__ = __reduce__ = _taken_apart  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<column of days, of which the first is {self.first}>"


class InstantColumn(_Compared, datetime):
    """An instant that is a column of instants, all told in Shanghai."""

    path: Path
    column: Column
    _kept: dict[object, Any]

    @classmethod
    def of(cls, path: Path, column: Column, first: datetime) -> "InstantColumn":
        made = datetime.__new__(
            cls,
            first.year,
            first.month,
            first.day,
            first.hour,
            first.minute,
            first.second,
            first.microsecond,
            SHANGHAI,
        )
        made.path, made.column, made._kept, made.first = path, column, {}, first
        return made

    first: datetime

    @classmethod
    def at(cls, path: Path, column: Column) -> "InstantColumn":
        return cls.of(path, column, instant_of(int(column.values[0])))

    def _number(self, other: Any) -> Column | int | None:
        if isinstance(other, InstantColumn):
            return other.column
        return instant_number(other) if isinstance(other, datetime) else None

    def __add__(self, by: timedelta) -> "InstantColumn":  # type: ignore[override]
        if by not in self._kept:
            column = self.column.moved(by // _MICROSECOND)
            self._kept[by] = InstantColumn.of(self.path, column, self.first + by)
        return self._kept[by]  # type: ignore[no-any-return]

    __radd__ = __add__

    def __sub__(self, by: Any) -> "InstantColumn":  # type: ignore[override]
        if not isinstance(by, timedelta):
            raise TypeError("columns of instants have no difference")
        return self + -by

    def date(self) -> DayColumn:
        if "date" not in self._kept:
            column = self.column.mapped(lambda values: values // _A_DAY)
            self._kept["date"] = DayColumn.of(self.path, column, self.first.date())
        return self._kept["date"]  # type: ignore[no-any-return]

    def astimezone(self, tz: Any = None) -> Self:
        return self if tz is SHANGHAI else _taken_apart(self)

    year = month = day = hour = minute = second = microsecond = property(_taken_apart)  # type: ignore[assignment]
    replace = isoformat = strftime = toordinal = timetuple = timestamp = time = _taken_apart  # type: ignore[assignment]
    utctimetuple = timetz = weekday = isoweekday = isocalendar = ctime = _taken_apart  # type: ignore[assignment]
    __str__ = __format__ = __reduce__ = __reduce_ex__ = _taken_apart  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<column of instants, of which the first is {self.first}>"


class WordColumn(_Compared, str):
    """A word that is a column of words, each by its number."""

    path: Path
    column: Column
    number_of: Callable[[str], int]

    @classmethod
    def of(
        cls, path: Path, column: Column, first: str, number_of: Callable[[str], int]
    ) -> "WordColumn":
        word = str.__new__(cls, first)
        word.path, word.column, word.number_of = path, column, number_of
        return word

    def _number(self, other: Any) -> Column | int | None:
        if isinstance(other, WordColumn):
            return other.column
        return self.number_of(other) if isinstance(other, str) else None

    __eq__ = _Compared.__eq__
    __ne__ = _Compared.__ne__
    __hash__ = _Compared.__hash__
