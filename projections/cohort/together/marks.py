"""By what else than its line an enrollment is counted, for everybody in a group: over columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from yibao.domain.facts import AnyFact
from yibao.domain.refusals import Code
from yibao.projections.cohort.columns import WordColumn
from yibao.projections.cohort.paths import Along, Group, ask
from yibao.projections.cohort.shapes import EditionOf, Words
from yibao.projections.cohort.tree import Numbers
from yibao.projections.discrepancies import refusal, told_before
from yibao.projections.record import Knowledge


class Marks(NamedTuple):
    """School and category of everybody in a group, as numbers of words, and what does not fit.

    `codes` has for each the place of hers among `refusals`, which are in alphabetical order.
    """

    schools: Numbers
    categories: Numbers
    codes: NDArray[numpy.int64]
    refusals: Sequence[tuple[str, ...]]


def marks_of(group: Group, words: Words, edition_of: EditionOf) -> Marks:
    """School, category and the codes of all discrepancies of everybody in a group.

    Each fact is judged by itself: together they would need a path for each way they come out.
    """
    size = group.numbers.shape[1]
    schools, categories = whose_of(group, words, edition_of)
    found = numpy.zeros(size, dtype=numpy.int64)
    codes: dict[Code, int] = {}
    for number in range(-1, len(group.shape.own)):

        def judged(knowledge: Knowledge, number: int = number) -> tuple[Code, ...]:
            return _judged(knowledge, number)

        for path in ask([group], judged, words, edition_of):
            for code in path.answer:
                found[path.rows] |= 1 << codes.setdefault(code, len(codes))
    kinds, which = numpy.unique(found, return_inverse=True)
    refusals = [
        tuple(sorted(code for code, bit in codes.items() if kind >> bit & 1))
        for kind in kinds.tolist()
    ]
    return Marks(schools, categories, which.reshape(size).astype(numpy.int64), refusals)


def whose_of(group: Group, words: Words, edition_of: EditionOf) -> tuple[Numbers, Numbers]:
    """School and category alone."""
    size = group.numbers.shape[1]
    schools, categories = (numpy.zeros(size, dtype=numpy.int64) for _ in range(2))
    for along in ask([group], _whose, words, edition_of):
        school, category = along.answer
        schools[along.rows] = _numbers(school, along, words)
        categories[along.rows] = _numbers(category, along, words)
    return schools, categories


def _whose(knowledge: Knowledge) -> tuple[Any, Any]:
    case = knowledge.case
    return (case.facts.latest_school, case.facts.category) if case else (None, None)


def _numbers(word: Any, along: Along[Any], words: Words) -> Any:
    if isinstance(word, WordColumn):
        return word.column.at(along.places)
    return words.number(word)


def _judged(knowledge: Knowledge, number: int) -> tuple[Code, ...]:
    """What does not fit of one of the facts, by its number; before the first, of earlier ones."""
    case = knowledge.case
    if case is None or case.facts.registration is None:
        return ()
    if number < 0:
        return tuple([each.code for each in told_before(case)])
    fact: AnyFact = case.known[number]
    code = refusal(case, fact)
    return () if code is None else (code,)
