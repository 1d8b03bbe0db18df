"""The rules together: the worked examples of the reading, and values without a confirmation."""

from typing import NamedTuple

import pytest
from given import (
    Given,
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

FROM_SEPTEMBER = "2025-09-01 to 2025-12-31"
NEW_YEAR = ("2026-01-01 00:00", "expired")


class Example(NamedTuple):
    """A row of the table: what is told of the student, and what must come of it."""

    story: tuple[Step, ...]
    waiting: str
    account: str
    evoucher: str
    coverage: str
    timeline: list[tuple[str, str]]
    policy: str = "shanghai-2025"
    document: str = "resident_id_card"


EXAMPLES = {
    "1: registered in August": Example(
        (
            registered("2025-08-30"),
            roster("2025-09-03 17:00"),
            confirm("2025-09-06 14:20"),
            checked("2025-09-06 14:50"),
        ),
        waiting="none",
        account="2025-09-06",
        evoucher="2025-09-07 09:00",
        coverage=FROM_SEPTEMBER,
        timeline=[
            ("2025-08-30 00:00", "registered"),
            ("2025-09-06 14:20", "confirmed"),
            ("2025-09-06 14:50", "account_built"),
            ("2025-09-07 09:00", "active"),
            NEW_YEAR,
        ],
    ),
    "2: one lapsed year": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-09-06 14:20"),
            checked("2025-09-06 14:50", 1),
        ),
        waiting="2025-09-01 to 2025-11-30",
        account="2025-12-01",
        evoucher="2025-12-01 09:00",
        coverage="2025-12-02 to 2025-12-31",
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 14:20", "confirmed"),
            ("2025-09-06 14:50", "in_waiting_period"),
            ("2025-12-01 00:00", "account_built"),
            ("2025-12-01 09:00", "evoucher_eligible"),
            ("2025-12-02 00:00", "active"),
            NEW_YEAR,
        ],
    ),
    "3: one day of cover": Example(
        (
            registered("2025-09-30"),
            roster("2025-09-30 17:00"),
            confirm("2025-10-06 14:20"),
            checked("2025-10-06 14:50", 1),
        ),
        waiting="2025-09-30 to 2025-12-29",
        account="2025-12-30",
        evoucher="2025-12-30 09:00",
        coverage="2025-12-31 to 2025-12-31",
        timeline=[
            ("2025-09-30 00:00", "registered"),
            ("2025-10-06 14:20", "confirmed"),
            ("2025-10-06 14:50", "in_waiting_period"),
            ("2025-12-30 00:00", "account_built"),
            ("2025-12-30 09:00", "evoucher_eligible"),
            ("2025-12-31 00:00", "active"),
            NEW_YEAR,
        ],
    ),
    "4: waiting until the last day of the year": Example(
        (
            registered("2025-10-01"),
            roster("2025-10-01 17:00"),
            confirm("2025-10-06 14:20"),
            checked("2025-10-06 14:50", 1),
        ),
        waiting="2025-10-01 to 2025-12-31",
        account="2026-01-01",
        evoucher="none",
        coverage="none",
        timeline=[
            ("2025-10-01 00:00", "registered"),
            ("2025-10-06 14:20", "confirmed"),
            ("2025-10-06 14:50", "in_waiting_period"),
            NEW_YEAR,
        ],
    ),
    "5: confirmed after the waiting period": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-12-15 23:45"),
            checked("2025-12-16 00:15", 1),
        ),
        waiting="2025-09-01 to 2025-11-30",
        account="2025-12-15",
        evoucher="2025-12-16 09:00",
        coverage="2025-12-16 to 2025-12-31",
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-12-15 23:45", "confirmed"),
            ("2025-12-16 00:15", "account_built"),
            ("2025-12-16 09:00", "active"),
            NEW_YEAR,
        ],
    ),
    "6: two lapsed years": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-09-06 10:00"),
            checked("2025-09-06 10:30", 2),
        ),
        waiting="2025-09-01 to 2026-02-28",
        account="2026-03-01",
        evoucher="none",
        coverage="none",
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 10:00", "confirmed"),
            ("2025-09-06 10:30", "in_waiting_period"),
            NEW_YEAR,
        ],
    ),
    "7: employee cover stopped": Example(
        (
            registered("2025-09-01"),
            other_cover("2025-09-01 09:00", "employee"),
            roster(),
            confirm("2025-09-06 10:00"),
            checked("2025-09-06 10:30"),
            stopped("2025-10-09 16:00", "2025-10-10"),
        ),
        waiting="none",
        account="2025-10-10",
        evoucher="2025-10-11 09:00",
        coverage="2025-10-10 to 2025-12-31",
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 10:00", "confirmed"),
            ("2025-10-10 00:00", "account_built"),
            ("2025-10-11 09:00", "active"),
            NEW_YEAR,
        ],
    ),
    "8: a passport": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-09-06 10:00"),
            checked("2025-09-06 10:30"),
        ),
        waiting="none",
        account="2025-09-06",
        evoucher="none",
        coverage=FROM_SEPTEMBER,
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 10:00", "confirmed"),
            ("2025-09-06 10:30", "active"),
            NEW_YEAR,
        ],
        document="passport",
    ),
    "9: the year before": Example(
        (registered("2024-09-02"), roster("2024-09-03 17:00"), confirm("2024-09-05 10:30")),
        waiting="none",
        account="2024-09-05",
        evoucher="2024-09-06 00:00",
        coverage="2024-09-02 to 2024-12-31",
        timeline=[
            ("2024-09-02 00:00", "registered"),
            ("2024-09-05 10:30", "confirmed"),
            ("2024-09-05 11:00", "account_built"),
            ("2024-09-06 00:00", "active"),
            ("2025-01-01 00:00", "expired"),
        ],
        policy="shanghai-2024",
    ),
    "10: never confirmed": Example(
        (registered("2025-09-01"), roster(), checked("2025-09-06 10:30")),
        waiting="none",
        account="none",
        evoucher="none",
        coverage="none",
        timeline=[("2025-09-01 00:00", "registered"), ("2026-01-01 00:00", "lapsed")],
    ),
    "11: by proxy": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-09-10 16:00", "proxy"),
            checked("2025-09-10 17:00"),
        ),
        waiting="none",
        account="2025-09-10",
        evoucher="2025-09-11 09:00",
        coverage=FROM_SEPTEMBER,
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-10 16:00", "confirmed"),
            ("2025-09-11 00:00", "account_built"),
            ("2025-09-11 09:00", "active"),
            NEW_YEAR,
        ],
    ),
    "12: confirmed on the last day": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-12-31 10:00"),
            checked("2025-12-31 10:30"),
        ),
        waiting="none",
        account="2025-12-31",
        evoucher="none",
        coverage=FROM_SEPTEMBER,
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-12-31 10:00", "confirmed"),
            ("2025-12-31 10:30", "active"),
            NEW_YEAR,
        ],
    ),
    "13: a late check": Example(
        (
            registered("2025-09-01"),
            roster(),
            confirm("2025-09-06 10:00"),
            checked("2025-09-20 12:00"),
        ),
        waiting="none",
        account="2025-09-06",
        evoucher="2025-09-07 09:00",
        coverage=FROM_SEPTEMBER,
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 10:00", "confirmed"),
            ("2025-09-20 12:00", "active"),
            NEW_YEAR,
        ],
    ),
    "14: waiting period and employee cover": Example(
        (
            registered("2025-09-01"),
            other_cover("2025-09-01 09:30", "employee"),
            roster(),
            confirm("2025-09-06 10:00"),
            checked("2025-09-06 10:30", 1),
            stopped("2025-12-10 14:00", "2025-12-10"),
        ),
        waiting="2025-09-01 to 2025-11-30",
        account="2025-12-10",
        evoucher="2025-12-11 09:00",
        coverage="2025-12-11 to 2025-12-31",
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 10:00", "confirmed"),
            ("2025-09-06 10:30", "in_waiting_period"),
            ("2025-12-10 00:00", "account_built"),
            ("2025-12-11 09:00", "active"),
            NEW_YEAR,
        ],
    ),
    "15: no check": Example(
        (registered("2025-09-01"), roster(), confirm("2025-09-06 10:00")),
        waiting="pending",
        account="pending",
        evoucher="none",
        coverage="pending",
        timeline=[
            ("2025-09-01 00:00", "registered"),
            ("2025-09-06 10:00", "confirmed"),
            NEW_YEAR,
        ],
        document="passport",
    ),
}


def told(example: Example) -> Given:
    return given(*example.story, policy=example.policy, document=example.document)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_worked_example_has_the_values_of_its_row(example: Example) -> None:
    expected = (example.waiting, example.account, example.evoucher, example.coverage)
    assert told(example).values("2026-01-01 00:00") == expected


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_worked_example_runs_through_the_states_of_its_row(example: Example) -> None:
    assert told(example).states() == example.timeline


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_nothing_in_a_worked_example_is_a_discrepancy(example: Example) -> None:
    assert told(example).codes() == []


UNCONFIRMED = (registered("2025-09-01"), roster(), checked("2025-09-06 10:30", 1))
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
    assert student.coverage() == FROM_SEPTEMBER


def test_the_instant_asked_about_moves_no_value_once_a_confirmation_is_known() -> None:
    student = given(*UNCONFIRMED, confirmed("2025-09-06 10:00"))
    assert student.values("2025-08-01 00:00") == student.values("2026-05-01 00:00")


def test_without_a_current_registration_every_value_says_so() -> None:
    student = given(registered("2025-09-01"), void("2025-09-02 10:00", "registered"))
    found = values(student.case, read_instant("2025-09-02 10:00"))
    assert {(value.value, value.because) for value in found} == {(None, "not_registered")}
