"""What forbids a request, and in which order the reasons are given."""

import pytest
from given import (
    COVERED,
    ELSEWHERE,
    REGISTERED,
    ROSTER,
    Given,
    Step,
    account,
    activate,
    card,
    checked,
    confirm,
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
    roster,
    void,
    withdraw,
)

from yibao.domain.calendar import read_day
from yibao.domain.lifecycle.guards import is_for_student
from yibao.domain.vocabulary import Category

LEFT = withdraw("2025-10-01 09:00", "2025-10-10")
CLOSED = fix_window("2025-10-01 09:00", closes_on="2025-10-31")


def outcome(world: Given, asked: Step) -> str:
    refused = world.when(asked).refused
    return refused.code if refused else "recorded"


CONFIRMING = {
    "not_registered, whatever else": ((), "2025-09-06 10:00", "not_registered"),
    "withdrawn, before already_confirmed": (
        (*COVERED, LEFT),
        "2025-10-10 00:00",
        "withdrawn",
    ),
    "withdrawn, before window_closed": (
        (REGISTERED, ROSTER, LEFT, CLOSED),
        "2025-11-01 00:00",
        "withdrawn",
    ),
    "already_confirmed, before before_registration": (
        (registered("2025-09-10"), ROSTER, confirm("2025-09-12 10:00")),
        "2025-09-06 10:00",
        "already_confirmed",
    ),
    "already_confirmed, before window_closed": (
        (*COVERED, CLOSED),
        "2025-11-01 00:00",
        "already_confirmed",
    ),
    "before_registration, before window_not_open": (
        (registered("2025-09-02", "2025-08-20 09:00"), roster("2025-08-25 17:00")),
        "2025-09-01 23:59",
        "before_registration",
    ),
    "before_registration, before window_closed": (
        (registered("2025-11-10", "2025-08-20 09:00"), CLOSED),
        "2025-11-05 10:00",
        "before_registration",
    ),
    "window_not_open, before roster_not_declared": (
        (REGISTERED,),
        "2025-09-04 23:59",
        "window_not_open",
    ),
    "window_closed, before roster_not_declared": (
        (REGISTERED, CLOSED),
        "2025-11-01 00:00",
        "window_closed",
    ),
    "roster_not_declared, when all else is right": (
        (REGISTERED,),
        "2025-09-06 10:00",
        "roster_not_declared",
    ),
    "nothing, in the first minute of the window": (
        (REGISTERED, ROSTER),
        "2025-09-05 00:00",
        "recorded",
    ),
    "nothing, in the last minute of the window": (
        (REGISTERED, ROSTER, CLOSED),
        "2025-10-31 23:59",
        "recorded",
    ),
    "nothing, in the last minute before leaving": (
        (REGISTERED, ROSTER, LEFT),
        "2025-10-09 23:59",
        "recorded",
    ),
    "nothing, at the instant of the roster": (
        (REGISTERED, roster("2025-09-06 10:00")),
        "2025-09-06 10:00",
        "recorded",
    ),
}


@pytest.mark.parametrize(("story", "at", "expected"), CONFIRMING.values(), ids=CONFIRMING)
def test_confirming_is_refused_with_the_first_code_that_applies(
    story: tuple[Step, ...], at: str, expected: str
) -> None:
    assert outcome(given(*story), confirm(at)) == expected


KEEPING = {
    "not_registered": ((), "2025-09-06 10:00", "not_registered"),
    "withdrawn, before already_confirmed": (
        (*COVERED, ELSEWHERE, LEFT),
        "2025-10-10 00:00",
        "withdrawn",
    ),
    "already_confirmed, before before_registration": (
        (registered("2025-09-10"), ROSTER, confirm("2025-09-12 10:00")),
        "2025-09-06 10:00",
        "already_confirmed",
    ),
    "already_confirmed, before window_closed": (
        (*COVERED, ELSEWHERE, CLOSED),
        "2025-11-01 00:00",
        "already_confirmed",
    ),
    "before_registration, before no_other_cover": (
        (registered("2025-09-02", "2025-08-20 09:00"),),
        "2025-09-01 23:59",
        "before_registration",
    ),
    "before_registration, before window_closed": (
        (registered("2025-11-10", "2025-08-20 09:00"), CLOSED),
        "2025-11-05 10:00",
        "before_registration",
    ),
    "window_closed, before no_other_cover": (
        (REGISTERED, CLOSED),
        "2025-11-01 00:00",
        "window_closed",
    ),
    "no_other_cover, where none is declared": ((REGISTERED,), "2025-09-03 10:00", "no_other_cover"),
    "no_other_cover, where another kind is declared": (
        (REGISTERED, other_cover("2025-09-01 09:00", "employee")),
        "2025-09-03 10:00",
        "no_other_cover",
    ),
    "no_other_cover, where it is declared only later": (
        (REGISTERED, other_cover("2025-09-05 09:00", "other_province")),
        "2025-09-03 10:00",
        "no_other_cover",
    ),
    "nothing, before the window opens": ((REGISTERED, ELSEWHERE), "2025-09-03 10:00", "recorded"),
    "nothing, after another kind of cover was declared too": (
        (REGISTERED, ELSEWHERE, other_cover("2025-09-02 09:00", "employee")),
        "2025-09-03 10:00",
        "recorded",
    ),
    "nothing, in the last minute of the window": (
        (REGISTERED, ELSEWHERE, CLOSED),
        "2025-10-31 23:59",
        "recorded",
    ),
}


@pytest.mark.parametrize(("story", "at", "expected"), KEEPING.values(), ids=KEEPING)
def test_keeping_other_cover_is_refused_with_the_first_code_that_applies(
    story: tuple[Step, ...], at: str, expected: str
) -> None:
    assert outcome(given(*story), keep(at)) == expected


LATE = (REGISTERED, ROSTER, confirm("2025-12-31 10:00"), checked("2025-12-31 10:30"))
ACTIVATING = {
    "not_registered": ((), "2025-09-10 10:00", "not_registered"),
    "withdrawn, before not_confirmed": ((REGISTERED, LEFT), "2025-10-10 00:00", "withdrawn"),
    "not_confirmed, before opted_out": (
        (REGISTERED, ELSEWHERE, keep("2025-09-03 10:00")),
        "2025-09-10 10:00",
        "not_confirmed",
    ),
    "not_confirmed, where it is confirmed only later": (
        COVERED,
        "2025-09-06 09:59",
        "not_confirmed",
    ),
    "opted_out, before account_not_built": (
        (*COVERED, keep("2025-09-06 10:10", observed=True)),
        "2025-09-06 10:20",
        "opted_out",
    ),
    "account_not_built, before evoucher_not_available": (
        (REGISTERED, ROSTER, confirm("2025-09-06 10:00"), checked("2025-09-06 10:30", 2)),
        "2025-12-01 10:00",
        "account_not_built",
    ),
    "account_not_built, while the check is missing": (
        (REGISTERED, ROSTER, confirm("2025-09-06 10:00")),
        "2025-09-10 10:00",
        "account_not_built",
    ),
    "account_not_built, in the minute before it shows": (
        COVERED,
        "2025-09-06 10:29",
        "account_not_built",
    ),
    "evoucher_not_available, where it would open next year": (
        LATE,
        "2025-12-31 11:00",
        "evoucher_not_available",
    ),
    "evoucher_not_available, when the benefit year is over": (
        COVERED,
        "2026-01-01 00:00",
        "evoucher_not_available",
    ),
    "evoucher_not_yet_available, in the minute before it opens": (
        COVERED,
        "2025-09-07 08:59",
        "evoucher_not_yet_available",
    ),
    "evoucher_not_yet_available, while it is pending": (
        (
            REGISTERED,
            ROSTER,
            confirm("2025-09-06 10:00"),
            account("2025-09-07 09:00", "2025-09-06"),
        ),
        "2025-09-10 10:00",
        "evoucher_not_yet_available",
    ),
    "nothing, when it opens": (COVERED, "2025-09-07 09:00", "recorded"),
    "nothing, in the last minute of the year": (COVERED, "2025-12-31 23:59", "recorded"),
    "nothing, a second time": (
        (*COVERED, activate("2025-09-07 09:00")),
        "2025-09-08 09:00",
        "recorded",
    ),
}


@pytest.mark.parametrize(("story", "at", "expected"), ACTIVATING.values(), ids=ACTIVATING)
def test_activating_is_refused_with_the_first_code_that_applies(
    story: tuple[Step, ...], at: str, expected: str
) -> None:
    assert outcome(given(*story), activate(at)) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-09-06 10:29", "account_not_built"),
        ("2025-09-06 10:30", "recorded"),
        ("2025-12-31 23:59", "recorded"),
        ("2026-01-01 00:00", "evoucher_not_available"),
    ],
)
def test_with_a_passport_an_activation_is_accepted_once_the_account_is_built(
    at: str, expected: str
) -> None:
    assert outcome(given(*COVERED, document="passport"), activate(at)) == expected


OTHERS = [
    roster("2025-10-10 00:00"),
    moved("2025-10-10 00:00", "ecnu"),
    withdraw("2025-10-10 00:00", "2025-10-10"),
    filed("2025-10-10 00:00"),
    paid("2025-10-10 00:00", 2026),
]
NAMES = ["declare_roster", "change_school", "withdraw", "file_remote_care", "pay_premium"]


@pytest.mark.parametrize("asked", OTHERS, ids=NAMES)
def test_the_other_requests_need_a_registration(asked: Step) -> None:
    assert outcome(given(), asked) == "not_registered"


@pytest.mark.parametrize("asked", OTHERS, ids=NAMES)
def test_the_other_requests_are_refused_to_who_has_left(asked: Step) -> None:
    assert outcome(given(REGISTERED, LEFT), asked) == "withdrawn"


@pytest.mark.parametrize("asked", OTHERS, ids=NAMES)
def test_the_other_requests_need_nothing_more_than_a_registration(asked: Step) -> None:
    assert outcome(given(REGISTERED), asked) == "recorded"


def test_before_the_registration_day_a_registration_is_still_a_registration() -> None:
    student = given(registered("2025-09-30", "2025-08-20 09:00"))
    assert outcome(student, roster("2025-08-25 17:00")) == "recorded"


def test_who_leaves_before_registering_has_left_on_the_registration_day() -> None:
    student = given(
        registered("2025-09-10", "2025-08-20 09:00"), withdraw("2025-09-01 09:00", "2025-09-05")
    )
    asked = [roster("2025-09-09 23:59"), roster("2025-09-10 00:00")]
    assert [outcome(student, one) for one in asked] == ["recorded", "withdrawn"]


def test_leaving_after_the_benefit_year_forbids_nothing() -> None:
    student = given(*COVERED, withdraw("2025-12-20 09:00", "2026-01-01"))
    assert outcome(student, paid("2026-01-05 09:00", 2026)) == "recorded"


def test_a_departure_taken_back_forbids_nothing() -> None:
    student = given(*COVERED, LEFT, void("2025-10-11 09:00", "withdrawn"))
    assert outcome(student, paid("2025-10-20 09:00", 2026)) == "recorded"


def test_a_confirmation_recorded_for_a_later_instant_is_already_one() -> None:
    student = given(REGISTERED, ROSTER, confirm("2025-09-10 10:00"))
    assert outcome(student, confirm("2025-09-06 10:00")) == "already_confirmed"


def test_an_opt_out_opens_the_way_for_another_confirmation() -> None:
    student = given(*COVERED, keep("2025-09-10 10:00", observed=True))
    assert outcome(student, confirm("2025-09-20 10:00")) == "recorded"


def test_an_opt_out_opens_the_way_also_before_a_confirmation_yet_to_come() -> None:
    student = given(
        REGISTERED,
        ROSTER,
        keep("2025-09-10 10:00", observed=True),
        confirm("2025-09-20 10:00"),
    )
    assert outcome(student, confirm("2025-09-06 10:00")) == "recorded"


def test_an_opt_out_yet_to_come_opens_no_way() -> None:
    student = given(*COVERED, keep("2025-10-15 10:00", observed=True))
    assert outcome(student, confirm("2025-09-20 10:00")) == "already_confirmed"


def test_after_an_opt_out_another_one_is_not_refused_for_the_confirmation_it_undid() -> None:
    student = given(*COVERED, ELSEWHERE, keep("2025-09-10 10:00", observed=True))
    assert outcome(student, keep("2025-09-20 10:00")) == "recorded"


def test_a_confirmation_after_the_opt_out_forbids_another() -> None:
    student = given(*COVERED, keep("2025-09-10 10:00", observed=True), confirm("2025-09-20 10:00"))
    assert outcome(student, confirm("2025-09-21 10:00")) == "already_confirmed"


CAME_BACK = (
    *COVERED,
    keep("2025-10-15 10:00", observed=True),
    confirm("2025-10-20 10:00"),
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-09-07 09:00", "recorded"),
        ("2025-10-15 10:00", "opted_out"),
        ("2025-10-20 10:00", "account_not_built"),
        ("2025-10-20 12:00", "evoucher_not_yet_available"),
        ("2025-10-21 09:00", "recorded"),
    ],
)
def test_an_activation_is_judged_by_the_choices_made_by_then(at: str, expected: str) -> None:
    assert outcome(given(*CAME_BACK), activate(at)) == expected


def test_after_a_change_of_school_the_new_school_must_declare_its_roster() -> None:
    student = given(REGISTERED, ROSTER, moved("2025-09-04 09:00", "ecnu"))
    assert outcome(student, confirm("2025-09-06 10:00")) == "roster_not_declared"


def test_before_the_change_the_roster_of_the_old_school_counts() -> None:
    student = given(REGISTERED, ROSTER, moved("2025-10-01 09:00", "ecnu"))
    assert outcome(student, confirm("2025-09-06 10:00")) == "recorded"


def test_the_guards_ask_for_the_window_of_the_school_at_the_instant() -> None:
    student = given(
        REGISTERED,
        ROSTER,
        fix_window("2025-09-20 09:00", closes_on="2025-09-30", school="sjtu"),
        moved("2025-10-10 09:00", "ecnu"),
        roster("2025-10-11 17:00"),
    )
    asked = [confirm("2025-10-05 10:00"), confirm("2025-10-12 10:00")]
    assert [outcome(student, one) for one in asked] == ["window_closed", "recorded"]


def test_a_window_fix_counts_for_instants_before_it_was_made() -> None:
    student = given(REGISTERED, ROSTER, fix_window("2025-11-01 09:00", opens_on="2025-09-10"))
    assert outcome(student, confirm("2025-09-06 10:00")) == "window_not_open"


def test_a_corrected_category_has_the_window_of_its_own() -> None:
    student = given(
        REGISTERED,
        ROSTER,
        fix_window("2025-10-01 09:00", closes_on="2025-10-31", category="postgraduate"),
        correct("2025-11-01 09:00", "registered", category="postgraduate"),
    )
    assert outcome(student, confirm("2025-11-02 10:00")) == "window_closed"


def test_a_notice_that_needs_no_roster_lets_one_confirm_without_it() -> None:
    student = given(REGISTERED, policy=edition_with(roster_required=False))
    assert outcome(student, confirm("2025-09-06 10:00")) == "recorded"


def test_in_2024_one_may_confirm_from_the_registration_day() -> None:
    student = given(registered("2024-09-02"), roster("2024-09-02 00:00"), policy="shanghai-2024")
    asked = [confirm("2024-09-01 23:59"), confirm("2024-09-02 00:00")]
    assert [outcome(student, one) for one in asked] == ["before_registration", "recorded"]


def test_a_proxy_confirmation_needs_an_open_window_as_well() -> None:
    student = given(REGISTERED, ROSTER, CLOSED)
    assert outcome(student, confirm("2025-11-01 10:00", "proxy")) == "window_closed"


def test_a_medical_card_is_a_report_and_needs_no_account() -> None:
    assert outcome(given(REGISTERED), card("2025-09-03 10:00")) == "recorded"


@pytest.mark.parametrize(
    ("category", "on", "expected"),
    [
        ("undergraduate", "2025-08-01", True),
        ("postgraduate", "2025-12-31", True),
        ("undergraduate", "2025-07-31", False),
        ("undergraduate", "2026-01-01", False),
        ("foreign", "2025-09-01", False),
        ("employed_postgraduate", "2025-09-01", False),
    ],
)
def test_a_new_student_is_of_a_category_that_may_join_and_of_this_autumn(
    category: str, on: str, expected: bool
) -> None:
    assert is_for_student(edition(), Category(category), read_day(on)) is expected
