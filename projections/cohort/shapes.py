"""What students have in common, and what tells one from another, as whole numbers.

Two enrollments have one shape when the same kinds of facts stand in the same places, in each of
their years, with the same values present. Then they differ by numbers alone: days, instants, and
words by their numbers. Both ways are exact: what is known comes back from shape and numbers, but
for the envelopes of facts, of which no rule asks.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from yibao.domain.calendar import SHANGHAI, Columns
from yibao.domain.facts import AnyFact, Current, Facts, Moment, events
from yibao.domain.money import Fen
from yibao.domain.rules import Case, without_registration
from yibao.domain.vocabulary import (
    ActivationChannel,
    Category,
    ConfirmationChannel,
    Document,
    EnrollmentId,
    Leaving,
    OtherCover,
)
from yibao.projections.record import TELLING, EditionRecord, Knowledge

#: The first day from which on every instant of Shanghai lies eight hours ahead of UTC.
UNIFORM_FROM: Final = date(1992, 1, 1)

_EPOCH: Final = date(1970, 1, 1).toordinal()
_START: Final = datetime(1970, 1, 1, tzinfo=SHANGHAI)
_FIRST_DAY: Final = UNIFORM_FROM.toordinal() - _EPOCH
_FIRST_INSTANT: Final = (
    datetime.combine(UNIFORM_FROM, time(), SHANGHAI) - _START
) // timedelta.resolution
_DAYS: Final = frozenset({"on", "waiting_ends_on"})
#: Of what a fact tells, what no rule reads: it is in the store.
_UNREAD: Final = frozenset({"ref", "policy"})
_WORDS: Final = {
    kind.__name__: kind
    for kind in (
        *(str, int, Fen, Category, Document, Leaving),
        *(OtherCover, ConfirmationChannel, ActivationChannel),
    )
}


def day_number(day: date) -> int:
    """A day as the number of days since 1970."""
    return day.toordinal() - _EPOCH


def instant_number(instant: datetime) -> int:
    """An instant as the microseconds since 1970 began in Shanghai."""
    return (instant - _START) // timedelta.resolution


def day_of(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


def instant_of(number: int) -> datetime:
    return _START + timedelta(microseconds=number)


class Words:
    """A number for every word, as they come; 0 stands for none.

    Words are schools, categories, documents and whatever else is told but days: equal texts of two
    types are two words.
    """

    def __init__(self, written: Iterable[tuple[str, str]] = ()) -> None:
        self.words: list[Any] = [None]
        self._numbers: dict[tuple[type, Any], int] = {}
        for kind, text in written:
            self.number(_read(_WORDS[kind], text))

    def number(self, word: Any) -> int:
        """The number of a word, from now on if it is new."""
        if word is None:
            return 0
        key = word.__class__, word
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.words)
            self.words.append(word)
        return found

    def known(self, kind: type, word: Any) -> int:
        """The number of a word of a type, -1 where there is no such."""
        return self._numbers.get((kind, word), -1)

    def written(self, since: int = 1) -> list[tuple[str, str]]:
        """The words from a number on, each with its type, as they are to be kept."""
        return [(word.__class__.__name__, str(word)) for word in self.words[since:]]


class LastingWords(Words):
    """Words of which what was asked once holds for those as well that come later.

    Whatever is asked for has a number from then on.
    """

    def known(self, kind: type, word: Any) -> int:
        found = super().known(kind, word)
        if found >= 0:
            return found
        try:
            return self.number(_read(kind, str(word)))
        except ValueError:
            return -1  # and nobody can tell it


def _read(kind: Any, text: str) -> Any:
    if kind is Fen:
        return Fen.of(text)
    own = getattr(kind, "own", None)
    return own(text) if own and text not in kind._value2member_map_ else kind(text)


class Told(NamedTuple):
    """A fact of a shape: its name, its place, and which of its days are there."""

    name: str
    place: int
    days: tuple[str, ...] = ()


class Shape(NamedTuple):
    """What the enrollments of one shape have in common.

    `edition` is that of the registration, None where none was ever known. `following` is what the
    next year tells of this. How far windows are fixed is told by whoever gives the editions.
    """

    edition: str | None
    year: int
    own: tuple[Told, ...]
    before: "Shape | None" = None
    following: tuple[Told, ...] = ()


def written(shape: Shape) -> list[Any]:
    """A shape as JSON has it."""
    before = shape.before and written(shape.before)
    return [shape.edition, shape.year, shape.own, before, shape.following]


def read(told: Sequence[Any]) -> Shape:
    """The shape that was written so."""
    edition, year, own, before, following = told

    def facts(some: Sequence[Any]) -> tuple[Told, ...]:
        return tuple(Told(name, place, tuple(days)) for name, place, days in some)

    return Shape(edition, year, facts(own), before and read(before), facts(following))


def editions_in(shape: Shape) -> Iterator[str]:
    """The editions of a shape, each of a year; the latest year first."""
    if shape.edition is not None:
        yield shape.edition
    if shape.before is not None:
        yield from editions_in(shape.before)


@cache
def keys_of(kind: type[events.Fact]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The days of a kind of fact, which may be lacking, and its words."""
    keys = [key for key in kind.model_fields if key not in events.Fact.model_fields]
    days = tuple(key for key in keys if key in _DAYS)
    return days, tuple(key for key in keys if key not in _DAYS and key not in _UNREAD)


class Apart(Exception):
    """What is known does not come down to numbers."""


def numbered(knowledge: Knowledge, words: Words) -> tuple[Shape, list[int]] | None:
    """The shape of what is known, and its numbers; None where somebody is to be asked apart.

    That is who has received care, and where a day or instant lies before `UNIFORM_FROM`.
    """
    numbers: list[int] = []
    try:
        return _shaped(knowledge, words, numbers), numbers
    except Apart:
        return None


def _shaped(
    knowledge: Knowledge, words: Words, numbers: list[int], *, is_last: bool = True
) -> Shape:
    """The shape; what the next year tells of one that is not the last stands with that year."""
    if knowledge.cares:
        raise Apart
    case, before, year = knowledge.case, knowledge.before, knowledge.enrollment.year
    own: tuple[Told, ...] = ()
    following: tuple[Told, ...] = ()
    if case is not None:
        own = tuple([told_of(fact, words, numbers) for fact in case.known])
    shape = before and _shaped(before, words, numbers, is_last=case is None)
    if case is None:
        return Shape(None, year, own, shape)
    if is_last and case.following:
        later = case.following.everything
        following = tuple([told_of(fact, words, numbers) for fact in later])
    return Shape(case.policy.edition, year, own, shape, following)


def told_of(fact: AnyFact, words: Words, numbers: MutableSequence[int]) -> Told:
    """A fact of a shape, whose numbers are added to the others; raises Apart."""
    (at, place), event = fact
    return told_by(event, at, place, words, numbers)


def told_by(
    event: events.Fact, at: datetime, place: int, words: Words, numbers: MutableSequence[int]
) -> Told:
    """The same of an event that happened at an instant, told in whatever zone."""
    number = instant_number(at)
    if number < _FIRST_INSTANT:
        raise Apart
    numbers.append(number)
    of_days, of_words = keys_of(event.__class__)
    days: tuple[str, ...] = ()
    for key in of_days:
        day = getattr(event, key)
        if day is not None:
            number = day.toordinal() - _EPOCH
            if number < _FIRST_DAY:
                raise Apart
            days += (key,)
            numbers.append(number)
    for key in of_words:
        numbers.append(words.number(getattr(event, key)))
    return Told(event.name, place, days)


def packed(numbers: Iterable[int]) -> bytes:
    """The numbers of an enrollment as they are to be kept."""
    return array("q", numbers).tobytes()


class Reading(Protocol):
    """How numbers are read, each by its place in the row."""

    def instant(self, number: int) -> datetime: ...
    def day(self, number: int) -> date: ...
    def word(self, number: int, key: str) -> Any: ...


class Row:
    """Reads the numbers of one enrollment."""

    def __init__(self, numbers: Sequence[int], words: Words) -> None:
        self._numbers = numbers
        self._words = words.words

    def instant(self, number: int) -> datetime:
        return instant_of(int(self._numbers[number]))

    def day(self, number: int) -> date:
        return day_of(int(self._numbers[number]))

    def word(self, number: int, key: str) -> Any:
        return self._words[self._numbers[number]]


class Telling:
    """A fact read from numbers: what it tells is read when it is asked for.

    It passes for a fact of its kind. `place` and `year` tell which fact of the store it stands for.
    """

    def __init__(
        self, kind: type[events.Fact], year: int, place: int, told: dict[str, Any]
    ) -> None:
        self._kind, self._told = kind, told
        self.year_told, self.originator_version = year, place

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore
        return self._kind

    def __getattr__(self, name: str) -> Any:
        read = vars(self)["_told"].get(name)
        if read is None:
            return self._of_itself(name)
        method, *number = read
        found = vars(self)[name] = method(*number)
        return found

    def _of_itself(self, name: str) -> Any:
        if name == "event_id":
            found = vars(self)[name] = UUID(int=(self.year_told << 64) + self.originator_version)
            return found
        if name in self._kind.model_fields:
            raise AttributeError(f"{name} of a {self._kind.name} fact is in the store alone")
        return getattr(self._kind, name)


class MomentColumn(Moment):
    """A moment that is a column: two are told apart by one comparison, since places are known."""

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        at, place = other
        return bool(self.at < at if self.place >= place else self.at <= at)

    def __gt__(self, other: tuple[Any, ...]) -> bool:
        at, place = other
        return bool(self.at > at if self.place <= place else self.at >= at)

    def __le__(self, other: tuple[Any, ...]) -> bool:
        return not self > other

    def __ge__(self, other: tuple[Any, ...]) -> bool:
        return not self < other


EditionOf = Callable[[str], EditionRecord]


def known_of(shape: Shape, reading: Reading, edition_of: EditionOf) -> Knowledge:
    """What is known of an enrollment of a shape, its numbers being read in some way.

    Windows are fixed as far as the editions tell that are given.
    """
    return _Reader(reading, edition_of).knowledge(shape, ())


class _Reader:
    def __init__(self, reading: Reading, edition_of: EditionOf) -> None:
        self._reading, self._edition_of = reading, edition_of
        self._places = count()

    def knowledge(self, shape: Shape, later: Sequence[AnyFact]) -> Knowledge:
        """What is known by a shape; `later` are the facts of the year after, if they are known."""
        own = tuple(self._facts(shape.own, shape.year))
        before = self.knowledge(shape.before, own) if shape.before else None
        following = [fact for fact in later if isinstance(fact.event, TELLING)]
        following += self._facts(shape.following, shape.year + 1)
        whose = EnrollmentId("", shape.year)
        if shape.edition is None:
            return Knowledge(whose, len(own), None, 0, None, before=before)
        edition = self._edition_of(shape.edition)
        case = Case(
            edition.policy,
            own,
            edition.fixes(len(edition.log)),
            before=_case_before(before),
            following=Facts(following) if following else None,
        )
        return Knowledge(whose, len(own), None, len(edition.log), case, before=before)

    def _facts(self, told: Sequence[Told], year: int) -> Iterator[AnyFact]:
        take = self._places
        for name, place, days in told:
            kind: Any = events.EVENTS[name]
            at = self._reading.instant(next(take))
            of_days, of_words = keys_of(kind)
            read: dict[str, Any] = {
                key: (self._reading.day, next(take)) if key in days else _NONE for key in of_days
            }
            for key in of_words:
                read[key] = self._reading.word, next(take), key
            event: Any = Telling(kind, year, place, read)
            moment = MomentColumn if isinstance(at, Columns) else Moment
            yield Current(moment(at, place), event)


def _none() -> None:
    """A day that is not told."""


_NONE: Final = (_none,)


def _case_before(known: Knowledge | None) -> Case | None:
    """The case of the year before, by what is known of it; see `Record`."""
    if known is None or known.case is not None:
        return known and known.case
    earlier = _case_before(known.before)
    return without_registration(earlier) if earlier else None
