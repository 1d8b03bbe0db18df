"""The account (建账): its day, and the instants that follow from it (R17, R18)."""

from datetime import date, datetime, timedelta
from typing import Any

from yibao.domain.calendar import midnight
from yibao.domain.derivation import Derived, is_known, latest_day
from yibao.domain.facts import Confirmation, Episode, OptOut
from yibao.domain.rules.case import Case
from yibao.domain.rules.obstacles import (
    confirmed_after_year,
    employee_cover_stop,
    known_stop,
    registered_later,
    what_is_missing,
)
from yibao.domain.rules.waiting import Waiting, after_waiting
from yibao.domain.vocabulary import ConfirmationChannel, Pending

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
    unknown = not_yet_known(case, episode, waiting, name, "R18")
    if unknown is not None:
        return unknown
    return _unless_left(case, episode.ended_by, _earliest_day(case, confirmation, waiting))


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
    day = max(fact.event.on, case.registered_on)
    return Derived("account_built_on", day, "R18-recorded", (fact,))


def account_at_the_earliest(
    case: Case, confirmation: Confirmation, waiting: Waiting, account: AccountDay
) -> Derived[date]:
    """The account day, or while a fact is missing the earliest it could be (R17, R22)."""
    return account if is_known(account) else _earliest_day(case, confirmation, waiting)


def _earliest_day(case: Case, confirmation: Confirmation, waiting: Waiting) -> Derived[date]:
    """R18: the latest of D, W + 1, S and the registration day, as far as they are known."""
    signed_on = Derived("signed_on", confirmation.at.date(), "R18", (confirmation,))
    days = [
        signed_on,
        *after_waiting(waiting),
        *known_stop(employee_cover_stop(case)),
        *registered_later(case, signed_on.value, "R18-registered-later"),
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
    if missing is None:
        return None
    earliest = _earliest_day(case, episode.confirmation, waiting)
    left = _unless_left(case, episode.ended_by, earliest)
    return missing if is_known(left) else left.of(name, None)


def visible_at(case: Case, confirmation: Confirmation) -> Derived[datetime]:
    """R17: when the result of check and account shows."""
    p = case.policy.parameters
    if confirmation.event.channel is ConfirmationChannel.PROXY:
        delay = p.proxy_result_visible_after
        instant = midnight(confirmation.at.date() + timedelta(days=delay.value))
        return Derived("visible_at", instant, "R17", (confirmation, delay))
    instant = confirmation.at + timedelta(minutes=p.result_visible_after.value)
    return Derived("visible_at", instant, "R17", (confirmation, p.result_visible_after))


def account_instant(
    case: Case, confirmation: Confirmation, account: AccountDay
) -> Derived[datetime] | None:
    """R18, R24: when the state becomes account_built; None while no account day is known."""
    key = ("account_instant", confirmation.place, account.value)
    return case.once(key, lambda: _account_instant(case, confirmation, account))


def _account_instant(
    case: Case, confirmation: Confirmation, account: AccountDay
) -> Derived[datetime] | None:
    if not isinstance(account.value, date):
        return None
    seen = visible_at(case, confirmation)
    instant = max(seen.value, midnight(account.value))
    inputs: tuple[Any, ...] = (seen, account)
    check = case.check if case.policy.knows_waiting_periods else None
    if check and check.at > instant:
        instant, inputs = check.at, (*inputs, check)
    return Derived("account_built_at", instant, "R24", inputs)


def _unless_left(
    case: Case, opt_out: OptOut | None, account: Derived[date]
) -> Derived[date | None]:
    """R25: leaving or opting out on or before the account day leaves no account."""
    withdrawal = case.withdrawal
    if withdrawal and case.facts.first_day_outside(withdrawal) <= account.value:
        return Derived(account.name, None, "R25", (withdrawal, account), "withdrawn")
    if opt_out and opt_out.at.date() <= account.value:
        return Derived(account.name, None, "R25", (opt_out, account), "opted_out")
    return account
