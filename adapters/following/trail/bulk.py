"""What the facts of very many students changed, asked of all who are like one another at once.

It needs numpy, which may not be here; then they are asked one by one, and the rows are the same.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy

from yibao.adapters.following.trail.rows import Listed, entry_rows, listed
from yibao.adapters.following.trail.store import TrailRow
from yibao.domain.facts import events
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import answered
from yibao.projections.audit_trail import Recorded, effect
from yibao.projections.cohort.columns import Each, WordColumn
from yibao.projections.cohort.pairs import Pair, ask_pair, pairs
from yibao.projections.cohort.shapes import EditionOf, Words
from yibao.projections.cohort.tree import Column, Numbers, Rows, Tree
from yibao.projections.record import Knowledge, Record

#: So many paths are remembered.
MOST: Final = 50_000

#: What facts have in common: what was known, and of which version the fact takes the place.
_Alike = tuple[Pair, int | None]


class _Fact(NamedTuple):
    """Something recorded that may have changed the answers of an enrollment."""

    enrollment: EnrollmentId
    told: Recorded


class Bulk:
    """Gathers what was recorded of students, and gives the rows of all of it.

    Which paths the law takes is remembered from batch to batch.
    """

    def __init__(self) -> None:
        self._words = Words()
        self._groups: dict[_Alike, tuple[list[_Fact], list[list[int]]]] = {}
        self._trees: dict[_Alike, Tree] = {}
        self._texts: dict[Any, dict[int, str]] = {}

    def begin(self) -> None:
        """Forgets what was taken before."""
        self._groups.clear()
        self._texts.clear()
        if sum(tree.paths for tree in self._trees.values()) > MOST:
            self._trees.clear()

    def take(self, record: Record, recorded: Sequence[Recorded]) -> None:
        """Takes in what was recorded of a student; raises Apart for who is asked apart."""
        for told, pair, numbers in [*pairs(record, recorded, self._words)]:
            alike = pair, record.version_superseded(told.recorded.event)
            facts, rows = self._groups.setdefault(alike, ([], []))
            facts.append(_Fact(record.enrollment, told))
            rows.append(numbers)

    def rows(self, edition_of: EditionOf) -> Iterator[TrailRow]:
        """The rows of everything that was taken."""
        for alike, (facts, numbers) in self._groups.items():
            (pair, superseded), tree = alike, self._trees.setdefault(alike, Tree())

            def question(
                without: Knowledge,
                known: Knowledge,
                at: datetime,
                event: events.Event | None,
                superseded: int | None = superseded,
            ) -> Listed:
                before, after = answered(without, at), answered(known, at)
                found = effect(without, known, before, after, event)
                return listed(found, superseded, _written)

            columns = numpy.ascontiguousarray(numpy.array(numbers, dtype=numpy.int64).T)
            asked = ask_pair(pair, columns, question, self._words, edition_of, tree)
            for rows, places, found in asked:
                for row, own in zip(rows.tolist(), self._filled(found, places), strict=True):
                    enrollment, told = facts[row]
                    if told.is_own or own.moved:
                        yield from entry_rows(told.recorded, enrollment, told.year, own)

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
