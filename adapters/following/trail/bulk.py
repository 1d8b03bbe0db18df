"""What the facts of very many students changed, asked of all who are like one another at once.

It needs numpy, which may not be here; then they are asked one by one, and the rows are the same.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy

from yibao.adapters.following.trail.changes import text_of
from yibao.adapters.following.trail.rows import Head, Listed, head_of, listed, row_of, rows_at
from yibao.adapters.following.trail.spelt import Spellings
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.store import not_collecting
from yibao.domain.lifecycle import Change
from yibao.projections.answer import answered
from yibao.projections.audit_trail import Outline, Recorded, code_of, effect, outline
from yibao.projections.cohort.columns import Each, WordColumn
from yibao.projections.cohort.pairs import (
    AddedUp,
    Around,
    Beside,
    Kinds,
    Known,
    Plain,
    alone,
    around,
    at_rest,
)
from yibao.projections.cohort.paths import unpacked, went
from yibao.projections.cohort.shapes import (
    EditionOf,
    LastingWords,
    Reading,
    Row,
    Shape,
    editions_in,
    known_of,
)
from yibao.projections.cohort.tree import Node, Numbers, Rows, Tree
from yibao.projections.parts import PARTS
from yibao.projections.record import EditionRecord, Record

#: So many paths are remembered.
MOST: Final = 50_000
#: So few are quicker told one by one.
FEW: Final = 3


#: What students have in common who are asked together.
_Like = tuple[Shape, tuple[int, ...]]


class _Group:
    """Those of one shape: their numbers, and where their paths end."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._packed: list[bytes] = []
        self._parts: list[Numbers] = []
        self._many = 0
        #: The place of the end of each among those of everybody.
        self.ends: Numbers = numpy.empty(0, dtype=numpy.int64)

    def add(self, numbers: bytes) -> int:
        """The row of one; all of these stand before those who are added together."""
        self._packed.append(numbers)
        return len(self._packed) - 1

    def extend(self, numbers: Numbers) -> Numbers:
        """The rows of many."""
        first = len(self._packed) + self._many
        self._parts.append(numbers)
        self._many += numbers.shape[1]
        return numpy.arange(first, first + numbers.shape[1])

    def numbers(self) -> Numbers:
        parts = [unpacked(self._packed)] if self._packed else []
        return numpy.concatenate([*parts, *self._parts], axis=1)


class _Asked(NamedTuple):
    """Facts that stand at one place, by their numbers; the rows of both sides in their groups."""

    place: int
    supersedes: int | None
    groups: tuple[_Group, _Group]
    rows: tuple[Numbers, Numbers]
    facts: Numbers


class _Alike(NamedTuple):
    """What facts have in common that are told alike, but for what columns tell."""

    without: Node
    known: Node
    place: int
    supersedes: int | None


class _Streams:
    """Students of whom the same was told, one fact after the other."""

    def __init__(self, edition: EditionRecord, added: AddedUp) -> None:
        self._edition = edition
        self._shapes = added.shapes
        self._ends = added.ends
        self._numbers: list[bytes] = []
        self._stamps: list[bytes] = []
        self._positions: list[int] = []
        self._firsts: list[int] = []
        self._facts: list[int] = []

    def add(self, added: AddedUp, positions: Sequence[int], first: int, fact: int) -> None:
        """Somebody, of whom the facts from a place on are asked about; their first number."""
        self._numbers.append(added.numbers)
        self._stamps.append(added.stamps)
        self._positions += positions
        self._firsts.append(first)
        self._facts.append(fact)

    def asked(self, group_of: Callable[[Shape, tuple[int, ...]], _Group]) -> Iterator[_Asked]:
        """What is asked of them, fact by fact."""
        numbers, stamps = unpacked(self._numbers), unpacked(self._stamps)
        positions = numpy.array(self._positions).reshape(-1, len(self._ends) - 1).T
        firsts, facts = numpy.array(self._firsts), numpy.array(self._facts)
        log = self._edition.log
        fixed = numpy.array([self._edition.fixed(n) for n in range(len(log) + 1)])
        for place in range(1, len(self._ends)):
            rows = numpy.flatnonzero(firsts < place)
            at = numpy.searchsorted(log.positions, positions[place - 1][rows], side="right")
            times = fixed[at]
            for each in numpy.unique(times).tolist():
                own = rows[times == each]
                stamp = stamps[place - 1, own][None]
                sides = []
                for version in (place - 1, place):
                    group = group_of(self._shapes[version], (each,) if version else ())
                    known = numbers[: self._ends[version], own]
                    sides.append((group, group.extend(numpy.concatenate([known, stamp]))))
                (before, without), (after, known) = sides
                told = facts[own] + (place - 1 - firsts[own])
                yield _Asked(place, None, (before, after), (without, known), told)


class Bulk:
    """Gathers what was recorded of students, and gives the rows of all of it.

    Which paths the law takes is remembered from batch to batch.
    """

    def __init__(self) -> None:
        self._words = LastingWords()
        self._facts: list[Head] = []
        self._asked: list[_Asked] = []
        self._streams: dict[Any, _Streams] = {}
        self._groups: dict[_Like, _Group] = {}
        self._trees: dict[_Like, Tree] = {}
        self._beside: dict[_Alike, Beside[Listed]] = {}
        self._texts: dict[Any, dict[int, str]] = {}
        self._plain: Plain = {}
        self._kinds = Kinds(self._words)
        self.spellings = Spellings(self._words, self._kinds)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """A batch of facts, which is forgotten in the end.

        Nobody looks for garbage meanwhile: there is little among very much that is made.
        """
        with not_collecting():
            try:
                yield
            finally:
                for group in self._groups.values():
                    group.tree.leave()
                self._facts.clear()
                self._asked.clear()
                self._streams.clear()
                self._groups.clear()
                self._texts.clear()
                if sum(tree.paths for tree in self._trees.values()) + len(self._beside) > MOST:
                    self._trees.clear()
                    self._beside.clear()
                    self._plain.clear()

    def take(self, record: Record, recorded: Iterable[Recorded]) -> None:
        """Takes in what was recorded of a student; raises Apart for who is asked apart."""
        added = self._kinds.added_up(record)
        if added is None:
            self._take_each(record, around(record, recorded, self._words))
            return
        own, fixed = [], []
        for each in recorded:
            if each.is_own:
                own.append(each)
            elif record.enrolled.at(each.position):
                fixed.append(each)
        if fixed:
            self._take_each(record, around(record, fixed, self._words))
        heads = [head_of(each, record.enrollment) for each in own]
        self.take_added(record.edition_of(added.edition), added, record.enrolled.positions, heads)

    def take_added(
        self,
        edition: EditionRecord,
        added: AddedUp,
        positions: Sequence[int],
        heads: Sequence[Head],
    ) -> None:
        """Takes in what was recorded of whom each fact but adds to the others."""
        like = added.edition, edition.policy.year, added.told
        streams = self._streams.get(like)
        if streams is None:
            streams = self._streams[like] = _Streams(edition, added)
        streams.add(added, positions, len(positions) - len(heads), len(self._facts))
        self._facts += heads

    def _take_each(self, record: Record, told: Iterable[Around]) -> None:
        whose, version_superseded = record.enrollment, record.version_superseded
        last: tuple[Known, _Group] | None = None
        for each, without, known, place in told:
            # What was known with one fact is mostly what was known without the next.
            before = last[1] if last and last[0][:2] == without[:2] else self._group(*without[:2])
            after = self._group(*known[:2])
            last = known, after
            rows = before.add(without.numbers), after.add(known.numbers)
            supersedes = version_superseded(each.recorded.event)
            one, other = numpy.array([rows[0]]), numpy.array([rows[1]])
            fact = numpy.array([len(self._facts)])
            self._asked.append(_Asked(place, supersedes, (before, after), (one, other), fact))
            self._facts.append(head_of(each, whose))

    def _group(self, shape: Shape, fixed: tuple[int, ...]) -> _Group:
        like = shape, fixed
        found = self._groups.get(like)
        if found is None:
            tree = self._trees.setdefault(like, Tree())
            found = self._groups[like] = _Group(tree)
        return found

    def rows(self, edition_of: EditionOf) -> list[TrailRow]:
        """The rows of everything that was taken."""
        asked = list(self._asked)
        for streams in self._streams.values():
            asked += streams.asked(self._group)
        ends: list[Node] = []
        for (shape, fixed), group in self._groups.items():
            names = zip(editions_in(shape), fixed, strict=True)
            known = {name: edition_of(name).after(times) for name, times in names}
            self._ask(shape, group, known.__getitem__, ends)
        rows: list[TrailRow] = []
        for key, facts, sides in _alike(asked, ends):
            rows += self._told(key, facts, sides)
        return rows

    def _ask(self, shape: Shape, group: _Group, edition_of: EditionOf, ends: list[Node]) -> None:
        """Finds where the path of each of a group ends."""
        numbers = group.numbers()

        def ask(reading: Reading) -> Outline:
            known = known_of(shape, reading, edition_of)
            told = outline(known, answered(known, reading.instant(len(numbers) - 1)))
            brief = told._replace(timeline=tuple(map(_brief, told.timeline)))
            return brief if isinstance(reading, Row) else at_rest(brief, group.tree, self._plain)

        found = numpy.empty(numbers.shape[1], dtype=numpy.int64)
        for rows, end in went(group.tree, numbers, ask, self._words):
            found[rows] = len(ends)
            ends.append(end)
        group.ends = found

    def _told(self, key: _Alike, facts: list[int], sides: tuple[Rows, Rows]) -> Iterator[TrailRow]:
        """The rows of some facts that are alike."""

        def question(
            before: Outline, after: Outline, written: Callable[[Any], Any] = _written
        ) -> Listed:
            code = code_of(after.parts[_DISCREPANCIES][0], key.place)
            return listed(effect(before, after), code, key.supersedes, written)

        before, after = key.without.answer, key.known.answer
        if len(facts) <= FEW and key not in self._beside:
            for fact, own, other in zip(facts, *map(_plain, sides), strict=True):
                both = self._of_one(key.without, own), self._of_one(key.known, other)
                yield from rows_at(self._facts[fact], question(*both, text_of))
            return
        beside = self._beside.get(key)
        if beside is None:
            beside = self._beside[key] = Beside(before, after, self._words, self._plain)
        for places, found in beside.ask(sides, question):
            own = [self._facts[facts[place]] for place in places.tolist()]
            yield from self._filled(own, found, places)

    def _of_one(self, end: Node, row: int) -> Outline:
        """What is told of one of those whose path ends there; who took none has no columns."""
        told: Outline = (
            alone(end.answer, row, self._words, self._plain) if end.is_end else end.answer
        )
        return told

    def _filled(self, facts: list[Head], found: Listed, places: Rows) -> Iterator[TrailRow]:
        """The rows of those on a path."""
        policy, school, former, code, moved, changes = found
        schools, formers = self._words_of(school, places), self._words_of(former, places)
        if len(changes) == 1:
            texts: Any = repeat(changes[0], len(places))
        else:
            parts = [self._texts_of(part, places) for part in changes]
            texts = map("".join, zip(*parts, strict=True))
        told = zip(facts, schools, formers, texts, strict=False)
        if former is None:
            for (placed, kind, correlation, is_own), own, _, text in told:
                if is_own or moved:
                    yield row_of((*placed, policy, own, *kind, code, correlation, moved, text))
            return
        for fact, own, other, text in told:
            yield from rows_at(fact, Listed(policy, own, other, code, moved, text))

    def _words_of(self, word: Any, places: Rows) -> Any:
        if not isinstance(word, WordColumn):
            return repeat(word, len(places))
        words = self._words.words
        return [words[number] for number in _plain(word.column.at(places))]

    def _texts_of(self, part: Any, places: Rows) -> Any:
        if not isinstance(part, Each):
            return repeat(part, len(places))
        there, texts = self._texts.setdefault((part.tell, part.read), {}), []
        for number in _plain(part.column.at(places)):
            text = there.get(number)
            if text is None:
                text = there[number] = json.dumps(part.tell(part.read(number)))
            texts.append(text)
        return texts


def _alike(
    asked: Iterable[_Asked], ends: Sequence[Node]
) -> Iterator[tuple[_Alike, list[int], tuple[Rows, Rows]]]:
    """The facts that are told alike, by their numbers, and their rows on either side."""
    placed: dict[tuple[int, int | None], list[_Asked]] = {}
    for each in asked:
        placed.setdefault(each[:2], []).append(each)
    for place, some in placed.items():
        of_sides = [
            numpy.concatenate([each.groups[side].ends[each.rows[side]] for each in some])
            for side in (0, 1)
        ]
        rows = [numpy.concatenate([each.rows[side] for each in some]) for side in (0, 1)]
        facts = numpy.concatenate([each.facts for each in some])
        order = numpy.lexsort(of_sides)
        before, after = (of_side[order] for of_side in of_sides)
        turns = numpy.flatnonzero((before[1:] != before[:-1]) | (after[1:] != after[:-1])) + 1
        begins = [0, *turns.tolist()]
        for begin, end in zip(begins, [*begins[1:], len(order)], strict=True):
            these = order[begin:end]
            key = _Alike(ends[before[begin]], ends[after[begin]], *place)
            yield key, facts[these].tolist(), (rows[0][these], rows[1][these])


def _plain(numbers: Numbers | Rows) -> list[int]:
    return numbers.tolist()  # type: ignore[no-any-return]


_DISCREPANCIES: Final = [*PARTS].index("discrepancies")


def _brief(change: Change) -> Change:
    """A change without all that its cause stands on."""
    return change._replace(cause=change.cause._replace(inputs=()))


class _Parts(json.JSONEncoder):
    """Writes JSON in which columns stand apart."""

    def __init__(self) -> None:
        super().__init__(ensure_ascii=False, separators=(",", ":"))
        self.columns: list[Each] = []

    def default(self, o: Any) -> str:
        self.columns.append(o)
        return _APART


_APART: Final = "\ue000"


def _written(kept: Any) -> list[Any]:
    """Text as it is kept, in parts: between two texts that are everybody's stands a column."""
    encoder = _Parts()
    first, *rest = encoder.encode(kept).split(f'"{_APART}"')
    parts: list[Any] = [first]
    for column, text in zip(encoder.columns, rest, strict=True):
        parts += (column, text)
    return parts
