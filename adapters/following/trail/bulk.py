"""What the facts of very many students changed, asked of all who are like one another at once.

It needs numpy, which may not be here; then they are asked one by one, and the rows are the same.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy

from yibao.adapters.following.trail.changes import text_of
from yibao.adapters.following.trail.rows import Listed, entry_rows, listed
from yibao.adapters.following.trail.store import TrailRow
from yibao.domain.lifecycle import Change
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import answered
from yibao.projections.audit_trail import Outline, Recorded, code_of, effect, outline
from yibao.projections.cohort.columns import Each, WordColumn
from yibao.projections.cohort.pairs import Around, Beside, Known, alone, around
from yibao.projections.cohort.paths import went
from yibao.projections.cohort.shapes import EditionOf, Reading, Shape, Words, known_of
from yibao.projections.cohort.tree import Column, Node, Numbers, Rows, Tree
from yibao.projections.parts import PARTS
from yibao.projections.record import Record

#: So many paths are remembered.
MOST: Final = 50_000
#: So few are quicker told one by one.
FEW: Final = 3


class _Fact(NamedTuple):
    """Something recorded of an enrollment, and which rows in their groups are its two sides."""

    enrollment: EnrollmentId
    around: Around
    supersedes: int | None
    rows: tuple[int, int]


class _Alike(NamedTuple):
    """What facts have in common that are told alike, but for what columns tell."""

    without: Node
    known: Node
    place: int
    supersedes: int | None


class Bulk:
    """Gathers what was recorded of students, and gives the rows of all of it.

    Which paths the law takes is remembered from batch to batch.
    """

    def __init__(self) -> None:
        self._words = Words()
        self._facts: list[_Fact] = []
        self._groups: dict[Shape, list[list[int]]] = {}
        self._trees: dict[Shape, Tree] = {}
        self._beside: dict[_Alike, Beside[Listed]] = {}
        self._texts: dict[Any, dict[int, str]] = {}

    def begin(self) -> None:
        """Forgets what was taken before."""
        self._facts.clear()
        self._groups.clear()
        self._texts.clear()
        if sum(tree.paths for tree in self._trees.values()) + len(self._beside) > MOST:
            self._trees.clear()
            self._beside.clear()

    def take(self, record: Record, recorded: Sequence[Recorded]) -> None:
        """Takes in what was recorded of a student; raises Apart for who is asked apart."""
        for each in around(record, recorded, self._words):
            supersedes = record.version_superseded(each.recorded.recorded.event)
            rows = self._row(each.without), self._row(each.known)
            self._facts.append(_Fact(record.enrollment, each, supersedes, rows))

    def _row(self, known: Known) -> int:
        group = self._groups.setdefault(known.shape, [])
        group.append(known.numbers)
        return len(group) - 1

    def rows(self, edition_of: EditionOf) -> Iterator[TrailRow]:
        """The rows of everything that was taken."""
        ends = {
            shape: self._asked(shape, numbers, edition_of)
            for shape, numbers in self._groups.items()
        }
        alike: dict[_Alike, list[_Fact]] = {}
        for fact in self._facts:
            (_, without, known, place), (own, other) = fact.around, fact.rows
            sides = ends[without.shape][own], ends[known.shape][other]
            alike.setdefault(_Alike(*sides, place, fact.supersedes), []).append(fact)
        for key, facts in alike.items():
            for fact, told in self._told(key, facts):
                recorded = fact.around.recorded
                if recorded.is_own or told.moved:
                    yield from entry_rows(recorded.recorded, fact.enrollment, recorded.year, told)

    def _asked(
        self, shape: Shape, numbers: list[list[int]], edition_of: EditionOf
    ) -> dict[int, Node]:
        """Where the path of each of a group ends."""

        def ask(reading: Reading) -> Outline:
            known = known_of(shape, reading, edition_of)
            told = outline(known, answered(known, reading.instant(len(group) - 1)))
            return told._replace(timeline=tuple(map(_brief, told.timeline)))

        group = numpy.ascontiguousarray(numpy.array(numbers, dtype=numpy.int64).T)
        ends: dict[int, Node] = {}
        for rows, end in went(self._trees.setdefault(shape, Tree()), group, ask, self._words):
            ends.update(zip(rows.tolist(), repeat(end)))
        return ends

    def _told(self, key: _Alike, facts: list[_Fact]) -> Iterator[tuple[_Fact, Listed]]:
        """What is listed of each of some facts that are alike."""

        def question(
            before: Outline, after: Outline, written: Callable[[Any], Any] = _written
        ) -> Listed:
            code = code_of(after.parts[_DISCREPANCIES][0], key.place)
            return listed(effect(before, after), code, key.supersedes, written)

        before, after = key.without.answer, key.known.answer
        if len(facts) <= FEW and key not in self._beside:
            for fact in facts:
                own, other = fact.rows
                sides = alone(before, own, self._words), alone(after, other, self._words)
                yield fact, question(*sides, text_of)
            return
        beside = self._beside.setdefault(key, Beside(before, after, self._words))
        rows = numpy.array([fact.rows for fact in facts]).T
        for places, found in beside.ask((rows[0], rows[1]), question):
            told = self._filled(found, places)
            yield from (
                (facts[place], own) for place, own in zip(places.tolist(), told, strict=True)
            )

    def _filled(self, found: Listed, places: Rows) -> Iterator[Listed]:
        """What is listed of each on a path."""
        policy, school, former, code, moved, changes = found
        return map(
            Listed,
            repeat(policy, len(places)),
            self._words_of(school, places),
            self._words_of(former, places),
            repeat(code),
            repeat(moved),
            map("".join, zip(*(self._texts_of(part, places) for part in changes), strict=True)),
        )

    def _words_of(self, word: Any, places: Rows) -> Any:
        if not isinstance(word, WordColumn):
            return repeat(word, len(places))
        words = self._words.words
        return [words[number] for number in _numbers(word.column, places)]

    def _texts_of(self, part: Any, places: Rows) -> Any:
        if not isinstance(part, Each):
            return repeat(part, len(places))
        there, texts = self._texts.setdefault((part.tell, part.read), {}), []
        for number in _numbers(part.column, places):
            text = there.get(number)
            if text is None:
                text = there[number] = json.dumps(part.tell(part.read(number)))
            texts.append(text)
        return texts


def _numbers(column: Column, places: Rows) -> list[int]:
    source, offset = column
    numbers: Numbers = source.values[places]
    return (numbers + offset).tolist() if offset else numbers.tolist()  # type: ignore[no-any-return]


_DISCREPANCIES: Final = [*PARTS].index("discrepancies")


def _brief(change: Change) -> Change:
    """A change without what its cause stands on."""
    return change._replace(cause=change.cause._replace(value=None, inputs=()))


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
