"""What may be added to a stream: a command is answered with an event, or refused with a code.

Pure: the clock's stamp, the ids and the policy come in from outside. A request is judged by
the guards of the lifecycle table; a report is recorded all the same, unless a value in it can
never be right.
"""

from collections.abc import Sequence
from itertools import product
from typing import cast

from yibao.domain.editions import Policy
from yibao.domain.facts import (
    AnyFact,
    Envelope,
    Stream,
    answered_before,
    check_version,
    commands,
    correction,
    events,
    evolve,
    fact,
    void,
)
from yibao.domain.facts.commands import Command, Correct, RecordFact, Void
from yibao.domain.lifecycle.guards import Attempt, first_refusal, request
from yibao.domain.lifecycle.table import REFUSALS
from yibao.domain.refusals import (
    BadValue,
    NotPermitted,
)
from yibao.domain.rules import Case, WindowFix, confirmation_window, first_waiting_day


def decide(
    stream: Stream,
    command: Command,
    policy: Policy | None,
    fixes: Sequence[WindowFix],
    envelope: Envelope,
) -> events.Event | None:
    """The event a command leads to, or None where it was answered before.

    `policy` is the edition of the current registration, or of the one asked for; None where
    there is neither. Raises NotPermitted with the first guard that refuses a request, and
    NotCorrectable, OutOfStep or BadValue for requests and reports alike.
    """
    if answered_before(stream, command, envelope):
        return None
    check_version(stream, command)
    if isinstance(command, Void):
        return void(stream, command, envelope)
    if isinstance(command, Correct):
        event = correction(stream, command, envelope)
        _check_values(_after(stream, event), event, policy, fixes)
        return event
    assert isinstance(command, RecordFact)
    event = fact(stream, command, envelope)
    if policy is None:
        raise NotPermitted("not_registered")
    attempted = _after(stream, event)
    _judge(attempted, command, policy, fixes)
    _check_values(attempted, event, policy, fixes)
    return event


def asks_for_the_window(command: Command) -> bool:
    """Whether judging a command depends on what was fixed under its edition."""
    if not isinstance(command, RecordFact) or command.observed or command.always_report:
        return False
    return not _ABOUT_THE_WINDOW.isdisjoint(REFUSALS[command.name])


#: Also what asks for the account: after a late confirmation there may be none (R10).
_ABOUT_THE_WINDOW = frozenset(
    {
        "window_not_open",
        "window_closed",
        "account_not_built",
        "evoucher_not_available",
        "evoucher_not_yet_available",
    }
)


def _judge(
    attempted: Sequence[AnyFact], command: RecordFact, policy: Policy, fixes: Sequence[WindowFix]
) -> None:
    """Asks the guards of the table; hardly any of them holds up a report."""
    if isinstance(command, commands.FixWindow):
        return
    codes = REFUSALS[command.name]
    if command.observed or command.always_report:
        codes = tuple(code for code in codes if code in _REFUSE_REPORTS)
    fact = attempted[-1]
    if isinstance(command, commands.Register):
        attempt = Attempt(Case(policy, attempted, fixes), fact.moment, fact)
    else:
        attempt = request(Case(policy, attempted[:-1], fixes), command.at)
    code = first_refusal(codes, attempt)
    if code is not None:
        raise NotPermitted(code)


_REFUSE_REPORTS = frozenset({"not_registered", "already_registered", "not_a_new_student"})


def _check_values(
    known: Sequence[AnyFact],
    event: events.Fact,
    policy: Policy | None,
    fixes: Sequence[WindowFix],
) -> None:
    """Refuses what can never be right in the light of the other facts, also in a report."""
    if isinstance(event, events.PriorCoverageVerified) and event.waiting_ends_on and policy:
        case = Case(policy, known, fixes)
        if case.facts.registration is None or not policy.knows_waiting_periods:
            return
        if event.waiting_ends_on < first_waiting_day(case).value:
            raise BadValue("waiting_ends_on", "lies before the first day of the waiting period")
    if isinstance(event, events.WindowFixed) and policy:
        _check_window(cast(Sequence[WindowFix], known), event, policy)


def _check_window(known: Sequence[WindowFix], event: events.WindowFixed, policy: Policy) -> None:
    """R8: it may neither close before the opening nor after the benefit year.

    Nor may it leave that to any school or category that is named, or to both together.
    """
    if event.closes_on and event.closes_on > policy.parameters.benefit_to.value:
        raise BadValue("closes_on", "lies after the benefit year")
    schools = {None, *(fix.event.school for fix in known)}
    categories = {None, *(fix.event.category for fix in known)}
    for school, category in product(schools, categories):
        window = confirmation_window(
            policy, known, school, category, policy.parameters.autumn_from.value
        )
        if window.closed_from <= window.opens_at:
            where = "closes_on" if event.closes_on else "opens_on" if event.opens_on else "opens_at"
            raise BadValue(where, "the window would close before it opens")


def _after(stream: Stream, event: events.Fact) -> tuple[AnyFact, ...]:
    """The facts as they would be, the attempted one in its place."""
    return evolve(stream, event).facts
