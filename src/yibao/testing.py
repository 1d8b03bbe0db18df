"""For the tests of whoever embeds yibao: a clock that is set by hand, and students in any state.

>>> import yibao
>>> from yibao.testing import clock_at, student
>>> clock = clock_at("2025-09-06 10:00")
>>> service = yibao.open("memory:", clock=clock)
>>> ada = student(service, "s-1", state="confirmed")
>>> service.at(ada).state.value
'confirmed'
>>> clock.move_to("2026-01-01 00:00")
>>> service.at(ada).state.value
'expired'
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from inspect import unwrap
from typing import Final

from yibao.adapters.service import Service, read_instant
from yibao.domain.calendar import LAST_YEAR, at_hour, day_after, day_before, midnight
from yibao.domain.editions import Policy
from yibao.domain.facts import commands, fold
from yibao.domain.refusals import BadValue
from yibao.domain.rules import Window, confirmation_window, fixes_that_count
from yibao.domain.vocabulary import (
    Category,
    ConfirmationChannel,
    Document,
    EnrollmentId,
    OtherCover,
    State,
)

__all__ = ["Clock", "clock_at", "student"]


class Clock:
    """A clock that stands still until it is moved; what `yibao.open` takes as `clock`."""

    def __init__(self, at: datetime | str) -> None:
        self._now = read_instant(at)

    def __call__(self) -> datetime:
        """The instant at which it stands, in Shanghai."""
        return self._now

    def move_to(self, at: datetime | str) -> None:
        """It stands at another instant from now on; raises BadValue for what is none."""
        self._now = read_instant(at)

    def __repr__(self) -> str:
        return f"clock_at({str(self._now)!r})"


def clock_at(at: datetime | str) -> Clock:
    """A clock that stands at an instant, as text in Shanghai time or as an aware datetime.

    Nothing of it depends on the machine's own, frozen or not. Raises BadValue for what is no
    instant.
    """
    return Clock(at)


def student(
    service: Service,
    ref: str,
    state: State | str,
    *,
    policy: str | None = None,
    school: str = "school-1",
    category: Category | str = Category.UNDERGRADUATE,
    document: Document | str = Document.RESIDENT_ID_CARD,
) -> EnrollmentId:
    """Records what leads a student to a state, and returns her enrollment.

    She is a new one or, under an edition for those alone, one who goes on; and confirms or, where
    that enrolls, pays.

    She is in that state now, by the service's clock; one of `clock_at` that is still before the
    first instant at which she can be is moved on to it. `policy` is the edition, by default the
    latest at hand for entrants who confirm.

    Raises BadValue for a state there is none of, for one to which such a student does not come
    under the edition, for one that is over by then, and for one that is still to come where the
    clock is none of `clock_at`; UnknownEdition; and Refused as `register` does, so with
    `already_registered` for who is known.
    """
    wanted = _state_of(state)
    edition = service.editions.get(policy) if policy else _latest(service.editions)
    told = commands.read(
        commands.Register,
        {
            "ref": ref,
            "policy": edition.edition,
            "at": midnight(_registered_on(edition)),
            "on": _registered_on(edition),
            "school": school,
            "category": category,
            "document": document,
        },
    )
    road = _Road(edition, _window_of(service, edition, told), told)
    first, last = road.span(wanted)
    if last < first:
        raise BadValue("state", f"nobody is ever {wanted} under {edition.edition}")
    whom = service.enrollment_of(told)
    when = _now(service, first, last, wanted)
    service.record_together(whom, list(road.leads_to(wanted, when)))
    found = service.at(whom, when).state
    if found is not wanted:
        raise BadValue("state", f"such a student is {found} at {when} under {edition.edition}")
    return whom


class _Road:
    """What is recorded of a student, and when, so that she comes to a state.

    She is registered and in the roster on one day, and confirms at the first instant at which one
    may, unless the state is one of the hour in which one does.
    """

    def __init__(self, policy: Policy, window: Window, registered: commands.Register) -> None:
        self.policy = policy
        self.window = window
        self.registered = registered
        p = policy.parameters
        self.begins = midnight(registered.on)
        self.signed = max(window.opens_at, self.begins)
        self.shows_after = timedelta(minutes=p.result_visible_after.value)
        self.covered_from = p.benefit_from.value
        opens_on = self.signed.date() + timedelta(days=p.evoucher_opens_after.value)
        self.opens = at_hour(opens_on, p.evoucher_hour.value)
        # After an account built later neither e-voucher nor cover would begin in this benefit year.
        after = max(p.evoucher_opens_after.value, p.cover_after_account.value)
        self.built_until = policy.ends_at - timedelta(days=after)

    def span(self, state: State) -> tuple[datetime, datetime]:
        """The first and the last instant at which a student can be in a state."""
        shows, ends = self.signed + self.shows_after, self.policy.ends_at
        waits_until = ends if self.policy.knows_waiting_periods else shows
        closed = self.window.lapses.closed_from
        first, until = {
            State.REGISTERED: (self.begins, closed),
            State.CONFIRMED: (self.signed, closed),
            State.IN_WAITING_PERIOD: (shows, waits_until),
            State.ACCOUNT_BUILT: (shows, min(closed, self.built_until)),
            State.EVOUCHER_ELIGIBLE: (max(shows, self.opens), self.built_until),
            State.ACTIVE: (max(shows, self.opens, midnight(self.covered_from)), ends),
            State.EXPIRED: (ends, _NEVER),
            State.OPTED_OUT: (self.begins, _NEVER),
            State.LAPSED: (closed, _NEVER),
            State.WITHDRAWN: (midnight(day_after(self.registered.on)), _NEVER),
        }[state]
        return first, until - _A_MINUTE

    def leads_to(self, state: State, when: datetime) -> Iterator[commands.Command]:
        """What is recorded so that she is in the state at an instant."""
        yield self.registered
        yield commands.DeclareRoster(at=self.begins)
        if state is State.OPTED_OUT:
            elsewhere = OtherCover.OTHER_PROVINCE
            yield commands.DeclareOtherCover(at=self.begins, kind=elsewhere)
            yield commands.KeepOtherCover(at=self.begins)
        elif state is State.WITHDRAWN:
            yield commands.Withdraw(at=self.begins, on=day_after(self.registered.on))
        elif state is State.CONFIRMED:
            yield self._confirm(when)
        elif state is State.ACCOUNT_BUILT:
            yield self._confirm(when - self.shows_after)
            yield from self._checked(when, lapsed_years=0)
            yield commands.BuildAccount(at=when, on=when.date())
        elif state not in (State.REGISTERED, State.LAPSED):
            yield self._confirm(self.signed)
            yield from self._after_confirming(state, when)

    def _after_confirming(self, state: State, when: datetime) -> Iterator[commands.Command]:
        seen = self.signed + self.shows_after
        if state is State.IN_WAITING_PERIOD:
            yield from self._checked(seen, lapsed_years=self._lapsed_years(when))
        elif state is not State.EVOUCHER_ELIGIBLE or when.date() < self.covered_from:
            yield from self._checked(seen, lapsed_years=0)
        elif self.policy.knows_waiting_periods:
            # On the day of the account cover is still to begin.
            yield commands.VerifyPriorCoverage(
                at=seen, lapsed_years=1, waiting_ends_on=day_before(when.date())
            )
        else:
            yield commands.DeclareOtherCover(at=self.begins, kind=OtherCover.EMPLOYEE)
            yield commands.StopEmployeeCover(at=self.begins, on=day_after(when.date()))
            yield commands.BuildAccount(at=seen, on=self.signed.date())

    def _confirm(self, at: datetime) -> commands.Command:
        if self.policy.enrolled_by_payment:
            return commands.PayPremium(at=at, year=self.policy.year)
        return commands.Confirm(at=at, channel=ConfirmationChannel.APP)

    def _checked(self, at: datetime, lapsed_years: int) -> Iterator[commands.Command]:
        """The check's result, under an edition that knows checks."""
        if self.policy.knows_waiting_periods:
            yield commands.VerifyPriorCoverage(at=at, lapsed_years=lapsed_years)

    def _lapsed_years(self, when: datetime) -> int:
        """So many that she is still waiting."""
        p = self.policy.parameters
        counted = p.waiting_counts_from.value
        earliest = p.benefit_from.value if isinstance(counted, str) else counted
        first = max(self.registered.on, earliest)
        months = (when.year - first.year) * 12 + when.month - first.month + 1
        return 1 + max(months, 0) // max(p.waiting_months_per_lapsed_year.value, 1)


def _state_of(given: State | str) -> State:
    try:
        return State(given)
    except ValueError:
        raise BadValue("state", f"there is no such state; there are {', '.join(State)}") from None


def _latest(editions: Iterable[Policy]) -> Policy:
    """The latest edition under which entrants confirm; one for others is never meant silently."""
    joining = [
        each for each in editions if each.is_for("entrants") and not each.enrolled_by_payment
    ]
    return max(joining, key=lambda policy: policy.year)


def _registered_on(policy: Policy) -> date:
    """The first day of the benefit year on which new students register, or one before it."""
    p = policy.parameters
    if not policy.is_for("entrants"):
        return _before_periods(policy)
    return min(max(p.autumn_from.value, p.benefit_from.value), p.autumn_to.value)


def _before_periods(policy: Policy) -> date:
    """A day on which whoever goes on in this year had entered."""
    opens = [period.value.opens_at.date() for period in policy.periods]
    p = policy.parameters
    return day_before(min(p.autumn_from.value, p.benefit_from.value, *opens))


def _window_of(service: Service, policy: Policy, told: commands.Register) -> Window:
    """When such a student may confirm, as fixed by now."""
    fixed = fold(service.window_facts(policy.edition)).facts
    fixes = fixes_that_count(fixed)  # type: ignore[arg-type]
    return confirmation_window(policy, fixes, told.school, told.category, told.on)


def _now(service: Service, first: datetime, last: datetime, state: State) -> datetime:
    """Where the service's clock stands, once somebody can be in a state."""
    now, clock = service._clock(), unwrap(service._clock)
    if first <= now <= last:
        return now
    if now < first and isinstance(clock, Clock):
        clock.move_to(first)
        return first
    if now < first:
        raise BadValue(
            "state",
            f"nobody is {state} before {first}, and the service's clock is at {now}: open it with "
            "clock=yibao.testing.clock_at(…)",
        )
    raise BadValue(
        "state",
        f"nobody is {state} after {last}, and the service's clock is at {now}: open it with "
        "clock=yibao.testing.clock_at(…)",
    )


_A_MINUTE: Final = timedelta(minutes=1)
_NEVER: Final = midnight(date(LAST_YEAR, 1, 1))
