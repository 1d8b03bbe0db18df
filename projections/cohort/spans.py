"""State and next step at all instants, as known by one cut-off."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from yibao.domain.calendar import midnight
from yibao.domain.facts import AnyFact
from yibao.domain.rules import Case
from yibao.domain.vocabulary import State
from yibao.projections.answer import answered
from yibao.projections.record import Knowledge
from yibao.projections.turning import turns_of


class Span(NamedTuple):
    """For how long an answer stands that something known gives.

    It begins at `begins_at` (None: ever before) and lasts until `ends_at`, the first instant
    outside (None: for ever). `next_step` is the code of the first step, `until` its first instant
    too late, if it has one.
    """

    begins_at: datetime | None
    ends_at: datetime | None
    state: State | None
    next_step: str | None
    until: datetime | None = None


def spans(knowledge: Knowledge) -> tuple[Span, ...]:
    """All instants, ascending, of which no two neighbours are answered alike."""
    if knowledge.case is None:
        return (Span(None, None, None, None),)
    turns = sorted(set(_turns(knowledge, knowledge.case)))
    found: list[Span] = []
    for at in (turns[0] - timedelta.resolution, *turns):
        answer = answered(knowledge, at)
        step = answer.next_step
        told = (answer.state, step and step.code, step and step.until)
        if not found:
            found.append(Span(None, None, *told))
        elif found[-1][2:] != told:
            found[-1] = found[-1]._replace(ends_at=at)
            found.append(Span(at, None, *told))
    return tuple(found)


def _turns(knowledge: Knowledge, case: Case) -> Iterator[datetime]:
    """Every instant at which an answer may change, and perhaps some more."""
    yield case.policy.ends_at
    told: Case | None = case
    while told is not None:
        yield from turns_of(told)
        for fact in chain(told.known, _told_after(told)):
            yield fact.at
            if day := getattr(fact.event, "on", None):
                yield midnight(day)
        told = told.before
    for care in knowledge.cares:
        yield midnight(care.fact.event.on)
        if care.settled:
            yield care.settled.occurred_at


def _told_after(case: Case) -> Iterator[AnyFact]:
    """What the next year's enrollment tells of this one."""
    if after := case.following:
        payments = after.payments(case.policy.year + 1)
        yield from chain(after.employee_cover, after.registrations, payments)
