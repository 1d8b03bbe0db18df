"""Which care is no longer paid as it was assessed, and which facts moved it?

Nothing is paid or taken back by itself: this is the list for somebody to look at.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from yibao.domain.care import Amounts, assessments, cares, settlements
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


class _Told(NamedTuple):
    """What was assessed after a transaction, by the place of the care."""

    transaction: Sequence[events.Event]
    amounts: dict[int, Amounts]


def review(record: Record, at: datetime, cutoff: Cutoff) -> tuple[Changed, ...]:
    """Every piece of care settled or once refused that comes to something else since.

    What was told at a time is what followed from the facts recorded by then, asked at that
    time; what holds now is asked at `at`.
    """
    known = record.known_by(cutoff)
    if known.case is None or known.case.policy.benefits is None:
        return ()
    history = [
        _Told(transaction, _amounts(knowledge, transaction[-1].recorded_at))
        for transaction, knowledge in record.transactions(record.known_by(0), known)
    ]
    now = _amounts(known, at)
    found = []
    for place, first in _received(known).items():
        settled = settlements(known.received).get(place)
        told = _settled(place, settled, history) or _refused(place, history)
        if told is None:
            continue
        index, then = told
        current = now.get(place)
        if current is None and settled is None:
            continue
        is_refused = bool(then.refused and current and current.refused)
        if not _same(then, current) or (then.refused and not is_refused):
            since = history[index].transaction[-1].recorded_at
            moved_by = _movers(place, history[index:])
            found.append(Changed(first, settled, since, then, current, moved_by))
    return tuple(found)


def _amounts(knowledge: Knowledge, at: datetime) -> dict[int, Amounts]:
    if knowledge.case is None:
        return {}
    assessed = assessments(knowledge.case, cares(knowledge.received), at)
    return {each.care.fact.place: each.amounts for each in assessed}


def _received(known: Knowledge) -> dict[int, events.CareReceived]:
    """Every piece of care ever known, as last recorded, by its place."""
    place_of = places(known.received.recorded)
    return {
        place_of[event.event_id]: event
        for event in known.received.recorded
        if isinstance(event, events.CareReceived)
    }


def _settled(
    place: int, settled: events.CareSettled | None, history: Sequence[_Told]
) -> tuple[int, Amounts] | None:
    """Where the settlement that stands was recorded, and what had been assessed then."""
    if settled is None:
        return None
    index = next(n for n, told in enumerate(history) if settled in told.transaction)
    return index, Amounts(
        place,
        settled.fund_pays,
        settled.patient_pays,
        settled.deductible_used,
        settled.settlement,
        refused=None,
        pending=False,
        settled=settled.event_id,
    )


def _refused(place: int, history: Sequence[_Told]) -> tuple[int, Amounts] | None:
    """Since when the care was last refused, and what that came to."""
    told = [each.amounts.get(place) for each in history]
    refused = [index for index, then in enumerate(told) if then and then.refused]
    if not refused:
        return None
    index = refused[-1]
    then = told[index]
    while index and told[index - 1] == then:
        index -= 1
    assert then is not None
    return index, then


def _movers(place: int, since: Sequence[_Told]) -> tuple[events.Event, ...]:
    """The facts at whose recording the amounts moved."""
    moved: list[events.Event] = []
    for before, after in pairwise(since):
        if not _same(before.amounts.get(place), after.amounts.get(place)):
            moved.extend(after.transaction)
    return tuple(moved)


def _same(then: Amounts | None, now: Amounts | None) -> bool:
    return _compared(then) == _compared(now)


def _compared(amounts: Amounts | None) -> tuple[object, ...]:
    if amounts is None:
        return ()
    return (amounts.fund_pays, amounts.patient_pays, amounts.deductible_used)
