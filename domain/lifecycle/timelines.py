"""The timeline: dated triggers from facts and rules, folded through the lifecycle table.

It reaches into the past and the future alike, as far as the known facts determine it, and it
is defined for any facts in any order: a trigger the table has no row for changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, latest, midnight
from yibao.domain.derivation import Derived
from yibao.domain.facts import Episode, clamped, is_opt_out
from yibao.domain.lifecycle.table import STEPS, UNREGISTERED
from yibao.domain.rules import (
    Case,
    Values,
    account_instant,
    counting_check,
    evoucher_eligible_at,
    has_document_without_evoucher,
    values_of,
    visible_at,
)
from yibao.domain.vocabulary import PENDING, DayRange, State, WaitingPeriod


class Trigger(NamedTuple):
    """A step of the table with the instant at which it happens, and why then."""

    at: datetime
    name: str
    cause: Derived[datetime]


class Change(NamedTuple):
    """From `at` on the enrollment is in `state`, until the next change."""

    at: datetime
    state: State
    cause: Derived[datetime]

    def __repr__(self) -> str:
        return f"<Change to {self.state} at {self.at}>"

    @property
    def derived(self) -> Derived[State]:
        """The state, and how it came about."""
        return self.cause.of("state", self.state)


def timeline(case: Case) -> tuple[Change, ...]:
    """Every change of state, once and in order, without states of no duration (R24, R25)."""
    return case.once("timeline", lambda: tuple(_changes(case, triggers)))


def cover_timeline(case: Case) -> tuple[Change, ...]:
    """The same, as if nobody left after whose leaving cover goes on (R38)."""
    if case.leaving is case.withdrawal:
        return timeline(case)
    return case.once("cover timeline", lambda: tuple(_changes(case, _triggers_while_inside)))


def _changes(case: Case, triggers: Callable[[Case], Sequence[Trigger]]) -> list[Change]:
    if case.facts.registration is None:
        return []
    state: str = UNREGISTERED
    changes: list[Change] = []
    for trigger in sorted(triggers(case), key=itemgetter(0)):
        following = STEPS.get((state, trigger.name))
        if following is None:
            continue
        state = following
        if changes and changes[-1].at == trigger.at:
            changes.pop()
        if not changes or changes[-1].state is not following:
            changes.append(Change(trigger.at, following, trigger.cause))
    return changes


def state_at(changes: tuple[Change, ...], at: datetime) -> Change | None:
    """The change that made the state at an instant; None before the first."""
    found = None
    for change in changes:
        if change.at > at:
            break
        found = change
    return found


def triggers(case: Case) -> list[Trigger]:
    """Everything that moves, or would move, the state, each with its instant.

    Those of one instant come as they are taken: what time brings before a choice, the choices in
    their own order, what follows from them in the order of the table, and leaving last.
    """
    found = _triggers_while_inside(case)
    if case.withdrawal:
        outside = midnight(case.facts.first_day_outside(case.withdrawal))
        withdrawn = Derived("withdrawn", outside, "R24", (case.withdrawal,))
        found.append(Trigger(outside, "withdraw", withdrawn))
    return found


def _triggers_while_inside(case: Case) -> list[Trigger]:
    registration = case.registration
    begins = midnight(registration.event.on)
    registered = Derived("registered", begins, "R24", (registration,))
    span = case.latest_window.lapses
    lapsed = Derived("lapsed", span.closed_from, "R10", (span.closed_by,))
    found = [
        Trigger(begins, "register", registered),
        Trigger(latest(span.closed_from, begins), "window_closes", lapsed),
    ]
    for choice in case.choices:
        at = clamped(choice.at, registration)
        if is_opt_out(choice):
            kept = Derived("opted_out", at, "R4", (choice,))
            found.append(Trigger(at, "keep_other_cover", kept))
        else:
            by = "pay_premium" if case.policy.enrolled_by_payment else "confirm"
            rule = "R34" if case.policy.enrolled_by_payment else "R24"
            found.append(Trigger(at, by, Derived("confirmed", at, rule, (choice,))))
    for episode in case.episodes:
        ended = clamped(episode.opt_out.at, registration) if episode.opt_out else None
        for milestone in milestones(case, episode):
            if ended is None or milestone.at < ended:
                found.append(milestone)
    return found


def milestones(case: Case, episode: Episode) -> Sequence[Trigger]:
    """What time brings after a confirmation: the time-driven rows of the table (R24)."""
    return case.shared(("milestones", episode.key), lambda: tuple(_milestones(case, episode)))


def _milestones(case: Case, episode: Episode) -> Iterator[Trigger]:
    values = values_of(case, episode)
    signed = clamped(episode.confirmation.at, case.registration)
    if isinstance(values.waiting.value, WaitingPeriod):
        shows = waiting_shows_at(case, episode, values.waiting)
        if shows.value < midnight(day_after(values.waiting.value.last)):
            yield Trigger(latest(shows.value, signed), "waiting_period_shows", shows)
    built = account_instant(case, episode.confirmation, values.account_built_on)
    if built is not None:
        built = built.of(built.name, latest(built.value, signed))
        yield from _from_the_account_on(case, values, built)
    benefit_to, ends = case.policy.parameters.benefit_to, case.policy.ends_at
    expired = Derived("expired", ends, "R24", (benefit_to,))
    yield Trigger(latest(ends, signed), "benefit_year_ends", expired)


def _from_the_account_on(case: Case, values: Values, built: Derived[datetime]) -> Iterator[Trigger]:
    yield Trigger(built.value, "account_is_built", built)
    opens = evoucher_eligible_at(case, values.evoucher_available_at, built)
    if opens is not None:
        yield Trigger(opens.value, "evoucher_opens", opens)
    elif values.evoucher_available_at.value is PENDING and not has_document_without_evoucher(case):
        return
    window = values.coverage
    if isinstance(window.value, DayRange):
        before = (built, opens) if opens else (built,)
        active = latest(midnight(window.value.first), *(each.value for each in before))
        if active < midnight(day_after(window.value.last)):
            cause = Derived("active", active, "R24", (window, *before))
            yield Trigger(active, "cover_begins", cause)


def waiting_shows_at(case: Case, episode: Episode, waiting: Derived[Any]) -> Derived[datetime]:
    """R24: the later of the visible instant and the instant of the check's result."""
    seen = visible_at(case, episode.confirmation)
    check = counting_check(case, episode.confirmation)
    if check and check.at > seen.value:
        return Derived("waiting_shows_at", check.at, "R24", (check, waiting))
    return Derived("waiting_shows_at", seen.value, "R24", (seen, waiting))
