"""Which care is no longer paid as it was assessed, and which facts moved it?

Nothing is paid or taken back by itself: this is the list for somebody to look at.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise, zip_longest
from typing import NamedTuple
from uuid import UUID

from yibao.domain.care import Amounts, Assessed, assessments, settlements
from yibao.domain.facts import events, places
from yibao.projections.record import Cutoff, Knowledge, Record


class Changed(NamedTuple):
    """Care that was settled or refused, and is assessed otherwise now.

    `then` is what was settled, or what a refusal came to; `since` is when that was recorded.
    `now` is None where the care was taken back.
    """

    care: events.CareReceived
    settled: events.CareSettled | None
    since: datetime
    then: Amounts
    now: Amounts | None
    moved_by: tuple[events.Event, ...]

    def __repr__(self) -> str:
        now = self.now and self.now.fund_pays
        return f"<Changed care of {self.care.on}: {self.then.fund_pays} by the fund, now {now}>"


#: Since which transaction a piece of care comes to what; None where it does not stand.
_Course = list[tuple[int, Amounts | None]]


def review(record: Record, at: datetime, cutoff: Cutoff) -> tuple[Changed, ...]:
    """Every piece of care settled or once refused that comes to something else since.

    What was told at a time is what followed from the facts recorded by then, asked at that
    time; what holds now is asked at `at`.
    """
    known = record.known_by(cutoff)
    if known.case is None or known.case.policy.benefits is None or not known.received.version:
        return ()
    transactions, courses = _followed(record, known)
    now = {each.care.fact.place: each.amounts for each in assessments(known.case, known.cares, at)}
    standing = settlements(known.received)
    number_of = {event.event_id: n for n, each in enumerate(transactions) for event in each}
    found = []
    for place, first in _received(known).items():
        course, settled = courses[place], standing.get(place)
        told = _settled(place, settled, course, number_of) or _refused(course)
        if told is None:
            continue
        index, then = told
        current = now.get(place)
        if current is None and settled is None:
            continue
        is_refused = bool(then.refused and current and current.refused)
        if not _same(then, current) or (then.refused and not is_refused):
            since = transactions[index][-1].recorded_at
            moved_by = _movers(course, index, transactions)
            found.append(Changed(first, settled, since, then, current, moved_by))
    return tuple(found)


def _followed(
    record: Record, known: Knowledge
) -> tuple[list[Sequence[events.Event]], dict[int, _Course]]:
    """Every transaction, and what each piece of care came to after it, where that changed."""
    transactions: list[Sequence[events.Event]] = []
    courses: dict[int, _Course] = defaultdict(list)
    before: Sequence[Assessed] = ()
    for transaction, knowledge in record.transactions(record.known_by(0), known):
        when = transaction[-1].recorded_at
        case = knowledge.case
        after: Sequence[Assessed] = ()
        if case and knowledge.cares:  # before the first piece there is nothing to work out
            after = assessments(case, knowledge.cares, when)
        for place, amounts in _changed(before, after):
            course = courses[place]
            if amounts != (course[-1][1] if course else None):
                course.append((len(transactions), amounts))
        transactions.append(transaction)
        before = after
    return transactions, courses


def _changed(
    before: Sequence[Assessed], after: Sequence[Assessed]
) -> Iterator[tuple[int, Amounts | None]]:
    """The pieces of care, by place, that may come to something else; few after any transaction."""
    for was, is_now in zip_longest(before, after):
        if was is is_now:
            continue
        if is_now is not None:
            yield is_now.care.fact.place, is_now.amounts
        if was is not None and (is_now is None or was.care.fact.place != is_now.care.fact.place):
            break
    else:
        return
    # One was taken back: what follows stands elsewhere.
    there = {each.care.fact.place: each.amounts for each in after}
    yield from there.items()
    yield from (
        (each.care.fact.place, None) for each in before if each.care.fact.place not in there
    )


def _received(known: Knowledge) -> dict[int, events.CareReceived]:
    """Every piece of care ever known, as last recorded, by its place."""
    place_of = places(known.received.recorded)
    return {
        place_of[event.event_id]: event
        for event in known.received.recorded
        if isinstance(event, events.CareReceived)
    }


def _settled(
    place: int, settled: events.CareSettled | None, course: _Course, number_of: Mapping[UUID, int]
) -> tuple[int, Amounts] | None:
    """Where the settlement that stands was recorded, and what had been assessed then."""
    if settled is None:
        return None
    index = number_of[settled.event_id]
    assessed = _by(course, index)
    return index, Amounts(
        place,
        settled.fund_pays,
        settled.patient_pays,
        settled.deductible_used,
        settled.settlement,
        refused=None,
        pending=False,
        settled=settled.event_id,
        cap_left=assessed.cap_left if assessed else None,
    )


def _refused(course: _Course) -> tuple[int, Amounts] | None:
    """Since when the care was last refused, and what that came to."""
    refused = [(index, amounts) for index, amounts in course if amounts and amounts.refused]
    return refused[-1] if refused else None


def _movers(
    course: _Course, index: int, transactions: Sequence[Sequence[events.Event]]
) -> tuple[events.Event, ...]:
    """The facts at whose recording the amounts moved since a transaction."""
    since = [(index, _by(course, index))] + [each for each in course if each[0] > index]
    moved: list[events.Event] = []
    for (_, before), (number, after) in pairwise(since):
        if not _same(before, after):
            moved.extend(transactions[number])
    return tuple(moved)


def _by(course: _Course, index: int) -> Amounts | None:
    """What a piece of care came to after a transaction."""
    by_then = [amounts for since, amounts in course if since <= index]
    return by_then[-1] if by_then else None


def _same(then: Amounts | None, now: Amounts | None) -> bool:
    return _compared(then) == _compared(now)


def _compared(amounts: Amounts | None) -> tuple[object, ...]:
    if amounts is None:
        return ()
    return (amounts.fund_pays, amounts.patient_pays, amounts.deductible_used)
