"""The benefit window (待遇享受期): first and last day on which care is covered (R20 to R22)."""

from datetime import date, timedelta

from yibao.domain.calendar import day_before
from yibao.domain.derivation import Derived, latest_day
from yibao.domain.facts import Confirmation, Episode
from yibao.domain.rules.account import (
    AccountDay,
    account_at_the_earliest,
    not_yet_known,
    nothing_without_account,
)
from yibao.domain.rules.case import Case
from yibao.domain.rules.obstacles import (
    employee_cover_stop,
    is_late,
    known_stop,
    registered_later,
)
from yibao.domain.rules.waiting import Waiting, after_waiting
from yibao.domain.vocabulary import DayRange, Pending


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
    unknown = not_yet_known(case, episode, waiting, name, "R20")
    if unknown is not None:
        return unknown
    ends = cover_ends(case, episode)
    if ends.value < begins.value:
        return Derived(name, None, ends.rule, (begins, ends), ends.because)
    return Derived(name, DayRange(begins.value, ends.value), begins.rule, (begins, ends))


def cover_begins(
    case: Case, confirmation: Confirmation, waiting: Waiting, account: Derived[date]
) -> Derived[date]:
    """R20 without a waiting period, R21 with one, R10 for who confirmed after the window.

    The registration and the stop may delay it. While the check is missing, what begins the
    earliest: as without a waiting period (R17, R22).
    """
    name, p = "cover_begins_on", case.policy.parameters
    stop = known_stop(employee_cover_stop(case))
    late = is_late(case, confirmation)
    if not (late or after_waiting(waiting)):
        later = registered_later(case, p.benefit_from.value, "R20-registered-later")
        start = Derived("benefit_year_begins_on", p.benefit_from.value, "R20", (p.benefit_from,))
        return latest_day(name, "R20", [start, *later, *stop])
    day = account.value + timedelta(days=p.cover_after_account.value)
    after_account = Derived("day_after_account", day, "R21", (account, p.cover_after_account))
    bounds = [after_account, *after_waiting(waiting), *stop]
    if not late:
        return latest_day(name, "R21", bounds)
    signed_on = Derived("signed_on", confirmation.at.date(), "R10", (confirmation,))
    return latest_day(name, "R10", [signed_on, *bounds])


def cover_ends(case: Case, episode: Episode) -> Derived[date]:
    """R20, R24, R25: the end of the benefit year, the day before leaving, or that of opting out."""
    name, benefit_to = "cover_ends_on", case.policy.parameters.benefit_to
    ends = Derived(name, benefit_to.value, "R20", (benefit_to,))
    withdrawal = case.withdrawal
    if withdrawal:
        left = day_before(case.facts.first_day_outside(withdrawal))
        ends = Derived(name, left, "R24", (withdrawal,), "withdrawn")
    opt_out = episode.ended_by
    if opt_out and opt_out.at.date() < ends.value:
        ends = Derived(name, opt_out.at.date(), "R25", (opt_out,), "opted_out")
    return ends
