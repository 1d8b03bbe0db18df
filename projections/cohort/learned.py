"""What was known of an enrollment, time after time, as it comes down to numbers."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from yibao.domain.facts import events
from yibao.domain.vocabulary import Category
from yibao.projections.cohort.shapes import (
    Apart,
    Shape,
    Told,
    Words,
    editions_in,
    instant_number,
    instant_of,
    numbered,
    told_by,
)
from yibao.projections.record import EditionRecord, Knowledge, Record, Whom

#: How often windows were fixed under each edition of a shape.
Fixes = tuple[int, ...]


class Learned(NamedTuple):
    """What was known from an instant on, which is told by its number.

    It is a shape with its numbers and how often windows were fixed; None, and what is known, where
    that does not come down to numbers.
    """

    at: int
    shape: Shape | None
    numbers: Sequence[int] = ()
    fixes: Fixes = ()
    knowledge: Knowledge | None = None


def learned(record: Record, since: int | None, words: Words) -> Iterator[Learned]:
    """What was known of an enrollment, time after time, since an instant up to which it is known.

    What has the same stamp was learned at once.
    """
    found = _one_after_the_other(record, since, words)
    if found is not None:
        yield from found
        return
    for at, knowledge in _known(record, since):
        shaped = numbered(knowledge, words)
        if shaped is None:
            yield Learned(at, None, knowledge=knowledge)
        else:
            yield Learned(at, *shaped, fixes_of(shaped[0], knowledge, record))


def fixes_of(shape: Shape, knowledge: Knowledge, record: Record) -> Fixes:
    """How often windows were fixed under the editions of a shape, as known."""
    found: list[int] = []
    known: Knowledge | None = knowledge
    while known:
        if known.case:
            edition = record.edition_of(known.case.policy.edition)
            found.append(edition.fixed(known.edition_version))
        known = known.before
    assert len(found) == len([*editions_in(shape)])
    return tuple(found)


def _known(record: Record, since: int | None) -> Iterator[tuple[int, Knowledge]]:
    then = record.known_by(0 if since is None else instant_of(since))
    last, held = then, None
    for transaction, known in record.transactions(then, record.known_by(record.latest)):
        at = instant_number(transaction[-1].recorded_at)
        if held is not None and held[0] != at and _is_new(last, held[1]):
            yield held
            last = held[1]
        held = at, known
    if held is not None and _is_new(last, held[1]):
        yield held


def _is_new(before: Knowledge, known: Knowledge) -> bool:
    """Whether something else is known of an enrollment of which something is known."""
    return known.version > 0 and (before.seen, before.following) != (known.seen, known.following)


class _Prefix(NamedTuple):
    """So many facts, and their numbers, that are known by a stamp; and the schools in them."""

    by: datetime
    facts: int
    numbers: int
    schools: frozenset[str]


def _one_after_the_other(record: Record, since: int | None, words: Words) -> list[Learned] | None:
    """The same of who has one year, no care and no corrections: fact after fact.

    None of anybody else. What is known then has the numbers of what was known before, and more.
    """
    recorded = record.enrolled.events
    if record.before or record.following or record.received.events or not recorded:
        return None
    first = recorded[0]
    if not isinstance(first, events.Registered):
        return None
    numbers = array("q")  # as they will be kept
    own: list[Told] = []
    prefixes: list[_Prefix] = []
    schools = frozenset({first.school})
    for place, event in enumerate(recorded, 1):
        if not isinstance(event, events.Fact) or event.supersedes or event.goes_on:
            return None
        if place > 1 and isinstance(event, events.Registered):
            return None
        if isinstance(event, events.SchoolChanged):
            schools |= {event.school}
        try:
            own.append(told_by(event, event.occurred_at, place, words, numbers))
        except Apart:
            return None
        by = event.recorded_at
        if prefixes and by <= prefixes[-1].by:
            if by < prefixes[-1].by:
                return None
            prefixes.pop()
        prefixes.append(_Prefix(by, place, len(numbers), schools))
    found: list[Learned] = []
    edition = record.edition_of(first.policy)
    for at, prefix, fixed in _with_windows(prefixes, since, edition, first.category):
        shape = Shape(first.policy, record.enrollment.year, tuple(own[: prefix.facts]))
        found.append(Learned(at, shape, numbers[: prefix.numbers], (fixed,)))
    return found


def _with_windows(
    prefixes: Sequence[_Prefix], since: int | None, edition: EditionRecord, category: Category
) -> Iterator[tuple[int, _Prefix, int]]:
    """What was known from an instant on, and how often windows were fixed by then.

    Windows of one stamp with facts are known with these.
    """
    if not edition.fixing:
        for prefix in prefixes:
            at = instant_number(prefix.by)
            if since is None or at > since:
                yield at, prefix, 0
        return
    stamps = [prefix.by for prefix in prefixes]
    turns: Sequence[datetime] = stamps
    fixing = [event.recorded_at for event in edition.fixing if event.recorded_at > stamps[0]]
    if fixing:
        turns = sorted({*stamps, *fixing})
    last = None
    for by in turns:
        prefix = prefixes[bisect_right(stamps, by) - 1]
        version = edition.log.by(by)
        known = prefix.facts, edition.concerns(Whom(prefix.schools, category), version)
        at = instant_number(by)
        if known != last and (since is None or at > since):
            yield at, prefix, edition.fixed(version)
        last = known
