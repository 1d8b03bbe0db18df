"""Runs a question once for each path that enrollments of one shape take through the law."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy

from yibao.projections.cohort.columns import (
    Column,
    DayColumn,
    InstantColumn,
    Numbers,
    Path,
    Rows,
    Source,
    WordColumn,
)
from yibao.projections.cohort.shapes import EditionOf, Reading, Row, Shape, Words, known_of
from yibao.projections.record import Knowledge

R_co = TypeVar("R_co", covariant=True)

#: Words that are columns, since there are many of them, or the law asks little of them. Of the
#: others each has its own path.
_MANY: Final = frozenset({"school", "category", "document", "channel"})
#: So few are quicker asked one by one.
_FEW: Final = 3


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
    numbers = group.numbers
    waiting: list[Rows | None] = [None] if numbers.shape[1] else []
    while waiting:
        rows = waiting.pop()
        size = numbers.shape[1] if rows is None else len(rows)
        if size <= _FEW:
            for row in numpy.arange(size) if rows is None else rows:
                alone = question(Row(numbers[:, row].tolist(), words))
                yield Along(group, numpy.array([row]), numpy.array([0]), alone)
            continue
        path = Path(size)
        answer = question(_Columns(numbers, rows, path, words))
        places = numpy.flatnonzero(path.along)
        yield Along(group, places if rows is None else rows[places], places, answer)
        waiting += path.left if rows is None else [rows[left] for left in path.left]


class _Columns:
    """Reads the numbers of all of a group at once, on a path."""

    def __init__(self, numbers: Numbers, rows: Rows | None, path: Path, words: Words) -> None:
        self._numbers, self._rows = numbers, rows
        self._path, self._words = path, words
        self._firsts = numbers[:, 0 if rows is None else rows[0]].tolist()

    def instant(self, number: int) -> datetime:
        return InstantColumn.of(self._path, self._column(number))

    def day(self, number: int) -> date:
        return DayColumn.of(self._path, self._column(number))

    def word(self, number: int, key: str) -> Any:
        column, words = self._column(number), self._words
        if key in _MANY:
            return WordColumn(self._path, column, words.words[column.first], words.known)
        return words.words[self._path.read(column)]

    def _column(self, number: int) -> Column:
        numbers, rows = self._numbers[number], self._rows

        def gathered() -> Numbers:
            found: Numbers = numbers if rows is None else numbers[rows]
            return found

        return Column(Source(gathered, self._firsts[number]))
