"""The answer of one enrollment, filled in from the one that its path gave."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from yibao.domain.facts import events
from yibao.projections.answer import Answer
from yibao.projections.cohort.columns import DayColumn, InstantColumn, WordColumn
from yibao.projections.cohort.shapes import Telling, Words, day_of, instant_of
from yibao.projections.record import Knowledge

R = TypeVar("R")


def fill(answer: Answer, place: int, words: Words, knowledge: Knowledge) -> Answer:
    """The ordinary answer of whoever stands at a place of a path, by what is known of her.

    `knowledge` is what the store tells: from it come the facts of the derivations, with their
    envelopes, and what an answer is said to stand on.
    """
    return replace(
        filled(answer, place, words, knowledge),
        enrollment=knowledge.enrollment,
        known_at=knowledge.known_at,
        version=knowledge.version,
        edition_version=knowledge.edition_version,
        care_version=knowledge.received.version,
        seen=knowledge.seen,
    )


def filled(told: R, place: int, words: Words, knowledge: Knowledge) -> R:
    """The same of anything else that was asked: values, a timeline, spans."""
    found: R = _Filling(place, words, knowledge).of(told)
    return found


class _Filling:
    def __init__(self, place: int, words: Words, knowledge: Knowledge) -> None:
        self._place, self._words = place, words
        self._facts = dict[tuple[int, int], events.Fact]()
        known: Knowledge | None = knowledge
        if knowledge.case and knowledge.case.following:
            year = knowledge.enrollment.year + 1
            self._take(year, knowledge.case.following.everything)
        while known:
            if known.case:
                self._take(known.enrollment.year, known.case.known)
            known = known.before
        # What stands in several derivations is filled in once.
        self._filled: dict[int, Any] = {}

    def _take(self, year: int, facts: Any) -> None:
        self._facts |= {(year, fact.place): fact.event for fact in facts}

    def of(self, value: Any) -> Any:
        """The same with nothing in it that is a column or stands for a fact."""
        kind = type(value)
        if kind is InstantColumn:
            return instant_of(self._number(value))
        if kind is DayColumn:
            return day_of(self._number(value))
        if kind is WordColumn:
            return self._words.words[self._number(value)]
        if kind is Telling:
            return self._facts[value.year_told, value.originator_version]
        if isinstance(value, tuple | list) or kind is Answer:
            if id(value) not in self._filled:
                # Kept with it, so that no other takes its id.
                self._filled[id(value)] = self._inside(value), value
            return self._filled[id(value)][0]
        return value

    def _number(self, value: Any) -> int:
        source, offset = value.column
        number: int = source.values[self._place].item() + offset
        return number

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Answer):
            told: Any = {each.name: self.of(getattr(value, each.name)) for each in fields(value)}
            return Answer(**told)
        parts = [self.of(part) for part in value]
        if all(map(lambda one, other: one is other, parts, value)):
            return value
        return value._make(parts) if hasattr(value, "_make") else type(value)(parts)
