"""The benefit window (待遇享受期): first and last day on which care is covered (R20 to R22)."""

from datetime import timedelta

from yibao.domain.calendar import day_before
from yibao.domain.case import Case
from yibao.domain.derivation import Derived, latest_day
from yibao.domain.facts import Episode
from yibao.domain.rules.account import account_at_the_earliest
from yibao.domain.rules.obstacles import employee_cover_stop, known_stop, registered_later
from yibao.domain.rules.waiting import after_waiting
from yibao.domain.vocabulary import PENDING, DayRange


def benefit_window(case: Case, episode: Episode, waiting: Derived, account: Derived) -> Derived:
    """R20 to R22: first and last day on which care is covered."""
    name, p = "coverage", case.policy.parameters
    if account.because == "withdrawn":
        return account._replace(name=name)
    if waiting.value is PENDING:
        return Derived(name, PENDING, "R20", (waiting,), "check_missing")
    stop = employee_cover_stop(case)
    account = account_at_the_earliest(case, episode.confirmation, waiting, account)
    begins = cover_begins(case, waiting, account)
    if begins.value > p.benefit_to.value:
        return Derived(name, None, "R22", (begins, p.benefit_to), "cover_too_late")
    if stop and stop.value is PENDING:
        return Derived(name, PENDING, "R3", (stop,), "stop_missing")
    ends = cover_ends(case, episode)
    if ends.value < begins.value:
        return Derived(name, None, ends.rule, (begins, ends), ends.because)
    return Derived(name, DayRange(begins.value, ends.value), begins.rule, (begins, ends))


def cover_begins(case: Case, waiting: Derived, account: Derived) -> Derived:
    """R20 without a waiting period, R21 with one; the registration and the stop may delay it."""
    p = case.policy.parameters
    stop = known_stop(employee_cover_stop(case))
    if waiting.value is None:
        later = registered_later(case, p.benefit_from.value, "R20-registered-later")
        start = Derived("benefit_year_begins_on", p.benefit_from.value, "R20", (p.benefit_from,))
        return latest_day("cover_begins_on", "R20", [start, *later, *stop])
    day = account.value + timedelta(days=p.cover_after_account.value)
    after_account = Derived("day_after_account", day, "R21", (account, p.cover_after_account))
    return latest_day("cover_begins_on", "R21", [after_account, *after_waiting(waiting), *stop])


def cover_ends(case: Case, episode: Episode) -> Derived:
    """R20, R24: the end of the benefit year, or the day before leaving or opting out."""
    name, benefit_to = "cover_ends_on", case.policy.parameters.benefit_to
    ends = Derived(name, benefit_to.value, "R20", (benefit_to,))
    withdrawal = case.withdrawal
    if withdrawal:
        left = day_before(case.facts.first_day_outside(withdrawal))
        ends = Derived(name, left, "R24", (withdrawal,), "withdrawn")
    if episode.opt_out:
        left = day_before(episode.opt_out.at.date())
        if left < ends.value:
            ends = Derived(name, left, "R24", (episode.opt_out,), "opted_out")
    return ends
