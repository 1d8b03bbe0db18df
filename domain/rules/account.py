"""The account (建账): its day, and the instants that follow from it (R17, R18)."""

from datetime import date, datetime, timedelta
from typing import Any

from yibao.domain.calendar import latest, midnight
from yibao.domain.derivation import Derived, Earlier, is_known, latest_day
from yibao.domain.facts import Confirmation, Episode, OptOut, is_proxy
from yibao.domain.rules.case import Case
from yibao.domain.rules.obstacles import (
    confirmed_after_year,
    employee_cover_stop,
    known_stop,
    registered_later,
    what_is_missing,
)
from yibao.domain.rules.waiting import (
    Waiting,
    after_waiting,
    counting_check,
    day_of_joining,
    goes_on_or_may,
    last_waiting,
    moved_waiting,
    waiting_period,
    year_before_undecided,
)
from yibao.domain.vocabulary import PENDING, Pending

AccountDay = Derived[date | Pending | None]


def account_day(case: Case, episode: Episode, waiting: Waiting) -> AccountDay:
    """R18: the day the account is built, as recorded, else derived; PENDING, or none (R10, R25)."""
    name, confirmation = "account_built_on", episode.confirmation
    recorded = recorded_account_day(case)
    if recorded is not None:
        return _unless_left(case, episode.ended_by, recorded)
    nothing = confirmed_after_year(case, confirmation, name)
    if nothing is not None:
        return nothing
    carried = carried_account(case)
    if carried is not None:
        if still_open := carried_while_open(case, carried):
            return open_unless_left(case, episode, waiting, still_open)
        return _unless_left(case, episode.ended_by, _earliest_day(case, confirmation, waiting))
    unknown = not_yet_known(case, episode, waiting, name, "R18")
    if unknown is not None:
        return unknown
    return _unless_left(case, episode.ended_by, _earliest_day(case, confirmation, waiting))


def carried_account(case: Case) -> Derived[date | Pending] | None:
    """R33: the account that the year before hands on, if it was built, or may have been.

    Who left in that year hands on what was built all the same, and a year without an enrollment
    what it was given.
    """
    if case.before is None:
        return None
    return case.once("carried account", lambda: _handed_account(case.before, moved_waiting(case)))


def _handed_account(case: Case | None, moved: Waiting | None) -> Derived[date | Pending] | None:
    """What a year hands on; `moved` is a waiting period in the place of its own."""
    if case is None:
        return None
    episode = case.main_road
    if episode is None or _came_before(case, moved):
        return _handed_account(case.before, moved_before(case, moved))
    waiting = moved or waiting_period(case, episode.confirmation)
    account = account_day(case, episode, waiting)
    if account.value is None or (case.withdrawal and account.value is PENDING):
        return None
    earlier = (Earlier(case.policy, account),)
    return Derived(account.name, account.value, "R33", earlier, account.because)


def _came_before(case: Case, moved: Waiting | None) -> bool:
    """What a check moves, it moves where it came about: whether that was before this year."""
    return bool(moved and carried_account(case) and not case.facts.accounts)


def moved_before(case: Case, moved: Waiting | None) -> Waiting | None:
    """R33: by what a later check moves what this year was given: only what waited for its end."""
    return moved if goes_on_or_may(case) else None


def moved_account(case: Case, moved: Waiting | None) -> Derived[date | Pending] | None:
    """R33: the account as a check of a later year moves it, if it came about before this year."""
    if not _came_before(case, moved):
        return None
    return _handed_account(case.before, moved_before(case, moved))


def _handed_at_the_earliest(case: Case) -> Derived[date]:
    """The earliest that an account could be built which the year before hands on as open."""
    before, moved = case.before, moved_waiting(case)
    while before and (before.main_road is None or _came_before(before, moved)):
        moved, before = moved_before(before, moved), before.before
    assert before
    assert before.main_road
    confirmation = before.main_road.confirmation
    waiting = moved or waiting_period(before, confirmation)
    earliest = _earliest_day(before, confirmation, waiting)
    return earliest.of(earliest.name, earliest.value)._replace(
        rule="R33", inputs=(Earlier(before.policy, earliest),)
    )


def carried_while_open(case: Case, carried: Derived[Any]) -> Derived[Pending] | None:
    """R3, R33: a value handed on, as open: while it is there, or one may join or has a job."""
    stop = employee_cover_stop(case)
    if undecided := year_before_undecided(case, carried.name):
        return undecided
    if stop and stop.value is PENDING:
        return Derived(carried.name, PENDING, "R3", (stop,), "stop_missing")
    return carried if carried.value is PENDING else None


def account_while_unconfirmed(case: Case, undecided: Derived[Pending | None]) -> AccountDay:
    """R18, R25: without a confirmation only a recorded account is an account."""
    recorded = recorded_account_day(case)
    if recorded is None:
        return undecided._replace(name="account_built_on")
    return _unless_left(case, None, recorded)


def recorded_account_day(case: Case) -> Derived[date] | None:
    """R18: an actual account day replaces the derived one, never before the registration day."""
    if not case.facts.accounts:
        return None
    fact = case.facts.accounts[-1]
    day = latest(fact.event.on, case.registered_on)
    return Derived("account_built_on", day, "R18-recorded", (fact,))


def account_at_the_earliest(
    case: Case, confirmation: Confirmation, waiting: Waiting, account: AccountDay
) -> Derived[date]:
    """The account day, or while a fact is missing the earliest it could be (R17, R22)."""
    return account if is_known(account) else _earliest_day(case, confirmation, waiting)


def _earliest_day(case: Case, confirmation: Confirmation, waiting: Waiting) -> Derived[date]:
    """R18: the latest of D, W + 1, S and the registration day, as far as they are known.

    Of an account that the year before hands on it is its own day, or the earliest that could be.
    """
    carried = carried_account(case)
    if carried is not None:
        return carried if is_known(carried) else _handed_at_the_earliest(case)
    joined = day_of_joining(confirmation, "R18")
    days = [
        joined,
        *after_waiting(last_waiting(case, waiting)),
        *known_stop(employee_cover_stop(case)),
        *registered_later(case, joined.value, "R18-registered-later"),
    ]
    return latest_day("account_built_on", "R18", days)


def nothing_without_account(
    case: Case, confirmation: Confirmation, account: AccountDay, name: str
) -> Derived[None] | None:
    """R10, R25: where there can be no account there is no e-voucher and no window either."""
    if account.value is None:
        return account.of(name, None)
    return confirmed_after_year(case, confirmation, name)


def not_yet_known(
    case: Case, episode: Episode, waiting: Waiting, name: str, rule: str
) -> Derived[Pending | None] | None:
    """The value as PENDING on a fact that is missing, or as none whatever it will be (R25).

    None where nothing is missing.
    """
    missing = what_is_missing(case, episode.confirmation, waiting, name, rule)
    return missing and open_unless_left(case, episode, waiting, missing)


def open_unless_left(
    case: Case, episode: Episode, waiting: Waiting, missing: Derived[Pending]
) -> Derived[Pending | None]:
    """R25: what is open, or none after leaving or opting out before any account could be built."""
    earliest = _earliest_day(case, episode.confirmation, waiting)
    left = _unless_left(case, episode.ended_by, earliest)
    return missing if is_known(left) else left.of(missing.name, None)


def visible_at(case: Case, confirmation: Confirmation) -> Derived[datetime]:
    """R17: when the result of check and account shows."""
    p = case.policy.parameters
    if is_proxy(confirmation):
        delay = p.proxy_result_visible_after
        instant = midnight(confirmation.at.date() + timedelta(days=delay.value))
        return Derived("visible_at", instant, "R17", (confirmation, delay))
    instant = confirmation.at + timedelta(minutes=p.result_visible_after.value)
    return Derived("visible_at", instant, "R17", (confirmation, p.result_visible_after))


def account_instant(
    case: Case, confirmation: Confirmation, account: AccountDay
) -> Derived[datetime] | None:
    """R18, R24: when the state becomes account_built; None while no account day is known."""
    key = ("account_instant", confirmation.event.event_id.int, account.value)
    return case.once(key, lambda: _account_instant(case, confirmation, account))


def _account_instant(
    case: Case, confirmation: Confirmation, account: AccountDay
) -> Derived[datetime] | None:
    if not isinstance(account.value, date):
        return None
    seen = visible_at(case, confirmation)
    instant = latest(seen.value, midnight(account.value))
    inputs: tuple[Any, ...] = (seen, account)
    if carried_account(case) and not case.facts.accounts:  # built before it was waited for
        for over in after_waiting(last_waiting(case, waiting_period(case, confirmation))):
            if midnight(over.value) > instant:
                instant, inputs = midnight(over.value), (*inputs, over)
    check = counting_check(case, confirmation)
    if check and check.at > instant:
        instant, inputs = check.at, (*inputs, check)
    return Derived("account_built_at", instant, "R24", inputs)


def _unless_left(
    case: Case, opt_out: OptOut | None, account: Derived[date]
) -> Derived[date | None]:
    """R25: leaving or opting out on or before the account day leaves no account."""
    leaving = case.leaving
    if leaving and case.facts.first_day_outside(leaving) <= account.value:
        return Derived(account.name, None, "R25", (leaving, account), "withdrawn")
    if opt_out and opt_out.at.date() <= account.value:
        return Derived(account.name, None, "R25", (opt_out, account), "opted_out")
    return account
