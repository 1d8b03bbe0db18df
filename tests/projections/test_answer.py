"""Everything that can be said of one student at one instant."""

import pytest
from given import (
    WAITING,
    Given,
    edition,
    fix_window,
    given,
    registered,
    void,
)

from yibao.domain.calendar import read_instant
from yibao.projections.answer import answer


@pytest.fixture
def student() -> Given:
    return given(*WAITING)


def test_an_answer_names_both_versions_the_edition_and_its_digest(student: Given) -> None:
    student.and_(fix_window("2025-11-01 09:00", closes_on="2025-12-20"))
    found = student.answer("2025-12-02 00:00")
    assert (found.version, found.edition_version, found.edition, found.edition_digest) == (
        4,
        1,
        "shanghai-2025",
        edition().digest,
    )


def test_an_answer_names_what_it_was_asked(student: Given) -> None:
    found = student.answer("2025-12-02 00:00", "2025-10-01 12:00")
    assert (found.at, found.known_at) == (
        read_instant("2025-12-02 00:00"),
        read_instant("2025-10-01 12:00"),
    )


@pytest.mark.parametrize(
    ("at", "known_at", "assumes"),
    [
        ("2025-10-01 12:00", "2025-10-01 12:00", False),
        ("2025-10-01 12:00", "2025-10-01 11:59", True),
        ("2025-10-01 12:00", "2025-10-01 12:01", False),
        ("2025-09-06 10:30", 4, False),
        ("2025-09-06 10:31", 4, True),
        ("2025-09-06 10:31", 0, True),
    ],
)
def test_an_instant_after_what_is_known_assumes_no_further_facts(
    student: Given, at: str, known_at: str | int, assumes: bool
) -> None:
    assert student.answer(at, known_at).assumes_no_further_facts is assumes


def test_the_instant_decides_the_state_and_no_value(student: Given) -> None:
    early, late = student.answer("2025-09-06 10:00"), student.answer("2025-12-02 00:00")
    assert (early.state, late.state) == ("confirmed", "active")
    assert early.values == late.values


def test_the_most_urgent_step_is_the_first(student: Given) -> None:
    step = student.answer("2025-09-06 10:30").next_step
    assert step is not None
    assert step.code == "await_waiting_period"


def test_where_nothing_is_to_do_there_is_no_next_step() -> None:
    student = given(registered("2025-09-01"))
    assert student.answer("2026-01-01 00:00").next_step is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-08-31 23:59", "none"),
        ("2025-09-01 00:00", "registered"),
        ("2025-09-06 09:59", "registered"),
        ("2025-09-06 10:00", "confirmed"),
        ("2026-01-01 00:00", "expired"),
    ],
)
def test_the_state_is_that_of_the_last_change_at_or_before_the_instant(
    student: Given, at: str, expected: str
) -> None:
    assert student.state(at) == expected


def test_of_somebody_unknown_nothing_is_said() -> None:
    found = answer(given().everything, read_instant("2025-10-01 12:00"), 0)
    assert (found.state, found.values, found.timeline, found.next_steps, found.discrepancies) == (
        None,
        None,
        (),
        (),
        (),
    )


def test_of_somebody_unknown_no_edition_is_named() -> None:
    found = answer(given().everything, read_instant("2025-10-01 12:00"), 0)
    assert (found.policy, found.edition, found.edition_digest) == (None, None, None)


def test_after_a_void_of_the_registration_nothing_is_said_of_an_enrollment(student: Given) -> None:
    student.and_(void("2025-09-08 09:00", "registered"))
    found = student.answer("2025-09-08 09:00")
    assert (found.state, found.timeline, found.next_steps, found.discrepancies) == (
        None,
        (),
        (),
        (),
    )


def test_after_a_void_of_the_registration_every_value_is_none(student: Given) -> None:
    student.and_(void("2025-09-08 09:00", "registered"))
    assert student.values() == ("none", "none", "none", "none")
