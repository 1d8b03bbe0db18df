"""What changed between two states of knowledge, and which facts changed it?"""

import pytest
from given import (
    Given,
    checked,
    confirm,
    correct,
    fix_window,
    given,
    other_cover,
    registered,
    roster,
    stopped,
    together,
    told,
    void,
)

from yibao.domain.calendar import read_instant
from yibao.domain.refusals import UnknownCutoff
from yibao.projections.answer import answer
from yibao.projections.comparison import Comparison, Difference, compare
from yibao.projections.parts import PARTS
from yibao.projections.record import Cutoff

NOON = "2025-10-01 12:00"
LAST = "2026-06-01 12:00"


def compared(
    student: Given, then: Cutoff | str, now: Cutoff | str = LAST, at: str = NOON
) -> Comparison:
    return compare(
        student.everything,
        read_instant(at),
        read_instant(then) if isinstance(then, str) else then,
        read_instant(now) if isinstance(now, str) else now,
    )


def difference(found: Comparison, name: str) -> Difference:
    return next(one for one in found.differences if one.name == name)


def names(found: Comparison) -> list[str]:
    return [one.name for one in found.differences]


@pytest.fixture
def student() -> Given:
    return given(
        registered("2025-09-01"),
        roster(),
        confirm("2025-09-06 10:00"),
        checked("2025-09-06 10:30"),
        other_cover("2025-09-01 09:00", "employee", recorded="2025-10-08 15:00"),
        stopped("2025-10-10 09:00", "2025-10-10"),
    )


def test_the_same_knowledge_twice_makes_no_difference(student: Given) -> None:
    found = compared(student, 4, 4)
    assert (found.differences, found.facts_between) == ((), ())


def test_a_difference_tells_what_was_said_then_and_what_is_said_now(student: Given) -> None:
    found = difference(compared(student, 4), "account_built_on")
    assert (told(found.then), told(found.now)) == ("2025-09-06", "2025-10-10")


def test_only_what_differs_is_told(student: Given) -> None:
    assert names(compared(student, 4)) == [
        "state",
        "account_built_on",
        "evoucher_available_at",
        "coverage",
        "next_steps",
        "timeline",
    ]


def test_a_difference_names_every_fact_at_whose_recording_it_moved(student: Given) -> None:
    found = difference(compared(student, 4), "account_built_on")
    assert [event.name for event in found.moved_by] == [
        "other-cover-declared",
        "employee-cover-stopped",
    ]


def test_a_difference_names_no_fact_that_left_it_as_it_was(student: Given) -> None:
    found = difference(compared(student, 4), "state")
    assert [event.name for event in found.moved_by] == ["other-cover-declared"]


def test_what_moved_there_and_back_is_no_difference() -> None:
    student = given(
        registered("2025-09-01"),
        checked("2025-09-06 10:30", 1),
        void("2025-09-07 10:30", "prior-coverage-verified"),
        checked("2025-09-06 10:30", 1),
    )
    assert "waiting" not in names(compared(student, 2))


def test_everything_recorded_in_between_is_told(student: Given) -> None:
    found = compared(student, 2, 5).facts_between
    assert [event.name for event in found] == [
        "confirmed",
        "prior-coverage-verified",
        "other-cover-declared",
    ]


def test_both_answers_are_those_of_their_cut_offs(student: Given) -> None:
    found = compared(student, 2, 4)
    assert (found.then, found.now) == (student.answer(NOON, 2), student.answer(NOON, 4))


def test_knowledge_can_be_compared_with_none_at_all(student: Given) -> None:
    found = compared(student, 0, 1)
    assert (told(found.then.state), told(found.now.state)) == ("none", "registered")


def test_what_nobody_knew_before_the_registration_counts_as_none(student: Given) -> None:
    found = difference(compared(student, 0, 1), "coverage")
    assert (told(found.then), told(found.now)) == ("none", "pending")


def test_of_somebody_unknown_nothing_differs() -> None:
    assert compared(given(), "2025-09-01 00:00").differences == ()


def test_the_events_of_one_transaction_move_together() -> None:
    student = given(
        registered("2025-09-01"),
        roster(),
        together("2025-09-06 15:00", confirm("2025-09-06 10:00"), checked("2025-09-06 10:30")),
    )
    found = difference(compared(student, 2), "account_built_on")
    assert [event.name for event in found.moved_by] == ["confirmed", "prior-coverage-verified"]


def test_a_window_fix_moves_the_answers_of_every_student() -> None:
    student = given(
        registered("2025-09-01"),
        fix_window("2025-09-20 09:00", closes_on="2025-09-30"),
        roster("2025-09-21 09:00"),
    )
    found = compared(student, "2025-09-19 09:00")
    moved_by = difference(found, "state").moved_by
    assert [event.name for event in moved_by] == ["window-fixed"]


def test_facts_and_fixes_are_followed_in_the_order_of_their_stamps() -> None:
    student = given(
        registered("2025-09-01"),
        roster("2025-09-02 09:00"),
        fix_window("2025-09-20 09:00", closes_on="2025-11-30"),
        checked("2025-09-21 09:00"),
        fix_window("2025-09-22 09:00", closes_on="2025-12-20"),
    )
    assert [event.name for event in compared(student, 1).facts_between] == [
        "roster-declared",
        "window-fixed",
        "prior-coverage-verified",
        "window-fixed",
    ]


def test_of_a_fix_and_a_fact_of_one_stamp_both_are_followed() -> None:
    student = given(
        registered("2025-09-01"),
        fix_window("2025-09-20 09:00", closes_on="2025-09-30"),
        roster("2025-09-20 09:00"),
    )
    assert len(compared(student, 1).facts_between) == 2


def test_a_correction_is_among_what_moved(student: Given) -> None:
    student.and_(correct("2025-10-20 09:00", "registered", on="2025-10-12"))
    found = difference(compared(student, 6), "coverage")
    assert (told(found.now), found.moved_by) == (
        "2025-10-12 to 2025-12-31",
        (student.recorded[-1],),
    )


def test_a_comparison_backwards_is_an_error(student: Given) -> None:
    with pytest.raises(UnknownCutoff, match="knows more"):
        compared(student, 4, 2)


def test_a_comparison_backwards_in_the_fixes_is_an_error(student: Given) -> None:
    student.and_(fix_window("2025-11-01 09:00", closes_on="2025-12-20"))
    with pytest.raises(UnknownCutoff, match="knows more"):
        compared(student, "2025-11-01 09:00", 6)


def test_an_unknown_cut_off_is_an_error(student: Given) -> None:
    with pytest.raises(UnknownCutoff, match="not in the stream"):
        compared(student, 4, 7)


@pytest.mark.parametrize("name", PARTS)
def test_of_somebody_unknown_every_part_is_nothing(name: str) -> None:
    assert not PARTS[name].value(answer(given().everything, read_instant(NOON), 0))


def test_the_timeline_is_compared_by_its_dates_and_states(student: Given) -> None:
    assert PARTS["timeline"].value(student.answer(NOON, 1)) == (
        (read_instant("2025-09-01 00:00"), "registered"),
        (read_instant("2026-01-01 00:00"), "lapsed"),
    )
