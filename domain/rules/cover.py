"""The benefit window (待遇享受期): first and last day of cover (R20 to R22, R35, R36)."""

from datetime import date, timedelta

from yibao.domain.calendar import day_after, day_before, first_of_next_month, latest
from yibao.domain.derivation import Derived, Earlier, latest_day
from yibao.domain.facts import Confirmation, Episode
from yibao.domain.rules.account import (
    AccountDay,
    account_at_the_earliest,
    not_yet_known,
    nothing_without_account,
    open_unless_left,
)
from yibao.domain.rules.case import Case
from yibao.domain.rules.obstacles import (
    employee_cover_stop,
    is_late,
    known_stop,
    registered_later,
)
from yibao.domain.rules.waiting import (
    Waiting,
    after_waiting,
    day_of_joining,
    moved_waiting,
    waiting_period,
)
from yibao.domain.vocabulary import PENDING, DayRange, Pending


def benefit_window(
    case: Case, episode: Episode, waiting: Waiting, account: AccountDay
) -> Derived[DayRange | Pending | None]:
    """R20 to R22: first and last day on which care is covered."""
    name, p, confirmation = "coverage", case.policy.parameters, episode.confirmation
    nothing = nothing_without_account(case, confirmation, account, name)
    if nothing is not None:
        return nothing
    earliest = account_at_the_earliest(case, confirmation, waiting, account)
    begins = cover_begins(case, confirmation, waiting, earliest)
    if begins.value > p.benefit_to.value:
        return Derived(name, None, "R22", (begins, p.benefit_to), "cover_too_late")
    ends = cover_ends(case, episode)
    if _left_before(case) and ends.value < p.benefit_from.value:
        return Derived(name, None, ends.rule, (p.benefit_from, ends), ends.because)
    unknown = not_yet_known(case, episode, waiting, name, "R20")
    if unknown is None and (handed_on := _carried_unknown(case)):
        unknown = open_unless_left(case, episode, waiting, handed_on)
    if unknown is not None:
        return unknown
    if ends.value < begins.value:
        return Derived(name, None, ends.rule, (begins, ends), ends.because)
    return Derived(name, DayRange(begins.value, ends.value), begins.rule, (begins, ends))


def _left_before(case: Case) -> bool:
    """R38: whether it is a leaving told in the year before that ends cover here."""
    return case.leaving is not None and case.leaving not in case.facts.withdrawals


def _carried_unknown(case: Case, moved: Waiting | None = None) -> Derived[Pending] | None:
    """R33: while the window of the year before is open, so is this one.

    `moved` is the waiting period that a check has put in the place of those of the years before.
    """
    before = case.before
    if before is None or before.enrolled is None:
        return None
    moved = moved or moved_waiting(case)
    waiting = moved or waiting_period(before, before.enrolled.confirmation)
    missing = not_yet_known(before, before.enrolled, waiting, "coverage", "R20")
    missing = missing or _carried_unknown(before, moved)
    if missing is None:
        return None
    earlier = (Earlier(before.policy, missing),)
    return Derived("coverage", PENDING, "R33", earlier, missing.because)


def cover_begins(
    case: Case, confirmation: Confirmation, waiting: Waiting, account: Derived[date]
) -> Derived[date]:
    """R20 without a waiting period, R21 with one, R10 for who confirmed after the window.

    The period of joining (R35), the registration and the stop may delay it. While the check is
    missing, what begins the earliest: as without a waiting period (R17, R22).
    """
    name, p = "cover_begins_on", case.policy.parameters
    stop = known_stop(employee_cover_stop(case))
    late = is_late(case, confirmation)
    of_the_period = _by_the_period(case, confirmation)
    waits = bool(after_waiting(waiting)) or waiting.because == "waiting_over"
    if not (late or waits):
        return latest_day(name, "R20", [*of_the_period, *stop])
    day = account.value + timedelta(days=p.cover_after_account.value)
    after_account = Derived("day_after_account", day, "R21", (account, p.cover_after_account))
    bounds = [after_account, *after_waiting(waiting), *stop]
    if late:
        bounds = [day_of_joining(confirmation, "R10"), *bounds]
    # Nothing of an account that is built in this year begins before them.
    bound = latest(*(day.value for day in bounds))
    later = [each for each in of_the_period if each.value > bound]
    return latest_day(name, "R10" if late else "R21", [*bounds, *later])


def _by_the_period(case: Case, confirmation: Confirmation) -> list[Derived[date]]:
    """R20, R35: the first day of the benefit year, and what of the period of joining is later."""
    benefit_from = case.policy.parameters.benefit_from
    first = Derived("benefit_year_begins_on", benefit_from.value, "R20", (benefit_from,))
    terms = case.terms_of(confirmation)
    cover_from = terms.value.cover_from if terms else "registration"
    if cover_from == "benefit_from":
        return [first]
    days = [first, *registered_later(case, first.value, "R20-registered-later")]
    if terms is None or cover_from == "registration":
        return days
    joined = confirmation.at.date()
    begins = {
        "enrollment_day": joined,
        "day_after_enrollment": day_after(joined),
        "first_of_next_month": first_of_next_month(joined),
    }[cover_from]
    by_joining = Derived("cover_of_the_period_begins_on", begins, "R35", (confirmation, terms))
    return [*days, by_joining]


def cover_ends(case: Case, episode: Episode) -> Derived[date]:
    """R20, R24, R25: the end of the benefit year, the day before leaving, or that of opting out.

    Why it goes on after some kinds of leaving is told with it (R38).
    """
    name, p = "cover_ends_on", case.policy.parameters
    ends = Derived(name, p.benefit_to.value, "R20", (p.benefit_to,))
    leaving, after = case.leaving, p.cover_after_leaving
    if after and case.withdrawal and not leaving:
        inputs = (p.benefit_to, case.withdrawal, after)
        ends = Derived(name, p.benefit_to.value, "R38", inputs)
    if leaving:
        left = day_before(case.facts.first_day_outside(leaving))
        ends = Derived(name, left, "R24", (leaving,), "withdrawn")
    opt_out = episode.ended_by
    if opt_out and opt_out.at.date() < ends.value:
        ends = Derived(name, opt_out.at.date(), "R25", (opt_out,), "opted_out")
    return ends
