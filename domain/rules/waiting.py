"""The waiting period (待遇等待期): from registration and check, and what the year before hands on.

R12 to R16 of an entrant; R33 and R36 of who goes on, or joins late.
"""

from datetime import date
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, last_day_of_months, latest
from yibao.domain.derivation import Derived, Earlier, latest_day
from yibao.domain.editions import Parameter, Period, Policy
from yibao.domain.facts import Confirmation, Current, events, is_payment
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import PENDING, Pending, WaitingPeriod

Waiting = Derived[WaitingPeriod | Pending | None]
Check = Current[events.PriorCoverageVerified]
Terms = Parameter[Period]


def waiting_period(case: Case, confirmation: Confirmation | None = None) -> Waiting:
    """R12 to R15, R33, R36: from registration and check, and from a confirmation where that counts.

    Without one, nothing may depend on it: see `waiting_while_unconfirmed`.
    """
    of = confirmation.event.event_id.int if confirmation and case.policy.waits_by_joining else None
    return case.shared(("waiting", of), lambda: _waiting_period(case, confirmation))


def waiting_before_joining(case: Case) -> Waiting | None:
    """The waiting period while nothing is confirmed, as far as it does not depend on that."""
    return None if _depends(case) else waiting_period(case)


def waiting_while_unconfirmed(case: Case, undecided: Derived[Pending | None]) -> Waiting:
    """R36: the same while nothing is confirmed: open with the rest where it depends on that."""
    if _depends(case):
        return undecided.of("waiting", undecided.value)
    return waiting_period(case)


def first_waiting_day(case: Case, confirmation: Confirmation | None = None) -> Derived[date]:
    """The first day of a waiting period that a check ends: its own where one goes on (R33)."""
    carried = running(case)
    if carried is not None:
        return carried.of("waiting_begins_on", carried.value.first)
    return _counted_from(case, confirmation)


def _counted_from(case: Case, confirmation: Confirmation | None) -> Derived[date]:
    """R14: the registration day, or 1 September for who registered earlier.

    Where it is counted from the enrollment, the latest of that, the registration, and the first
    day of the benefit year (R36).
    """
    p = case.policy.parameters
    earliest = p.waiting_counts_from
    if not isinstance(earliest.value, str):
        day = latest(case.registered_on, earliest.value)
        return Derived("waiting_begins_on", day, "R14", (case.registration, earliest))
    days: list[Derived[date]] = [
        Derived("registered_on", case.registered_on, "R14", (case.registration,)),
        Derived("benefit_year_begins_on", p.benefit_from.value, "R14", (p.benefit_from,)),
    ]
    if confirmation:
        days = [day_of_joining(confirmation, "R14"), *days]
    return latest_day("waiting_begins_on", "R14", days)


def day_of_joining(confirmation: Confirmation, rule: str) -> Derived[date]:
    """D: the day on which the student signed, or paid where that enrolls (R34)."""
    name = "paid_on" if is_payment(confirmation) else "signed_on"
    return Derived(name, confirmation.at.date(), rule, (confirmation,))


def after_waiting(waiting: Waiting) -> list[Derived[date]]:
    """The day after the waiting period, as far as there is one and it is known."""
    if not isinstance(waiting.value, WaitingPeriod):
        return []
    return [Derived("day_after_waiting", day_after(waiting.value.last), "R16", (waiting,))]


def carried_waiting(case: Case) -> Derived[Any] | None:
    """R33: the waiting period that the year before hands on, with whatever stands for it.

    A year without an enrollment hands on what it was given, and so does who left in it while that
    year's own was not known. None where there was no other.
    """
    before = case.before
    if before is None:
        return None
    if before.main_road is None:
        return carried_waiting(before)
    waiting = last_waiting(before, waiting_period(before, before.main_road.confirmation))
    if before.withdrawal and waiting.value is PENDING:
        return carried_waiting(before)
    return Derived(
        "waiting", waiting.value, "R33", (Earlier(before.policy, waiting),), waiting.because
    )


def last_waiting(case: Case, waiting: Waiting) -> Waiting:
    """R33, R36: the waiting period, also one that was over before the benefit year began."""
    if waiting.because != "waiting_over":
        return waiting
    return moved_waiting(case) or carried_waiting(case) or waiting


def running(case: Case) -> Derived[WaitingPeriod] | None:
    """R33: the waiting period handed on, if it ends in the benefit year or later."""
    carried = carried_waiting(case)
    if carried is None or not isinstance(carried.value, WaitingPeriod):
        return None
    return carried if carried.value.last >= case.policy.parameters.benefit_from.value else None


def moved_waiting(case: Case) -> Waiting | None:
    """R33: what stands in the place of the waiting period handed on: a check names its end."""
    if not (_named(case) and goes_on_or_may(case)):
        return None
    joined = _latest(case)
    return _own_waiting(case, joined) if is_ended_by_name(case, joined) else None


def goes_on_or_may(case: Case) -> bool:
    """R33: whether a waiting period is handed on that ends in the benefit year, or is open."""
    carried = carried_waiting(case)
    return carried is not None and (carried.value is PENDING or running(case) is not None)


def year_before_undecided(case: Case, name: str) -> Derived[Pending] | None:
    """R33: a value as open, while one may still join in the year before."""
    before = case.before
    if before is None or before.undecided is None:
        return None
    earlier = (Earlier(before.policy, before.undecided),)
    return Derived(name, PENDING, "R33", earlier, "year_before_undecided")


def counting_check(case: Case, confirmation: Confirmation) -> Check | None:
    """The check that results are waited for of: this year's or, where none is needed, before it."""
    if is_ended_by_name(case, confirmation):
        return case.check
    if case.before and case.before.enrolled:
        return counting_check(case.before, case.before.enrolled.confirmation)
    return case.check if case.policy.knows_waiting_periods else None


def _waiting_period(case: Case, confirmation: Confirmation | None) -> Waiting:
    own = _own_waiting(case, confirmation)
    if case.before is None:
        return own
    if undecided := year_before_undecided(case, "waiting"):
        return undecided
    carried = carried_waiting(case)
    if carried is None:
        return own
    if isinstance(own.value, WaitingPeriod) and own.rule == "R13-recorded":
        is_over = own.value.last < case.policy.parameters.benefit_from.value
        return _over(own) if is_over and running(case) else own
    if carried.value is PENDING:
        return carried
    if own.value is PENDING:
        return own
    goes_on = running(case)
    if goes_on is None:
        return _over(carried) if carried.value and own.value is None else own
    later = isinstance(own.value, WaitingPeriod) and own.value.last > goes_on.value.last
    return own if later else goes_on


def _over(waiting: Waiting) -> Waiting:
    """R33: a waiting period that ended before the benefit year."""
    return Derived("waiting", None, "R33", waiting.inputs, "waiting_over")


def _own_waiting(case: Case, confirmation: Confirmation | None) -> Waiting:
    """R12 to R15, R36: what follows from this year's check, and from the period of joining."""
    p = case.policy.parameters
    if not case.policy.may_wait:
        return Derived("waiting", None, "R12", (p.waiting_months_per_lapsed_year,), "no_such_rule")
    check, lapses_count = case.check, _lapses_count(case)
    if lapses_count and check is None:
        return Derived("waiting", PENDING, "R12", because="check_missing")
    if check and (recorded := check.event.waiting_ends_on):
        start = first_waiting_day(case, confirmation)
        if recorded >= start.value:
            period = WaitingPeriod(start.value, recorded, None)
            return Derived("waiting", period, "R13-recorded", (check, start))
    return _by_months(case, check if lapses_count else None, confirmation)


class _Owed(NamedTuple):
    """So many months of waiting, by which rule, and from what; nothing where there were none."""

    months: int
    rule: str
    inputs: tuple[Any, ...] = ()


def _by_months(case: Case, check: Check | None, confirmation: Confirmation | None) -> Waiting:
    """R13, R15, R36: fixed months and, by a check, months a lapsed year, as one period."""
    terms = confirmation and case.terms_of(confirmation)
    owed = _owed(case.policy, check, terms)
    if not owed.inputs:
        return _none(case, check, terms)
    if not owed.months:
        return Derived("waiting", None, owed.rule, owed.inputs, "waiting_repaired")
    start = _counted_from(case, confirmation)
    counted = case.policy.parameters.waiting_counts_first_day
    last = last_day_of_months(start.value, owed.months, counting_first_day=counted.value)
    end = Derived("waiting_ends_on", last, "R15", (start, counted))
    period = WaitingPeriod(start.value, last, owed.months)
    return Derived("waiting", period, owed.rule, (*owed.inputs, end))


def _owed(policy: Policy, check: Check | None, terms: Terms | None) -> _Owed:
    """R36: fixed months of a period and those of lapsed years, less what was repaired.

    Together they do not fall below the floor, which never raises what was owed.
    """
    p = policy.parameters
    each = p.waiting_months_per_lapsed_year
    fixed = terms.value.fixed_waiting_months if terms else 0
    lapsed = check.event.lapsed_years * each.value if check else 0
    inputs: list[Any] = [check, each] if lapsed else []
    months, rule = fixed + lapsed, "R13"
    if lapsed and check and check.event.years_repaid and p.waiting_repaired_per_year:
        off = check.event.years_repaid * p.waiting_repaired_per_year.value
        months, rule = fixed + max(lapsed - off, 0), "R36"
        inputs.append(p.waiting_repaired_per_year)
        floor = p.waiting_floor
        if floor and check.event.lapsed_years >= floor.value.lapsed_years:
            months = max(months, min(floor.value.months, fixed + lapsed))
            inputs.append(floor)
    if fixed:
        rule = "R36"
        inputs.append(terms)
    return _Owed(months, rule, tuple(inputs))


def _none(case: Case, check: Check | None, terms: Terms | None) -> Waiting:
    """Why there is no waiting period."""
    if check:
        return Derived("waiting", None, "R12", (check,), "no_lapsed_year")
    before = case.before
    if before and before.enrolled:
        signed = before.enrolled.confirmation
        enrolled = Derived("confirmed", signed.at, "R24", (signed,))
        return Derived(
            "waiting", None, "R33", (Earlier(before.policy, enrolled),), "enrolled_before"
        )
    return Derived("waiting", None, "R36", (terms,) if terms else (), "no_fixed_months")


def _named(case: Case) -> date | None:
    """The last waiting day that this year's check names."""
    return case.check.event.waiting_ends_on if case.check else None


def is_ended_by_name(case: Case, confirmation: Confirmation | None) -> bool:
    """R13: whether this year's check names a last day that counts: none before the first (R14).

    Nor any under an edition that knows no waiting period.
    """
    named = _named(case) if case.policy.may_wait else None
    return named is not None and named >= first_waiting_day(case, confirmation).value


def _latest(case: Case) -> Confirmation | None:
    """What she has joined with at last."""
    return case.episodes[-1].confirmation if case.episodes else None


def _lapses_count(case: Case) -> bool:
    """R33: whether lapsed years count: not of who was enrolled in the year before."""
    enrolled_before = case.before is not None and case.before.enrolled is not None
    return case.policy.knows_waiting_periods and not enrolled_before


def _depends(case: Case) -> bool:
    """R36: whether the waiting period of a student depends on when she joins."""
    if not (case.policy.waits_by_joining and case.policy.may_wait):
        return False
    if case.policy.has_fixed_waiting:
        return True
    if _named(case):
        return running(case) is None
    check = case.check
    return _lapses_count(case) and (check is None or _owed(case.policy, check, None).months > 0)
