"""What stands in the way of an account: employee cover, a late registration, no confirmation."""

from datetime import date, datetime

from yibao.domain import events
from yibao.domain.calendar import midnight
from yibao.domain.case import Case
from yibao.domain.derivation import Derived
from yibao.domain.vocabulary import PENDING


def employee_cover_stop(case: Case) -> Derived | None:
    """R3: the first day without employee cover, PENDING while no stop is recorded."""
    if not case.facts.employee_cover:
        return None
    latest = case.facts.employee_cover[-1]
    if isinstance(latest.event, events.EmployeeCoverStopped):
        return Derived("employee_cover_stopped_on", latest.event.on, "R3", (latest,))
    return Derived("employee_cover_stopped_on", PENDING, "R3", (latest,), "stop_missing")


def known_stop(stop: Derived | None) -> list[Derived]:
    return [stop] if stop and stop.value is not PENDING else []


def registered_later(case: Case, than: date, rule: str) -> list[Derived]:
    """The registration day, where it is what delays something."""
    if case.registered_on <= than:
        return []
    return [Derived("registered_on", case.registered_on, rule, (case.registration,))]


def while_unconfirmed(case: Case, at: datetime) -> Derived:
    """R25: what stands for every value that needs a confirmation while none is known.

    One is still possible if some instant from `at` on lies inside enrollment and window.
    """
    if case.facts.choices:
        return Derived("confirmation", None, "R25", (case.facts.choices[-1],), "opted_out")
    window, withdrawal = case.latest_window, case.withdrawal
    earliest = max(at, window.opens_at, midnight(case.registered_on))
    if withdrawal and earliest >= midnight(case.facts.first_day_outside(withdrawal)):
        return Derived("confirmation", None, "R25", (withdrawal,), "withdrawn")
    if earliest >= window.closed_from:
        return Derived("confirmation", None, "R10", (window.closed_by,), "window_closed")
    return Derived("confirmation", PENDING, "R25", (window.closed_by,), "confirmation_missing")
