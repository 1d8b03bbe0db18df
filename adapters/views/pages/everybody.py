"""What is drawn of everybody, day by day, and the same in words."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeVar

from yibao.adapters.following.cohort import CohortDays
from yibao.adapters.views.telling import shown
from yibao.adapters.views.words import Words
from yibao.domain.calendar import end_of
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import State

T = TypeVar("T")

#: As many days or months as can be named side by side.
NAMED: Final = 6
#: The states from the bottom of a picture to its top: the nearer to cover the lower, and above
#: them who is not on the road to it.
STACKED: Final = (
    State.ACTIVE,
    State.EVOUCHER_ELIGIBLE,
    State.ACCOUNT_BUILT,
    State.IN_WAITING_PERIOD,
    State.CONFIRMED,
    State.REGISTERED,
    State.OPTED_OUT,
    State.LAPSED,
    State.WITHDRAWN,
    State.EXPIRED,
)


class Band(NamedTuple):
    """What is drawn of one state, or of who is covered: how many on each day, and its name."""

    key: str
    name: str
    counts: tuple[int, ...]


class Picture(NamedTuple):
    """What is drawn: states on top of each other, or who is covered beside who was then."""

    title: str
    days: tuple[date, ...]
    bands: tuple[Band, ...]
    is_stacked: bool
    words: Words


def _side_by_side(days: CohortDays, then: CohortDays) -> tuple[CohortDays, CohortDays]:
    """Both on the same days."""
    if (days.counted, then.counted) != ("covered", "covered"):
        raise BadValue("then", "stands beside who is covered alone")
    ends = [*days.days[:1], *days.days[-1:], *then.days[:1], *then.days[-1:]]
    if not ends:
        return days, then
    return days.between(min(ends), max(ends)), then.between(min(ends), max(ends))


def picture_of(days: CohortDays, then: CohortDays | None, words: Words) -> Picture:
    """What is drawn; raises BadValue for a `then` that cannot stand beside it."""
    if then is not None:
        days, then = _side_by_side(days, then)
    return Picture(
        _title(days, words),
        days.days or (then.days if then else ()),
        tuple(_bands(days, then, words)),
        days.counted == "states",
        words,
    )


def _bands(days: CohortDays, then: CohortDays | None, words: Words) -> Iterator[Band]:
    if days.counted == "states":
        for state in STACKED:
            if state in days.counts:
                yield Band(state, words("state", state), days.counts[state])
        return
    for found in (days, then):
        if found is not None:
            counts = found.counts.get("covered", (0,) * len(found.days))
            yield Band("covered", _known(found, words), counts)


def _known(days: CohortDays, words: Words) -> str:
    """As known when: now, or on a day, if it is the end of one."""
    known_at = days.known_at
    if known_at is None:
        return words("plot", "known_now")
    is_end = known_at == end_of(known_at.date())
    return words(
        "plot", "known_then", known_at=shown(known_at.date() if is_end else known_at, words)
    )


def _title(days: CohortDays, words: Words) -> str:
    title = words("plot", days.counted)
    if not days.days:
        return title
    title = words("plot", "caption", title=title, first=days.days[0], last=days.days[-1])
    return words.joined([title, _known(days, words)]) if days.counted == "states" else title


def told_of(days: CohortDays, then: CohortDays | None, words: Words) -> str:
    """What a picture shows, in words, line by line."""
    return "\n".join(_told(days, then, words)) + "\n"


def _told(days: CohortDays, then: CohortDays | None, words: Words) -> Iterator[str]:
    """A line for what is drawn, for each band, and for how far two of them lie apart."""
    picture = picture_of(days, then, words)
    yield picture.title
    bands = [band for band in picture.bands if band.counts]
    for band in bands:
        most = max(band.counts)
        counts = (
            words("plot", "on", count=band.counts[n], day=picture.days[n])
            for n in _told_on(picture.days)
        )
        yield words(
            "plot",
            "line",
            what=band.name,
            counts=words.joined(counts, "listed"),
            most=most,
            day=picture.days[band.counts.index(most)],
        )
    if not bands:
        yield words("cohort", "nothing")
    elif not picture.is_stacked and len(bands) > 1:
        now, before = bands
        yield _apart(picture.days, now.counts, before.counts, words)


def _told_on(days: Sequence[date]) -> list[int]:
    """The places of the first day and the last, and of some first days of months in between."""
    months = some([n for n, day in enumerate(days) if day.day == 1])
    return sorted({0, *months, len(days) - 1})


def some(all_of: Sequence[T]) -> Sequence[T]:
    """As many as can be named, evenly."""
    return all_of[:: -(-len(all_of) // NAMED) or 1]


def _apart(
    days: tuple[date, ...], now: tuple[int, ...], then: tuple[int, ...], words: Words
) -> str:
    between = [abs(one - other) for one, other in zip(now, then, strict=True)]
    if not any(between):
        return words("plot", "alike")
    widest = between.index(max(between))
    return words("plot", "apart", day=days[widest], then=then[widest], now=now[widest])
