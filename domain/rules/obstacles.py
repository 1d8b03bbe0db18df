"""What stands in the way: employee cover, a late registration, a confirmation late or lacking."""

from collections.abc import Iterable
from datetime import date, datetime

from yibao.domain.calendar import latest, midnight
from yibao.domain.derivation import Derived, is_known
from yibao.domain.facts import Confirmation, events, is_confirmation
from yibao.domain.rules.case import Case
from yibao.domain.rules.waiting import (
    Waiting,
    after_waiting,
    is_ended_by_name,
    last_waiting,
    year_before_undecided,
)
from yibao.domain.rules.window import Window
from yibao.domain.vocabulary import PENDING, Pending


def employee_cover_stop(case: Case) -> Derived[date | Pending] | None:
    """R3: the first day without employee cover, PENDING while no stop is recorded."""
    if not case.employee_cover:
        return None
    latest = case.employee_cover[-1]
    if isinstance(latest.event, events.EmployeeCoverStopped):
        return Derived("employee_cover_stopped_on", latest.event.on, "R3", (latest,))
    return Derived("employee_cover_stopped_on", PENDING, "R3", (latest,), "stop_missing")


def known_stop(stop: Derived[date | Pending] | None) -> list[Derived[date]]:
    return [stop] if stop and is_known(stop) else []


def registered_later(case: Case, than: date, rule: str) -> list[Derived[date]]:
    """The registration day, where it is what delays something."""
    if case.registered_on <= than:
        return []
    return [Derived("registered_on", case.registered_on, rule, (case.registration,))]


def while_unconfirmed(
    case: Case, at: datetime, waiting: Waiting | None = None
) -> Derived[Pending | None]:
    """R25, R35: what stands for every value that needs a confirmation while none is known.

    One is still possible if some instant from `at` on lies inside enrollment and window. It
    would come too late where an account could only be built once the student has left.
    """
    if case.chosen:
        return Derived("confirmation", None, "R25", (case.chosen[-1],), "opted_out")
    window, leaving = case.latest_window, case.leaving
    begins = latest(at, midnight(case.registered_on))
    span = window.next_span(begins)
    if leaving:
        waited = after_waiting(last_waiting(case, waiting)) if waiting else []
        before_account = [*waited, *known_stop(employee_cover_stop(case))]
        earliest = latest(begins, span.opens_at) if span else begins
        account = latest(earliest.date(), *(day.value for day in before_account))
        if account >= case.facts.first_day_outside(leaving):
            return Derived("confirmation", None, "R25", (leaving, *before_account), "withdrawn")
    if case.withdrawal and not leaving:  # cover would go on, but nobody can join any more (R38)
        outside = midnight(case.facts.first_day_outside(case.withdrawal))
        if span is None or latest(begins, span.opens_at) >= outside:
            return Derived("confirmation", None, "R38", (case.withdrawal,), "withdrawn")
    if span is None:
        return Derived("confirmation", None, "R10", (window.closed_by,), "window_closed")
    rule = "R35" if span.terms else "R25"
    by_payment = case.policy.enrolled_by_payment
    missing = "payment_missing" if by_payment else "confirmation_missing"
    return Derived("confirmation", PENDING, rule, (span.closed_by,), missing)


def is_late(case: Case, confirmation: Confirmation) -> bool:
    """R10, R35: whether it happened when the window of the school at that instant was missed."""
    return case.window_at(confirmation.moment).is_missed(confirmation.at)


def confirmed_whichever_holds(case: Case, windows: Iterable[Window], at: datetime) -> bool:
    """Whether somebody has only ever confirmed, by then, and in time for each of some windows.

    Then an answer for that instant, but for what is said of care, is the same for all of them.
    """
    choices, begins = case.chosen, midnight(case.registered_on)
    if case.policy.periods:  # the period that an instant lies in moves more than whether one may
        return False
    return bool(choices) and all(
        is_confirmation(choice)
        and choice.at < at
        and all(
            window.opens_at <= choice.at and latest(choice.at, begins) < window.closed_from
            for window in windows
        )
        for choice in choices
    )


def confirmed_after_year(case: Case, confirmation: Confirmation, name: str) -> Derived[None] | None:
    """R10: a confirmation after the benefit year leads to nothing in it."""
    if confirmation.at < case.policy.ends_at:
        return None
    inputs = (confirmation, case.policy.parameters.benefit_to)
    return Derived(name, None, "R10", inputs, "confirmed_after_benefit_year")


def what_is_missing(
    case: Case, confirmation: Confirmation, waiting: Waiting, name: str, rule: str
) -> Derived[Pending] | None:
    """The value as PENDING on the first fact still missing; None where it can be worked out.

    After a late confirmation that is the bureau's finding (R10), else the check (R17) or the
    stop of employee cover (R3).
    """
    if is_late(case, confirmation) and not _is_found(case, confirmation):
        closed_by = case.window_at(confirmation.moment).closed_by
        return Derived(name, PENDING, "R10", (confirmation, closed_by), "finding_missing")
    if undecided := year_before_undecided(case, name):
        return undecided
    if waiting.value is PENDING:
        return Derived(name, PENDING, rule, (waiting,), waiting.because)
    stop = employee_cover_stop(case)
    if stop and stop.value is PENDING:
        return Derived(name, PENDING, "R3", (stop,), "stop_missing")
    return None


def _is_found(case: Case, confirmation: Confirmation) -> bool:
    """R10: an account day is recorded, or a check of that day or later names the last waiting day.

    The check's own day counts, also where it repeats an earlier finding.
    """
    if case.facts.accounts:
        return True
    is_named = is_ended_by_name(case, confirmation)
    return is_named and case.facts.checks[-1].at.date() >= confirmation.at.date()
