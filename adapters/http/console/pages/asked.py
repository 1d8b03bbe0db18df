"""What a page of a student is asked about: a day and an hour of her calendar, and as known when."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

from yibao.domain.calendar import at_hour, in_shanghai, midnight, read_day
from yibao.domain.facts.events import Registered
from yibao.projections.answer import answered
from yibao.projections.bars import Span, lifecycle, months_around
from yibao.projections.record import Cutoff, Record

#: The hour of a day about which is asked where none is named, as on the morning page.
NOON: Final = time(12)


class Calendar(NamedTuple):
    """The days that can be asked about: those of the months of a lifecycle, whatever day it is."""

    first: date
    days: int

    @property
    def span(self) -> Span:
        return midnight(self.first), midnight(self.first + timedelta(self.days))

    @property
    def last(self) -> date:
        return self.first + timedelta(self.days - 1)

    def clamped(self, number: int) -> int:
        """The number of a day, or of the nearest there is."""
        return min(max(number, 0), self.days - 1)

    def day(self, number: int) -> date:
        return self.first + timedelta(number)

    def number(self, day: date) -> int:
        return self.clamped((day - self.first).days)


class Asked(NamedTuple):
    """What is asked: day `day` of the calendar at an `hour`, by the first `known` of the `moments`.

    By none of them nothing is known.
    """

    calendar: Calendar
    moments: Sequence[datetime]
    day: int
    hour: time
    known: int

    @property
    def at(self) -> datetime:
        return at_hour(self.calendar.day(self.day), self.hour)

    @property
    def known_at(self) -> datetime | None:
        """The moment as known at which it is asked; None where nothing is known."""
        return self.moments[self.known - 1] if self.known else None

    @property
    def cutoff(self) -> Cutoff:
        return self.known_at or 0

    @property
    def is_latest(self) -> bool:
        return self.known == len(self.moments)

    def query(self, **others: str) -> str:
        """The same as a query; without the hour where it is noon."""
        told = {"day": str(self.day), "known": str(self.known)}
        if self.hour != NOON:
            told["hour"] = f"{self.hour:%H:%M}"
        return urlencode({**told, **others})


def calendar_of(record: Record) -> Calendar | None:
    """The calendar of a student's year: from when she was registered to the end of its benefits.

    It holds all that follows from what is known, and depends neither on when it is asked nor on
    what. None where she was never registered.
    """
    registered = [each for each in record.enrolled.events if isinstance(each, Registered)]
    if not registered:
        return None
    ends = record.edition_of(registered[-1].policy).policy.ends_at
    begins = midnight(min(each.on for each in registered))
    known = record.known_by(record.latest)
    spans = [months_around(begins, ends)]
    if span := lifecycle(answered(known, at, whole=False) for at in (begins, ends)):
        spans.append(span)
    first, until = min(each[0] for each in spans), max(each[1] for each in spans)
    return Calendar(in_shanghai(first).date(), (until - first).days)


def read_asked(query: Mapping[str, str], record: Record, now: datetime) -> Asked | None:
    """What a query asks; what it does not tell, or not so that it can be read, is as by default.

    By default that is now, or the day of the calendar that is nearest, with everything known. A day
    may be told as such as well. None where there is no calendar.
    """
    moments = record.moments()
    calendar = calendar_of(record)
    if calendar is None:
        return None
    day = number_in(query.get("day"), calendar.days - 1)
    if day is None:
        day = calendar.number(_day(query.get("day")) or in_shanghai(now).date())
    known = number_in(query.get("known"), len(moments))
    return Asked(
        calendar, moments, day, _hour(query.get("hour")), len(moments) if known is None else known
    )


def number_in(text: str | None, most: int) -> int | None:
    """A whole number in a query, or the largest there is; None for what cannot be read as one."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return min(int(text), most)


def _day(text: str | None) -> date | None:
    try:
        return read_day(text) if text else None
    except ValueError:
        return None


def _hour(text: str | None) -> time:
    try:
        return time.fromisoformat(text).replace(tzinfo=None) if text else NOON
    except ValueError:
        return NOON
