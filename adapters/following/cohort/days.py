"""How many enrollments there are on each day of a stretch, of each state or covered."""

from collections.abc import Mapping
from datetime import date, datetime
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from yibao.domain.refusals import BadValue

#: What is counted on a day: of each state at its end, or who is covered on it.
Counted = Literal["states", "covered"]
#: By how much each key changes on which day, by the ordinal of the day.
Changes = Mapping[str, Mapping[int, int]]

#: As many days as are told at most: some ten years.
MOST: Final = 3_700
#: The ordinal of 1 January 1970, from which days are counted in the tables.
EPOCH: Final = date(1970, 1, 1).toordinal()
_LAST: Final = date.max.toordinal()


class CohortDays(NamedTuple):
    """How many enrollments there are on each day, as known by an instant (None: by all there is).

    Of `states`, by each state that anybody has, at the end of the day, `none` for who has none; of
    `covered`, who is covered on it. A key has as many counts as there are days.
    """

    counted: Counted
    days: tuple[date, ...]
    counts: dict[str, tuple[int, ...]]
    known_at: datetime | None = None

    def __repr__(self) -> str:
        span = f"{self.days[0]} to {self.days[-1]}" if self.days else "no day"
        return f"<CohortDays of {self.counted}: {span}, {', '.join(self.counts) or 'nobody'}>"

    def between(self, first: date, last: date) -> "CohortDays":
        """The same on more days: nobody before what is counted, and after it as on the last day."""
        days = tuple(map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1)))
        counts: dict[str, tuple[int, ...]] = {}
        for key, found in self.counts.items():
            before, after = (self.days[0] - first).days, (last - self.days[-1]).days
            counts[key] = (*[0] * before, *found, *[found[-1]] * after)
        return self._replace(days=days, counts=counts)


def counted_by_day(
    counted: Counted,
    changes: Changes,
    known_at: datetime | None,
    first: date | None,
    last: date | None,
) -> CohortDays:
    """Adds up changes; where no days are named, from the first change there is to the last.

    Raises BadValue for a last day before the first, or too far from it.
    """
    turns = [day for of_key in changes.values() for day in of_key if 0 < day <= _LAST]
    begins = first or (date.fromordinal(min(turns)) if turns else last)
    ends = last or (date.fromordinal(max(turns)) if turns else begins)
    if begins is None or ends is None:
        return CohortDays(counted, (), {}, known_at)
    if not 0 <= (ends - begins).days < MOST:
        raise BadValue("last", f"must be one of the {MOST} days from the first on")
    days = range(begins.toordinal(), ends.toordinal() + 1)
    counts = {key: _along(of_key, days) for key, of_key in sorted(changes.items())}
    return CohortDays(
        counted,
        tuple(map(date.fromordinal, days)),
        {key: found for key, found in counts.items() if any(found)},
        known_at,
    )


def _along(changes: Mapping[int, int], days: range) -> tuple[int, ...]:
    before = sum(change for day, change in changes.items() if day < days[0])
    return tuple(accumulate((changes.get(day, 0) for day in days), initial=before))[1:]
