"""Shanghai days and instants, and the months of a waiting period.

All dates are local to Asia/Shanghai, and an instant is always told in that zone.
"""

import calendar
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: The offset is bound here, since Python takes `+08:60`; what else does not exist it refuses.
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?"
    r" ?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)

#: Days outside these years are typing errors, not facts about an enrollment; the margin to
#: the limits of `datetime` keeps every computation on an accepted day inside them.
FIRST_YEAR, LAST_YEAR = 1900, 2999


#: A day, or an instant.
M = TypeVar("M", date, datetime)


class Columns:
    """What a day or an instant is beside, where it is a whole column of them at once.

    It is compared and shifted like any other (see `projections/cohort`). It is no date by itself:
    one defined under a frozen clock would take every day for its own.
    """

    def latest(self, moments: Sequence[Any]) -> Any:
        raise NotImplementedError

    def tell_each(self, tell: Callable[[Any], Any]) -> Any:
        raise NotImplementedError


class Days(Columns):
    """A column of days; what takes a day apart is asked of it here."""

    def at_hour(self, hour: time) -> datetime:
        raise NotImplementedError

    def last_of_months(self, months: int, *, counting_first_day: bool) -> date:
        raise NotImplementedError

    def first_of_next_month(self) -> date:
        raise NotImplementedError


def latest(first: M, *others: M) -> M:
    """The latest of some days, or of some instants; which of them that is does not matter."""
    found: M = first
    for each in others:
        if isinstance(found, Columns) or isinstance(each, Columns):
            found = _of_columns(first, *others)
            break
        if each > found:
            found = each
    return found


def _of_columns(*moments: Any) -> Any:
    return next(each for each in moments if isinstance(each, Columns)).latest(moments)


def tell_each(moment: M, tell: Callable[[M], Any]) -> Any:
    """What a function tells of a day or an instant; of a column what it tells of each, later."""
    return moment.tell_each(tell) if isinstance(moment, Columns) else tell(moment)


def midnight(day: date) -> datetime:
    """The instant at which a day starts: 00:00 in Shanghai."""
    if isinstance(day, Days):
        return day.at_hour(time.min)
    return datetime.combine(day, time.min, SHANGHAI)


def end_of(day: date) -> datetime:
    """The last instant of a day, in Shanghai."""
    return midnight(day) + ONE_DAY - timedelta.resolution


def at_hour(day: date, hour: time) -> datetime:
    """The instant of a local wall-clock time on a day."""
    return day.at_hour(hour) if isinstance(day, Days) else datetime.combine(day, hour, SHANGHAI)


def in_shanghai(instant: datetime) -> datetime:
    """The same instant told in Shanghai time.

    Raises ValueError for a naive instant, or one outside the years yibao knows.
    """
    if instant.utcoffset() is None:  # also where there is a zone that does not tell
        raise ValueError("an instant needs a time zone")
    if FIRST_YEAR <= instant.year <= LAST_YEAR:
        local = instant.astimezone(SHANGHAI)
        if FIRST_YEAR <= local.year <= LAST_YEAR:
            return local
    raise ValueError(f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")


def read_instant(text: str) -> datetime:
    """An instant as people write it, `2025-09-06 14:20`: Shanghai time unless an offset is given.

    Raises ValueError for any other shape, a bare day among them, and for impossible dates.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(
            "an instant is written YYYY-MM-DD HH:MM, with seconds and offset if need be"
        )
    instant = datetime.fromisoformat(f"{text[:10]}T{text[11:].replace(' ', '')}")
    return in_shanghai(instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI))


def read_day(text: str) -> date:
    """A day as people write it, `2025-09-06`; raises ValueError for anything else."""
    if not _DAY.fullmatch(text):
        raise ValueError("a day is written YYYY-MM-DD")
    return date.fromisoformat(text)


def day_after(day: date) -> date:
    """The next day."""
    return day + ONE_DAY


def day_before(day: date) -> date:
    """The previous day."""
    return day - ONE_DAY


def first_of_next_month(day: date) -> date:
    """The first day of the month after that of a day."""
    if isinstance(day, Days):
        return day.first_of_next_month()
    return day_after(last_day_of_months(day.replace(day=1), 1))


def last_day_of_months(first: date, months: int, *, counting_first_day: bool = True) -> date:
    """The last day of a period of calendar months that starts on `first` (R15).

    The period ends the day before the corresponding day of its last month, or, where that
    month has no such day, on the month's last day. The months are added once, from the
    anchor: adding them one after the other gives other days.

    >>> last_day_of_months(date(2025, 9, 1), 3)
    datetime.date(2025, 11, 30)
    >>> last_day_of_months(date(2025, 11, 30), 3)
    datetime.date(2026, 2, 28)
    >>> last_day_of_months(date(2025, 11, 30), 9)
    datetime.date(2026, 8, 29)

    With `counting_first_day=False` the first day is not part of the period, which then ends
    on the corresponding day itself.
    """
    if isinstance(first, Days):
        return first.last_of_months(months, counting_first_day=counting_first_day)
    month_index = first.month - 1 + months
    year, month = first.year + month_index // 12, month_index % 12 + 1
    length = calendar.monthrange(year, month)[1]
    if first.day > length:
        return date(year, month, length)
    corresponding = date(year, month, first.day)
    return day_before(corresponding) if counting_first_day else corresponding
