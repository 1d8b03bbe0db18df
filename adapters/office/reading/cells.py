"""What is in a cell: text and days, in all the forms in which they come, and never repaired."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from unicodedata import normalize

from yibao.domain.calendar import FIRST_YEAR, LAST_YEAR, SHANGHAI, midnight

#: Beyond this whole numbers of Excel have lost digits.
EXACT: Final = 2**53


class Unfit(ValueError):
    """A cell cannot be what its column is for; its text is the reason, as a word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)


class Since1904(float):
    """A number in a workbook whose days are counted from 1904 on, as Excel for Mac once did."""


def since_1900(cell: Any) -> Any:
    """A cell with a day in it as other workbooks have it, where it is the number of one."""
    return float(cell) + _1904 if isinstance(cell, Since1904) and cell < _LAST else cell


def text_in(cell: Any, *, is_number: bool = True) -> str:
    """The text of a cell, one form of signs, without spaces around; raises Unfit.

    A number of Excel is taken for its digits where it is whole and exact, and only where
    `is_number`: what has lost digits, or zeros before them, is not known any more.
    """
    if isinstance(cell, str):
        told = normalize("NFKC", cell).strip()
        if not told:
            raise Unfit("empty")
        if _DAMAGED.fullmatch(told):
            raise Unfit("damaged_number")
        return told
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if not (abs(cell) < EXACT and cell == int(cell)):
            raise Unfit("damaged_number")
        if is_number:
            return str(int(cell))
    raise Unfit("not_text")


def day_in(cell: Any) -> date:
    """The day in a cell, without the time that may stand behind it; raises Unfit."""
    cell = _serial(cell)
    if isinstance(cell, datetime):
        return _bounded(cell.date())
    if isinstance(cell, date):
        return _bounded(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if _FIRST <= cell < _LAST:
            return _ZERO + timedelta(days=int(cell))
        if 10**7 <= cell < 10**8 and cell == int(cell):
            return _day(str(int(cell)))
    if not isinstance(cell, str):
        raise Unfit("not_a_day")
    return _day(text_in(cell))


def instant_in(cell: Any) -> datetime:
    """The day and time in a cell, in Shanghai; of a day alone its beginning. Raises Unfit."""
    cell = _serial(cell)
    if isinstance(cell, datetime):  # of a workbook, whose times are shares of a day, never exact
        _bounded(cell.date())
        return (cell + _HALF_A_SECOND).replace(microsecond=0, tzinfo=SHANGHAI)
    if isinstance(cell, int | float) and not isinstance(cell, bool) and _FIRST <= cell < _LAST:
        return midnight(day_in(cell)) + timedelta(seconds=round(cell % 1 * 86400))
    if not isinstance(cell, str):
        return midnight(day_in(cell))
    told = text_in(cell)
    day, found = _day(told), _TIME_BEHIND.search(told)
    if found is None:
        return midnight(day)
    try:
        hour, minute, second = (int(part or 0) for part in found.groups())
        behind = time(hour, minute, second)
    except ValueError:
        raise Unfit("not_an_instant") from None
    return datetime.combine(day, behind, SHANGHAI)


def _serial(cell: Any) -> Any:
    """A day's number as workbooks of 1900 have it, also where a CSV tells it as text."""
    told = normalize("NFKC", cell).strip() if isinstance(cell, str) else ""
    return float(told) if _SERIAL.fullmatch(told) else since_1900(cell)


def _bounded(day: date) -> date:
    """A day that a fact may have."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unfit("not_a_day")
    return day


def _day(told: str) -> date:
    for form in _FORMS:
        if found := form.fullmatch(told):
            try:
                return _bounded(date(int(found["year"]), int(found["month"]), int(found["day"])))
            except ValueError:
                break
    raise Unfit("no_year" if _WITHOUT_YEAR.fullmatch(told) else "not_a_day")


#: From which day Excel counts; that it takes 1900 for a leap year is in it from March on. Between
#: these a number may be a day of somebody's who is enrolled: 1990 to 2100.
_ZERO: Final = date(1899, 12, 30)
_FIRST, _LAST = (date(1990, 1, 1) - _ZERO).days, (date(2100, 1, 1) - _ZERO).days
_1904: Final = (date(1904, 1, 1) - _ZERO).days

_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?", re.ASCII)
_DAMAGED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_TIME: Final = r"(?:[T\s]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_FORMS: Final = [
    re.compile(form + _TIME, re.ASCII)
    for form in (
        rf"{_YEAR}\s*(?P<sign>[-/.–])\s*{_MONTH}\s*(?P=sign)\s*{_DAY}",
        rf"{_YEAR}\s*年\s*{_MONTH}\s*月\s*{_DAY}\s*[日号]?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    )
]
#: The time behind a day that was read.
_TIME_BEHIND: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$", re.ASCII)
_HALF_A_SECOND: Final = timedelta(seconds=0.5)
_WITHOUT_YEAR: Final = re.compile(r"\d{1,2}\s*[-/.月]\s*\d{1,2}\s*[日号]?(\s+\d{1,2}:\d{2})?")
