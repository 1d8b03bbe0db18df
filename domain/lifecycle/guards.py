"""What forbids a command: one function for each refusal, true where it refuses.

Permission guards look at what held at the moment of the command. Exclusivity guards
(`already_…`) look at every current fact for a request; when a recorded fact is judged
afterwards, only at those before it.
"""

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

from yibao.domain.calendar import midnight
from yibao.domain.editions import Policy
from yibao.domain.facts import (
    Current,
    Episode,
    Facts,
    Moment,
    end_of_stream,
    events,
    is_confirmation,
    is_opt_out,
    last_by,
)
from yibao.domain.refusals import Code
from yibao.domain.rules import (
    Case,
    Values,
    account_instant,
    as_of,
    has_document_without_evoucher,
    values_of,
)
from yibao.domain.vocabulary import Category, Day, is_among


class Attempt(NamedTuple):
    """What is judged: a request at its moment, or a recorded fact, without itself.

    The case is as of that moment.
    """

    case: Case
    moment: Moment
    recorded: Current[Any] | None = None

    @property
    def facts(self) -> Facts:
        return self.case.facts


def request(case: Case, at: datetime) -> Attempt:
    """A request that would be the last fact of its instant."""
    return Attempt(as_of(case, at), end_of_stream(at))


def is_for_student(policy: Policy, category: Category, on: Day) -> bool:
    """R1: of a category that may join, and registered in the autumn of the notice's year.

    Under an edition for continuing students also before that.
    """
    p = policy.parameters
    whom = p.for_students.value if p.for_students else ("entrants",)
    registered = [
        "entrants" in whom and p.autumn_from.value <= on <= p.autumn_to.value,
        "continuing" in whom and on < p.autumn_from.value,
    ]
    return any(registered) and is_among(category, p.new_student_categories.value)


def _not_registered(attempt: Attempt) -> bool:
    return attempt.facts.registration is None


def _already_registered(attempt: Attempt) -> bool:
    return any(fact is not attempt.recorded for fact in attempt.facts.registrations)


def _not_a_new_student(attempt: Attempt) -> bool:
    registration = attempt.case.registration.event
    return not is_for_student(attempt.case.policy, registration.category, registration.on)


def _withdrawn(attempt: Attempt) -> bool:
    withdrawal = attempt.case.withdrawal
    if attempt.recorded and isinstance(attempt.recorded.event, events.Withdrawn):
        withdrawal = attempt.case.withdrawal_without(attempt.recorded)
    if withdrawal is None or attempt.moment.at < midnight(withdrawal.event.on):
        return False
    return attempt.moment.at >= midnight(attempt.facts.first_day_outside(withdrawal))


def _before_registration(attempt: Attempt) -> bool:
    return attempt.moment.at < midnight(attempt.case.registered_on)


def _already_confirmed(attempt: Attempt) -> bool:
    """A confirmation counts unless an opt-out lies between it and the moment; R24 lets one return.

    For a request those that happened later count as well.
    """
    choices = attempt.case.chosen
    before = bisect_left(choices, attempt.moment, key=_moment)
    after = before + 1 if attempt.recorded is None else before
    return any(is_confirmation(nearest) for nearest in choices[max(before - 1, 0) : after])


def _window_not_open(attempt: Attempt) -> bool:
    return attempt.moment.at < attempt.case.window_at(attempt.moment).opens_at


def _window_closed(attempt: Attempt) -> bool:
    """After the window, or between two periods (R34)."""
    window, at = attempt.case.window_at(attempt.moment), attempt.moment.at
    return at >= window.opens_at and window.span_at(at) is None


def _enrolled_by_payment(attempt: Attempt) -> bool:
    return attempt.case.policy.enrolled_by_payment


def _roster_not_declared(attempt: Attempt) -> bool:
    if not attempt.case.policy.parameters.roster_required.value:
        return False
    return attempt.facts.roster_at(attempt.moment) is None


def _no_other_cover(attempt: Attempt) -> bool:
    return last_by(attempt.facts.cover_elsewhere, attempt.moment) is None


def _not_confirmed(attempt: Attempt) -> bool:
    episodes = attempt.case.episodes
    return not episodes or episodes[0].confirmation.moment >= attempt.moment


def _opted_out(attempt: Attempt) -> bool:
    choice = last_by(attempt.case.chosen, attempt.moment)
    return choice is not None and is_opt_out(choice)


def _account_not_built(attempt: Attempt) -> bool:
    held = _held(attempt)
    if held is None:
        return True
    episode, values = held
    built = account_instant(attempt.case, episode.confirmation, values.account_built_on)
    return built is None or attempt.moment.at < built.value


def _evoucher_not_available(attempt: Attempt) -> bool:
    case = attempt.case
    if attempt.moment.at >= case.policy.ends_at:
        return True
    if has_document_without_evoucher(case):
        return False
    held = _held(attempt)
    return held is not None and held[1].evoucher_available_at.value is None


def _evoucher_not_yet_available(attempt: Attempt) -> bool:
    if has_document_without_evoucher(attempt.case):
        return False
    held = _held(attempt)
    available = held and held[1].evoucher_available_at.value
    return not isinstance(available, datetime) or attempt.moment.at < available


def _held(attempt: Attempt) -> tuple[Episode, Values] | None:
    """What was confirmed by the moment, and the values as they held then; None if nothing was."""
    episode = attempt.case.episode_by(attempt.moment)
    return episode and (episode, values_of(attempt.case, episode))


_moment = attrgetter("moment")

GUARDS: Final[dict[Code, Callable[[Attempt], bool]]] = {
    "not_registered": _not_registered,
    "already_registered": _already_registered,
    "not_a_new_student": _not_a_new_student,
    "withdrawn": _withdrawn,
    "enrolled_by_payment": _enrolled_by_payment,
    "already_confirmed": _already_confirmed,
    "before_registration": _before_registration,
    "window_not_open": _window_not_open,
    "window_closed": _window_closed,
    "roster_not_declared": _roster_not_declared,
    "no_other_cover": _no_other_cover,
    "not_confirmed": _not_confirmed,
    "opted_out": _opted_out,
    "account_not_built": _account_not_built,
    "evoucher_not_available": _evoucher_not_available,
    "evoucher_not_yet_available": _evoucher_not_yet_available,
}


def first_refusal(codes: tuple[Code, ...], attempt: Attempt) -> Code | None:
    """The first of these codes whose guard refuses, or None."""
    for code in codes:
        if GUARDS[code](attempt):
            return code
    return None


def idle_guards(case: Case) -> frozenset[Code]:
    """The codes that refuse no fact of somebody registered, which need not be asked one by one."""
    return _IDLE if case.withdrawals else _IDLE_INSIDE


_IDLE: Final[frozenset[Code]] = frozenset({"not_registered"})
_IDLE_INSIDE: Final[frozenset[Code]] = frozenset({*_IDLE, "withdrawn"})
