"""What was known without something that was recorded, and with it, as one row of numbers.

What a fact changed is asked of both, for the instant at which it was recorded. Almost all of it
is known either way, and stands in the row once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import AnyFact, Current, Moment, events
from yibao.projections.audit_trail import Recorded
from yibao.projections.cohort.paths import walked
from yibao.projections.cohort.shapes import (
    UNIFORM_FROM,
    Apart,
    EditionOf,
    Reading,
    Shape,
    Told,
    Words,
    instant_number,
    known_of,
    numbered,
    told_of,
    widths,
)
from yibao.projections.cohort.tree import Numbers, Rows, Tree
from yibao.projections.record import Knowledge, Record

R_co = TypeVar("R_co", covariant=True)


class Pair(NamedTuple):
    """What enrollments have in common without something that was recorded, and with it.

    In a row stand the numbers of `known`, others of `without`, and the instant of recording;
    `shared` tells where each number of `without` is. `place` is that of the fact that was recorded
    among those of the year, 0 where it is none of them.
    """

    without: Shape
    known: Shape
    shared: Sequence[int]
    place: int


#: What is asked: what was known without and with it, when it was recorded, and the fact.
Question = Callable[[Knowledge, Knowledge, datetime, events.Event | None], R_co]


def pairs(
    record: Record, recorded: Iterable[Recorded], words: Words
) -> Iterator[tuple[Recorded, Pair, list[int]]]:
    """The pair and the row for each of what was recorded; raises Apart for who is asked apart."""
    if _is_plain(record):
        return _one_after_the_other(record, recorded, words)
    return _known_anew(record, recorded, words)


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
) -> Iterator[tuple[Recorded, Pair, list[int]]]:
    told: list[Told] = []
    numbers: list[int] = []
    ends = [0]
    for event in record.enrolled.events:
        at = event.occurred_at.astimezone(SHANGHAI)
        fact: AnyFact = Current(Moment(at, event.originator_version), event)  # type: ignore[arg-type]
        told.append(told_of(fact, words, numbers))
        ends.append(len(numbers))
    for each in recorded:
        position, event = each.recorded
        version = event.originator_version

        def shape(version: int, position: int) -> Shape:
            named, year = record.edition_named(version), record.enrollment.year
            if named is None:
                return Shape(None, year, 0, ())
            fixed = record.edition_of(named).fixed_at(position)
            return Shape(named, year, fixed, tuple(told[:version]))

        without, known = shape(version - 1, position - 1), shape(version, position)
        pair = Pair(without, known, range(ends[version - 1]), version)
        yield each, pair, [*numbers[: ends[version]], _recorded_at(event)]


def _known_anew(
    record: Record, recorded: Iterable[Recorded], words: Words
) -> Iterator[tuple[Recorded, Pair, list[int]]]:
    for each in recorded:
        position, event = each.recorded
        without, known = record.known_at(position - 1), record.known_at(position)
        before, after = numbered(without, words), numbered(known, words)
        if before is None or after is None:
            raise Apart
        shared, numbers = _shared(before, after)
        facts = known.case.known if known.case else ()
        place = next((fact.place for fact in facts if fact.event is event), 0)
        pair = Pair(before[0], after[0], shared, place)
        yield each, pair, [*numbers, _recorded_at(event)]


def _shared(
    before: tuple[Shape, list[int]], after: tuple[Shape, list[int]]
) -> tuple[tuple[int, ...], list[int]]:
    """Where the numbers of what was known before stand, and the numbers of both."""
    (without, own), (known, numbers) = before, after
    there = {(told, *numbers[begins:ends]): begins for told, begins, ends in widths(known)}
    row = [*numbers]
    shared: list[int] = []
    for told, begins, ends in widths(without):
        stands = there.get((told, *own[begins:ends]), len(row))
        if stands == len(row):
            row += own[begins:ends]
        shared += range(stands, stands + ends - begins)
    return tuple(shared), row


def _recorded_at(event: events.Event) -> int:
    if event.recorded_at.year < UNIFORM_FROM.year:
        raise Apart
    return instant_number(event.recorded_at)


def ask_pair(
    pair: Pair,
    numbers: Numbers,
    question: Question[R_co],
    words: Words,
    edition_of: EditionOf,
    tree: Tree,
) -> Iterator[tuple[Rows, Rows, R_co]]:
    """What a question gives for everybody of a pair, once for each path; see `Along`."""

    def read(reading: Reading) -> R_co:
        known = known_of(pair.known, reading, edition_of)
        without = known_of(pair.without, _Shared(reading, pair.shared), edition_of)
        facts = known.case.known if known.case else ()
        event = next((fact.event for fact in facts if fact.place == pair.place), None)
        return question(without, known, reading.instant(len(numbers) - 1), event)

    return walked(numbers, read, words, tree)


class _Shared:
    """Reads numbers that stand elsewhere in the row."""

    def __init__(self, reading: Reading, places: Sequence[int]) -> None:
        self._reading, self._places = reading, places

    def instant(self, number: int) -> datetime:
        return self._reading.instant(self._places[number])

    def day(self, number: int) -> date:
        return self._reading.day(self._places[number])

    def word(self, number: int, key: str) -> Any:
        return self._reading.word(self._places[number], key)
