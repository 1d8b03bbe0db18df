"""Runs a question once for each path that enrollments of one shape take through the law."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy

from yibao.projections.cohort.columns import DayColumn, InstantColumn, WordColumn
from yibao.projections.cohort.shapes import EditionOf, Reading, Row, Shape, Words, known_of
from yibao.projections.cohort.tree import Column, Node, Numbers, Path, Rows, Tree
from yibao.projections.record import Knowledge

R_co = TypeVar("R_co", covariant=True)

#: Words that are columns, since there are many of them, or the law asks little of them. Of the
#: others each has its own path.
_MANY: Final = frozenset({"school", "category", "document", "channel"})


class Group(NamedTuple):
    """Enrollments of one shape: a row of `numbers` for each number of it, a column for each."""

    shape: Shape
    numbers: Numbers


class Along(NamedTuple, Generic[R_co]):
    """What a question gives for some of a group: `rows` are their columns in its numbers.

    The answer holds columns where theirs differ, of which those at `places` are theirs.
    """

    group: Group
    rows: Rows
    places: Rows
    answer: R_co


def unpacked(rows: Sequence[bytes]) -> Numbers:
    """The numbers of a group, from those of each."""
    found = numpy.frombuffer(b"".join(rows), dtype=numpy.int64).reshape(len(rows), -1)
    return numpy.ascontiguousarray(found.T)


def ask(
    groups: Iterable[Group],
    question: Callable[[Knowledge], R_co],
    words: Words,
    edition_of: EditionOf,
) -> Iterator[Along[R_co]]:
    """What a question gives for everybody in some groups, once for each path that is taken."""
    for group in groups:
        shape = group.shape

        def asked(reading: Reading, shape: Shape = shape) -> R_co:
            return question(known_of(shape, reading, edition_of))

        yield from _walked(group, asked, words)


def ask_at(
    group: Group,
    question: Callable[[Knowledge, datetime], R_co],
    words: Words,
    edition_of: EditionOf,
) -> Iterator[Along[R_co]]:
    """The same of a question for an instant: that of each is the last of the group's numbers."""

    def asked(reading: Reading) -> R_co:
        knowledge = known_of(group.shape, reading, edition_of)
        return question(knowledge, reading.instant(len(group.numbers) - 1))

    yield from _walked(group, asked, words)


def _walked(
    group: Group, question: Callable[[Reading], R_co], words: Words
) -> Iterator[Along[R_co]]:
    for rows, end in went(Tree(), group.numbers, question, words):
        yield Along(group, rows, rows, end.answer)


def went(
    tree: Tree, numbers: Numbers, read: Callable[[Reading], Any], words: Words
) -> Iterator[tuple[Rows, Node]]:
    """Where everybody of a group ends by what is read from numbers, the same for each tree."""
    return tree.go(
        numbers,
        lambda path: read(Reader(path, words)),
        lambda row: read(Row(numbers[:, row].tolist(), words)),
    )


class Reader:
    """Reads the numbers of all of a group at once, on a path."""

    def __init__(self, path: Path, words: Words) -> None:
        self._path, self._words = path, words
        # One column is one object: what is worked out of it is, however often it is read.
        self._read: dict[int, Any] = {}

    def instant(self, number: int) -> datetime:
        return self._once(number, InstantColumn.of)  # type: ignore[no-any-return]

    def day(self, number: int) -> date:
        return self._once(number, DayColumn.of)  # type: ignore[no-any-return]

    def _once(self, number: int, make: Callable[[Path, Column], Any]) -> Any:
        if number not in self._read:
            self._read[number] = make(self._path, self._path.tree.number(number))
        return self._read[number]

    def word(self, number: int, key: str) -> Any:
        return self._once(number, self._many if key in _MANY else self._one)

    def _many(self, path: Path, column: Column) -> WordColumn:
        return WordColumn(path, column, self._words.words[path.first(column)], self._words.known)

    def _one(self, path: Path, column: Column) -> Any:
        return self._words.words[path.read(column)]
