"""The waiting period (待遇等待期): from registration and check alone (R12 to R16)."""

import pytest
from given import (
    REGISTERED,
    Given,
    Step,
    checked,
    confirmed,
    correct,
    edition_with,
    fix_window,
    given,
    keep,
    registered,
    void,
    withdraw,
)

from yibao.domain.rules import waiting_period
from yibao.domain.vocabulary import WaitingPeriod

LAPSED = checked("2025-09-06 10:30", 1)


def months(student: Given) -> int | None:
    period = waiting_period(student.case).value
    assert isinstance(period, WaitingPeriod)
    return period.months


def test_without_a_check_it_is_pending() -> None:
    assert given(REGISTERED).waiting() == "pending"


def test_a_missing_check_gives_its_reason() -> None:
    assert given(REGISTERED).because("waiting") == "check_missing"


def test_without_a_lapsed_year_there_is_none() -> None:
    assert given(REGISTERED, checked("2025-09-06 10:30", 0)).waiting() == "none"


@pytest.mark.parametrize(
    ("on", "years", "period"),
    [
        ("2025-08-01", 1, "2025-09-01 to 2025-11-30"),
        ("2025-08-31", 1, "2025-09-01 to 2025-11-30"),
        ("2025-09-01", 1, "2025-09-01 to 2025-11-30"),
        ("2025-09-02", 1, "2025-09-02 to 2025-12-01"),
        ("2025-09-30", 1, "2025-09-30 to 2025-12-29"),
        ("2025-10-31", 1, "2025-10-31 to 2026-01-30"),
        ("2025-11-30", 1, "2025-11-30 to 2026-02-28"),
        ("2025-11-30", 3, "2025-11-30 to 2026-08-29"),
        ("2025-09-01", 2, "2025-09-01 to 2026-02-28"),
        ("2025-12-31", 2, "2025-12-31 to 2026-06-30"),
        ("2025-12-31", 4, "2025-12-31 to 2026-12-30"),
    ],
)
def test_each_lapsed_year_adds_three_months_to_one_period(on: str, years: int, period: str) -> None:
    assert given(registered(on), checked(f"{on} 12:00", years)).waiting() == period


def test_the_period_says_how_many_months_it_has() -> None:
    assert months(given(REGISTERED, checked("2025-09-06 10:30", 2))) == 6


def test_a_recorded_last_day_replaces_the_derived_one() -> None:
    student = given(REGISTERED, checked("2025-09-06 10:30", 1, waiting_ends_on="2025-10-31"))
    assert student.waiting() == "2025-09-01 to 2025-10-31"


def test_a_recorded_last_day_may_be_later_than_the_derived_one() -> None:
    student = given(REGISTERED, checked("2025-09-06 10:30", 1, waiting_ends_on="2025-12-15"))
    assert (student.account(), student.coverage()) == ("pending", "pending")
    student.and_(confirmed("2025-09-06 10:00"))
    assert (student.account(), student.coverage()) == ("2025-12-16", "2025-12-17 to 2025-12-31")


def test_a_recorded_last_day_leaves_no_number_of_months() -> None:
    student = given(REGISTERED, checked("2025-09-06 10:30", 1, waiting_ends_on="2025-10-31"))
    assert months(student) is None


def test_a_recorded_last_day_that_a_correction_left_before_the_first_gives_way() -> None:
    student = given(
        REGISTERED,
        checked("2025-09-06 10:30", 1, waiting_ends_on="2025-09-10"),
        correct("2025-09-21 09:00", "registered", on="2025-09-20"),
    )
    assert student.waiting() == "2025-09-20 to 2025-12-19"


@pytest.mark.parametrize(
    "story",
    [
        (),
        (confirmed("2025-09-06 10:00"),),
        (confirmed("2025-12-15 10:00"),),
        (keep("2025-09-06 10:00", observed=True),),
        (withdraw("2025-09-06 10:00", "2025-09-06"),),
        (fix_window("2025-09-10 10:00", closes_on="2025-09-20"),),
    ],
    ids=["unconfirmed", "confirmed", "confirmed late", "opted out", "withdrawn", "lapsed"],
)
def test_it_follows_from_registration_and_check_alone(story: tuple[Step, ...]) -> None:
    student = given(REGISTERED, LAPSED, *story)
    assert student.waiting("2026-01-01 00:00") == "2025-09-01 to 2025-11-30"


def test_a_misread_registration_day_moves_it() -> None:
    student = given(REGISTERED, LAPSED, correct("2025-09-10 09:00", "registered", on="2025-09-02"))
    assert student.waiting() == "2025-09-02 to 2025-12-01"


def test_a_check_taken_back_leaves_it_pending() -> None:
    student = given(REGISTERED, LAPSED, void("2025-09-10 09:00", "prior-coverage-verified"))
    assert student.waiting() == "pending"


def test_it_counts_whenever_the_check_happened() -> None:
    assert given(REGISTERED, LAPSED).waiting("2025-09-01 00:00") == "2025-09-01 to 2025-11-30"


@pytest.mark.parametrize("checks", [(), (checked("2024-09-06 10:30", 2),)], ids=["none", "one"])
def test_the_notice_of_2024_knows_none_whatever_is_checked(checks: tuple[Step, ...]) -> None:
    student = given(registered("2024-09-02"), *checks, policy="shanghai-2024")
    assert student.waiting() == "none"


def test_a_notice_may_leave_the_first_day_out() -> None:
    policy = edition_with(waiting_counts_first_day=False)
    assert given(REGISTERED, LAPSED, policy=policy).waiting() == "2025-09-01 to 2025-12-01"


def test_it_is_told_from_registration_check_and_the_parameters_it_counts_with() -> None:
    assert given(REGISTERED, LAPSED).basis("waiting") == [
        "prior-coverage-verified",
        "waiting_months_per_lapsed_year",
        "registered",
        "waiting_counts_from",
        "waiting_counts_first_day",
    ]


def test_a_recorded_last_day_is_told_from_the_check() -> None:
    student = given(REGISTERED, checked("2025-09-06 10:30", 1, waiting_ends_on="2025-10-31"))
    assert student.basis("waiting") == [
        "prior-coverage-verified",
        "registered",
        "waiting_counts_from",
    ]


def test_a_last_waiting_day_can_be_recorded_with_no_lapsed_year() -> None:
    fixed = checked("2025-09-06 10:30", 0, waiting_ends_on="2025-11-30")
    student = given(REGISTERED, fixed)
    assert student.waiting() == "2025-09-01 to 2025-11-30"
    waiting = student.answer().values.waiting.value  # type: ignore[union-attr]
    assert isinstance(waiting, WaitingPeriod)
    assert waiting.months is None


def test_one_that_a_later_correction_puts_before_the_first_day_leaves_none() -> None:
    fixed = checked("2025-09-06 10:30", 0, waiting_ends_on="2025-09-20")
    student = given(REGISTERED, fixed, correct("2025-10-01 09:00", "registered", on="2025-09-25"))
    assert student.waiting() == "none"
