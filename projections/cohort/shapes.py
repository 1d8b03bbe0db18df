"""What students have in common, and what tells one from another, as whole numbers.

Two enrollments have one shape when the same kinds of facts stand in the same places, with the same
values present. Then they differ by numbers alone: days, instants, and words by their numbers.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.domain.facts import AnyFact, Current, Moment, events
from yibao.projections.cohort.columns import (
    Column,
    DayColumn,
    InstantColumn,
    Path,
    WordColumn,
    day_number,
    instant_number,
)

#: The first day from which on every instant of Shanghai lies eight hours ahead of UTC.
UNIFORM_FROM: Final = date(1992, 1, 1)

#: What is told of a fact as text, of which there are as many as there are schools.
_MANY: Final = frozenset({"school", "category", "document"})
#: Of what a fact tells, what no rule reads.
_UNREAD: Final = frozenset({"ref", "policy"})


class Words:
    """A number for every word, as they come."""

    def __init__(self, words: Iterable[Any] = ()) -> None:
        self.words: list[Any] = [None]
        self._numbers: dict[Any, int] = {}
        for word in words:
            self.number(word)

    def number(self, word: Any) -> int:
        if word is None:
            return 0
        found = self._numbers.get(word)
        if found is None:
            found = self._numbers[word] = len(self.words)
            self.words.append(word)
        return found

    def known(self, word: Any) -> int:
        """The number of a word, -1 of one that there is not."""
        return self._numbers.get(word, -1)


class Kind(NamedTuple):
    """A kind of fact: its days, which may be lacking, and its words."""

    kind: type[events.Fact]
    days: tuple[str, ...]
    words: tuple[str, ...]


@cache
def kind_of(fact: type[events.Fact]) -> Kind:
    keys = [key for key in fact.model_fields if key not in events.Fact.model_fields]
    days = tuple(key for key in keys if key in _DAYS)
    words = tuple(key for key in keys if key not in _DAYS and key not in _UNREAD)
    return Kind(fact, days, words)


_DAYS: Final = frozenset({"on", "waiting_ends_on"})


class Told(NamedTuple):
    """A fact of a shape: its kind, its place, and which of its days are there."""

    kind: type[events.Fact]
    place: int
    days: tuple[str, ...]


Shape = tuple[Told, ...]


def shaped(facts: Sequence[AnyFact], words: Words) -> tuple[Shape, list[int]] | None:
    """The shape of some facts, and their numbers; None where one lies before what is uniform."""
    shape, numbers = [], []
    for (at, place), event in facts:
        kind = kind_of(event.__class__)
        days = []
        if at.year < UNIFORM_FROM.year:
            return None
        numbers.append(instant_number(at))
        for key in kind.days:
            day = getattr(event, key)
            if day is not None:
                if day < UNIFORM_FROM:
                    return None
                days.append(key)
                numbers.append(day_number(day))
        for key in kind.words:
            numbers.append(words.number(getattr(event, key)))
        shape.append(Told(event.__class__, place, tuple(days)))
    return tuple(shape), numbers


class _Event:
    """A fact of everybody on a path: its days are columns, and its words are traced when read."""

    def __init__(self, kind: type[events.Fact], place: int, told: dict[str, Any]) -> None:
        self._told = told
        self._kind = kind
        self.event_id = UUID(int=place)
        self.originator_version = place

    @property
    def __class__(self) -> Any:
        return self._kind

    def __getattr__(self, name: str) -> Any:
        read = vars(self)["_told"].get(name)
        if read is None:
            return getattr(self._kind, name)
        found = vars(self)[name] = read()
        return found


def facts_of(
    shape: Shape, columns: Sequence[Column], path: Path, words: Words
) -> tuple[AnyFact, ...]:
    """The facts of a shape, of everybody in some columns."""
    facts = []
    take = iter(columns)
    for kind, place, days in shape:
        at = InstantColumn.at(path, next(take))
        told: dict[str, Any] = {}
        for key in kind_of(kind).days:
            told[key] = _day(path, next(take)) if key in days else _none
        for key in kind_of(kind).words:
            read = _word if key in _MANY else _read
            told[key] = read(path, next(take), words)
        facts.append(Current(Moment(at, place), _Event(kind, place, told)))
    return tuple(facts)


def _none() -> None:
    return None


def _day(path: Path, column: Column) -> Any:
    return lambda: DayColumn.at(path, column)


def _read(path: Path, column: Column, words: Words) -> Any:
    return lambda: words.words[path.read(column)]


def _word(path: Path, column: Column, words: Words) -> Any:
    return lambda: WordColumn.of(path, column, words.words[int(column.values[0])], words.known)
