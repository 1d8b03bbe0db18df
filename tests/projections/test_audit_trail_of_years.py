"""What a fact of one year changed in the answers of another, and how the trail tells it."""

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from given import (
    SIGNED,
    Given,
    Step,
    account,
    activate,
    card,
    care,
    checked,
    confirmed,
    continuing,
    correct,
    edition,
    fix_window,
    given,
    keep,
    moved,
    other_cover,
    paid,
    registered,
    roster,
    stopped,
    told,
    void,
    withdraw,
)
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import Positioned, events
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer, answered
from yibao.projections.audit_trail import Entry, entries, entries_with_windows
from yibao.projections.parts import PARTS
from yibao.projections.record import EditionRecord, Log, Record

EARLY = "2025-08-20 09:00"
ENDLESS = read_instant("2100-01-01 00:00")
YEARS = (2025, 2026, 2027)


def by_confirmation(year: int) -> Policy:
    """Continuing students who join by confirming, in one window."""
    return continuing(
        year,
        enrolled_by=None,
        concentrated_period=None,
        late_period=None,
        window_opens=("instant", f"{year - 1}-11-14T00:00:00+08:00"),
        window_closes_on=("day", f"{year}-06-30"),
    )


#: The editions of three years, of students who go on by paying or by confirming again.
CHAINS = (
    {2025: edition(), 2026: continuing(), 2027: continuing(2027)},
    {2025: edition(), 2026: by_confirmation(2026), 2027: continuing(2027)},
    {2025: edition(), 2026: continuing(), 2027: by_confirmation(2027)},
)


class Life:
    """A student over several years, told by one clock to one store."""

    def __init__(self, policies: dict[int, Policy]) -> None:
        self.years = {year: given(policy=policy) for year, policy in policies.items()}
        self.history: list[tuple[int, events.Event]] = []
        self.now = read_instant(EARLY)

    def tell(self, year: int, step: Step) -> None:
        world = self.years[year]
        world.now = self.now
        known = len(world.history)
        with suppress(IndexError):  # there is nothing to correct, or to take back
            world.when(step)
        self.history += [(year, event) for event in world.history[known:]]
        self.now = world.latest_stamp

    def record(self, year: int, until: float = math.inf) -> Record:
        """What the store had taken at a position, or everything; others had two between any two."""

        def log(of: int, recorded: Sequence[events.Event]) -> Log:
            known = {event.event_id for event in recorded}
            return Log.of([e for e in self.positioned(of) if e.event.event_id in known])

        def taken(of: int, recorded: list[events.Event]) -> Log:
            found = log(of, recorded)
            return Log.of([each for each in found.positioned() if each.position <= until])

        editions = {
            world.policy.edition: EditionRecord(world.policy, taken(of, world.fixed))
            for of, world in self.years.items()
        }
        logs = {
            of: (taken(of, world.recorded), taken(of, world.received))
            for of, world in self.years.items()
        }
        return Record.of(EnrollmentId("s1", year), logs, editions.__getitem__)

    def positioned(self, year: int) -> list[Positioned]:
        return [
            Positioned(3 * number + 1, event)
            for number, (of, event) in enumerate(self.history)
            if of == year
        ]

    def naive(self, year: int, position: int, at: datetime) -> Answer:
        """What the events up to a position say, as if they were all there is."""
        return answered(self.record(year, position).known_by(ENDLESS), at)

    def differences(self, year: int, recorded: Positioned) -> list[tuple[str, Any, Any]]:
        """What one event changed in the answers of a year, found by asking without it and with."""
        at = recorded.event.recorded_at
        before = self.naive(year, recorded.position - 1, at)
        after = self.naive(year, recorded.position, at)
        both = [(name, PARTS[name].value(before), PARTS[name].value(after)) for name in PARTS]
        return [(name, was, is_now) for name, was, is_now in both if was != is_now]

    def trail(self, year: int) -> list[Entry]:
        return list(entries_with_windows(self.record(year)))


def steps_of(year: int) -> dict[str, Step]:
    """What may be told of one year, each with an instant in it or shortly before."""
    autumn, last = f"{year}-09", f"{year - 1}-11"
    begins = f"{year}-09-01" if year == 2025 else "2025-09-01"
    told_at = EARLY if year == 2025 else f"{last}-15 09:00"
    checks = f"{autumn}-06 10:30" if year == 2025 else f"{last}-21 10:30"
    return {
        "registered": registered(begins, told_at),
        "registered elsewhere": registered(begins, told_at, school="ecnu", document="passport"),
        "registered late": registered(f"{year}-10-10", told_at),
        "unregistered": void(EARLY, "registered"),
        "roster": roster(f"{autumn}-02 17:00", observed=True),
        "to ecnu": moved(f"{autumn}-10 09:00", "ecnu", observed=True),
        "confirmed": confirmed(f"{autumn}-06 10:00" if year == 2025 else f"{last}-16 10:00"),
        "confirmed late": confirmed(f"{year}-12-01 10:00"),
        "not confirmed": void(EARLY, "confirmed"),
        "paid": paid(f"{last}-20 10:00", year, observed=True),
        "paid late": paid(f"{year}-03-02 10:00", year, observed=True),
        "paid for the next": paid(f"{year}-11-20 10:00", year + 1, observed=True),
        "not paid": void(EARLY, "premium-paid"),
        "no lapsed year": checked(checks),
        "two lapsed years": checked(checks, 2),
        "checked again": correct(EARLY, "prior-coverage-verified", lapsed_years=1),
        "not checked": void(EARLY, "prior-coverage-verified"),
        "employee": other_cover(f"{autumn}-01 09:00", "employee"),
        "stopped": stopped(f"{year}-10-10 09:00", f"{year}-10-10"),
        "not stopped": void(EARLY, "employee-cover-stopped"),
        "kept": keep(f"{year}-10-15 09:00", observed=True),
        "account": account(f"{autumn}-10 09:00", f"{autumn}-08"),
        "no account": void(EARLY, "account-built"),
        "activated": activate(f"{autumn}-12 09:00", observed=True),
        "card": card(f"{year}-10-02 09:00"),
        "left": withdraw(f"{year}-11-20 09:00", f"{year}-11-20", observed=True),
        "not left": void(EARLY, "withdrawn"),
        "care": care(f"{year}-10-02", "outpatient", "500.00", level="third"),
        "closes early": fix_window(EARLY, closes_on=f"{year}-10-20"),
        "closes at another day": correct(EARLY, "window-fixed", closes_on=f"{year}-12-20"),
        "not fixed": void(EARLY, "window-fixed"),
        "closes early at ecnu": fix_window(EARLY, closes_on=f"{autumn}-30", school="ecnu"),
    }


STEPS = {(year, name): step for year in YEARS for name, step in steps_of(year).items()}
OFTEN = [
    (year, name)
    for year in YEARS
    for name in ("paid", "confirmed", "no lapsed year", "two lapsed years", "closes early")
]
BEGINNINGS: tuple[list[tuple[int, str]], ...] = (
    [],
    [(2025, "registered"), (2026, "registered")],
    [(2025, "registered"), (2025, "confirmed"), (2026, "registered"), (2027, "registered")],
    [(2025, "registered"), (2026, "registered"), (2026, "paid"), (2026, "no lapsed year")],
    [(2025, "registered"), (2027, "registered")],
    [(2026, "registered"), (2025, "registered")],
)
DELAYS = [timedelta(), timedelta(microseconds=1), *map(timedelta, (0.5, 3, 60))]

Story = tuple[int, list[tuple[tuple[int, str], timedelta]]]
stories: st.SearchStrategy[Story] = st.tuples(
    st.integers(0, len(CHAINS) - 1),
    st.builds(
        lambda first, rest: [*((told, timedelta(1)) for told in first), *rest],
        st.sampled_from(BEGINNINGS),
        st.lists(
            st.tuples(st.sampled_from([*STEPS, *OFTEN * 3]), st.sampled_from(DELAYS)),
            min_size=2,
            max_size=14,
        ),
    ),
)


def life_of(story: Story) -> Life:
    chain, steps = story
    life = Life(CHAINS[chain])
    for (year, name), delay in steps:
        life.now += delay
        life.tell(year, STEPS[year, name])
    return life


often = settings(max_examples=100, deadline=None)


@often
@forall(stories)
def test_every_fact_and_window_that_moved_a_year_is_told_there_with_what_it_moved(
    story: Story,
) -> None:
    life = life_of(story)
    for year in YEARS:
        expected = [
            (position, of, found)
            for of in YEARS
            for position, event in life.positioned(of)
            for found in [life.differences(year, Positioned(position, event))]
            if found or (of == year and event not in life.years[of].fixed)
        ]
        told = [
            (
                e.recorded.position,
                e.fact_year,
                [(one.name, one.before, one.after) for one in e.moved],
            )
            for e in life.trail(year)
        ]
        assert told == sorted(expected, key=lambda each: each[0])


positions = st.integers(0, 48)


@often
@forall(stories, positions, st.one_of(st.none(), positions))
def test_the_entries_between_two_positions_are_a_slice_without_the_windows(
    story: Story, after: int, until: int | None
) -> None:
    life = life_of(story)
    fixed = {each.event_id for world in life.years.values() for each in world.fixed}
    last = math.inf if until is None else until
    for year in YEARS:
        assert list(entries(life.record(year), after, until)) == [
            entry
            for entry in life.trail(year)
            if entry.event.event_id not in fixed and after < entry.recorded.position <= last
        ]
