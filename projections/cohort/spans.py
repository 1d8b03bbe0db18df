"""The line of all instants of one enrollment: its state and what comes next, as known.

An answer changes as time goes on at few instants, and all of them follow from what is known.
Between two of them it stands.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, midnight
from yibao.domain.care import assessments
from yibao.domain.facts import clamped
from yibao.domain.lifecycle import state_at, timeline
from yibao.domain.rules import (
    Case,
    Values,
    account_instant,
    as_of,
    evoucher_eligible_at,
    values_of,
    visible_at,
    waiting_before_joining,
)
from yibao.domain.vocabulary import State, WaitingPeriod
from yibao.projections.next_step import standing
from yibao.projections.record import Knowledge


class Span(NamedTuple):
    """A time in which state and next step stay the same; None for an end that there is not.

    `ends_at` is the first instant outside.
    `next_step` is the code of the most urgent step, None where nothing is to do, and `until` the
    first instant too late for it, None where there is none.
    """

    begins_at: datetime | None
    ends_at: datetime | None
    state: State | None
    next_step: str | None
    until: datetime | None = None


def spans(knowledge: Knowledge) -> tuple[Span, ...]:
    """What `answered` says of state and first step at every instant, as spans in their order.

    They cover all instants, and no two neighbours say the same.
    """
    case = knowledge.case
    if case is None or case.facts.registration is None:
        return (Span(None, None, None, None),)
    turns = sorted({*turning(knowledge, case, ways(case))})
    found = [Span(None, None, *_told(knowledge, case, turns[0] - timedelta.resolution))]
    for at in turns:
        told = _told(knowledge, case, at)
        last = found[-1]
        if told != last[2:]:
            found[-1] = last._replace(ends_at=at)
            found.append(Span(at, None, *told))
    return tuple(found)


def _told(
    knowledge: Knowledge, case: Case, at: datetime
) -> tuple[State | None, str | None, datetime | None]:
    """The state and the most urgent step at an instant."""
    case = as_of(case, at)
    change = state_at(timeline(case), at)
    state = change.state if change else None
    return state, *step_at(knowledge, case, at, state)


def step_at(
    knowledge: Knowledge, case: Case, at: datetime, state: State | None
) -> tuple[str | None, datetime | None]:
    """The most urgent step in a state at an instant, and until when; the case is as of then."""
    care = assessments(case, knowledge.cares, at) if knowledge.cares else ()
    step = next(standing(case, at, state, care), None)
    return (step.code, step.until) if step else (None, None)


def ways(case: Case) -> list[Case]:
    """How the case stands, one after the other, by what one may still do in the years before."""
    if case.before is None:
        return [case]
    # Between two turns of those years it is the same.
    opened = {*_years_before(case.before)}
    first = min(opened, default=case.policy.ends_at) - timedelta.resolution
    return [*{id(way): way for way in (as_of(case, at) for at in (first, *opened))}.values()]


def turning(knowledge: Knowledge, case: Case, ways: Iterable[Case]) -> Iterator[datetime]:
    """Every instant at which state or step may change, and perhaps some more, in no order."""
    yield from _known(knowledge, case)
    if case.before is not None:
        yield from _years_before(case.before)
    for way in ways:
        yield from _derived(way)


def _known(knowledge: Knowledge, case: Case) -> Iterator[datetime]:
    """What is looked at from when it happened, and when days begin that are named."""
    facts, following = case.facts, case.following
    yield midnight(case.registered_on)
    year = case.policy.year + 1
    happened: Iterable[Any] = chain(
        facts.rosters,
        facts.school_changes,
        facts.checks,
        facts.accounts,
        facts.payments(year),
        case.employee_cover,
        case.activations,
        case.cards,
        (*following.payments(year), *following.registrations) if following else (),
    )
    for fact in happened:
        yield fact.at
    for withdrawal in case.withdrawals:
        yield midnight(withdrawal.event.on)
    if knowledge.cares:
        for filing in facts.remote_filings:
            yield filing.at
    for care in knowledge.cares:
        yield midnight(care.fact.event.on)
        if care.settled:
            yield care.settled.occurred_at


def _years_before(case: Case) -> Iterator[datetime]:
    """When something opens or closes in a year before."""
    if case.facts.registration is not None:
        yield midnight(case.registered_on)
        for window in case.windows():
            yield from window.turns
        for withdrawal in case.withdrawals:
            yield midnight(withdrawal.event.on)
    if case.before:
        yield from _years_before(case.before)


def _derived(case: Case) -> Iterator[datetime]:
    """What follows: the ends of windows and of periods, what is visible, built and opened."""
    yield case.policy.ends_at
    for change in timeline(case):
        yield change.at
    for window in case.windows():
        yield from window.turns
    for episode in case.episodes:
        yield clamped(episode.confirmation.at, case.registration)
        if episode.opt_out:
            yield episode.opt_out.at
        yield visible_at(case, episode.confirmation).value
        known = values_of(case, episode)
        yield from _ends(known.waiting.value)
        yield from _opened(case, episode.confirmation, known)
    waiting = waiting_before_joining(case)
    yield from _ends(waiting and waiting.value)


def _ends(waiting: Any) -> Iterator[datetime]:
    if isinstance(waiting, WaitingPeriod):
        yield midnight(waiting.first)
        yield midnight(day_after(waiting.last))


def _opened(case: Case, confirmation: Any, known: Values) -> Iterator[datetime]:
    built = account_instant(case, confirmation, known.account_built_on)
    if built is not None:
        yield built.value
        opens = evoucher_eligible_at(case, known.evoucher_available_at, built)
        if opens is not None:
            yield opens.value
