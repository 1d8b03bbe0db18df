"""The rules together: values without a confirmation, and what they have in common."""

import pytest
from given import (
    REGISTERED,
    ROSTER,
    Step,
    account,
    checked,
    confirm,
    confirmed,
    fix_window,
    given,
    keep,
    moved,
    other_cover,
    registered,
    roster,
    stopped,
    void,
    withdraw,
)

from yibao.domain.calendar import read_instant
from yibao.domain.rules import values

UNCONFIRMED = (REGISTERED, ROSTER, checked("2025-09-06 10:30", 1))
PENDING = ("pending", "pending", "pending")
NONE = ("none", "none", "none")


@pytest.mark.parametrize(
    ("story", "at", "expected"),
    [
        pytest.param((), "2025-08-01 00:00", PENDING, id="long before"),
        pytest.param((), "2025-12-31 23:59", PENDING, id="in the last minute of the window"),
        pytest.param((), "2026-01-01 00:00", NONE, id="when the window has closed"),
        pytest.param(
            (fix_window("2025-11-01 09:00", closes_on="2025-11-30"),),
            "2025-12-01 00:00",
            NONE,
            id="when the window as fixed has closed",
        ),
        pytest.param(
            (
                moved("2025-10-01 09:00", "ecnu"),
                fix_window("2025-11-01 09:00", closes_on="2025-11-30", school="ecnu"),
            ),
            "2025-12-01 00:00",
            NONE,
            id="when the window of the latest school has closed",
        ),
        pytest.param(
            (other_cover("2025-09-01 09:00", "other_province"), keep("2025-09-03 09:00")),
            "2025-09-02 00:00",
            NONE,
            id="while the latest choice is to keep other cover",
        ),
        pytest.param(
            (withdraw("2025-12-01 09:00", "2025-12-10"),),
            "2025-12-09 23:59",
            PENDING,
            id="in the last minute before leaving",
        ),
        pytest.param(
            (withdraw("2025-12-01 09:00", "2025-12-10"),),
            "2025-12-10 00:00",
            NONE,
            id="from the day of leaving",
        ),
        pytest.param(
            (withdraw("2025-10-01 09:00", "2025-12-02"),),
            "2025-10-01 09:00",
            PENDING,
            id="when leaving two days after the waiting period",
        ),
        pytest.param(
            (withdraw("2025-10-01 09:00", "2025-12-01"),),
            "2025-10-01 09:00",
            NONE,
            id="when leaving the day after the waiting period",
        ),
        pytest.param(
            (
                stopped("2025-12-02 09:00", "2025-12-10"),
                withdraw("2025-12-03 09:00", "2025-12-10"),
            ),
            "2025-12-03 09:00",
            NONE,
            id="when leaving the day the employee cover has ended",
        ),
        pytest.param(
            (stopped("2025-12-02 09:00", "2026-01-10"),),
            "2025-12-03 09:00",
            PENDING,
            id="when employee cover ends only after the year",
        ),
        pytest.param(
            (withdraw("2025-09-03 09:00", "2025-09-04"),),
            "2025-09-02 00:00",
            NONE,
            id="when leaving before the window opens",
        ),
        pytest.param(
            (withdraw("2025-12-30 09:00", "2026-01-01"),),
            "2025-12-31 23:59",
            PENDING,
            id="when leaving after the benefit year",
        ),
    ],
)
def test_without_a_confirmation_values_are_pending_while_one_is_possible(
    story: tuple[Step, ...], at: str, expected: tuple[str, str, str]
) -> None:
    assert given(*UNCONFIRMED, *story).values(at)[1:] == expected


def test_an_opening_still_to_come_counts_as_possible() -> None:
    student = given(
        *UNCONFIRMED,
        fix_window("2025-09-04 09:00", opens_on="2025-12-10"),
        withdraw("2025-09-20 09:00", "2025-12-11"),
    )
    assert student.coverage("2025-09-21 00:00") == "pending"


def test_no_confirmation_is_possible_where_the_student_leaves_before_registering() -> None:
    student = given(registered("2025-10-01"), withdraw("2025-09-20 09:00", "2025-09-15"))
    assert student.coverage("2025-09-01 00:00") == "none"


def test_the_waiting_period_needs_no_confirmation() -> None:
    assert given(*UNCONFIRMED).waiting("2026-01-01 00:00") == "2025-09-01 to 2025-11-30"


def test_a_recorded_account_needs_no_confirmation() -> None:
    student = given(*UNCONFIRMED, account("2025-09-07 09:00", "2025-09-06"))
    assert student.values("2025-09-08 00:00")[1:] == ("2025-09-06", "pending", "pending")


def test_a_recorded_account_stands_beside_an_opt_out() -> None:
    student = given(
        *UNCONFIRMED,
        keep("2025-09-08 09:00", observed=True),
        account("2025-09-09 09:00", "2025-09-06"),
    )
    assert student.values()[1:] == ("2025-09-06", "none", "none")


def test_leaving_on_the_recorded_account_day_leaves_nothing_without_a_confirmation() -> None:
    student = given(
        *UNCONFIRMED,
        account("2025-09-07 09:00", "2025-09-06"),
        withdraw("2025-09-07 10:00", "2025-09-06"),
    )
    assert student.values("2025-09-02 00:00")[1:] == NONE


def test_a_passport_has_no_e_voucher_while_the_rest_is_pending() -> None:
    student = given(*UNCONFIRMED, document="passport")
    assert student.values()[1:] == ("pending", "none", "pending")


@pytest.mark.parametrize(
    ("story", "at", "reason"),
    [
        ((), "2025-10-01 00:00", "confirmation_missing"),
        ((), "2026-01-01 00:00", "window_closed"),
        ((keep("2025-09-08 09:00", observed=True),), "2025-10-01 00:00", "opted_out"),
        ((withdraw("2025-09-08 09:00", "2025-09-08"),), "2025-10-01 00:00", "withdrawn"),
    ],
    ids=["confirmation missing", "window closed", "opted out", "withdrawn"],
)
def test_a_missing_confirmation_gives_its_reason(
    story: tuple[Step, ...], at: str, reason: str
) -> None:
    assert given(*UNCONFIRMED, *story).because("coverage", at) == reason


def test_care_between_an_opt_out_and_a_confirmation_is_covered() -> None:
    student = given(
        registered("2025-09-01"),
        other_cover("2025-09-01 09:00", "other_province"),
        keep("2025-09-03 09:00"),
        roster("2025-09-04 17:00"),
        confirm("2025-10-15 10:00"),
        checked("2025-10-15 10:30"),
    )
    assert student.coverage() == "2025-09-01 to 2025-12-31"


def test_the_instant_asked_about_moves_no_value_once_a_confirmation_is_known() -> None:
    student = given(*UNCONFIRMED, confirmed("2025-09-06 10:00"))
    assert student.values("2025-08-01 00:00") == student.values("2026-05-01 00:00")


def test_without_a_current_registration_every_value_says_so() -> None:
    student = given(registered("2025-09-01"), void("2025-09-02 10:00", "registered"))
    found = values(student.case, read_instant("2025-09-02 10:00"))
    assert {(value.value, value.because) for value in found} == {(None, "not_registered")}


def test_an_opt_out_after_the_year_still_counts_for_who_never_confirmed() -> None:
    student = given(*UNCONFIRMED, keep("2026-01-05 10:00", observed=True))
    assert student.states()[-1] == ("2026-01-05 10:00", "opted_out")


def test_a_day_of_leaving_is_told_with_what_would_come_before_an_account() -> None:
    student = given(*UNCONFIRMED, withdraw("2025-10-01 09:00", "2025-12-01"))
    assert student.basis("coverage")[:2] == ["withdrawn", "prior-coverage-verified"]
