"""The paths that enrollments of one shape take through the law, by what their numbers tell.

A path is run once, for whoever is the first to take it: what is compared is remembered, and with
it what came out. Everybody else goes along the same comparisons, all of a group at once, as far as
they come out alike. So a path that was taken before, by whomever, needs no law any more.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray

#: So many have to come before a path is run for whoever else comes.
FEW: Final = 3

Numbers = NDArray[numpy.int64]
Rows = NDArray[numpy.intp]
Flags = NDArray[numpy.bool_]


class Source:
    """Whole numbers, one for each of a group, worked out of the numbers of its rows."""

    def __init__(self, tree: "Tree", serial: int, work_out: Callable[[], Numbers]) -> None:
        self.serial = serial
        self.work_out = work_out
        self._tree = tree

    @property
    def values(self) -> Numbers:
        """The numbers of the group that goes along the tree now."""
        return self._tree.values(self)


class Column(NamedTuple):
    """The numbers of a source, each with as much added."""

    source: Source
    offset: int = 0

    def values(self) -> Numbers:
        return self.source.values + self.offset if self.offset else self.source.values

    def at(self, rows: Rows) -> Numbers:
        """The numbers of some rows, without working out those of the others."""
        found: Numbers = self.source.values[rows]
        return found + self.offset if self.offset else found

    def moved(self, by: int) -> "Column":
        return Column(self.source, self.offset + by)


#: What is compared: a column, or a number that is everybody's.
Compared = Column | int


class _Asked(NamedTuple):
    """What is asked of everybody: whether a difference is below or at a number, or among some.

    Without numbers it is asked which number it is.
    """

    what: str
    one: Source
    other: Source | None
    numbers: tuple[int, ...]

    def of_one(self, row: int) -> int:
        """What comes out for one of them, which is quicker than for a column of one."""
        value: int = self.one.values.item(row)
        if self.other is not None:
            value -= self.other.values.item(row)
        if self.what == "below":
            return value < self.numbers[0]
        if self.what == "at":
            return value == self.numbers[0]
        return value in self.numbers if self.what == "among" else value

    def of(self, rows: Rows) -> Any:
        values = _of(self.one, rows)
        if self.other is not None:
            values = values - _of(self.other, rows)
        if self.what == "below":
            return values < self.numbers[0]
        if self.what == "at":
            return values == self.numbers[0]
        return _is_among(values, self.numbers) if self.what == "among" else values


def _of(source: Source, rows: Rows) -> Numbers:
    """The numbers of some rows; nobody is copied where they are everybody."""
    values = source.values
    return values if len(rows) == len(values) else values[rows]


def _is_among(values: Numbers, numbers: tuple[int, ...]) -> Flags:
    """Whether each is one of some, which are few and quicker asked for one by one."""
    found: Flags = numpy.zeros(len(values), dtype=numpy.bool_)
    for number in {*numbers}:
        found |= values == number
    return found


def _different(numbers: Numbers) -> list[int]:
    """Every number there is among some."""
    low, high = int(numbers.min()), int(numbers.max())
    if low == high:
        return [low]
    if high - low < _FEW_NUMBERS:
        found: list[int] = (numpy.flatnonzero(numpy.bincount(numbers - low)) + low).tolist()
        return found
    return numpy.unique(numbers).tolist()  # type: ignore[no-any-return]


#: So many numbers are counted rather than sorted.
_FEW_NUMBERS: Final = 1000


class Node:
    """What is asked next, and where one goes from there; or else the answer at the end."""

    __slots__ = ("answer", "asked", "is_end", "onwards", "passed")

    def __init__(self, answer: Any = None) -> None:
        self.asked: _Asked | None = None
        self.onwards: dict[int, Node] = {}
        self.is_end = False
        self.answer = answer
        #: How many have passed for whom no path was run.
        self.passed = 0


def _parted(rows: Rows, found: Any, is_numbers: bool) -> Iterator[tuple[int, Rows]]:
    """Rows by what came out of each, which is a number, or whether it is so."""
    if is_numbers:
        numbers = _different(found)
        for number in numbers:
            yield number, rows if len(numbers) == 1 else rows[found == number]
        return
    yes = int(numpy.count_nonzero(found))
    if yes == len(rows) or not yes:
        yield int(yes > 0), rows
        return
    yield 1, rows[found]
    yield 0, rows[~found]


def _gone_alone(node: Node, row: int) -> Node:
    """Where one goes from there as far as is known what is asked."""
    while node.asked is not None:
        node = node.onwards.setdefault(int(node.asked.of_one(row)), Node())
    return node


_NOBODY: Final = numpy.empty((0, 0), dtype=numpy.int64)


class Tree:
    """All paths taken so far."""

    def __init__(self) -> None:
        self.group = _NOBODY
        #: How many paths there are.
        self.paths = 0
        self._root = Node()
        self._sources: dict[object, Source] = {}
        self._values: dict[Source, Numbers] = {}
        #: Where columns are of whom nothing is asked any more.
        self.nowhere = Path(self, Node(), 0)

    def enter(self, group: Numbers) -> None:
        """Forgets the group before, of which nothing is to be told any more."""
        self.group = group
        self._values = {}

    def leave(self) -> None:
        self.enter(_NOBODY)

    def values(self, source: Source) -> Numbers:
        found = self._values.get(source)
        if found is None:
            found = self._values[source] = source.work_out()
        return found

    def go(
        self, group: Numbers, ask: Callable[["Path"], Any], alone: Callable[[int], Any]
    ) -> Iterator[tuple[Rows, Node]]:
        """Has a group go along; who is together at the end of a path, where the answer is.

        A row of `group` has one number of everybody. What is answered holds columns: their values
        are those of the group as long as no other goes along. `ask` runs the law on a path, and
        `alone` for a row by itself, which is quicker for the first few.
        """
        self.enter(group)
        waiting = [(self._root, numpy.arange(group.shape[1]))] if group.shape[1] else []
        while waiting:
            node, rows = waiting.pop()
            if node.asked is None and not node.is_end:
                node.passed += len(rows)
                if node.passed <= FEW:
                    for row in rows.tolist():
                        yield numpy.array([row]), Node(alone(row))
                    continue
                path = Path(self, self._root, int(rows[0]))
                answer = ask(path)
                path.node.answer, path.node.is_end = answer, True
                self.paths += 1
            if node.is_end:
                yield rows, node
                continue
            # Whoever took this path for the first time has gone through here.
            if len(rows) == 1:
                waiting.append((_gone_alone(node, rows.item()), rows))
                continue
            assert node.asked is not None
            found = node.asked.of(rows)
            for outcome, some in _parted(rows, found, node.asked.what == "which"):
                waiting.append((node.onwards.setdefault(outcome, Node()), some))

    def number(self, place: int) -> Column:
        """The column at a place of the rows."""
        return Column(self._source(("number", place), lambda: self.group[place]))

    def worked_out(self, key: object, of: Column, by: Callable[[Numbers], Numbers]) -> Column:
        """What a function, known by a key, makes of each number of a column."""
        whole = key, of.source.serial, of.offset
        return Column(self._source(whole, lambda: by(of.values())))

    def greatest(self, compared: Sequence[Compared]) -> Column:
        """The greatest of several of each."""
        told = [c if isinstance(c, int) else (c.source.serial, c.offset) for c in compared]

        def work_out() -> Numbers:
            first, *rest = (c if isinstance(c, int) else c.values() for c in compared)
            so_far: Any = first
            for each in rest:
                so_far = numpy.maximum(so_far, each)
            return so_far  # type: ignore[no-any-return]

        return Column(self._source(("greatest", *told), work_out))

    def _source(self, key: object, work_out: Callable[[], Numbers]) -> Source:
        found = self._sources.get(key)
        if found is None:
            found = self._sources[key] = Source(self, len(self._sources), work_out)
        return found


class Path:
    """One path, of a representative: each comparison comes out as for her."""

    def __init__(self, tree: Tree, root: Node, row: int) -> None:
        self.tree = tree
        self.node = root
        self._row = row
        self._firsts: dict[Source, int] = {}
        # Between which bounds the difference of two sources lies, by what came out before.
        self._known: dict[tuple[int, int], tuple[float, float]] = {}

    def first(self, column: Column) -> int:
        """The number of the representative."""
        return self._of(column.source) + column.offset

    def is_less(self, one: Compared, other: Compared) -> bool:
        """Whether one is less than another, of which one at least is a column."""
        if isinstance(one, int):
            assert isinstance(other, Column)
            return not self._is_below(other.source, None, one + 1 - other.offset)
        if isinstance(other, int):
            return self._is_below(one.source, None, other - one.offset)
        if one.source is other.source:
            return one.offset < other.offset
        if one.source.serial < other.source.serial:
            return self._is_below(one.source, other.source, other.offset - one.offset)
        return not self._is_below(other.source, one.source, one.offset - other.offset + 1)

    def is_equal(self, one: Column, other: Compared) -> bool:
        """Whether a column is equal to another, or to a number."""
        if isinstance(other, int):
            return self._is_at(one.source, None, other - one.offset)
        if one.source is other.source:
            return one.offset == other.offset
        if one.source.serial < other.source.serial:
            return self._is_at(one.source, other.source, other.offset - one.offset)
        return self._is_at(other.source, one.source, one.offset - other.offset)

    def is_among(self, column: Column, numbers: Sequence[int]) -> bool:
        """Whether a column has one of some numbers."""
        wanted = tuple(number - column.offset for number in numbers)
        outcome = self._of(column.source) in wanted
        self._goes(_Asked("among", column.source, None, wanted), outcome)
        return outcome

    def read(self, column: Column) -> int:
        """The number of the representative; who has another goes elsewhere."""
        found = self._of(column.source)
        low, high = self._bounds(column.source, None)
        if low != high:
            self._goes(_Asked("which", column.source, None, ()), found)
            self._known[column.source.serial, -1] = found, found
        return found + column.offset

    def latest(self, compared: Sequence[Compared]) -> Compared:
        """The greatest of several for each, whichever that is."""
        least: int | None = None
        offsets: dict[Source, int] = {}
        for each in compared:
            if isinstance(each, int):
                least = each if least is None else max(least, each)
            else:
                source, offset = each
                offsets[source] = max(offset, offsets.get(source, offset))
        found: list[Compared] = [Column(*each) for each in offsets.items()]
        found += [] if least is None else [least]
        return found[0] if len(found) == 1 else self.tree.greatest(found)

    def _of(self, source: Source) -> int:
        found = self._firsts.get(source)
        if found is None:
            found = self._firsts[source] = source.values.item(self._row)
        return found

    def _bounds(self, one: Source, other: Source | None) -> tuple[float, float]:
        return self._known.get((one.serial, other.serial if other else -1), _ANYWHERE)

    def _difference(self, one: Source, other: Source | None) -> int:
        return self._of(one) - (self._of(other) if other else 0)

    def _is_below(self, one: Source, other: Source | None, limit: int) -> bool:
        low, high = self._bounds(one, other)
        if high < limit:
            return True
        if low >= limit:
            return False
        outcome = self._difference(one, other) < limit
        self._goes(_Asked("below", one, other, (limit,)), outcome)
        bounds = (low, limit - 1) if outcome else (limit, high)
        self._known[one.serial, other.serial if other else -1] = bounds
        return outcome

    def _is_at(self, one: Source, other: Source | None, number: int) -> bool:
        low, high = self._bounds(one, other)
        if number < low or high < number:
            return False
        if low == high:
            return True
        outcome = self._difference(one, other) == number
        self._goes(_Asked("at", one, other, (number,)), outcome)
        bounds = (number, number) if outcome else (low + (low == number), high - (high == number))
        self._known[one.serial, other.serial if other else -1] = bounds
        return outcome

    def _goes(self, asked: _Asked, outcome: int) -> None:
        """One step further; a path that was taken before is gone again as it was."""
        node = self.node
        if node.asked is None:
            node.asked = asked
        elif node.asked != asked:
            raise RuntimeError("the law asks otherwise where everything came out as before")
        self.node = node.onwards.setdefault(int(outcome), Node())


_ANYWHERE = (-numpy.inf, numpy.inf)
