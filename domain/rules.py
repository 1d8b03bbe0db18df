"""One small function for each rule: a value, and how it came about.

Everything follows from the current facts, the edition and, while no confirmation is known, the
instant asked about (R25). A value whose rule needs a fact not yet known is PENDING; a value
that cannot be is None; both say why.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from yibao.domain import events
from yibao.domain.calendar import (
    at_hour,
    day_after,
    day_before,
    last_day_of_months,
    midnight,
)
from yibao.domain.case import Case
from yibao.domain.derivation import Derived
from yibao.domain.facts import Episode, Fact, clamped
from yibao.domain.vocabulary import (
    PENDING,
    ConfirmationChannel,
    DayRange,
    WaitingPeriod,
)

Registration = Fact[events.Registered]
Confirmation = Fact[events.Confirmed]


class Values(NamedTuple):
    """The four values of an answer, each with its derivation."""

    waiting: Derived
    account_built_on: Derived
    evoucher_available_at: Derived
    coverage: Derived


def values(case: Case, at: datetime) -> Values:
    """The values as known; `at` decides only whether a missing confirmation may still come."""
    if case.facts.registration is None:
        return Values(
            *(Derived(name, None, "R1", because="not_registered") for name in Values._fields)
        )
    episodes = case.facts.episodes()
    if episodes:
        return values_of(case, episodes[-1])
    waiting = waiting_period(case)
    undecided = while_unconfirmed(case, at)
    account = account_while_unconfirmed(case, undecided)
    return Values(
        waiting,
        account,
        _after_account(account, evoucher_while_unconfirmed(case, undecided)),
        _after_account(account, undecided._replace(name="coverage")),
    )


def values_of(case: Case, episode: Episode) -> Values:
    """The values that follow from one confirmation."""
    waiting = waiting_period(case)
    account = account_day(case, episode.confirmation, waiting)
    coverage = benefit_window(case, episode, waiting, account)
    evoucher = evoucher_instant(case, episode.confirmation, waiting, account)
    return Values(waiting, account, evoucher, coverage)


# -- the waiting period ---------------------------------------------------------------------


def waiting_period(case: Case) -> Derived:
    """R12 to R15: from registration and check alone, confirmed or not."""
    policy, p = case.policy, case.policy.parameters
    if not policy.knows_waiting_periods:
        return Derived("waiting", None, "R12", (p.waiting_months_per_lapsed_year,), "no_such_rule")
    check = case.facts.check()
    if check is None:
        return Derived("waiting", PENDING, "R12", because="check_missing")
    if check.event.lapsed_years == 0:
        return Derived("waiting", None, "R12", (check,), "no_lapsed_year")
    start = first_waiting_day(case)
    recorded = check.event.waiting_ends_on
    if recorded is not None and recorded >= start.value:
        period = WaitingPeriod(start.value, recorded, None)
        return Derived("waiting", period, "R13-recorded", (check, start))
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


def first_waiting_day(case: Case) -> Derived:
    """R14: the registration day, or 1 September for who registered earlier."""
    earliest = case.policy.parameters.waiting_counts_from
    day = max(case.registered_on, earliest.value)
    return Derived("waiting_begins_on", day, "R14", (case.registration, earliest))


# -- what stands in the way -------------------------------------------------------------------


def employee_cover_stop(case: Case) -> Derived | None:
    """R3: the first day without employee cover, PENDING while no stop is recorded."""
    if not case.facts.employee_cover:
        return None
    latest = case.facts.employee_cover[-1]
    if isinstance(latest.event, events.EmployeeCoverStopped):
        return Derived("employee_cover_stopped_on", latest.event.on, "R3", (latest,))
    return Derived("employee_cover_stopped_on", PENDING, "R3", (latest,), "stop_missing")


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


# -- the account --------------------------------------------------------------------------------


def account_while_unconfirmed(case: Case, undecided: Derived) -> Derived:
    """R18, R25: without a confirmation only a recorded account is an account."""
    recorded = recorded_account_day(case)
    if recorded is None:
        return undecided._replace(name="account_built_on")
    return _unless_withdrawn(case, recorded)


def account_day(case: Case, confirmation: Confirmation, waiting: Derived) -> Derived:
    """R18: the day the account is built, as recorded, else derived."""
    recorded = recorded_account_day(case)
    if recorded is not None:
        return _unless_withdrawn(case, recorded)
    name = "account_built_on"
    if waiting.value is PENDING:
        return Derived(name, PENDING, "R17", (waiting,), "check_missing")
    stop = employee_cover_stop(case)
    earliest = _latest_day(
        name,
        "R18",
        [
            Derived("signed_on", confirmation.at.date(), "R18", (confirmation,)),
            *_after_waiting(waiting),
            *_known(stop),
            *_registered_later(case, confirmation.at.date(), "R18-registered-later"),
        ],
    )
    earliest = _unless_withdrawn(case, earliest)
    if stop and stop.value is PENDING and earliest.value is not None:
        return Derived(name, PENDING, "R3", (stop,), "stop_missing")
    return earliest


def recorded_account_day(case: Case) -> Derived | None:
    """R18: an actual account day replaces the derived one, never before the registration day."""
    if not case.facts.accounts:
        return None
    fact = case.facts.accounts[-1]
    day = max(fact.event.on, case.registered_on)
    return Derived("account_built_on", day, "R18-recorded", (fact,))


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
    if not isinstance(account.value, date):
        return None
    seen = visible_at(case, confirmation)
    instant = max(seen.value, midnight(account.value))
    inputs: tuple[Any, ...] = (seen, account)
    check = case.facts.check() if case.policy.knows_waiting_periods else None
    if check and check.at > instant:
        instant, inputs = check.at, (*inputs, check)
    return Derived("account_built_at", instant, "R24", inputs)


# -- the e-voucher ------------------------------------------------------------------------------


def evoucher_while_unconfirmed(case: Case, undecided: Derived) -> Derived:
    """R5, R25: a document without an e-voucher has none whatever else is pending."""
    name = "evoucher_available_at"
    if has_document_without_evoucher(case):
        return _no_evoucher_for_document(case)
    return undecided._replace(name=name)


def evoucher_by_document(
    case: Case, confirmation: Confirmation, account: Derived
) -> Derived | None:
    """R5: for some documents none is derived; one activated on a built account is had from then."""
    if not has_document_without_evoucher(case):
        return None
    built = account_instant(case, confirmation, account)
    if not case.facts.activations or built is None:
        return _no_evoucher_for_document(case)
    activation = case.facts.activations[-1]
    if activation.at < built.value:
        return _no_evoucher_for_document(case)
    instant = clamped(activation.at, case.registration)
    had = Derived("evoucher_available_at", instant, "R5-activated", (activation, built))
    had = _within_benefit_year(case, had)
    return had if had.value is None else _before_leaving(case, had)


def has_document_without_evoucher(case: Case) -> bool:
    """R5: whether the student's document is one of those that may get no e-voucher."""
    documents = case.policy.parameters.documents_without_evoucher.value
    return case.registration.event.document in documents


def _no_evoucher_for_document(case: Case) -> Derived:
    inputs = (case.registration, case.policy.parameters.documents_without_evoucher)
    return Derived("evoucher_available_at", None, "R5", inputs, "document_without_evoucher")


def evoucher_instant(
    case: Case, confirmation: Confirmation, waiting: Derived, account: Derived
) -> Derived:
    """R19: from when the e-voucher can be had, or why not in this benefit year (R22)."""
    name = "evoucher_available_at"
    if account.because == "withdrawn":
        return account._replace(name=name)
    by_document = evoucher_by_document(case, confirmation, account)
    if by_document is not None:
        return by_document
    if waiting.value is PENDING:
        return Derived(name, PENDING, "R17", (waiting,), "check_missing")
    stop = employee_cover_stop(case)
    account = _account_at_the_earliest(case, confirmation, waiting, account)
    begins = cover_begins(case, waiting, account)
    if begins.value > case.policy.parameters.benefit_to.value:
        return Derived(name, None, "R22", (begins, case.policy.parameters.benefit_to), "cover_too_late")
    opens = _within_benefit_year(case, _evoucher_opens(case, confirmation, waiting, account))
    if opens.value is None:
        return opens
    if stop and stop.value is PENDING:
        return Derived(name, PENDING, "R3", (stop,), "stop_missing")
    return _before_leaving(case, opens)


def _evoucher_opens(
    case: Case, confirmation: Confirmation, waiting: Derived, account: Derived
) -> Derived:
    """R19, before it is asked whether that still lies in the benefit year."""
    name, p = "evoucher_available_at", case.policy.parameters
    after = timedelta(days=p.evoucher_opens_after.value)
    if p.evoucher_counts_from.value == "account":
        day = account.value + after
        inputs: tuple[Any, ...] = (account, p.evoucher_opens_after, p.evoucher_hour)
        return Derived(name, at_hour(day, p.evoucher_hour.value), "R19", inputs)
    stop = employee_cover_stop(case)
    latest = _latest_day(
        "evoucher_opens_on",
        "R19",
        [
            Derived("day_after_signing", confirmation.at.date() + after, "R19", (confirmation,)),
            *_after_waiting(waiting),
            *(
                Derived("day_after_stop", known.value + after, "R3", (known,))
                for known in _known(stop)
            ),
            account,
        ],
    )
    return Derived(name, at_hour(latest.value, p.evoucher_hour.value), "R19", (latest, p.evoucher_hour))


def evoucher_eligible_at(evoucher: Derived, built: Derived) -> Derived | None:
    """R24: the later of the e-voucher's instant and the account's; None where there is none.

    An e-voucher activated on a document of R5 moves the value, not the state.
    """
    if not isinstance(evoucher.value, datetime) or evoucher.rule == "R5-activated":
        return None
    return Derived("evoucher_eligible_at", max(evoucher.value, built.value), "R24", (evoucher, built))


# -- the benefit window ---------------------------------------------------------------------------


def benefit_window(case: Case, episode: Episode, waiting: Derived, account: Derived) -> Derived:
    """R20 to R22: first and last day on which care is covered."""
    name, p = "coverage", case.policy.parameters
    if account.because == "withdrawn":
        return account._replace(name=name)
    if waiting.value is PENDING:
        return Derived(name, PENDING, "R17", (waiting,), "check_missing")
    stop = employee_cover_stop(case)
    account = _account_at_the_earliest(case, episode.confirmation, waiting, account)
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
    stop = _known(employee_cover_stop(case))
    if waiting.value is None:
        later = _registered_later(case, p.benefit_from.value, "R20-registered-later")
        start = Derived("benefit_year_begins_on", p.benefit_from.value, "R20", (p.benefit_from,))
        return _latest_day("cover_begins_on", "R20", [start, *later, *stop])
    day = account.value + timedelta(days=p.cover_after_account.value)
    after_account = Derived("day_after_account", day, "R21", (account, p.cover_after_account))
    return _latest_day("cover_begins_on", "R21", [after_account, *_after_waiting(waiting), *stop])


def cover_ends(case: Case, episode: Episode) -> Derived:
    """R20, R24: the end of the benefit year, or the day before leaving or opting out."""
    name, benefit_to = "cover_ends_on", case.policy.parameters.benefit_to
    ends = Derived(name, benefit_to.value, "R20", (benefit_to,))
    withdrawal = case.withdrawal
    if withdrawal:
        left = day_before(case.facts.first_day_outside(withdrawal))
        if left < ends.value:
            ends = Derived(name, left, "R24", (withdrawal,), "withdrawn")
    if episode.opt_out:
        left = day_before(episode.opt_out.at.date())
        if left < ends.value:
            ends = Derived(name, left, "R24", (episode.opt_out,), "opted_out")
    return ends


# -- shared -----------------------------------------------------------------------------------------


def _latest_day(name: str, rule: str, candidates: list[Derived]) -> Derived:
    """The latest of several days; the rule is that of the one that decides."""
    decisive = max(candidates, key=lambda derived: derived.value)
    if len(candidates) == 1:
        return Derived(name, decisive.value, decisive.rule, decisive.inputs)
    return Derived(name, decisive.value, rule, tuple(candidates))


def _known(stop: Derived | None) -> list[Derived]:
    return [stop] if stop and stop.value is not PENDING else []


def _after_waiting(waiting: Derived) -> list[Derived]:
    if waiting.value is None:
        return []
    return [Derived("day_after_waiting", day_after(waiting.value.last), "R16", (waiting,))]


def _registered_later(case: Case, than: date, rule: str) -> list[Derived]:
    """The registration day, where it is what delays something."""
    if case.registered_on <= than:
        return []
    return [Derived("registered_on", case.registered_on, rule, (case.registration,))]


def _account_at_the_earliest(
    case: Case, confirmation: Confirmation, waiting: Derived, account: Derived
) -> Derived:
    """The account day, or while a stop is missing the earliest it could be (R3, R22)."""
    if account.value is not PENDING:
        return account
    days = [
        Derived("signed_on", confirmation.at.date(), "R18", (confirmation,)),
        *_after_waiting(waiting),
        *_registered_later(case, confirmation.at.date(), "R18-registered-later"),
    ]
    return _latest_day("account_built_on", "R18", days)


def _after_account(account: Derived, value: Derived) -> Derived:
    """R25: where leaving left no account, it left no e-voucher and no window either."""
    return account._replace(name=value.name) if account.because == "withdrawn" else value


def _unless_withdrawn(case: Case, account: Derived) -> Derived:
    """R25: a withdrawal on or before the account day leaves no account."""
    withdrawal = case.withdrawal
    if withdrawal and case.facts.first_day_outside(withdrawal) <= account.value:
        return Derived(account.name, None, "R25", (withdrawal, account), "withdrawn")
    return account


def _within_benefit_year(case: Case, evoucher: Derived) -> Derived:
    """R22: an e-voucher that would open after the benefit year is none in it."""
    benefit_to = case.policy.parameters.benefit_to
    if evoucher.value >= case.policy.ends_at:
        return Derived(evoucher.name, None, "R22", (evoucher, benefit_to), "evoucher_too_late")
    return evoucher


def _before_leaving(case: Case, evoucher: Derived) -> Derived:
    """R25: an e-voucher not yet open when the day of leaving begins is none."""
    withdrawal = case.withdrawal
    if withdrawal and evoucher.value > midnight(case.facts.first_day_outside(withdrawal)):
        return Derived(evoucher.name, None, "R25", (withdrawal, evoucher), "withdrawn")
    return evoucher
