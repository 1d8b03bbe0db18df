"""Which spans of the calendar does an answer speak of, and which calendar shows them all?"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Final, Literal, NamedTuple

from yibao.domain.calendar import SHANGHAI, day_after, midnight
from yibao.domain.vocabulary import PENDING, DayRange, State, WaitingPeriod
from yibao.projections.answer import Answer

Lane = Literal["state", "waiting", "coverage", "evoucher"]
#: A calendar: its first instant, and the first one after it.
Span = tuple[datetime, datetime]

#: The value behind each row but that of the states, in the order of the rows.
VALUE_OF: Final[dict[Lane, str]] = {
    "waiting": "waiting",
    "coverage": "coverage",
    "evoucher": "evoucher_available_at",
}
ROWS: Final[tuple[Lane, ...]] = ("state", *VALUE_OF)

#: How far outside the lifecycle the calendar follows an instant asked about.
FARTHEST: Final = timedelta(days=365)
#: Months from tick to tick, from the narrowest; two thousand years fit on the widest.
STEPS: Final = (1, 2, 3, 6, *(12 * 2**doubled for doubled in range(12)))


class Bar(NamedTuple):
    """A span of the calendar, from `begins_at` to before `until`.

    `name` is the code of a state, or the name of a value; where several bars have one, the
    enrollment comes to that state more than once. `until` is None where nothing known ends it.
    A `scheduled` bar begins after what is known, and so assumes no further facts.
    """

    row: Lane
    name: str
    begins_at: datetime
    until: datetime | None
    scheduled: bool


class Chart(NamedTuple):
    """An answer's bars on a calendar of whole months, from `first` to before `until`.

    `pending` and `none` name the values that have no bar: a fact is missing, or there is none.
    `at` lies on the calendar unless it is more than a year away from every bar.
    """

    first: datetime
    until: datetime
    bars: tuple[Bar, ...]
    at: datetime
    pending: tuple[str, ...]
    none: tuple[str, ...]

    def share(self, instant: datetime) -> float:
        """How far along the calendar an instant lies: 0.0 its first end, 1.0 its last."""
        return min(max((instant - self.first) / (self.until - self.first), 0.0), 1.0)

    @property
    def at_lies(self) -> Literal["before", "within", "after"]:
        """Where the instant asked about lies, seen from the calendar."""
        if self.at < self.first:
            return "before"
        return "within" if self.at < self.until else "after"

    def row(self, row: Lane) -> tuple[Bar, ...]:
        """The bars of one row, in the order of time."""
        return tuple(bar for bar in self.bars if bar.row == row)

    def ticks(self, at_most: int) -> tuple[datetime, ...]:
        """The first instants of the months, or of so few of them, evenly apart, as may be told.

        Those that are left are counted from January, and at least one is.
        """
        months = [self.first]
        while (following := _month_after(months[-1])) < self.until:
            months.append(following)
        by_step = (
            tuple(at for at in months if (12 * at.year + at.month - 1) % step == 0)
            for step in STEPS
        )
        return next(ticks for ticks in by_step if len(ticks) <= at_most)


def chart(answer: Answer) -> Chart:
    """The bars of an answer, on the calendar that holds them and the instant asked about."""
    bars = (*_states(answer), *_values(answer))
    return Chart(
        *_months_around(bars, answer.at),
        bars,
        answer.at,
        pending=tuple(name for name in VALUE_OF.values() if _value(answer, name) is PENDING),
        none=tuple(name for name in VALUE_OF.values() if _value(answer, name) is None),
    )


def charts(answers: Iterable[Answer], span: Span | None = None) -> tuple[Chart, ...]:
    """Several answers on one calendar, so that their bars can be compared by eye.

    By default it is the one that holds them all; one that is given cuts off what lies outside.
    """
    alone = [chart(answer) for answer in answers]
    first, until = span or common_span(alone)
    return tuple(each._replace(first=first, until=until) for each in alone)


def lifecycle(answers: Iterable[Answer]) -> Span | None:
    """The whole months that hold the bars of some answers, whatever instant each is about.

    None where none of them has a bar.
    """
    bars = [bar for answer in answers for bar in (*_states(answer), *_values(answer))]
    return _months_around(bars, bars[0].begins_at) if bars else None


def months_around(first: datetime, last: datetime) -> Span:
    """The whole months that hold two instants."""
    return _month(first), _month_after(last)


def common_span(charts: Sequence[Chart]) -> Span:
    """The calendar that holds these charts: its first instant, and the first one after it.

    A chart without bars has no say while another has some: it would only stretch the calendar
    to an instant that lies far away.
    """
    telling = [each for each in charts if each.bars] or charts
    return min(each.first for each in telling), max(each.until for each in telling)


def _states(answer: Answer) -> Iterator[Bar]:
    for change, following in zip_longest(answer.timeline, answer.timeline[1:]):
        until = following.at if following else None
        yield _bar(answer, "state", change.state.value, change.at, until)


def _values(answer: Answer) -> Iterator[Bar]:
    for row, name in VALUE_OF.items():
        value = _value(answer, name)
        if isinstance(value, DayRange | WaitingPeriod):
            begins, until = midnight(value.first), midnight(day_after(value.last))
            yield _bar(answer, row, name, begins, until)
        elif isinstance(value, datetime):
            yield _bar(answer, row, name, value, _evoucher_until(answer, value))


def _evoucher_until(answer: Answer, opens: datetime) -> datetime:
    """How long an e-voucher can settle a bill: as long as there is cover for it to settle.

    Where no cover follows it, no rule ends it; but nothing is said beyond the benefit year
    (R22), nor of a student who has left.
    """
    coverage = _value(answer, "coverage")
    if isinstance(coverage, DayRange) and midnight(day_after(coverage.last)) > opens:
        return midnight(day_after(coverage.last))
    assert answer.policy is not None
    left = (change.at for change in answer.timeline if change.state is State.WITHDRAWN)
    return min(chain(left, [answer.policy.ends_at]))


def _bar(answer: Answer, row: Lane, name: str, begins: datetime, until: datetime | None) -> Bar:
    return Bar(row, name, begins, until, answer.known_at is None or begins > answer.known_at)


def _value(answer: Answer, name: str) -> object:
    return getattr(answer.values, name).value if answer.values else None


def _months_around(bars: Sequence[Bar], at: datetime) -> Span:
    """The whole months that hold the bars and, unless it is far away, the instant asked about.

    A bar without an end shows from its month on.
    """
    first = min((bar.begins_at for bar in bars), default=at)
    last = max((_last_instant(bar) for bar in bars), default=at)
    if first - FARTHEST <= at <= last + FARTHEST:
        first, last = min(first, at), max(last, at)
    return months_around(first, last)


def _last_instant(bar: Bar) -> datetime:
    until = bar.until or bar.begins_at
    return max(bar.begins_at, until - timedelta.resolution)


def _month(instant: datetime) -> datetime:
    """The first instant of the month, in Shanghai."""
    return midnight(instant.astimezone(SHANGHAI).date().replace(day=1))


def _month_after(instant: datetime) -> datetime:
    """The first instant of the next month, in Shanghai."""
    return _month(_month(instant) + timedelta(days=31))
