"""The e-voucher (医保码): from when it can be had (R5, R19, R22)."""

from datetime import date, datetime, timedelta

from yibao.domain.calendar import at_hour, latest, midnight
from yibao.domain.derivation import Derived, Earlier, is_known, latest_day
from yibao.domain.facts import Confirmation, Episode, clamped, is_payment
from yibao.domain.rules.account import (
    AccountDay,
    account_at_the_earliest,
    account_day,
    account_instant,
    carried_while_open,
    moved_account,
    moved_before,
    not_yet_known,
    nothing_without_account,
    open_unless_left,
)
from yibao.domain.rules.case import Case
from yibao.domain.rules.obstacles import employee_cover_stop, known_stop
from yibao.domain.rules.waiting import (
    Waiting,
    after_waiting,
    last_waiting,
    moved_waiting,
    waiting_period,
    year_before_undecided,
)
from yibao.domain.vocabulary import PENDING, DayRange, Pending, is_among

EvoucherInstant = Derived[datetime | Pending | None]


def evoucher_instant(
    case: Case,
    episode: Episode,
    waiting: Waiting,
    account: AccountDay,
    coverage: Derived[DayRange | Pending | None] | None,
) -> EvoucherInstant:
    """R19: from when the e-voucher can be had, or why not in this benefit year (R22).

    Without `coverage`, the benefit window of this year, also from when after it: that is what the
    next year is given (R33).
    """
    name, confirmation, is_cut = "evoucher_available_at", episode.confirmation, coverage is not None
    nothing = nothing_without_account(case, confirmation, account, name)
    if nothing is not None:
        return nothing
    carried = carried_evoucher(case)
    if carried is not None:
        if still_open := carried_while_open(case, carried):
            return open_unless_left(case, episode, waiting, still_open)
        assert is_known(carried)
        opens = _within_benefit_year(case, carried, is_cut)
        return _before_leaving(case, episode, opens) if is_known(opens) else opens
    by_document = has_document_without_evoucher(case)
    if by_document and not case.activations:
        return _none_by_document(case)
    if undecided := year_before_undecided(case, name):  # which may hand on one that is open by then
        return open_unless_left(case, episode, waiting, undecided)
    if by_document:
        return _evoucher_activated(case, episode, waiting, account, is_cut)
    if coverage is not None and coverage.because == "cover_too_late":
        return coverage.of(name, None)
    earliest = account_at_the_earliest(case, confirmation, waiting, account)
    derived = _evoucher_opens(case, confirmation, waiting, earliest)
    opens = _within_benefit_year(case, derived, is_cut)
    if not is_known(opens):
        return opens
    unknown = not_yet_known(case, episode, waiting, name, "R19")
    if account.value is PENDING and unknown is None:  # what the year before hands on is open
        unknown = account.of(name, PENDING)
    return unknown or _before_leaving(case, episode, opens)


def carried_evoucher(case: Case) -> Derived[datetime | Pending] | None:
    """R33: the e-voucher that the year before hands on, if there is one, or may be."""
    if case.before is None:
        return None
    return case.once(
        "carried e-voucher", lambda: _handed_evoucher(case.before, moved_waiting(case))
    )


def _handed_evoucher(
    case: Case | None, moved: Waiting | None
) -> Derived[datetime | Pending] | None:
    """What a year hands on, whatever its end cuts off (R22); see `carried_account`."""
    if case is None:
        return None
    episode = case.main_road
    # What a check moves, it moves where it came about: the account perhaps in an earlier year.
    came_before = moved and carried_evoucher(case)
    if episode is None or came_before:
        return _handed_evoucher(case.before, moved_before(case, moved))
    waiting = moved or waiting_period(case, episode.confirmation)
    account = moved_account(case, moved) or account_day(case, episode, waiting)
    evoucher = evoucher_instant(case, episode, waiting, account, None)
    if evoucher.value is None or (case.withdrawal and evoucher.value is PENDING):
        return None
    earlier = (Earlier(case.policy, evoucher),)
    return Derived(evoucher.name, evoucher.value, "R33", earlier, evoucher.because)


def evoucher_while_unconfirmed(
    case: Case, undecided: Derived[Pending | None]
) -> Derived[Pending | None]:
    """R5, R25: a document without an e-voucher has none whatever else is pending.

    Unless one was activated all the same: that waits with the rest.
    """
    name = "evoucher_available_at"
    if has_document_without_evoucher(case) and not case.activations:
        return _none_by_document(case)
    return undecided._replace(name=name)


def _evoucher_activated(
    case: Case, episode: Episode, waiting: Waiting, account: AccountDay, is_cut: bool
) -> EvoucherInstant:
    """R5: one activated on a document for which none is derived waits for the account."""
    name, activation = "evoucher_available_at", case.activations[-1]
    built = account_instant(case, episode.confirmation, account)
    if built is None:
        earliest = account_at_the_earliest(case, episode.confirmation, waiting, account)
        built = earliest.of(earliest.name, midnight(earliest.value))
    instant = latest(clamped(activation.at, case.registration), built.value)
    derived = Derived(name, instant, "R5-activated", (activation, built))
    had = _within_benefit_year(case, derived, is_cut)
    if not is_known(had):
        return had
    if account.value is PENDING:
        return Derived(name, PENDING, "R5-activated", (activation, account), account.because)
    return _before_leaving(case, episode, had)


def evoucher_eligible_at(
    case: Case, evoucher: EvoucherInstant, built: Derived[datetime]
) -> Derived[datetime] | None:
    """R24: the later of the e-voucher's instant and the account's; None where there is none.

    An e-voucher activated on a document of R5 moves the value, not the state.
    """
    if not is_known(evoucher) or has_document_without_evoucher(case):
        return None
    return Derived(
        "evoucher_eligible_at", latest(evoucher.value, built.value), "R24", (evoucher, built)
    )


def has_document_without_evoucher(case: Case) -> bool:
    """R5: whether the student's document is one of those that may get no e-voucher."""
    documents = case.policy.parameters.documents_without_evoucher.value
    return is_among(case.registration.event.document, documents)


def _none_by_document(case: Case) -> Derived[None]:
    inputs = (case.registration, case.policy.parameters.documents_without_evoucher)
    return Derived("evoucher_available_at", None, "R5", inputs, "document_without_evoucher")


def _evoucher_opens(
    case: Case, confirmation: Confirmation, waiting: Waiting, account: Derived[date]
) -> Derived[datetime]:
    """R19, before it is asked whether that still lies in the benefit year."""
    name, p = "evoucher_available_at", case.policy.parameters
    after = timedelta(days=p.evoucher_opens_after.value)
    if p.evoucher_counts_from.value == "account":
        day = account.value + after
        inputs = (account, p.evoucher_opens_after, p.evoucher_hour)
        return Derived(name, at_hour(day, p.evoucher_hour.value), "R19", inputs)
    stop = employee_cover_stop(case)
    name_of_day = "day_after_payment" if is_payment(confirmation) else "day_after_signing"
    joining = Derived(name_of_day, confirmation.at.date() + after, "R19", (confirmation,))
    stops = [
        Derived("day_after_stop", known.value + after, "R3", (known,)) for known in known_stop(stop)
    ]
    ends = after_waiting(last_waiting(case, waiting))
    latest = latest_day("evoucher_opens_on", "R19-latest", [joining, *ends, *stops, account])
    stated = ends[0] if ends else joining
    if latest.value == stated.value:
        latest = latest._replace(rule="R19")
    instant = at_hour(latest.value, p.evoucher_hour.value)
    return Derived(name, instant, "R19", (latest, p.evoucher_hour))


def _within_benefit_year(
    case: Case, evoucher: Derived[datetime], is_cut: bool
) -> Derived[datetime | None]:
    """R22: an e-voucher that would open after the benefit year is none in it."""
    benefit_to = case.policy.parameters.benefit_to
    if is_cut and evoucher.value >= case.policy.ends_at:
        return Derived(evoucher.name, None, "R22", (evoucher, benefit_to), "evoucher_too_late")
    return evoucher


def _before_leaving(
    case: Case, episode: Episode, evoucher: Derived[datetime]
) -> Derived[datetime | None]:
    """R25: one not yet open at the opt-out, or when the day of leaving begins, is none."""
    leaving, opt_out = case.leaving, episode.ended_by
    if opt_out and evoucher.value > opt_out.at:
        return Derived(evoucher.name, None, "R25", (opt_out, evoucher), "opted_out")
    if leaving and evoucher.value > midnight(case.facts.first_day_outside(leaving)):
        return Derived(evoucher.name, None, "R25", (leaving, evoucher), "withdrawn")
    return evoucher
