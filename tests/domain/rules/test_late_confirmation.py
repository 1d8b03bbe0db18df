"""A confirmation that happened after the window had closed, and is reported all the same (R10)."""

import pytest
from given import (
    REGISTERED,
    Step,
    account,
    activate,
    checked,
    confirmed,
    correct,
    fix_window,
    given,
    keep,
    moved,
    other_cover,
    registered,
    stopped,
    withdraw,
)

CLOSED = fix_window("2025-11-01 09:00", closes_on="2025-11-20")
LATE = (REGISTERED, CLOSED, confirmed("2025-11-25 10:00"))
CHECKED = (*LATE, checked("2025-11-25 10:30"))
NAMED = checked("2025-11-26 10:00", 0, waiting_ends_on="2025-12-05")
OPEN = ("pending", "pending", "pending")
NONE = ("none", "none", "none")


@pytest.mark.parametrize(
    "story",
    [
        LATE,
        CHECKED,
        (*LATE, checked("2025-11-25 10:30", 1)),
        (REGISTERED, CLOSED, checked("2025-11-24 09:00", waiting_ends_on="2025-12-05"), *LATE[2:]),
        (*LATE, NAMED, checked("2025-11-27 10:00")),
    ],
    ids=[
        "no check",
        "a check",
        "a lapsed year",
        "a last waiting day named before",
        "a later check that names none",
    ],
)
def test_nothing_is_guessed_of_it(story: tuple[Step, ...]) -> None:
    assert given(*story).values()[1:] == OPEN


def test_what_is_missing_is_the_bureaus_finding() -> None:
    assert given(*CHECKED).because("coverage") == "finding_missing"


def test_one_at_the_last_instant_of_the_window_is_not_late() -> None:
    story = (REGISTERED, CLOSED, confirmed("2025-11-20 23:59"), checked("2025-11-21 00:29"))
    assert given(*story).coverage() == "2025-09-01 to 2025-12-31"


def test_one_at_the_first_instant_after_the_window_is_late() -> None:
    story = (REGISTERED, CLOSED, confirmed("2025-11-21 00:00"), checked("2025-11-21 00:30"))
    assert given(*story).because("coverage") == "finding_missing"


def test_late_is_told_by_the_window_of_the_school_at_its_instant() -> None:
    here = fix_window("2025-11-01 09:00", closes_on="2025-11-20", school="ecnu")
    story = (REGISTERED, here, confirmed("2025-11-25 10:00"), checked("2025-11-25 10:30"))
    assert given(*story, moved("2025-11-26 09:00", "ecnu")).coverage() != "pending"
    assert given(*story, moved("2025-11-24 09:00", "ecnu")).coverage() == "pending"


@pytest.mark.parametrize(
    ("story", "values"),
    [
        ((NAMED,), ("2025-12-06", "2025-12-06 09:00", "2025-12-07 to 2025-12-31")),
        (
            (checked("2025-11-25 00:00", 2, waiting_ends_on="2025-12-05"),),
            ("2025-12-06", "2025-12-06 09:00", "2025-12-07 to 2025-12-31"),
        ),
        (
            (checked("2025-11-25 00:00", 0, waiting_ends_on="2025-11-10"),),
            ("2025-11-25", "2025-11-26 09:00", "2025-11-26 to 2025-12-31"),
        ),
        (
            (NAMED, stopped("2025-12-08 09:00", "2025-12-10")),
            ("2025-12-10", "2025-12-11 09:00", "2025-12-11 to 2025-12-31"),
        ),
        ((NAMED, other_cover("2025-09-01 09:00", "employee")), OPEN),
    ],
    ids=[
        "a fixed waiting period",
        "named on its own day",
        "over before",
        "employee cover stopped later",
        "employee cover not stopped",
    ],
)
def test_a_last_waiting_day_that_the_check_names_settles_it(
    story: tuple[Step, ...], values: tuple[str, str, str]
) -> None:
    assert given(*LATE, *story).values()[1:] == values


def test_the_checks_own_day_counts_also_where_it_repeats_an_earlier_finding() -> None:
    before = checked("2025-11-01 09:00", waiting_ends_on="2025-12-05")
    story = (REGISTERED, CLOSED, before, *LATE[2:], NAMED)
    assert given(*story).coverage() == "2025-12-07 to 2025-12-31"


@pytest.mark.parametrize(
    ("story", "values"),
    [
        (
            (*CHECKED, account("2025-11-28 09:00", "2025-11-27")),
            ("2025-11-27", "2025-11-27 09:00", "2025-11-28 to 2025-12-31"),
        ),
        (
            (*CHECKED, account("2025-11-28 09:00", "2025-10-01")),
            ("2025-10-01", "2025-11-26 09:00", "2025-11-25 to 2025-12-31"),
        ),
        (
            (*LATE, checked("2025-11-25 10:30", 1), account("2025-11-28 09:00", "2025-11-27")),
            ("2025-11-27", "2025-12-01 09:00", "2025-12-01 to 2025-12-31"),
        ),
        ((*LATE, account("2025-11-28 09:00", "2025-11-27")), ("2025-11-27", "pending", "pending")),
        (
            (
                *CHECKED,
                other_cover("2025-09-01 09:00", "employee"),
                account("2025-11-28 09:00", "2025-11-27"),
            ),
            ("2025-11-27", "pending", "pending"),
        ),
        (
            (*CHECKED, account("2025-12-31 09:00", "2025-12-31")),
            ("2025-12-31", "none", "none"),
        ),
    ],
    ids=[
        "the day after the account",
        "never before the confirmation",
        "nor before the day after waiting",
        "the check unknown",
        "employee cover not stopped",
        "on the last day",
    ],
)
def test_a_recorded_account_settles_it_but_for_what_it_does_not_tell(
    story: tuple[Step, ...], values: tuple[str, str, str]
) -> None:
    assert given(*story).values()[1:] == values


def test_cover_begins_no_earlier_than_a_corrected_registration_day() -> None:
    story = (*CHECKED, account("2025-12-01 09:00", "2025-11-27"))
    amend = correct("2025-12-02 09:00", "registered", on="2025-12-01")
    assert given(*story, amend).coverage() == "2025-12-02 to 2025-12-31"


def test_in_2024_only_a_recorded_account_settles_it() -> None:
    story = (
        registered("2024-09-02"),
        fix_window("2024-11-01 09:00", closes_on="2024-11-20"),
        confirmed("2024-11-25 10:00"),
        checked("2024-11-26 10:00", waiting_ends_on="2024-11-30"),
    )
    assert given(*story, policy="shanghai-2024").values()[1:] == OPEN
    student = given(*story, account("2024-11-28 09:00", "2024-11-27"), policy="shanghai-2024")
    assert student.values()[1:] == ("2024-11-27", "2024-11-28 00:00", "2024-11-28 to 2024-12-31")


@pytest.mark.parametrize(
    "story",
    [
        (withdraw("2025-11-25 12:00", "2025-11-25"),),
        (keep("2025-11-25 12:00", observed=True),),
        (stopped("2025-11-26 09:00", "2025-12-10"), withdraw("2025-12-01 09:00", "2025-12-10")),
    ],
    ids=["left that day", "opted out that day", "left before any account could be"],
)
def test_who_left_before_the_earliest_account_has_none(story: tuple[Step, ...]) -> None:
    assert given(*LATE, *story).values()[1:] == NONE


def test_where_even_the_earliest_account_comes_too_late_there_is_no_cover() -> None:
    story = (
        REGISTERED,
        fix_window("2025-11-01 09:00", closes_on="2025-12-30"),
        confirmed("2025-12-31 10:00"),
    )
    assert given(*story).values()[1:] == ("pending", "none", "none")


AFTER_THE_YEAR = (REGISTERED, confirmed("2026-01-05 10:00"), checked("2026-01-05 10:30"))


def test_one_after_the_benefit_year_leaves_nothing_in_it() -> None:
    student = given(*AFTER_THE_YEAR)
    assert student.values()[1:] == NONE
    assert student.because("coverage") == "confirmed_after_benefit_year"
    assert student.states()[-1] == ("2026-01-05 10:00", "expired")


def test_the_year_is_over_from_its_first_instant_on() -> None:
    student = given(REGISTERED, confirmed("2026-01-01 00:00"), checked("2026-01-01 00:30"))
    assert student.because("coverage") == "confirmed_after_benefit_year"
    assert student.basis("coverage") == ["confirmed", "benefit_to"]


def test_a_recorded_account_day_is_shown_all_the_same() -> None:
    seen = account("2026-01-06 09:00", "2025-12-01")
    assert given(*AFTER_THE_YEAR, seen).values()[1:] == ("2025-12-01", "none", "none")
    student = given(*AFTER_THE_YEAR, seen, activate("2026-01-07 09:00", observed=True))
    assert student.evoucher() == "none"
