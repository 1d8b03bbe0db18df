"""The e-voucher (医保码): from when it can be had (R5, R19, R22)."""

import pytest
from given import (
    COVERED,
    EMPLOYED,
    REGISTERED,
    SIGNED,
    WAITING,
    Step,
    account,
    activate,
    checked,
    confirmed,
    correct,
    edition_with,
    given,
    keep,
    registered,
    stopped,
    withdraw,
)

from yibao.domain.derivation import Derived


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (COVERED, "2025-09-07 09:00"),
        (WAITING, "2025-12-01 09:00"),
        ((*COVERED, stopped("2025-10-10 09:00", "2025-10-10")), "2025-10-11 09:00"),
        ((*COVERED, stopped("2025-09-06 09:00", "2025-09-06")), "2025-09-07 09:00"),
        ((*WAITING, stopped("2025-12-01 09:00", "2025-12-01")), "2025-12-02 09:00"),
        ((*WAITING, stopped("2025-11-30 09:00", "2025-11-30")), "2025-12-01 09:00"),
        ((*COVERED, account("2025-09-07 12:00", "2025-09-07")), "2025-09-07 09:00"),
        ((*COVERED, account("2025-09-10 12:00", "2025-09-10")), "2025-09-10 09:00"),
        ((*COVERED, account("2025-09-10 12:00", "2025-09-03")), "2025-09-07 09:00"),
        ((*WAITING, account("2025-11-15 12:00", "2025-11-15")), "2025-12-01 09:00"),
        (
            (REGISTERED, confirmed("2025-12-15 10:00"), checked("2025-12-15 10:30", 1)),
            "2025-12-16 09:00",
        ),
        (SIGNED, "pending"),
        ((*COVERED, EMPLOYED), "pending"),
        ((*SIGNED, EMPLOYED), "pending"),
    ],
    ids=[
        "the day after signing",
        "the day after waiting",
        "the day after the stop",
        "stopped on the day of signing",
        "stopped the day after waiting",
        "stopped on the last day of waiting",
        "account a day later",
        "account later",
        "account earlier",
        "account while waiting",
        "signed after waiting",
        "no check",
        "not stopped",
        "neither checked nor stopped",
    ],
)
def test_it_opens_at_nine_on_the_latest_of_the_days_that_apply(
    story: tuple[Step, ...], expected: str
) -> None:
    assert given(*story).evoucher() == expected


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (SIGNED, "check_missing"),
        ((*COVERED, EMPLOYED), "stop_missing"),
        ((*SIGNED, checked("2025-09-06 10:30", 2)), "cover_too_late"),
        (
            (REGISTERED, confirmed("2025-12-31 10:00"), checked("2025-12-31 10:30")),
            "evoucher_too_late",
        ),
        ((*COVERED, withdraw("2025-09-06 16:00", "2025-09-07")), "withdrawn"),
        ((*COVERED, withdraw("2025-09-06 16:00", "2025-09-06")), "withdrawn"),
    ],
    ids=["no check", "not stopped", "cover too late", "too late", "left before it", "no account"],
)
def test_an_e_voucher_that_is_not_there_gives_its_reason(
    story: tuple[Step, ...], reason: str
) -> None:
    assert given(*story).because("evoucher_available_at") == reason


@pytest.mark.parametrize(
    ("signed_at", "expected"),
    [("2025-12-30 23:59", "2025-12-31 09:00"), ("2025-12-31 00:00", "none")],
)
def test_one_that_would_open_after_the_year_is_none(signed_at: str, expected: str) -> None:
    student = given(REGISTERED, confirmed(signed_at), checked("2025-12-31 12:00"))
    assert student.evoucher() == expected


def test_where_cover_would_begin_after_the_year_there_is_none_whatever_a_job_leaves_open() -> None:
    student = given(*SIGNED, EMPLOYED, checked("2025-09-06 10:30", 2))
    assert student.values()[1:] == ("pending", "none", "none")


def test_where_it_would_open_after_the_year_there_is_none_whatever_a_job_leaves_open() -> None:
    student = given(
        REGISTERED, confirmed("2025-12-31 10:00"), EMPLOYED, checked("2025-12-31 10:30")
    )
    assert student.values()[1:] == ("pending", "none", "pending")


def test_an_account_after_the_year_leaves_none_where_there_was_no_waiting_period() -> None:
    student = given(*COVERED, account("2026-01-02 09:00", "2026-01-02"))
    assert student.values()[1:] == ("2026-01-02", "none", "2025-09-01 to 2025-12-31")


@pytest.mark.parametrize(
    ("on", "expected"), [("2025-09-07", "none"), ("2025-09-08", "2025-09-07 09:00")]
)
def test_one_not_yet_open_at_midnight_of_the_day_of_leaving_is_none(on: str, expected: str) -> None:
    assert given(*COVERED, withdraw("2025-09-06 16:00", on)).evoucher() == expected


def test_one_that_opens_at_the_midnight_of_leaving_was_open() -> None:
    student = given(
        registered("2024-09-02"),
        confirmed("2024-09-05 10:30"),
        withdraw("2024-09-05 16:00", "2024-09-06"),
        policy="shanghai-2024",
    )
    assert student.evoucher() == "2024-09-06 00:00"


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ((), "2024-09-06 00:00"),
        ((account("2024-09-10 12:00", "2024-09-09"),), "2024-09-10 00:00"),
        ((stopped("2024-10-10 12:00", "2024-10-10"),), "2024-10-11 00:00"),
    ],
    ids=["signed", "account recorded", "employee cover stopped"],
)
def test_in_2024_it_opens_the_day_after_the_account(story: tuple[Step, ...], expected: str) -> None:
    student = given(
        registered("2024-09-02"), confirmed("2024-09-05 10:30"), *story, policy="shanghai-2024"
    )
    assert student.evoucher() == expected


@pytest.mark.parametrize("document", ["resident_id_card", "hmt_residence_permit"])
def test_with_these_documents_it_can_be_had(document: str) -> None:
    assert given(*COVERED, document=document).evoucher() == "2025-09-07 09:00"


@pytest.mark.parametrize(
    "document",
    [
        "passport",
        "taiwan_travel_permit",
        "hk_macao_travel_permit",
        "exit_entry_permit",
        "overseas_chinese_permit",
    ],
)
def test_with_the_documents_of_r5_it_is_none(document: str) -> None:
    assert given(*COVERED, document=document).evoucher() == "none"


@pytest.mark.parametrize(
    "story",
    [SIGNED, (*COVERED, EMPLOYED), (REGISTERED,), (*SIGNED, checked("2025-09-06 10:30", 2))],
    ids=["no check", "not stopped", "not confirmed", "too late"],
)
def test_with_a_passport_it_is_none_from_the_start(story: tuple[Step, ...]) -> None:
    student = given(*story, document="passport")
    assert student.because("evoucher_available_at") == "document_without_evoucher"


def test_with_a_passport_leaving_before_the_account_is_the_reason() -> None:
    student = given(*COVERED, withdraw("2025-09-06 16:00", "2025-09-06"), document="passport")
    assert student.because("evoucher_available_at") == "withdrawn"


def with_passport(*story: Step) -> str:
    return given(*COVERED, *story, document="passport").evoucher()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-09-06 10:29", "2025-09-06 10:30"),
        ("2025-09-06 10:30", "2025-09-06 10:30"),
        ("2025-10-20 10:00", "2025-10-20 10:00"),
        ("2025-12-31 23:59", "2025-12-31 23:59"),
        ("2026-01-01 00:00", "none"),
    ],
)
def test_one_activated_all_the_same_is_had_from_then_but_not_before_the_account(
    at: str, expected: str
) -> None:
    assert with_passport(activate(at, observed=True)) == expected


def test_of_several_activations_the_latest_counts() -> None:
    story = (activate("2025-10-20 10:00"), activate("2025-10-25 10:00"))
    assert with_passport(*story) == "2025-10-25 10:00"


@pytest.mark.parametrize(
    ("on", "expected"), [("2025-10-20", "none"), ("2025-10-21", "2025-10-20 10:00")]
)
def test_one_activated_on_the_day_of_leaving_is_none(on: str, expected: str) -> None:
    story = (activate("2025-10-20 10:00", observed=True), withdraw("2025-10-25 10:00", on))
    assert with_passport(*story) == expected


def test_one_activated_while_the_account_is_pending_is_pending() -> None:
    story = (EMPLOYED, activate("2025-10-20 10:00", observed=True))
    assert with_passport(*story) == "pending"


def test_one_is_never_had_before_a_corrected_registration_day() -> None:
    story = (
        account("2025-09-06 12:00", "2025-09-06"),
        activate("2025-10-20 10:00"),
        correct("2025-10-25 10:00", "registered", on="2025-10-20"),
    )
    assert with_passport(*story) == "2025-10-20 10:00"


def test_a_notice_may_open_it_at_another_hour() -> None:
    policy = edition_with(evoucher_hour="07:30", evoucher_opens_after=2)
    assert given(*COVERED, policy=policy).evoucher() == "2025-09-08 07:30"


@pytest.mark.parametrize(
    ("story", "document", "basis"),
    [
        (COVERED, "resident_id_card", ["confirmed", "confirmed", "evoucher_hour"]),
        (
            (*COVERED, stopped("2025-10-10 09:00", "2025-10-10")),
            "resident_id_card",
            [
                "confirmed",
                "employee-cover-stopped",
                "confirmed",
                "employee-cover-stopped",
                "evoucher_hour",
            ],
        ),
        (
            (*COVERED, account("2025-09-10 12:00", "2025-09-10")),
            "resident_id_card",
            ["confirmed", "account-built", "evoucher_hour"],
        ),
        (
            (REGISTERED, confirmed("2025-12-31 10:00"), checked("2025-12-31 10:30")),
            "resident_id_card",
            ["confirmed", "confirmed", "evoucher_hour", "benefit_to"],
        ),
        (
            (*COVERED, withdraw("2025-09-06 16:00", "2025-09-07")),
            "resident_id_card",
            ["withdrawn", "confirmed", "confirmed", "evoucher_hour"],
        ),
        (
            (*COVERED, stopped("2026-01-05 09:00", "2026-01-05")),
            "resident_id_card",
            ["benefit_from", "employee-cover-stopped", "benefit_to"],
        ),
        (COVERED, "passport", ["registered", "documents_without_evoucher"]),
        (
            (*COVERED, activate("2025-10-20 10:00")),
            "passport",
            ["evoucher-activated", "confirmed", "result_visible_after", "confirmed"],
        ),
    ],
    ids=[
        "plain",
        "stopped",
        "account recorded",
        "too late",
        "left before it",
        "cover too late",
        "passport",
        "activated",
    ],
)
def test_it_is_told_from_what_decides_its_instant(
    story: tuple[Step, ...], document: str, basis: list[str]
) -> None:
    assert given(*story, document=document).basis("evoucher_available_at") == basis


def test_in_2024_it_is_told_from_the_account() -> None:
    student = given(registered("2024-09-02"), confirmed("2024-09-05 10:30"), policy="shanghai-2024")
    assert student.basis("evoucher_available_at") == [
        "confirmed",
        "evoucher_opens_after",
        "evoucher_hour",
    ]


@pytest.mark.parametrize(
    ("story", "rule"),
    [
        (COVERED, "R19"),
        (WAITING, "R19"),
        ((*WAITING, account("2025-11-15 12:00", "2025-11-15")), "R19"),
        ((*COVERED, stopped("2025-10-10 09:00", "2025-10-10")), "R19-latest"),
        ((*COVERED, account("2025-09-10 12:00", "2025-09-10")), "R19-latest"),
        ((*WAITING, stopped("2025-12-10 09:00", "2025-12-10")), "R19-latest"),
    ],
    ids=["signed", "waiting", "account while waiting", "stopped", "account later", "both"],
)
def test_a_day_the_notice_does_not_name_rests_on_the_assumption_that_the_latest_counts(
    story: tuple[Step, ...], rule: str
) -> None:
    values = given(*story).answer().values
    assert values is not None
    day = values.evoucher_available_at.inputs[0]
    assert isinstance(day, Derived)
    assert day.rule == rule


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2025-09-07 08:59", "none"),
        ("2025-09-07 09:00", "2025-09-07 09:00"),
        ("2025-10-01 10:00", "2025-09-07 09:00"),
    ],
)
def test_one_not_yet_open_at_the_opt_out_is_none(at: str, expected: str) -> None:
    student = given(*COVERED, keep(at, observed=True))
    assert student.evoucher() == expected
    assert (student.because("evoucher_available_at") == "opted_out") == (expected == "none")


def test_with_a_passport_an_activation_waits_for_the_account() -> None:
    early = activate("2025-09-06 10:10", observed=True)
    story = (*WAITING, early)
    assert given(*story, document="passport").evoucher() == "2025-12-01 00:00"
    assert given(*WAITING, EMPLOYED, early, document="passport").evoucher() == "pending"
    unconfirmed = (REGISTERED, activate("2025-09-02 10:10", observed=True))
    assert given(*unconfirmed, document="passport").evoucher() == "pending"
    assert given(REGISTERED, document="passport").evoucher() == "none"
