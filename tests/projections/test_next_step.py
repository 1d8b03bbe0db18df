"""Who has to do what next, where, from when and until when (R32)?"""

import pytest
from given import (
    COVERED,
    ELSEWHERE,
    EMPLOYED,
    KEPT,
    REGISTERED,
    ROSTER,
    SIGNED,
    WAITING,
    Given,
    Step,
    account,
    activate,
    card,
    checked,
    confirm,
    confirmed,
    edition_saying,
    edition_with,
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

from yibao.projections.next_step import CODES, NextStep

PROXY = (REGISTERED, ROSTER, confirm("2025-09-10 16:00", "proxy"))


def test_the_codes_stand_in_the_order_of_priority() -> None:
    assert CODES == (
        "await_registration_day",
        "await_roster_declaration",
        "await_window",
        "stop_employee_cover",
        "confirm",
        "await_check_result",
        "look_at_result",
        "await_waiting_period",
        "await_evoucher",
        "activate_evoucher",
        "try_evoucher_or_get_medical_card",
        "file_remote_care",
        "claim_care",
        "pay_next_premium",
        "pay_premium",
    )


#: For each step: a story, and instants at which it stands or does not.
STANDS: dict[str, list[tuple[str, tuple[Step, ...], str, bool]]] = {
    "await_registration_day": [
        ("until it begins", (REGISTERED,), "2025-08-31 23:59", True),
        ("not from then on", (REGISTERED,), "2025-09-01 00:00", False),
    ],
    "await_roster_declaration": [
        ("before the registration day", (REGISTERED,), "2025-08-20 12:00", True),
        ("until it is declared", (REGISTERED, ROSTER), "2025-09-02 16:59", True),
        ("not once it is declared", (REGISTERED, ROSTER), "2025-09-02 17:00", False),
        (
            "again after a change of school",
            (REGISTERED, ROSTER, moved("2025-09-10 09:00", "ecnu")),
            "2025-09-10 09:00",
            True,
        ),
        (
            "not once confirmed",
            (REGISTERED, confirmed("2025-09-06 10:00")),
            "2025-09-06 10:00",
            False,
        ),
        (
            "until a confirmation yet to come",
            (REGISTERED, confirmed("2025-09-06 10:00")),
            "2025-09-06 09:59",
            True,
        ),
        ("not once lapsed", (REGISTERED,), "2026-01-01 00:00", False),
    ],
    "await_window": [
        ("not without a roster", (REGISTERED,), "2025-09-04 12:00", False),
        ("with a roster", (REGISTERED, ROSTER), "2025-09-04 23:59", True),
        ("not in the window", (REGISTERED, ROSTER), "2025-09-05 00:00", False),
        (
            "until the opening as fixed",
            (REGISTERED, ROSTER, fix_window("2025-09-04 09:00", opens_on="2025-09-08")),
            "2025-09-07 23:59",
            True,
        ),
        (
            "not once confirmed",
            (REGISTERED, ROSTER, confirmed("2025-09-04 10:00")),
            "2025-09-04 12:00",
            False,
        ),
    ],
    "stop_employee_cover": [
        ("from the declaration", (REGISTERED, EMPLOYED), "2025-09-01 09:00", True),
        ("not before it", (REGISTERED, EMPLOYED), "2025-09-01 08:59", False),
        ("also once confirmed", (*COVERED, EMPLOYED), "2025-12-31 23:59", True),
        (
            "until the stop",
            (REGISTERED, EMPLOYED, stopped("2025-10-10 09:00", "2025-10-10")),
            "2025-10-10 08:59",
            True,
        ),
        (
            "not from the stop on",
            (REGISTERED, EMPLOYED, stopped("2025-10-10 09:00", "2025-10-10")),
            "2025-10-10 09:00",
            False,
        ),
        (
            "again with a new job",
            (
                REGISTERED,
                stopped("2025-10-10 09:00", "2025-10-10"),
                other_cover("2025-11-03 09:00", "employee"),
            ),
            "2025-11-03 09:00",
            True,
        ),
        ("not for other cover", (REGISTERED, ELSEWHERE), "2025-10-01 12:00", False),
        ("not after the year", (*COVERED, EMPLOYED), "2026-01-01 00:00", False),
    ],
    "confirm": [
        ("not before the window", (REGISTERED, ROSTER), "2025-09-04 23:59", False),
        ("in the window", (REGISTERED, ROSTER), "2025-09-05 00:00", True),
        ("in its last minute", (REGISTERED, ROSTER), "2025-12-31 23:59", True),
        ("not after it", (REGISTERED, ROSTER), "2026-01-01 00:00", False),
        ("not without a roster", (REGISTERED,), "2025-10-01 12:00", False),
        ("not once confirmed", SIGNED, "2025-09-06 10:00", False),
        ("until then", SIGNED, "2025-09-06 09:59", True),
        ("while opted out", KEPT, "2025-10-01 12:00", True),
        ("not opted out before the window", KEPT, "2025-09-04 12:00", False),
        (
            "after opting out of a confirmation",
            (*COVERED, keep("2025-10-15 10:00", observed=True)),
            "2025-10-15 10:00",
            True,
        ),
        (
            "not in the window of the school before",
            (
                REGISTERED,
                ROSTER,
                fix_window("2025-09-20 09:00", closes_on="2025-10-31", school="ecnu"),
                moved("2025-10-01 09:00", "ecnu"),
                roster("2025-10-02 09:00"),
                moved("2025-11-10 09:00", "sjtu"),
            ),
            "2025-11-01 00:00",
            False,
        ),
    ],
    "await_check_result": [
        ("from signing", SIGNED, "2025-09-06 10:00", True),
        ("until it shows", SIGNED, "2025-09-06 10:29", True),
        ("not from then on", SIGNED, "2025-09-06 10:30", False),
        ("not before signing", SIGNED, "2025-09-06 09:59", False),
        (
            "also with an early check",
            (*SIGNED, checked("2025-09-06 10:10")),
            "2025-09-06 10:15",
            True,
        ),
        ("by proxy until midnight", PROXY, "2025-09-10 23:59", True),
        ("by proxy not from then on", PROXY, "2025-09-11 00:00", False),
        (
            "not once opted out",
            (*SIGNED, keep("2025-09-06 10:10", observed=True)),
            "2025-09-06 10:15",
            False,
        ),
    ],
    "look_at_result": [
        ("not before it shows", SIGNED, "2025-09-06 10:29", False),
        ("when it shows", SIGNED, "2025-09-06 10:30", True),
        ("until the end of the year", SIGNED, "2025-12-31 23:59", True),
        ("until the check", (*SIGNED, checked("2025-09-20 12:00")), "2025-09-20 11:59", True),
        (
            "not from the check on",
            (*SIGNED, checked("2025-09-20 12:00")),
            "2025-09-20 12:00",
            False,
        ),
        ("not while waiting", WAITING, "2025-11-30 23:59", False),
        ("after waiting", WAITING, "2025-12-01 00:00", True),
        (
            "after waiting until the account",
            (*WAITING, account("2025-12-03 10:00", "2025-12-03")),
            "2025-12-03 09:59",
            True,
        ),
        (
            "after waiting not from the account on",
            (*WAITING, account("2025-12-03 10:00", "2025-12-03")),
            "2025-12-03 10:00",
            False,
        ),
        (
            "after waiting not once activated",
            (*WAITING, activate("2025-12-01 09:10")),
            "2025-12-01 09:10",
            False,
        ),
        (
            "signed after waiting, when it shows",
            (REGISTERED, ROSTER, confirm("2025-12-15 10:00"), checked("2025-12-15 10:10", 1)),
            "2025-12-15 10:30",
            True,
        ),
        (
            "signed after waiting, not before it shows",
            (REGISTERED, ROSTER, confirm("2025-12-15 10:00"), checked("2025-12-15 10:10", 1)),
            "2025-12-15 10:29",
            False,
        ),
        ("not unconfirmed", (REGISTERED, ROSTER), "2025-10-01 12:00", False),
        ("not after the year", SIGNED, "2026-01-01 00:00", False),
    ],
    "await_waiting_period": [
        ("while waiting", WAITING, "2025-11-30 23:59", True),
        ("not after it", WAITING, "2025-12-01 00:00", False),
        (
            "also unconfirmed",
            (REGISTERED, checked("2025-09-06 10:30", 1)),
            "2025-09-06 10:30",
            True,
        ),
        ("not without one", COVERED, "2025-09-06 10:30", False),
        ("not without a check", SIGNED, "2025-10-01 12:00", False),
        (
            "not after the year",
            (*SIGNED, checked("2025-09-06 10:30", 2)),
            "2026-01-01 00:00",
            False,
        ),
    ],
    "await_evoucher": [
        ("not before the account", COVERED, "2025-09-06 10:29", False),
        ("from the account", COVERED, "2025-09-06 10:30", True),
        ("until it opens", COVERED, "2025-09-07 08:59", True),
        ("not from then on", COVERED, "2025-09-07 09:00", False),
        ("not while the account is pending", SIGNED, "2025-09-06 12:00", False),
        (
            "not where there is none this year",
            (REGISTERED, ROSTER, confirm("2025-12-31 10:00"), checked("2025-12-31 10:30")),
            "2025-12-31 12:00",
            False,
        ),
    ],
    "activate_evoucher": [
        ("not before it opens", COVERED, "2025-09-07 08:59", False),
        ("when it opens", COVERED, "2025-09-07 09:00", True),
        (
            "until it is activated",
            (*COVERED, activate("2025-10-01 12:00")),
            "2025-10-01 11:59",
            True,
        ),
        ("not once activated", (*COVERED, activate("2025-10-01 12:00")), "2025-10-01 12:00", False),
        ("not after the year", COVERED, "2026-01-01 00:00", False),
    ],
    "pay_next_premium": [
        ("not unconfirmed", (REGISTERED, ROSTER), "2025-10-01 12:00", False),
        ("from signing", SIGNED, "2025-09-06 10:00", True),
        ("after the year", SIGNED, "2026-06-01 12:00", True),
        ("until it is paid", (*SIGNED, paid("2025-12-10 12:00", 2026)), "2025-12-10 11:59", True),
        ("not once paid", (*SIGNED, paid("2025-12-10 12:00", 2026)), "2025-12-10 12:00", False),
        (
            "for the next year and no other",
            (*SIGNED, paid("2025-12-10 12:00", 2025), paid("2025-12-10 12:00", 2027)),
            "2025-12-10 12:00",
            True,
        ),
        ("not while opted out", KEPT, "2025-10-01 12:00", False),
        (
            "not after the year for who opted out in it",
            (*COVERED, keep("2025-10-15 10:00", observed=True)),
            "2026-01-01 00:00",
            False,
        ),
        (
            "after the year for who opted out after it",
            (*COVERED, keep("2026-01-15 10:00", observed=True)),
            "2026-02-01 00:00",
            True,
        ),
    ],
}
TABLE = [
    pytest.param(code, story, at, stands, id=f"{code}: {name}")
    for code, rows in STANDS.items()
    for name, story, at, stands in rows
]


@pytest.mark.parametrize(("code", "story", "at", "stands"), TABLE)
def test_a_step_stands_as_agreed(code: str, story: tuple[Step, ...], at: str, stands: bool) -> None:
    assert (code in given(*story).steps(at)) is stands


WITH_PASSPORT = [
    ("not before the account", COVERED, "2025-09-06 10:29", False),
    ("from the account", COVERED, "2025-09-06 10:30", True),
    ("not while the account is pending", SIGNED, "2025-10-01 12:00", False),
    ("until the card", (*COVERED, card("2025-09-10 12:00")), "2025-09-10 11:59", True),
    ("not once a card is issued", (*COVERED, card("2025-09-10 12:00")), "2025-09-10 12:00", False),
    ("not once activated", (*COVERED, activate("2025-09-10 12:00")), "2025-09-10 12:00", False),
    ("not after the year", COVERED, "2026-01-01 00:00", False),
]


@pytest.mark.parametrize(
    ("story", "at", "stands"),
    [pytest.param(*row, id=name) for name, *row in WITH_PASSPORT],
)
def test_with_a_passport_one_tries_the_e_voucher_or_gets_a_card(
    story: tuple[Step, ...], at: str, stands: bool
) -> None:
    student = given(*story, document="passport")
    assert ("try_evoucher_or_get_medical_card" in student.steps(at)) is stands


def test_with_a_resident_id_card_no_medical_card_is_needed() -> None:
    assert "try_evoucher_or_get_medical_card" not in given(*COVERED).steps("2025-10-01 12:00")


@pytest.mark.parametrize("at", ["2025-09-06 12:00", "2025-10-01 12:00"])
def test_with_a_passport_no_e_voucher_is_awaited_or_promised(at: str) -> None:
    student = given(*COVERED, document="passport")
    assert student.steps(at) == ["try_evoucher_or_get_medical_card", "pay_next_premium"]


def test_where_no_roster_is_needed_one_confirms_without_it() -> None:
    student = given(REGISTERED, policy=edition_with(roster_required=False))
    assert student.steps("2025-10-01 12:00") == ["confirm"]


@pytest.mark.parametrize(
    ("story", "at", "steps"),
    [
        ((REGISTERED,), "2026-01-01 00:00", []),
        ((*COVERED, withdraw("2025-10-01 09:00", "2025-10-10")), "2025-10-10 00:00", []),
        ((*KEPT, EMPLOYED), "2025-10-01 12:00", ["confirm"]),
        (KEPT, "2026-01-01 00:00", []),
        (COVERED, "2026-01-01 00:00", ["pay_next_premium"]),
        ((*WAITING, EMPLOYED), "2026-01-01 00:00", ["pay_next_premium"]),
        ((REGISTERED, void("2025-09-02 09:00", "registered")), "2025-09-02 09:00", []),
    ],
    ids=["lapsed", "withdrawn", "opted out", "opted out, after", "expired", "open", "voided"],
)
def test_beside_the_road_and_after_the_year_little_is_left_to_do(
    story: tuple[Step, ...], at: str, steps: list[str]
) -> None:
    assert given(*story).steps(at) == steps


@pytest.mark.parametrize(
    ("story", "at", "steps"),
    [
        (
            (REGISTERED, ROSTER),
            "2025-08-20 12:00",
            ["await_registration_day", "await_roster_declaration"],
        ),
        (
            (REGISTERED, ROSTER, EMPLOYED),
            "2025-09-04 12:00",
            ["await_window", "stop_employee_cover"],
        ),
        ((REGISTERED, ROSTER, EMPLOYED), "2025-09-05 12:00", ["stop_employee_cover", "confirm"]),
        (SIGNED, "2025-09-06 10:00", ["await_check_result", "pay_next_premium"]),
        (WAITING, "2025-09-06 10:30", ["await_waiting_period", "pay_next_premium"]),
        (WAITING, "2025-12-01 00:00", ["look_at_result", "await_evoucher", "pay_next_premium"]),
        (WAITING, "2025-12-02 00:00", ["look_at_result", "activate_evoucher", "pay_next_premium"]),
    ],
    ids=["before", "employed", "window open", "signed", "waiting", "look again", "activate"],
)
def test_several_steps_stand_in_the_order_of_priority(
    story: tuple[Step, ...], at: str, steps: list[str]
) -> None:
    assert given(*story).steps(at) == steps


def the(code: str, student: Given, at: str) -> NextStep:
    return next(step for step in student.answer(at).next_steps if step.code == code)


APPS = ("city_services_app", "wechat_mini_program", "alipay_mini_program")
PLACES = ("national_platform", "alipay", "wechat", "city_services_app")
DETAILS: dict[str, tuple[tuple[Step, ...], str, tuple[str, tuple[str, ...], str, str, bool]]] = {
    "await_registration_day": (
        (REGISTERED,),
        "2025-08-20 12:00",
        ("student", ("school",), "none", "2025-09-01 00:00", False),
    ),
    "await_roster_declaration": (
        (REGISTERED,),
        "2025-09-02 12:00",
        ("school", ("school",), "none", "none", False),
    ),
    "await_window": (
        (REGISTERED, ROSTER),
        "2025-09-04 12:00",
        ("student", ("school",), "none", "2025-09-05 00:00", True),
    ),
    "stop_employee_cover": (
        (REGISTERED, EMPLOYED),
        "2025-09-04 12:00",
        ("student", ("employee_insurance_bureau",), "2025-09-01 09:00", "none", False),
    ),
    "confirm": (
        (REGISTERED, ROSTER),
        "2025-09-06 12:00",
        ("student", APPS, "2025-09-05 00:00", "2026-01-01 00:00", True),
    ),
    "await_check_result": (
        SIGNED,
        "2025-09-06 10:10",
        ("student", APPS, "none", "2025-09-06 10:30", True),
    ),
    "look_at_result": (
        SIGNED,
        "2025-09-06 12:00",
        ("student", APPS, "2025-09-06 10:30", "none", True),
    ),
    "await_waiting_period": (
        WAITING,
        "2025-10-01 12:00",
        ("student", (), "2025-09-01 00:00", "2025-12-01 00:00", True),
    ),
    "await_evoucher": (
        COVERED,
        "2025-09-06 12:00",
        ("student", (), "2025-09-06 10:30", "2025-09-07 09:00", False),
    ),
    "activate_evoucher": (
        COVERED,
        "2025-10-01 12:00",
        ("student", PLACES, "2025-09-07 09:00", "none", False),
    ),
    "pay_next_premium": (
        COVERED,
        "2025-10-01 12:00",
        ("student", ("school",), "none", "none", False),
    ),
}


@pytest.mark.parametrize(("code", "row"), DETAILS.items(), ids=DETAILS)
def test_a_step_says_who_where_from_when_until_when_and_whether_that_is_estimated(
    code: str, row: tuple[tuple[Step, ...], str, tuple[str, tuple[str, ...], str, str, bool]]
) -> None:
    story, at, expected = row
    step = the(code, given(*story), at)
    found = (step.who, step.where, told(step.begins_at), told(step.until), step.estimated)
    assert found == expected


ESTIMATED = {code: row for code, row in DETAILS.items() if row[2][-1]}


@pytest.mark.parametrize(("code", "row"), ESTIMATED.items(), ids=ESTIMATED)
def test_whatever_is_estimated_names_whom_to_ask(
    code: str, row: tuple[tuple[Step, ...], str, object]
) -> None:
    step = the(code, given(*row[0]), row[1])
    assert step.ask == ("12393", "021-12393")


@pytest.mark.parametrize(
    ("story", "at", "estimated"),
    [
        (COVERED, "2025-09-07 09:00", False),
        (WAITING, "2025-12-01 09:00", True),
        ((*COVERED, stopped("2025-10-10 09:00", "2025-10-10")), "2025-10-11 09:00", True),
    ],
    ids=["stated", "after a waiting period", "after employee cover"],
)
def test_an_e_voucher_whose_opening_rests_on_an_assumption_is_an_estimate(
    story: tuple[Step, ...], at: str, estimated: bool
) -> None:
    student = given(*story)
    assert the("activate_evoucher", student, at).estimated is estimated


def test_in_2024_the_hour_of_the_e_voucher_is_an_estimate() -> None:
    student = given(
        registered("2024-09-02"),
        roster("2024-09-02 17:00"),
        confirm("2024-09-05 10:30"),
        policy="shanghai-2024",
    )
    step = the("await_evoucher", student, "2024-09-05 12:00")
    assert (told(step.until), step.estimated) == ("2024-09-06 00:00", True)


def test_at_the_card_office_one_may_try_the_four_places_first() -> None:
    student = given(*COVERED, document="passport")
    step = the("try_evoucher_or_get_medical_card", student, "2025-10-01 12:00")
    assert (step.where, told(step.begins_at)) == ((*PLACES, "service_office"), "2025-09-06 10:30")


def test_a_fixed_end_of_the_window_is_no_estimate() -> None:
    student = given(REGISTERED, ROSTER, fix_window("2025-09-20 09:00", closes_on="2025-12-20"))
    step = the("confirm", student, "2025-10-01 12:00")
    assert (told(step.until), step.estimated) == ("2025-12-21 00:00", False)


def test_a_fixed_opening_leaves_the_deadline_an_estimate() -> None:
    student = given(REGISTERED, ROSTER, fix_window("2025-09-04 09:00", opens_on="2025-09-06"))
    step = the("confirm", student, "2025-10-01 12:00")
    assert (told(step.begins_at), step.estimated) == ("2025-09-06 00:00", True)


def test_a_fixed_opening_is_no_estimate() -> None:
    student = given(REGISTERED, ROSTER, fix_window("2025-09-04 09:00", opens_on="2025-09-08"))
    step = the("await_window", student, "2025-09-07 12:00")
    assert (told(step.until), step.estimated) == ("2025-09-08 00:00", False)


def test_confirming_begins_with_the_registration_day_where_that_is_later() -> None:
    student = given(registered("2025-09-20", "2025-09-01 09:00"), ROSTER)
    assert told(the("confirm", student, "2025-09-21 12:00").begins_at) == "2025-09-20 00:00"


def test_a_recorded_last_waiting_day_is_no_estimate() -> None:
    student = given(*SIGNED, checked("2025-09-06 10:30", 1, waiting_ends_on="2025-10-31"))
    step = the("await_waiting_period", student, "2025-10-01 12:00")
    assert (told(step.until), step.estimated) == ("2025-11-01 00:00", False)


@pytest.mark.parametrize(
    ("code", "at"),
    [("await_check_result", "2025-09-10 17:00"), ("look_at_result", "2025-09-11 00:00")],
)
def test_after_a_proxy_confirmation_the_officer_looks(code: str, at: str) -> None:
    step = the(code, given(*PROXY), at)
    assert (step.who, step.where) == ("officer", ("one_stop_site",))


def test_after_waiting_one_looks_from_the_day_after() -> None:
    step = the("look_at_result", given(*WAITING), "2025-12-05 12:00")
    assert told(step.begins_at) == "2025-12-01 00:00"


def test_what_will_have_been_done_later_is_not_done_yet() -> None:
    student = given(*COVERED, activate("2025-10-01 12:00"), paid("2025-12-10 12:00", 2026))
    assert student.steps("2025-09-07 12:00") == ["activate_evoucher", "pay_next_premium"]


def test_the_steps_follow_the_confirmation_in_force_at_the_instant() -> None:
    student = given(*COVERED, keep("2025-10-15 10:00", observed=True), confirm("2025-10-20 10:00"))
    found = [
        student.steps(at)[0] for at in ("2025-09-06 12:00", "2025-10-16 12:00", "2025-10-20 12:00")
    ]
    assert found == ["await_evoucher", "confirm", "await_evoucher"]


def test_a_step_is_known_only_by_what_was_known() -> None:
    student = given(*SIGNED, checked("2025-09-06 10:30", recorded="2025-09-06 15:10"))
    assert student.steps("2025-09-06 15:00", "2025-09-06 15:00")[0] == "look_at_result"


def test_in_2024_an_account_or_an_e_voucher_tells_that_somebody_has_looked() -> None:
    signed = (registered("2024-09-02"), roster("2024-09-02 17:00"), confirm("2024-09-05 10:30"))
    seen_by = {
        "check": checked("2024-09-06 09:00"),
        "account": account("2024-09-06 09:00", "2024-09-05"),
        "e-voucher": activate("2024-09-06 09:00"),
    }
    looks = {
        what: "look_at_result" in given(*signed, step, policy="shanghai-2024").steps()
        for what, step in seen_by.items()
    }
    assert looks == {"check": True, "account": False, "e-voucher": False}


def test_what_is_to_be_done_before_an_opt_out_goes_by_the_confirmation_of_then() -> None:
    story = (*COVERED, keep("2025-09-06 18:00", observed=True), confirmed("2025-09-20 10:00"))
    assert given(*story).steps("2025-09-06 12:00") == ["await_evoucher", "pay_next_premium"]


def test_where_a_payment_enrolls_and_there_are_no_periods_nobody_waits_for_having_paid() -> None:
    by_payment = edition_saying("mine", enrolled_by=("event", "payment"))
    (step,) = given(REGISTERED, ROSTER, policy=by_payment).answer("2025-09-10 00:00").next_steps
    assert (step.code, step.fixed_waiting_months) == ("pay_premium", 0)
