"""What the facts of very many students changed, asked of all who are like one another at once.

It needs numpy, which may not be here; then they are asked one by one, and the rows are the same.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy

from yibao.adapters.following.derived import not_collecting
from yibao.adapters.following.trail.changes import text_of
from yibao.adapters.following.trail.rows import Listed, entry_rows, listed
from yibao.adapters.following.trail.store import TrailRow
from yibao.domain.lifecycle import Change
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import answered
from yibao.projections.audit_trail import Outline, Recorded, code_of, effect, outline
from yibao.projections.cohort.columns import Each, WordColumn
from yibao.projections.cohort.pairs import Beside, Known, alone, around, at_rest
from yibao.projections.cohort.paths import unpacked, went
from yibao.projections.cohort.shapes import (
    EditionOf,
    LastingWords,
    Reading,
    Shape,
    editions_in,
    known_of,
)
from yibao.projections.cohort.tree import Column, Node, Numbers, Rows, Tree
from yibao.projections.parts import PARTS
from yibao.projections.record import Record

#: So many paths are remembered.
MOST: Final = 50_000
#: So few are quicker told one by one.
FEW: Final = 3


#: What students have in common who are asked together.
_Like = tuple[Shape, tuple[int, ...]]


class _Fact(NamedTuple):
    """Something recorded of an enrollment, and which rows in their groups are its two sides."""

    enrollment: EnrollmentId
    recorded: Recorded
    place: int
    supersedes: int | None
    groups: tuple["_Group", "_Group"]
    rows: tuple[int, int]


class _Group:
    """Those of one shape: their numbers, and where their paths end."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.numbers: list[bytes] = []
        self.ends: list[Node] = []

    def add(self, numbers: bytes) -> int:
        self.numbers.append(numbers)
        return len(self.numbers) - 1


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
        self._words = LastingWords()
        self._facts: list[_Fact] = []
        self._groups: dict[_Like, _Group] = {}
        self._trees: dict[_Like, Tree] = {}
        self._beside: dict[_Alike, Beside[Listed]] = {}
        self._texts: dict[Any, dict[int, str]] = {}

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """A batch of facts, which is forgotten in the end.

        Nobody looks for garbage meanwhile: there is little among very much that is made.
        """
        try:
            with not_collecting():
                yield
        finally:
            for group in self._groups.values():
                group.tree.leave()
            self._facts.clear()
            self._groups.clear()
            self._texts.clear()
            if sum(tree.paths for tree in self._trees.values()) + len(self._beside) > MOST:
                self._trees.clear()
                self._beside.clear()

    def take(self, record: Record, recorded: Iterable[Recorded]) -> None:
        """Takes in what was recorded of a student; raises Apart for who is asked apart."""
        whose, version_superseded = record.enrollment, record.version_superseded
        last: tuple[Known, _Group] | None = None
        for each, without, known, place in around(record, recorded, self._words):
            # What was known with one fact is mostly what was known without the next.
            before = last[1] if last and last[0][:2] == without[:2] else self._group(without)
            after = self._group(known)
            last = known, after
            rows = before.add(without.numbers), after.add(known.numbers)
            supersedes = version_superseded(each.recorded.event)
            self._facts.append(_Fact(whose, each, place, supersedes, (before, after), rows))

    def _group(self, known: Known) -> _Group:
        like = known.shape, known.fixed
        found = self._groups.get(like)
        if found is None:
            tree = self._trees.setdefault(like, Tree())
            found = self._groups[like] = _Group(tree)
        return found

    def rows(self, edition_of: EditionOf) -> list[TrailRow]:
        """The rows of everything that was taken."""
        for (shape, fixed), group in self._groups.items():
            names = zip(editions_in(shape), fixed, strict=True)
            known = {name: edition_of(name).after(times) for name, times in names}
            self._ask(shape, group, known.__getitem__)
        alike: dict[_Alike, list[_Fact]] = {}
        for fact in self._facts:
            (before, after), (own, other) = fact.groups, fact.rows
            key = _Alike(before.ends[own], after.ends[other], fact.place, fact.supersedes)
            alike.setdefault(key, []).append(fact)
        rows: list[TrailRow] = []
        for key, facts in alike.items():
            for (whose, recorded, *_), told in self._told(key, facts):
                if recorded.is_own or told.moved:
                    rows += entry_rows(recorded.recorded, whose, recorded.year, told)
        return rows

    def _ask(self, shape: Shape, group: _Group, edition_of: EditionOf) -> None:
        """Finds where the path of each of a group ends."""

        def ask(reading: Reading) -> Outline:
            known = known_of(shape, reading, edition_of)
            told = outline(known, answered(known, reading.instant(len(numbers) - 1)))
            brief = told._replace(timeline=tuple(map(_brief, told.timeline)))
            return at_rest(brief, group.tree)

        numbers = unpacked(group.numbers)
        ends: list[Any] = [None] * len(group.numbers)
        for rows, end in went(group.tree, numbers, ask, self._words):
            for row in rows.tolist():
                ends[row] = end
        group.ends = ends

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
