"""What a fact of one year changed in the answers of another, and how the trail tells it."""

import math
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from given import (
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
        taken = [each for of in self.years for each in self.positioned(of) if each[0] <= until]

        def log(recorded: list[events.Event]) -> Log:
            known = {event.event_id for event in recorded}
            return Log.of([each for each in taken if each.event.event_id in known])

        editions = {
            world.policy.edition: EditionRecord(world.policy, log(world.fixed))
            for world in self.years.values()
        }
        logs = {of: (log(world.recorded), log(world.received)) for of, world in self.years.items()}
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
        lambda first, rest: [*((step, timedelta(1)) for step in first), *rest],
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


often = settings(max_examples=60, deadline=None)


@often
@forall(stories)
def test_every_fact_and_window_that_moved_a_year_is_told_there_with_what_it_moved(
    story: Story,
) -> None:
    life = life_of(story)
    for year in YEARS:
        expected = [
            (recorded.position, of, found)
            for of in YEARS
            for recorded in life.positioned(of)
            for found in [life.differences(year, recorded)]
            if found or (of == year and recorded.event not in life.years[of].fixed)
        ]
        assert [
            (each.recorded.position, each.fact_year, [one[:3] for one in each.moved])
            for each in life.trail(year)
        ] == sorted(expected, key=lambda each: each[0])


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


# Concretely, of who was enrolled in the first autumn and is registered for the year after it.

REGISTERED = registered("2025-09-01", EARLY)
AGAIN = registered("2025-09-01", "2025-11-15 09:00")
ENROLLED = ((2025, REGISTERED), (2025, confirmed("2025-09-06 10:00")), (2026, AGAIN))


def life(*told: tuple[int, Step]) -> Life:
    student = Life(CHAINS[0])
    for year, step in told:
        student.tell(year, step)
    return student


def last(student: Life, year: int) -> Entry:
    """The last entry, and that it is about the last fact."""
    entry = student.trail(year)[-1]
    assert entry.event is student.history[-1][1]
    return entry


def moves(entry: Entry) -> dict[str, tuple[str, str, str | None]]:
    return {
        one.name: (told(one.before), told(one.after), one.rule)
        for one in entry.moved
        if one.name in ("state", "waiting", "account_built_on", "coverage")
    }


def test_a_check_of_the_first_autumn_is_told_in_both_years() -> None:
    student = life(
        *ENROLLED,
        (2026, paid("2025-11-20 10:00", 2026)),
        (2025, checked("2025-11-21 10:00", 2)),
    )
    for year, account_rule, waiting_rule, coverage in (
        (2025, "R18", "R13", ("pending", "none", "R22")),
        (2026, "R33", "R33", ("pending", "2026-03-02 to 2026-12-31", "R21")),
    ):
        found = last(student, year)
        assert (found.enrollment.year, found.fact_year, found.edition) == (
            year,
            2025,
            CHAINS[0][year].edition,
        )
        assert moves(found) == {
            "state": ("confirmed", "in_waiting_period", "R24"),
            "waiting": ("pending", "2025-09-01 to 2026-02-28", waiting_rule),
            "account_built_on": ("pending", "2026-03-01", account_rule),
            "coverage": coverage,
        }


def test_a_correction_is_one_in_the_other_year_as_well() -> None:
    student = life(
        *ENROLLED,
        (2026, paid("2025-11-20 10:00", 2026)),
        (2025, checked("2025-11-21 10:00", 2)),
        (2025, correct("2025-11-22 09:00", "prior-coverage-verified", lapsed_years=0)),
    )
    found = last(student, 2026)
    assert (found.supersedes, found.event.originator_version) == (3, 4)
    assert moves(found)["coverage"][1] == "2026-01-01 to 2026-12-31"


def test_a_premium_paid_in_the_year_before_moves_the_year_it_is_for() -> None:
    student = life(
        *ENROLLED,
        (2025, checked("2025-11-19 10:00")),
        (2025, paid("2025-11-20 10:00", 2026)),
    )
    assert moves(last(student, 2025)) == {}
    assert moves(last(student, 2026))["coverage"] == ("pending", "2026-01-01 to 2026-12-31", "R20")


def test_a_stop_of_employee_cover_told_in_the_next_year_moves_the_year_before_it() -> None:
    student = life(
        *ENROLLED[:2],
        (2025, checked("2025-09-06 10:30")),
        (2025, other_cover("2025-09-07 10:00", "employee")),
        (2026, AGAIN),
        (2026, stopped("2025-11-20 10:00", "2025-11-20")),
    )
    found = last(student, 2025)
    assert (found.enrollment.year, found.fact_year) == (2025, 2026)
    assert moves(found)["coverage"] == ("pending", "2025-11-20 to 2025-12-31", "R20")


def test_a_window_fixed_for_the_year_before_moves_who_could_still_have_joined_in_it() -> None:
    student = life(
        (2025, REGISTERED),
        (2026, AGAIN),
        (2026, paid("2025-11-20 10:00", 2026)),
        (2026, checked("2025-11-20 11:00")),
        (2025, fix_window("2025-11-25 10:00", closes_on="2025-10-20")),
    )
    found = last(student, 2026)
    assert (found.fact_year, found.supersedes) == (2025, None)
    assert moves(found)["coverage"] == ("pending", "2026-01-01 to 2026-12-31", "R20")
    student.tell(2025, void("2025-11-26 09:00", "window-fixed"))
    assert moves(last(student, 2026))["coverage"] == ("2026-01-01 to 2026-12-31", "pending", "R33")


def test_what_another_year_tells_and_moves_nothing_is_not_told() -> None:
    student = life(
        *ENROLLED,
        (2026, paid("2025-11-20 10:00", 2026)),
        (2025, moved("2025-11-21 10:00", "ecnu", observed=True)),
        (2025, care("2025-11-21")),
    )
    assert [(each.fact_year, each.event.name) for each in student.trail(2026)] == [
        (2026, "registered"),
        (2026, "premium-paid"),
    ]
