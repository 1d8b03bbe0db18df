"""What was known without something that was recorded and with it, and what is told of both.

Both are asked apart, each along the paths of its own shape. What the two say beside one another
is then asked of what they say, which is little.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy

from yibao.domain.facts import events
from yibao.projections.audit_trail import Recorded, place_of
from yibao.projections.cohort.columns import DayColumn, InstantColumn, WordColumn
from yibao.projections.cohort.shapes import (
    UNIFORM_FROM,
    Apart,
    Shape,
    Told,
    Words,
    day_of,
    editions_in,
    instant_number,
    instant_of,
    numbered,
    packed,
    told_by,
)
from yibao.projections.cohort.tree import Column, Path, Rows, Tree
from yibao.projections.record import Knowledge, Record

R = TypeVar("R")


class Known(NamedTuple):
    """The shape and the numbers, packed, of what was known, and of an instant asked about.

    `fixed` tells how often windows were fixed under each edition of the shape.
    """

    shape: Shape
    fixed: tuple[int, ...]
    numbers: bytes


class Around(NamedTuple):
    """Something recorded, what was known without it and with it, both for when it was recorded.

    `place` is that of the fact among those of the year, 0 where it is none of them.
    """

    recorded: Recorded
    without: Known
    known: Known
    place: int


def around(record: Record, recorded: Iterable[Recorded], words: Words) -> list[Around]:
    """What was known around each of what was recorded; raises Apart for who is asked apart."""
    take = _one_after_the_other if _is_plain(record) else _known_anew
    return list(take(record, recorded, words))


def _is_plain(record: Record) -> bool:
    """Whether each fact but adds to what is known: nothing is corrected, and there is one year."""
    if record.before or record.following or len(record.received):
        return False
    return all(
        isinstance(event, events.Fact) and event.supersedes is None
        for event in record.enrolled.events
    )


def _one_after_the_other(
    record: Record, recorded: Iterable[Recorded], words: Words
) -> Iterator[Around]:
    told: list[Told] = []
    numbers: list[int] = []
    ends = [0]
    for event in record.enrolled.events:
        assert isinstance(event, events.Fact)  # as of whom it is plain
        version = event.originator_version
        told.append(told_by(event, event.occurred_at, version, words, numbers))
        ends.append(len(numbers))

    shapes: dict[int, Shape] = {}

    def known(version: int, position: int, at: int) -> Known:
        shape = shapes.get(version)
        if shape is None:
            named = record.edition_named(version)
            own = () if named is None else tuple(told[:version])
            shape = shapes[version] = Shape(named, record.enrollment.year, own)
        has = numbers[: ends[version]] if shape.edition else ()
        return Known(shape, _fixed(record, shape, position), packed([*has, at]))

    for each in recorded:
        position, event = each.recorded
        at, version = _recorded_at(event), record.enrolled.at(position)
        without = known(version - each.is_own, position - 1, at)
        yield Around(each, without, known(version, position, at), version * each.is_own)


def _known_anew(record: Record, recorded: Iterable[Recorded], words: Words) -> Iterator[Around]:
    def known(knowledge: Knowledge, position: int, at: int) -> Known:
        found = numbered(knowledge, words)
        if found is None:
            raise Apart
        shape, numbers = found
        return Known(shape, _fixed(record, shape, position), packed([*numbers, at]))

    for each in recorded:
        position, event = each.recorded
        at = _recorded_at(event)
        without, after = record.known_at(position - 1), record.known_at(position)
        before = known(without, position - 1, at)
        yield Around(each, before, known(after, position, at), place_of(event, after))


def _fixed(record: Record, shape: Shape, position: int) -> tuple[int, ...]:
    """How often windows were fixed under each edition, as the store was at a position."""
    editions = map(record.edition_of, editions_in(shape))
    return tuple([edition.fixed(edition.log.at(position)) for edition in editions])


def _recorded_at(event: events.Event) -> int:
    if event.recorded_at.year < UNIFORM_FROM.year:
        raise Apart
    return instant_number(event.recorded_at)


class AddedUp(NamedTuple):
    """The facts of whom each but adds to those before, as they come down to numbers.

    `shapes` are those of what was known after so many of them, none and more, and `ends` how many
    numbers each has. `numbers` and `stamps`, when each was recorded, are packed.
    """

    edition: str
    told: tuple[Told, ...]
    shapes: Sequence[Shape]
    ends: Sequence[int]
    numbers: bytes
    stamps: bytes


class Kinds:
    """Brings facts down to numbers; of those of whom the same is told the shapes are one."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._shapes: dict[Any, tuple[Sequence[Shape], Sequence[int]]] = {}

    def added_up(self, record: Record) -> AddedUp | None:
        """The facts of somebody; None where one does more than to add to those before."""
        recorded = record.enrolled.events
        if not (recorded and isinstance(recorded[0], events.Registered) and _is_plain(record)):
            return None
        numbers: list[int] = []
        stamps: list[int] = []
        told: list[Told] = []
        ends = [0]
        for version, event in enumerate(recorded, 1):
            if version > 1 and isinstance(event, events.Registered):
                return None
            assert isinstance(event, events.Fact)  # as of whom it is plain
            told.append(told_by(event, event.occurred_at, version, self._words, numbers))
            stamps.append(_recorded_at(event))
            ends.append(len(numbers))
        edition, year = recorded[0].policy, record.enrollment.year
        return self.adding(edition, year, tuple(told), ends, numbers, stamps)

    def adding(
        self,
        edition: str,
        year: int,
        whole: tuple[Told, ...],
        ends: Sequence[int],
        numbers: Iterable[int],
        stamps: Iterable[int],
    ) -> AddedUp:
        """The same of facts that are known to be so."""
        found = self._shapes.get((edition, year, whole))
        if found is None:
            shapes = [Shape(edition if n else None, year, whole[:n]) for n in range(len(ends))]
            found = self._shapes[edition, year, whole] = shapes, ends
        return AddedUp(edition, whole, *found, packed(numbers), packed(stamps))


#: What has no column in it, by its id, which nothing else has as long as it stands here.
Plain = dict[int, Any]


class Beside(Generic[R]):
    """What the ends of two paths tell, beside one another.

    A question about both is asked along paths of its own, by the columns that are in them.
    """

    def __init__(self, one: Any, other: Any, words: Words, plain: Plain) -> None:
        self._sides = one, other
        self._words, self._plain = words, plain
        self._tree = Tree()
        self._columns: dict[tuple[int, Column], int] = {}
        for side, told in enumerate(self._sides):
            _put(told, partial(self._take, side), self._plain)

    def _take(self, side: int, each: Any) -> Column:
        self._columns.setdefault((side, each.column), len(self._columns))
        column: Column = each.column  # something else than what is a column
        return column

    def ask(
        self, rows: tuple[Rows, Rows], question: Callable[[Any, Any], R]
    ) -> Iterator[tuple[Rows, R]]:
        """Who is told alike, by their places among the rows, and what a question gives of them.

        The rows are those of each in the group of the one path and in that of the other.
        """
        values = [column.at(rows[side]) for side, column in self._columns]
        group = numpy.array(values, dtype=numpy.int64).reshape(len(values), len(rows[0]))

        def of(path: Path) -> R:
            one, other = (
                _put(told, partial(self._beside, path, side), self._plain)
                for side, told in enumerate(self._sides)
            )
            return question(one, other)

        def of_one(place: int) -> R:
            one, other = (
                alone(told, int(rows[side][place]), self._words, self._plain)
                for side, told in enumerate(self._sides)
            )
            return question(one, other)

        for places, end in self._tree.go(group, of, of_one):
            yield places, end.answer
        self._tree.leave()

    def _beside(self, path: Path, side: int, each: Any) -> Any:
        column = self._tree.number(self._columns[side, each.column])
        if isinstance(each, WordColumn):
            return WordColumn(path, column, each.first, each.number_of)
        return each.of(path, column)


def alone(told: R, row: int, words: Words, plain: Plain) -> R:
    """What a path tells of one of those who came along."""

    def of_one(each: Any) -> Any:
        source, offset = each.column
        number = int(source.values[row]) + offset
        if isinstance(each, WordColumn):
            return words.words[number]
        return day_of(number) if isinstance(each, DayColumn) else instant_of(number)

    found: R = _put(told, of_one, plain)
    return found


def at_rest(told: R, tree: Tree, plain: Plain) -> R:
    """The same to be kept: without what was worked out of its columns on the way.

    What there is in it without any column is added to what is known to be so.
    """
    path = tree.nowhere

    def kept(each: Any) -> Any:
        if isinstance(each, WordColumn):
            return WordColumn(path, each.column, each.first, each.number_of)
        return each.of(path, each.column)

    found: R = _put(told, kept, plain)
    return found


def _put(told: Any, instead: Callable[[Any], Any], plain: Plain) -> Any:
    """The same with something instead of each column; what has none stays the same object."""
    if id(told) in plain:
        return told
    parts = []
    is_plain = True
    for part in told:
        kind = _KINDS[part.__class__]
        if kind is not None:
            new = instead(part) if kind else _put(part, instead, plain)
            is_plain = is_plain and new is part
            part = new
        parts.append(part)
    if is_plain:
        plain[id(told)] = told
        return told
    return told._make(parts) if hasattr(told, "_make") else tuple(parts)


class _Kinds(dict[type, bool | None]):
    """Whether what is of a class is a column; None for what holds none either."""

    def __missing__(self, kind: type) -> bool | None:
        is_column = issubclass(kind, InstantColumn | DayColumn | WordColumn)
        found = self[kind] = is_column or (False if issubclass(kind, tuple) else None)
        return found


_KINDS: Final = _Kinds()
