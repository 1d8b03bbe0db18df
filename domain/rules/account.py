"""The account (建账): its day, and the instants that follow from it (R17, R18)."""

from datetime import date, timedelta
from typing import Any

from yibao.domain.calendar import midnight
from yibao.domain.case import Case
from yibao.domain.derivation import Derived, latest_day
from yibao.domain.facts import Confirmation
from yibao.domain.rules.obstacles import employee_cover_stop, known_stop, registered_later
from yibao.domain.rules.waiting import after_waiting
from yibao.domain.vocabulary import PENDING, ConfirmationChannel


def account_day(case: Case, confirmation: Confirmation, waiting: Derived) -> Derived:
    """R18: the day the account is built, as recorded, else derived."""
    recorded = recorded_account_day(case)
    if recorded is not None:
        return _unless_withdrawn(case, recorded)
    name = "account_built_on"
    if waiting.value is PENDING:
        return Derived(name, PENDING, "R18", (waiting,), "check_missing")
    stop = employee_cover_stop(case)
    earliest = latest_day(
        name,
        "R18",
        [
            Derived("signed_on", confirmation.at.date(), "R18", (confirmation,)),
            *after_waiting(waiting),
            *known_stop(stop),
            *registered_later(case, confirmation.at.date(), "R18-registered-later"),
        ],
    )
    earliest = _unless_withdrawn(case, earliest)
    if stop and stop.value is PENDING and earliest.value is not None:
        return Derived(name, PENDING, "R3", (stop,), "stop_missing")
    return earliest


def account_while_unconfirmed(case: Case, undecided: Derived) -> Derived:
    """R18, R25: without a confirmation only a recorded account is an account."""
    recorded = recorded_account_day(case)
    if recorded is None:
        return undecided._replace(name="account_built_on")
    return _unless_withdrawn(case, recorded)


def recorded_account_day(case: Case) -> Derived | None:
    """R18: an actual account day replaces the derived one, never before the registration day."""
    if not case.facts.accounts:
        return None
    fact = case.facts.accounts[-1]
    day = max(fact.event.on, case.registered_on)
    return Derived("account_built_on", day, "R18-recorded", (fact,))


def account_at_the_earliest(
    case: Case, confirmation: Confirmation, waiting: Derived, account: Derived
) -> Derived:
    """The account day, or while a stop is missing the earliest it could be (R3, R22)."""
    if account.value is not PENDING:
        return account
    days = [
        Derived("signed_on", confirmation.at.date(), "R18", (confirmation,)),
        *after_waiting(waiting),
        *registered_later(case, confirmation.at.date(), "R18-registered-later"),
    ]
    return latest_day("account_built_on", "R18", days)


def after_account(account: Derived, value: Derived) -> Derived:
    """R25: where leaving left no account, it left no e-voucher and no window either."""
    return account._replace(name=value.name) if account.because == "withdrawn" else value


def visible_at(case: Case, confirmation: Confirmation) -> Derived:
    """R17: when the result of check and account shows."""
    p = case.policy.parameters
    if confirmation.event.channel is ConfirmationChannel.PROXY:
        delay = p.proxy_result_visible_after
        instant = midnight(confirmation.at.date() + timedelta(days=delay.value))
        return Derived("visible_at", instant, "R17", (confirmation, delay))
    instant = confirmation.at + timedelta(minutes=p.result_visible_after.value)
    return Derived("visible_at", instant, "R17", (confirmation, p.result_visible_after))


def account_instant(case: Case, confirmation: Confirmation, account: Derived) -> Derived | None:
    """R18, R24: when the state becomes account_built; None while no account day is known."""
    key = ("account_instant", confirmation.place)
    return case.once(key, lambda: _account_instant(case, confirmation, account))


def _account_instant(case: Case, confirmation: Confirmation, account: Derived) -> Derived | None:
    if not isinstance(account.value, date):
        return None
    seen = visible_at(case, confirmation)
    instant = max(seen.value, midnight(account.value))
    inputs: tuple[Any, ...] = (seen, account)
    check = case.facts.check() if case.policy.knows_waiting_periods else None
    if check and check.at > instant:
        instant, inputs = check.at, (*inputs, check)
    return Derived("account_built_at", instant, "R24", inputs)


def _unless_withdrawn(case: Case, account: Derived) -> Derived:
    """R25: a withdrawal on or before the account day leaves no account."""
    withdrawal = case.withdrawal
    if withdrawal and case.facts.first_day_outside(withdrawal) <= account.value:
        return Derived(account.name, None, "R25", (withdrawal, account), "withdrawn")
    return account
