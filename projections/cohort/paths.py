"""Runs a question once for each path that enrollments of one shape take through the law."""

from array import array
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


def packed(numbers: Iterable[int]) -> bytes:
    """The numbers of an enrollment as they are to be kept."""
    return array("q", numbers).tobytes()


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
        yield from _asked(group, question, words, edition_of)


def _asked(
    group: Group, question: Callable[[Knowledge], R_co], words: Words, edition_of: EditionOf
) -> Iterator[Along[R_co]]:
    def read(reading: Reading) -> R_co:
        return question(known_of(group.shape, reading, edition_of))

    for rows, places, answer in walked(group.numbers, read, words):
        yield Along(group, rows, places, answer)


def walked(
    numbers: Numbers, ask: Callable[[Reading], R_co], words: Words
) -> Iterator[tuple[Rows, Rows, R_co]]:
    """What is made of rows of numbers, once for each path that is taken; see `Along`."""
    waiting: list[Rows | None] = [None]
    while waiting:
        rows = waiting.pop()
        size = numbers.shape[1] if rows is None else len(rows)
        if size <= _FEW:
            for row in numpy.arange(size) if rows is None else rows:
                alone = ask(Row(numbers[:, row].tolist(), words))
                yield numpy.array([row]), numpy.array([0]), alone
            continue
        path = Path(size)
        answer = ask(_Columns(numbers, rows, path, words))
        places = numpy.flatnonzero(path.along)
        yield places if rows is None else rows[places], places, answer
        waiting += path.left if rows is None else [rows[left] for left in path.left]


class _Columns:
    """Reads the numbers of all of a group at once, on a path."""

    def __init__(self, numbers: Numbers, rows: Rows | None, path: Path, words: Words) -> None:
        self._numbers, self._rows = numbers, rows
        self._path, self._words = path, words
        self._firsts = numbers[:, 0 if rows is None else rows[0]].tolist()
        # One column is one object: what is worked out of it is, however often it is read.
        self._read: dict[int, Any] = {}

    def instant(self, number: int) -> datetime:
        return self._once(number, InstantColumn.of)  # type: ignore[no-any-return]

    def day(self, number: int) -> date:
        return self._once(number, DayColumn.of)  # type: ignore[no-any-return]

    def _once(self, number: int, make: Callable[[Path, Column], Any]) -> Any:
        if number not in self._read:
            self._read[number] = make(self._path, self._column(number))
        return self._read[number]

    def word(self, number: int, key: str) -> Any:
        return self._once(number, self._many if key in _MANY else self._one)

    def _many(self, path: Path, column: Column) -> WordColumn:
        return WordColumn(path, column, self._words.words[column.first], self._words.known)

    def _one(self, path: Path, column: Column) -> Any:
        return self._words.words[path.read(column)]

    def _column(self, number: int) -> Column:
        numbers, rows = self._numbers[number], self._rows

        def gathered() -> Numbers:
            found: Numbers = numbers if rows is None else numbers[rows]
            return found

        return Column(Source(gathered, self._firsts[number]))
