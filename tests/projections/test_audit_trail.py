"""Who recorded what, when, and what did it change?"""

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from given import (
    Given,
    Step,
    account,
    activate,
    card,
    care,
    checked,
    confirm,
    confirmed,
    correct,
    edition,
    edition_with,
    filed,
    fix_window,
    given,
    keep,
    moved,
    other_cover,
    paid,
    registered,
    reverse,
    roster,
    settle,
    stopped,
    told,
    void,
    withdraw,
)
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.facts import Positioned, events
from yibao.domain.facts.streams import edition_named
from yibao.domain.vocabulary import edition_stream
from yibao.projections.answer import Answer, answered
from yibao.projections.audit_trail import (
    Entry,
    Moved,
    entries,
    entries_with_windows,
    scheduled_by,
)
from yibao.projections.parts import PARTS
from yibao.projections.record import EditionRecord, Knowledge, Log, Record

EARLY = "2025-08-20 09:00"
ENDLESS = read_instant("2100-01-01 00:00")

#: An edition, and another of the same year that somebody may be registered under again.
FIRST, SECOND = "shanghai-2025", "shanghai-2025-revised"
POLICIES = {
    FIRST: edition(),
    SECOND: edition_with(window_closes_on="2025-11-30").model_copy(update={"edition": SECOND}),
}


def under(name: str, step: Step) -> Step:
    """A step under an edition, whose stream of fixes is then the one that is known."""

    def take(world: Given) -> None:
        world.policy, world.fixed = POLICIES[name], fixed_under(world, name)
        step(world)

    return take


def again(step: Step) -> Step:
    """A step that follows a registration taken back."""

    def take(world: Given) -> None:
        world.when(void(EARLY, "registered"))
        step(world)

    return take


def fixed_under(student: Given, name: str) -> list[events.Event]:
    return [e for e in student.history if e.originator_id == edition_stream(name)]


#: Everything that may be told, as told long ago unless it says when.
STEPS: dict[str, Step] = {
    "registered": registered("2025-09-01", EARLY),
    "registered elsewhere": registered("2025-09-20", EARLY, school="ecnu", document="passport"),
    "registered by the revision": again(under(SECOND, registered("2025-09-01", EARLY))),
    "unregistered": void(EARLY, "registered"),
    "registered later": correct(EARLY, "registered", on="2025-10-15"),
    "registered at ecnu": correct(EARLY, "registered", school="ecnu"),
    "roster": roster("2025-09-02 17:00", observed=True),
    "no roster": void(EARLY, "roster-declared"),
    "to ecnu": moved("2025-09-10 09:00", "ecnu", observed=True),
    "to sjtu": moved("2025-11-10 09:00", "sjtu", observed=True),
    "not moved": void(EARLY, "school-changed"),
    "confirmed": confirmed("2025-09-06 10:00"),
    "confirmed early": confirmed("2025-08-25 10:00"),
    "confirmed late": confirmed("2025-12-01 10:00", "proxy"),
    "asked to confirm": confirm("2025-09-06 10:00"),
    "confirmed at another time": correct(EARLY, "confirmed", occurred_at="2025-09-08 10:00"),
    "not confirmed": void(EARLY, "confirmed"),
    "no lapsed year": checked("2025-09-06 10:30"),
    "a lapsed year": checked("2025-09-06 10:30", 1),
    "checked again": correct(EARLY, "prior-coverage-verified", lapsed_years=2),
    "not checked": void(EARLY, "prior-coverage-verified"),
    "employee": other_cover("2025-09-01 09:00", "employee"),
    "stopped": stopped("2025-10-10 09:00", "2025-10-10"),
    "other province": other_cover("2025-09-01 09:00", "other_province"),
    "kept": keep("2025-10-15 09:00", observed=True),
    "account": account("2025-09-10 09:00", "2025-09-08"),
    "account another day": correct(EARLY, "account-built", on="2025-09-20"),
    "activated": activate("2025-09-12 09:00", observed=True),
    "card": card("2025-10-02 09:00"),
    "left": withdraw("2025-11-20 09:00", "2025-11-20", observed=True),
    "not left": void(EARLY, "withdrawn"),
    "paid": paid("2025-12-20 09:00", 2026, observed=True),
    "filed": filed("2025-10-02 09:00", observed=True),
    "care": care("2025-10-02", "outpatient", "500.00", level="third"),
    "care early": care("2025-09-03"),
    "care elsewhere": care("2025-10-03", "emergency", level="second", province="zhejiang"),
    "care corrected": correct(EARLY, "bill", on="2025-12-01"),
    "no care": void(EARLY, "bill"),
    "settled": settle(observed=True, at=EARLY),
    "reversed": reverse(at=EARLY),
    "closes early": fix_window(EARLY, closes_on="2025-10-20"),
    "closes early at ecnu": fix_window(EARLY, closes_on="2025-09-30", school="ecnu"),
    "closes at another day": correct(EARLY, "window-fixed", closes_on="2025-12-20"),
    "not fixed": void(EARLY, "window-fixed"),
    "closes early in the revision": under(SECOND, fix_window(EARLY, closes_on="2025-10-01")),
}
OFTEN = (
    "roster",
    "confirmed",
    "no lapsed year",
    "a lapsed year",
    "care",
    "settled",
    "closes early",
)
DELAYS = [timedelta(), timedelta(microseconds=1), *map(timedelta, (0.5, 3, 20, 60))]


#: Names of steps, and how long after the one before each is told.
Story = list[tuple[str, timedelta]]
#: Hardly anything can be told of somebody who was never registered.
BEGINNINGS = ([], ["registered"], ["registered"], ["closes early at ecnu", "registered elsewhere"])
stories: st.SearchStrategy[Story] = st.builds(
    lambda first, rest: [*((name, timedelta(1)) for name in first), *rest],
    st.sampled_from(BEGINNINGS),
    st.lists(
        st.tuples(st.sampled_from([*STEPS, *OFTEN * 2]), st.sampled_from(DELAYS)),
        min_size=2,
        max_size=14,
    ),
)


def student_of(story: Story) -> Given:
    """A student, her care and the editions, as told in this order and stamped by one clock."""
    student = given()
    student.now = read_instant(EARLY)
    for name, delay in story:
        student.now += delay
        with suppress(IndexError):  # there is nothing to correct, to take back or to settle
            student.when(under(edition_named(student.recorded) or FIRST, STEPS[name]))
    return student


def positioned(student: Given, recorded: Sequence[events.Event]) -> list[Positioned]:
    """Between any two events of hers the store took two of somebody else."""
    position = {event.event_id: 3 * n + 1 for n, event in enumerate(student.history)}
    return [Positioned(position[event.event_id], event) for event in recorded]


def record(student: Given) -> Record:
    def edition_of(name: str) -> EditionRecord:
        return EditionRecord(POLICIES[name], log(student, fixed_under(student, name)))

    own, received = log(student, student.recorded), log(student, student.received)
    return Record(student.enrollment, own, received, edition_of)


def log(student: Given, recorded: list[events.Event]) -> Log:
    return Log.of(positioned(student, recorded))


def trail(student: Given) -> list[Entry]:
    return list(entries_with_windows(record(student)))


def naive_knowledge(student: Given, position: int) -> Knowledge:
    """What the events up to a position say, as if they were all there is."""
    there = student.history[: (position + 2) // 3]

    def of(stream: object) -> list[events.Event]:
        return [event for event in there if event.originator_id == stream]

    enrollment = student.enrollment
    there_is = Record(
        enrollment,
        Log(of(enrollment.stream)),
        Log(of(enrollment.care_stream)),
        lambda name: EditionRecord(POLICIES[name], Log(of(edition_stream(name)))),
    )
    return there_is.known_by(ENDLESS)


def naive(student: Given, position: int, at: datetime) -> Answer:
    return answered(naive_knowledge(student, position), at)


def differences(student: Given, recorded: Positioned) -> list[tuple[str, object, object]]:
    """What one event changed, found by asking without it and with it."""
    at = recorded.event.recorded_at
    before = naive(student, recorded.position - 1, at)
    after = naive(student, recorded.position, at)
    both = [(name, PARTS[name].value(before), PARTS[name].value(after)) for name in PARTS]
    return [(name, was, is_now) for name, was, is_now in both if was != is_now]


positions = st.integers(0, 48)
often = settings(max_examples=120, deadline=None)


@often
@forall(stories)
def test_an_entry_tells_what_the_answers_without_the_fact_and_with_it_differ_in(
    story: Story,
) -> None:
    student = student_of(story)
    for entry in trail(student):
        found = [(one.name, one.before, one.after) for one in entry.moved]
        assert found == differences(student, entry.recorded)


@often
@forall(stories)
def test_each_own_fact_has_an_entry_and_each_window_that_moved_something(story: Story) -> None:
    student = student_of(story)
    own = [*student.recorded, *student.received]
    windows = [each for name in POLICIES for each in fixed_under(student, name)]
    moving = [each.event for each in positioned(student, windows) if differences(student, each)]
    assert [entry.recorded for entry in trail(student)] == sorted(
        positioned(student, [*own, *moving]), key=lambda each: each.position
    )


@often
@forall(stories, positions, st.one_of(st.none(), positions))
def test_the_entries_between_two_positions_are_a_slice_of_those_of_the_students_own_facts(
    story: Story, after: int, until: int | None
) -> None:
    student = student_of(story)
    own = {each.event_id for each in (*student.recorded, *student.received)}
    last = math.inf if until is None else until
    assert list(entries(record(student), after, until)) == [
        entry
        for entry in trail(student)
        if entry.event.event_id in own and after < entry.recorded.position <= last
    ]


@often
@forall(stories, st.lists(positions, max_size=12))
def test_in_whatever_order_it_is_asked_a_position_knows_what_was_taken_by_then(
    story: Story, asked_for: list[int]
) -> None:
    student = student_of(story)
    asked = record(student)
    for position in asked_for:
        found = answered(asked.known_at(position), ENDLESS)
        expected = naive(student, position, ENDLESS)
        assert all(PARTS[name].value(found) == PARTS[name].value(expected) for name in PARTS)
        assert (found.values, found.timeline) == (expected.values, expected.timeline)


@often
@forall(stories)
def test_where_one_entry_leaves_what_no_time_moves_the_next_one_finds_it(
    story: Story,
) -> None:
    student = student_of(story)
    found = naive(student, 0, ENDLESS)
    held = {name: PARTS[name].value(found) for name in ("timeline", "discrepancies", "waiting")}
    for entry in trail(student):
        for one in entry.moved:
            assert held.get(one.name, one.before) == one.before
            if one.name in held:
                held[one.name] = one.after
    last = naive(student, 3 * len(student.history), ENDLESS)
    assert held == {name: PARTS[name].value(last) for name in held}


@often
@forall(stories)
def test_the_steps_of_an_entry_are_those_that_the_timeline_had_not_without_the_fact(
    story: Story,
) -> None:
    student = student_of(story)
    for entry in trail(student):
        at, position = entry.event.recorded_at, entry.recorded.position
        before = PARTS["timeline"].value(naive(student, position - 1, at))
        after = naive(student, position, at).timeline
        assert list(entry.steps) == [step for step in after if step[:2] not in before]
        assert [entry.is_scheduled(step) for step in entry.steps] == [
            step.at > at for step in entry.steps
        ]


@often
@forall(stories)
def test_each_step_at_the_end_was_put_there_by_the_last_fact_it_came_with_and_stayed(
    story: Story,
) -> None:
    student = student_of(story)
    came_with: dict[tuple[object, object], int] = {}
    before: tuple[tuple[object, object], ...] = ()
    for position in range(1, 3 * len(student.history), 3):
        after = PARTS["timeline"].value(naive(student, position, ENDLESS))
        came_with |= {step: position for step in after if step not in before}
        before = after
    found = scheduled_by(trail(student))
    assert [(step.at, step.state, entry.recorded.position) for step, entry in found.items()] == [
        (*step, came_with[step]) for step in before
    ]
    assert all(step in entry.steps for step, entry in found.items())


@often
@forall(stories)
def test_a_school_is_the_latest_known_with_the_fact_or_else_the_one_known_without_it(
    story: Story,
) -> None:
    student = student_of(story)
    for entry in trail(student):
        known, without = (
            found.case.facts.latest_school if found.case else None
            for found in (naive_knowledge(student, entry.recorded.position - n) for n in (0, 1))
        )
        assert entry.school == (known or without)
        if known is not None:
            assert entry.former_school == (without if without != known else None)


@often
@forall(stories)
def test_an_edition_is_the_one_named_by_the_latest_registration_known_with_the_fact(
    story: Story,
) -> None:
    student = student_of(story)
    for entry in trail(student):
        known = naive_knowledge(student, entry.recorded.position)
        assert entry.edition == (known.case.policy.edition if known.case else None)


def entry_of(student: Given, name: str) -> Entry:
    """The entry of the last event of a name."""
    return [entry for entry in trail(student) if entry.event.name == name][-1]


def moves(entry: Entry) -> dict[str, Moved]:
    return {one.name: one for one in entry.moved}


REGISTERED = registered("2025-09-01")
ENROLLED = (REGISTERED, roster(), confirm("2025-09-06 14:20"))


def test_a_check_learned_says_from_what_it_moved_each_value_and_by_which_rule() -> None:
    found = moves(
        entry_of(given(*ENROLLED, checked("2025-09-06 14:50", 1)), "prior-coverage-verified")
    )
    assert {
        name: (told(moved.before), told(moved.after), moved.rule)
        for name, moved in found.items()
        if name not in ("next_steps", "timeline")
    } == {
        "state": ("confirmed", "in_waiting_period", "R24"),
        "waiting": ("pending", "2025-09-01 to 2025-11-30", "R13"),
        "account_built_on": ("pending", "2025-12-01", "R18"),
        "evoucher_available_at": ("pending", "2025-12-01 09:00", "R19"),
        "coverage": ("pending", "2025-12-02 to 2025-12-31", "R21"),
    }


def test_the_next_steps_have_one_rule_and_other_lists_none() -> None:
    student = given(REGISTERED, confirmed("2025-09-03 09:00"), care("2025-09-03"))
    rules = {one.name: one.rule for entry in trail(student) for one in entry.moved}
    assert {name: rules[name] for name in ("next_steps", "timeline", "discrepancies", "care")} == {
        "next_steps": "R32",
        "timeline": None,
        "discrepancies": None,
        "care": None,
    }


def test_a_void_of_the_registration_leaves_no_state_by_the_rule_of_the_states() -> None:
    student = given(REGISTERED, void("2025-09-02 09:00", "registered"))
    assert moves(entry_of(student, "voided"))["state"] == ("state", "registered", None, "R24")


def test_a_fact_that_changes_nothing_has_an_entry_without_parts() -> None:
    found = entry_of(given(*ENROLLED, confirmed("2025-09-20 09:00")), "confirmed")
    assert (list(moves(found)), found.steps) == (["discrepancies"], ())


def test_steps_after_the_recording_are_scheduled_and_others_are_not() -> None:
    found = entry_of(given(*ENROLLED, checked("2025-09-06 14:50", 1)), "prior-coverage-verified")
    assert [(told(step.state), found.is_scheduled(step)) for step in found.steps] == [
        ("in_waiting_period", False),
        ("account_built", True),
        ("evoucher_eligible", True),
        ("active", True),
    ]


def test_a_lapse_is_scheduled_by_the_window_that_was_fixed() -> None:
    student = given(REGISTERED, fix_window("2025-09-10 09:00", closes_on="2025-10-20"))
    found = scheduled_by(trail(student))
    assert [(told(step.state), entry.event.name) for step, entry in found.items()] == [
        ("registered", "registered"),
        ("lapsed", "window-fixed"),
    ]


def test_a_step_that_left_and_came_back_was_put_there_by_what_brought_it_back() -> None:
    student = given(
        *ENROLLED,
        void("2025-09-07 09:00", "confirmed"),
        confirmed("2025-09-06 14:20", recorded="2025-09-08 09:00"),
    )
    found = {told(step.state): entry for step, entry in scheduled_by(trail(student)).items()}
    assert found["confirmed"].event is student.recorded[-1]


def test_a_window_fixed_before_anybody_registered_moved_nobody() -> None:
    student = given(fix_window("2025-08-20 09:00", closes_on="2025-10-20"), REGISTERED)
    assert [entry.event.name for entry in trail(student)] == ["registered"]


def test_a_window_of_another_school_has_no_entry() -> None:
    student = given(
        REGISTERED, fix_window("2025-09-10 09:00", closes_on="2025-10-20", school="ecnu")
    )
    assert [entry.event.name for entry in trail(student)] == ["registered"]


def test_a_fix_taken_back_has_an_entry_where_it_moves_something_again() -> None:
    student = given(
        REGISTERED,
        fix_window("2025-09-10 09:00", closes_on="2025-10-20"),
        void("2025-09-11 09:00", "window-fixed"),
    )
    names = [entry.event.name for entry in trail(student)]
    assert names == ["registered", "window-fixed", "voided"]


def test_a_window_fixed_long_ago_is_that_of_who_registers_again_under_its_edition() -> None:
    student = given(REGISTERED)
    for step in (
        under(SECOND, fix_window("2025-09-10 09:00", closes_on="2025-10-01")),
        under(FIRST, void("2025-09-11 09:00", "registered")),
        under(SECOND, registered("2025-09-01", "2025-09-12 09:00")),
        under(SECOND, fix_window("2025-09-13 09:00", closes_on="2025-10-02")),
        under(FIRST, fix_window("2025-09-14 09:00", closes_on="2025-10-20")),
    ):
        step(student)
    found = trail(student)
    assert [entry.event for entry in found] == [*student.recorded, student.history[-2]]
    assert [told(step.at) for step in found[-1].steps] == ["2025-10-03 00:00"]


def schools(student: Given) -> list[tuple[str | None, str | None]]:
    return [(entry.school, entry.former_school) for entry in trail(student)]


MOVED = moved("2025-09-03 09:00", "ecnu")
TO_TONGJI = correct("2025-09-04 09:00", "registered", school="tongji")
TAKEN_BACK = void("2025-09-04 09:00", "registered")


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        ((), ("sjtu", None)),
        ((roster(),), ("sjtu", None)),
        ((MOVED,), ("ecnu", "sjtu")),
        ((MOVED, roster("2025-09-04 09:00")), ("ecnu", None)),
        ((MOVED, void("2025-09-04 09:00", "school-changed")), ("sjtu", "ecnu")),
        ((TO_TONGJI,), ("tongji", "sjtu")),
        ((MOVED, TO_TONGJI), ("ecnu", None)),
        ((TAKEN_BACK, registered("2025-09-05", school="tongji")), ("tongji", None)),
        ((fix_window("2025-09-04 09:00", closes_on="2025-10-20"),), ("sjtu", None)),
        ((care("2025-09-04"),), ("sjtu", None)),
    ],
)
def test_the_school_is_the_one_known_with_the_fact_and_the_former_another_one(
    steps: tuple[Step, ...], last: tuple[str | None, str | None]
) -> None:
    assert schools(given(REGISTERED, *steps))[-1] == last


def test_a_registration_taken_back_leaves_the_school_it_was_at_and_no_other_one() -> None:
    assert schools(given(REGISTERED, MOVED, TAKEN_BACK))[-1] == ("ecnu", None)


def test_without_a_registration_before_and_after_no_school_is_known() -> None:
    assert schools(given(REGISTERED, roster(), TAKEN_BACK, void(LATER, "roster-declared")))[-1] == (
        None,
        None,
    )


def test_the_first_school_has_no_former_one() -> None:
    assert schools(given(REGISTERED)) == [("sjtu", None)]


EARLY_CONFIRMATION = confirmed("2025-09-04 09:00")
LATER = "2025-09-20 09:00"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ((roster(), confirm("2025-09-06 09:00")), None),
        ((confirmed("2025-09-06 09:00"),), "roster_not_declared"),
        ((roster(), EARLY_CONFIRMATION), "window_not_open"),
        (
            (roster(), EARLY_CONFIRMATION, correct(LATER, "confirmed", channel="proxy")),
            "window_not_open",
        ),
        (
            (
                roster(),
                EARLY_CONFIRMATION,
                correct(LATER, "confirmed", occurred_at="2025-09-07 09:00"),
            ),
            None,
        ),
        ((roster(), EARLY_CONFIRMATION, void(LATER, "confirmed")), None),
        ((roster(), EARLY_CONFIRMATION, checked(LATER)), None),
        ((account(LATER, "2025-09-19"),), "not_confirmed"),
        ((fix_window(LATER, closes_on="2025-10-20"),), None),
        ((care("2025-09-03"),), None),
        ((care("2024-09-03"),), "outside_benefit_year"),
        ((care("2025-09-03"), correct(LATER, "bill", on="2024-09-03")), "outside_benefit_year"),
        ((care("2024-09-03"), correct(LATER, "bill", on="2025-09-03")), None),
        ((care("2024-09-03"), void(LATER, "bill")), None),
        ((care("2024-09-03"), settle(observed=True)), None),
        ((care("2024-09-03"), settle(observed=True), reverse()), None),
    ],
)
def test_the_code_is_that_for_which_a_guard_would_refuse_the_fact_or_the_care(
    steps: tuple[Step, ...], code: str | None
) -> None:
    assert trail(given(REGISTERED, *steps))[-1].code == code


def test_a_code_stays_as_the_fact_was_judged_when_it_was_recorded() -> None:
    student = given(REGISTERED, confirmed("2025-09-06 09:00"), roster(recorded=LATER))
    assert [entry.code for entry in trail(student)] == [None, "roster_not_declared", None]
    assert student.codes() == []


def test_a_filing_moves_the_care_in_its_province_and_no_other() -> None:
    student = given(
        *ENROLLED,
        checked("2025-09-06 14:50", 0),
        care("2025-10-02", province="zhejiang", name="there"),
        care("2025-10-01", name="here"),
        care("2025-10-02", province="jiangsu", name="elsewhere"),
        filed("2025-10-02 18:00", "zhejiang"),
    )
    moved = moves(entry_of(student, "remote-care-filed"))["care"]
    assert [
        (was.refused, now.refused) for was, now in zip(moved.before, moved.after, strict=True)
    ] == [
        ("remote_care_not_filed", None),
        (None, None),
        ("remote_care_not_filed", "remote_care_not_filed"),
    ]
