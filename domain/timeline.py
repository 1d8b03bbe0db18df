"""The timeline: dated triggers from facts and rules, folded through the lifecycle table.

It reaches into the past and the future alike, as far as the known facts determine it, and it
is defined for any facts in any order: a trigger the table has no row for changes nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from yibao.domain import events
from yibao.domain.calendar import day_after, midnight
from yibao.domain.case import Case
from yibao.domain.derivation import Derived
from yibao.domain.facts import Episode, Fact, clamped, is_opt_out
from yibao.domain.lifecycle import ORDER, STEPS, UNREGISTERED
from yibao.domain.rules import account_instant, evoucher_eligible_at, values_of, visible_at
from yibao.domain.vocabulary import DayRange, State, WaitingPeriod


class Trigger(NamedTuple):
    """A step of the table with the instant at which it happens, and why then."""

    at: datetime
    order: tuple[int, datetime, int]
    name: str
    cause: Derived


class Change(NamedTuple):
    """From `at` on the enrollment is in `state`, until the next change."""

    at: datetime
    state: State
    cause: Derived


def timeline(case: Case) -> tuple[Change, ...]:
    """Every change of state, once and in order, without states of no duration (R24, R25)."""
    if case.facts.registration is None:
        return ()
    state: str = UNREGISTERED
    changes: list[Change] = []
    for trigger in sorted(triggers(case), key=attrgetter("at", "order")):
        following = STEPS.get((state, trigger.name))
        if following is None:
            continue
        state = following
        if changes and changes[-1].at == trigger.at:
            changes.pop()
        if not changes or changes[-1].state is not following:
            changes.append(Change(trigger.at, following, trigger.cause))
    return tuple(changes)


def state_at(changes: tuple[Change, ...], at: datetime) -> Change | None:
    """The change that made the state at an instant; None before the first."""
    found = None
    for change in changes:
        if change.at > at:
            break
        found = change
    return found


def triggers(case: Case) -> Iterator[Trigger]:
    """Everything that moves, or would move, the state, each with its instant; in no order."""
    registration = case.registration
    begins = midnight(registration.event.on)
    yield _trigger("register", begins, Derived("registered", begins, "R24", (registration,)))
    window = case.latest_window
    yield _trigger(
        "window_closes",
        max(window.closed_from, begins),
        Derived("lapsed", window.closed_from, "R10", (window.closed_by,)),
    )
    for choice in case.facts.choices:
        at = clamped(choice.at, registration)
        if is_opt_out(choice) and _comes_too_late(case, choice):
            continue
        if is_opt_out(choice):
            name, cause = "keep_other_cover", Derived("opted_out", at, "R4", (choice,))
        else:
            name, cause = "confirm", Derived("confirmed", at, "R24", (choice,))
        yield Trigger(at, (ORDER[name], choice.at, choice.place), name, cause)
    for episode in case.facts.episodes():
        left = episode.opt_out
        if left is None or _comes_too_late(case, left):
            yield from milestones(case, episode)
            continue
        ended = clamped(left.at, registration)
        for milestone in milestones(case, episode):
            if milestone.at < ended:
                yield milestone
    if case.withdrawal:
        outside = midnight(case.facts.first_day_outside(case.withdrawal))
        yield _trigger(
            "withdraw", outside, Derived("withdrawn", outside, "R24", (case.withdrawal,))
        )


def _comes_too_late(case: Case, opt_out: Fact[events.OtherCoverKept]) -> bool:
    """Nothing follows the end of the benefit year for who had confirmed (R24)."""
    return opt_out.at >= case.policy.ends_at and any(
        episode.confirmation.moment < opt_out.moment for episode in case.facts.episodes()
    )


def milestones(case: Case, episode: Episode) -> Iterator[Trigger]:
    """What time brings after a confirmation: the time-driven rows of the table (R24)."""
    confirmation = episode.confirmation
    waiting, account, evoucher, coverage = values_of(case, episode)
    signed = clamped(confirmation.at, case.registration)
    ends = case.policy.ends_at
    yield _trigger(
        "benefit_year_ends",
        max(ends, signed),
        Derived("expired", ends, "R24", (case.policy.parameters.benefit_to,)),
    )
    if isinstance(waiting.value, WaitingPeriod):
        shows = waiting_shows_at(case, episode, waiting)
        if shows.value < midnight(day_after(waiting.value.last)):
            yield _trigger("waiting_period_shows", max(shows.value, signed), shows)
    built = account_instant(case, confirmation, account)
    if built is None:
        return
    built = built._replace(value=max(built.value, signed))
    yield _trigger("account_is_built", built.value, built)
    opens = evoucher_eligible_at(evoucher, built)
    if opens is not None:
        yield _trigger("evoucher_opens", opens.value, opens)
    if isinstance(coverage.value, DayRange):
        parts = (coverage, built, *((opens,) if opens else ()))
        first_day = midnight(coverage.value.first)
        active = max(first_day, built.value, *((opens.value,) if opens else ()))
        if active < midnight(day_after(coverage.value.last)):
            yield _trigger("cover_begins", active, Derived("active", active, "R24", parts))


def waiting_shows_at(case: Case, episode: Episode, waiting: Derived) -> Derived:
    """R24: the later of the visible instant and the instant of the check's result."""
    seen = visible_at(case, episode.confirmation)
    check = case.facts.check()
    if check and check.at > seen.value:
        return Derived("waiting_shows_at", check.at, "R24", (check, waiting))
    return Derived("waiting_shows_at", seen.value, "R24", (seen, waiting))


def _trigger(name: str, at: datetime, cause: Derived) -> Trigger:
    return Trigger(at, (ORDER[name], at, 0), name, cause)
