"""Which recorded facts do not fit: those whose guards would refuse them, as now known."""

import pytest
from given import (
    COVERED,
    ELSEWHERE,
    REGISTERED,
    ROSTER,
    Step,
    account,
    activate,
    card,
    checked,
    confirm,
    confirmed,
    correct,
    filed,
    fix_window,
    given,
    keep,
    moved,
    other_cover,
    paid,
    registered,
    roster,
    stopped,
    void,
    withdraw,
)

LEFT = withdraw("2025-10-01 09:00", "2025-10-10")

CASES: dict[str, tuple[tuple[Step, ...], list[str]]] = {
    "an ordinary autumn": (
        (*COVERED, activate("2025-09-07 09:00"), paid("2025-12-01 09:00", 2026)),
        [],
    ),
    "a registration corrected to a foreign student": (
        (REGISTERED, correct("2025-09-02 09:00", "registered", category="foreign")),
        ["not_a_new_student"],
    ),
    "a registration corrected out of the autumn": (
        (REGISTERED, correct("2025-09-02 09:00", "registered", on="2025-07-31")),
        ["not_a_new_student"],
    ),
    "a confirmation seen before the window": (
        (REGISTERED, ROSTER, confirmed("2025-09-04 10:00")),
        ["window_not_open"],
    ),
    "a confirmation seen after the window": (
        (REGISTERED, ROSTER, confirmed("2026-01-01 00:00")),
        ["window_closed"],
    ),
    "a confirmation seen before the roster": (
        (REGISTERED, confirmed("2025-09-06 10:00")),
        ["roster_not_declared"],
    ),
    "a confirmation before the registration day": (
        (registered("2025-09-10"), ROSTER, confirmed("2025-09-09 23:59")),
        ["before_registration"],
    ),
    "a confirmation after leaving": (
        (REGISTERED, ROSTER, LEFT, confirmed("2025-10-10 00:00")),
        ["withdrawn"],
    ),
    "a second confirmation": (
        (*COVERED, confirmed("2025-09-08 10:00")),
        ["already_confirmed"],
    ),
    "a first confirmation reported later": (
        (REGISTERED, ROSTER, confirm("2025-09-08 10:00"), confirmed("2025-09-06 10:00")),
        ["already_confirmed"],
    ),
    "an opt-out after a confirmation": (
        (*COVERED, ELSEWHERE, keep("2025-10-15 10:00", observed=True)),
        ["already_confirmed"],
    ),
    "an opt-out before a confirmation": (
        (REGISTERED, ELSEWHERE, keep("2025-09-03 10:00"), ROSTER, confirm("2025-10-15 10:00")),
        [],
    ),
    "a confirmation again after an opt-out": (
        (*COVERED, ELSEWHERE, keep("2025-10-15 10:00", observed=True), confirm("2025-10-20 10:00")),
        ["already_confirmed"],
    ),
    "an opt-out without other cover": (
        (REGISTERED, keep("2025-09-03 10:00", observed=True)),
        ["no_other_cover"],
    ),
    "an opt-out after the window": (
        (REGISTERED, ELSEWHERE, keep("2026-01-02 10:00", observed=True)),
        ["window_closed"],
    ),
    "an account without a confirmation": (
        (REGISTERED, account("2025-09-07 09:00", "2025-09-06")),
        ["not_confirmed"],
    ),
    "an account seen before the confirmation": (
        (
            REGISTERED,
            ROSTER,
            account("2025-09-05 09:00", "2025-09-05"),
            confirm("2025-09-06 10:00"),
        ),
        ["not_confirmed"],
    ),
    "an activation before the e-voucher opens": (
        (*COVERED, activate("2025-09-07 08:59", observed=True)),
        ["evoucher_not_yet_available"],
    ),
    "an activation without an account": (
        (
            REGISTERED,
            ROSTER,
            confirm("2025-09-06 10:00"),
            activate("2025-09-07 10:00", observed=True),
        ),
        ["account_not_built"],
    ),
    "an activation after opting out": (
        (
            *COVERED,
            ELSEWHERE,
            keep("2025-10-15 10:00", observed=True),
            activate("2025-10-16 10:00", observed=True),
        ),
        ["already_confirmed", "opted_out"],
    ),
    "an activation that a corrected check overtakes": (
        (
            *COVERED,
            activate("2025-09-07 09:00"),
            correct("2025-09-20 09:00", "prior-coverage-verified", lapsed_years=1),
        ),
        ["account_not_built"],
    ),
    "an activation after the year": (
        (*COVERED, activate("2026-01-02 10:00", observed=True)),
        ["evoucher_not_available"],
    ),
    "everything after leaving": (
        (
            REGISTERED,
            LEFT,
            roster("2025-10-11 09:00", observed=True),
            moved("2025-10-11 09:00", "ecnu", observed=True),
            other_cover("2025-10-11 09:00", "employee"),
            stopped("2025-10-11 09:00", "2025-10-11"),
            checked("2025-10-11 09:00"),
            account("2025-10-11 09:00", "2025-09-06"),
            card("2025-10-11 09:00"),
            filed("2025-10-11 09:00", observed=True),
            paid("2025-10-11 09:00", 2026, observed=True),
        ),
        ["withdrawn"] * 9,
    ),
    "leaving itself": ((REGISTERED, LEFT), []),
    "leaving a second time": (
        (REGISTERED, LEFT, withdraw("2025-10-12 09:00", "2025-10-12", observed=True)),
        ["withdrawn"],
    ),
}


@pytest.mark.parametrize(("story", "codes"), CASES.values(), ids=CASES)
def test_a_fact_that_its_guards_would_refuse_is_a_discrepancy(
    story: tuple[Step, ...], codes: list[str]
) -> None:
    assert given(*story).codes() == codes


def test_discrepancies_stand_in_the_order_of_the_stream() -> None:
    student = given(
        REGISTERED,
        ROSTER,
        confirmed("2026-01-05 10:00"),
        confirmed("2025-09-04 10:00"),
    )
    found = [(one.version, one.code) for one in student.answer().discrepancies]
    assert found == [(3, "already_confirmed"), (4, "window_not_open")]


def test_a_correction_is_named_by_the_place_of_what_it_corrects() -> None:
    student = given(
        *COVERED, correct("2025-09-20 09:00", "confirmed", occurred_at="2025-09-04 10:00")
    )
    assert [one.version for one in student.answer().discrepancies] == [3]


def test_a_fact_is_judged_as_known_by_the_cut_off() -> None:
    student = given(REGISTERED, confirmed("2025-09-06 10:00"), roster("2025-09-03 17:00"))
    assert (student.codes(2), student.codes(3)) == (["roster_not_declared"], [])


def test_a_window_fixed_later_judges_what_was_done_before() -> None:
    student = given(*COVERED, fix_window("2025-09-20 09:00", opens_on="2025-09-10"))
    assert (student.codes("2025-09-20 08:59"), student.codes()) == ([], ["window_not_open"])


def test_a_fact_taken_back_is_no_discrepancy() -> None:
    student = given(*COVERED, confirmed("2025-09-08 10:00"), void("2025-09-09 10:00", "confirmed"))
    assert student.codes() == []


def test_without_a_registration_there_are_none() -> None:
    student = given(
        REGISTERED, confirmed("2025-09-06 10:00"), void("2025-09-09 10:00", "registered")
    )
    assert student.codes() == []


def test_of_two_confirmations_of_one_instant_the_later_in_the_stream_is_one() -> None:
    student = given(*COVERED, confirmed("2025-09-06 10:00"))
    assert [(d.version, d.code) for d in student.answer().discrepancies] == [
        (5, "already_confirmed")
    ]
