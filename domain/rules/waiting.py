"""The waiting period (待遇等待期): from registration and check alone (R12 to R16)."""

from datetime import date

from yibao.domain.calendar import day_after, last_day_of_months
from yibao.domain.derivation import Derived
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import PENDING, Pending, WaitingPeriod

Waiting = Derived[WaitingPeriod | Pending | None]


def waiting_period(case: Case) -> Waiting:
    """R12 to R15: from registration and check alone, confirmed or not."""
    return case.shared("waiting", lambda: _waiting_period(case))


def _waiting_period(case: Case) -> Waiting:
    policy, p = case.policy, case.policy.parameters
    if not policy.knows_waiting_periods:
        return Derived("waiting", None, "R12", (p.waiting_months_per_lapsed_year,), "no_such_rule")
    check = case.check
    if check is None:
        return Derived("waiting", PENDING, "R12", because="check_missing")
    start = first_waiting_day(case)
    recorded = check.event.waiting_ends_on
    if recorded is not None and recorded >= start.value:
        period = WaitingPeriod(start.value, recorded, None)
        return Derived("waiting", period, "R13-recorded", (check, start))
    if check.event.lapsed_years == 0:
        return Derived("waiting", None, "R12", (check,), "no_lapsed_year")
    months = check.event.lapsed_years * p.waiting_months_per_lapsed_year.value
    last = last_day_of_months(
        start.value, months, counting_first_day=p.waiting_counts_first_day.value
    )
    end = Derived("waiting_ends_on", last, "R15", (start, p.waiting_counts_first_day))
    return Derived(
        "waiting",
        WaitingPeriod(start.value, last, months),
        "R13",
        (check, p.waiting_months_per_lapsed_year, end),
    )


def first_waiting_day(case: Case) -> Derived[date]:
    """R14: the registration day, or 1 September for who registered earlier."""
    earliest = case.policy.parameters.waiting_counts_from
    day = max(case.registered_on, earliest.value)
    return Derived("waiting_begins_on", day, "R14", (case.registration, earliest))


def after_waiting(waiting: Waiting) -> list[Derived[date]]:
    """The day after the waiting period, as far as there is one and it is known."""
    if not isinstance(waiting.value, WaitingPeriod):
        return []
    return [Derived("day_after_waiting", day_after(waiting.value.last), "R16", (waiting,))]
